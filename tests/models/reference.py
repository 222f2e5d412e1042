"""Small models of other programs and what they answer, for tests/models.rs.

    pip install numpy onnx onnxruntime keras h5py jax
    KERAS_BACKEND=jax python reference.py [FOLDER WITH lenet_mnist.onnx]

Writes residual.onnx, block.keras, block.h5, nets.pt and reference.json beside itself.
Inputs follow from a formula, so that nobody has to keep them: value i of sample s is
((i * 7919 + s * 104729) % 256) / 255.
"""

import gzip
import io
import json
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
rng = np.random.default_rng(5)
answers = {}


def samples(n, shape):
    size = int(np.prod(shape))
    i = np.arange(size, dtype=np.int64)
    rows = [((i * 7919 + s * 104729) % 256) / 255 for s in range(n)]
    return np.array(rows, dtype=np.float32).reshape(n, *shape)


def draw(*shape):
    return rng.normal(0, 0.5, shape).astype(np.float32)


def run(path, x):
    session = onnxruntime.InferenceSession(path.read_bytes())
    return session.run(None, {session.get_inputs()[0].name: x})[0]


# A residual network whose weights are Constant nodes and initialisers, with a product and
# a sum for a dense layer, as exporters write them.
def constant(name, array):
    tensor = numpy_helper.from_array(array, name)
    return helper.make_node("Constant", [], [name], value=tensor)


nodes = [
    constant("c1.w", draw(4, 2, 3, 3)),
    helper.make_node("Conv", ["x", "c1.w"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    helper.make_node("BatchNormalization", ["a", "g", "b", "m", "v"], ["n"], epsilon=1e-3),
    helper.make_node("Relu", ["n"], ["r"]),
    helper.make_node("Conv", ["r", "c2.w", "c2.b"], ["d"], group=2, pads=[2, 2, 2, 2], dilations=[2, 2]),
    helper.make_node("PRelu", ["d", "s"], ["e"]),
    helper.make_node("Add", ["e", "r"], ["f"]),
    helper.make_node("Relu", ["f"], ["h"]),
    helper.make_node("AveragePool", ["h"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    helper.make_node("Reshape", ["p", "shape"], ["q"]),
    helper.make_node("MatMul", ["q", "w1"], ["t"]),
    helper.make_node("Add", ["t", "b1"], ["u"]),
    helper.make_node("Tanh", ["u"], ["z"]),
    helper.make_node("Gemm", ["z", "w2", "b2"], ["o"], alpha=0.5, beta=2.0),
    helper.make_node("Softmax", ["o"], ["y"], axis=-1),
]
arrays = {
    "g": draw(4), "b": draw(4), "m": draw(4), "v": np.abs(draw(4)) + 0.5,
    "c2.w": draw(4, 2, 3, 3), "c2.b": draw(4), "s": draw(4, 1, 1),
    "shape": np.array([0, -1], dtype=np.int64),
    "w1": draw(4 * 3 * 4, 5), "b1": draw(5), "w2": draw(5, 3), "b2": draw(3),
}
graph = helper.make_graph(
    nodes,
    "residual",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 6, 7])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
    [numpy_helper.from_array(array, name) for name, array in arrays.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
path = HERE / "residual.onnx"
onnx.save(model, path)
answers["residual.onnx"] = run(path, samples(3, (2, 6, 7))).ravel().tolist()

# Keras: depthwise and ordinary convolutions, a sum, normalisation, images of 3 channels
# flattened pixel by pixel.
import keras
from keras import layers

keras.utils.set_random_seed(3)
x = layers.Input((8, 6, 3))
a = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
b = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(a)
b = layers.BatchNormalization()(b)
b = layers.PReLU(shared_axes=[1, 2])(b)
c = layers.Add()([a, b])
c = layers.MaxPooling2D()(c)
c = layers.Dropout(0.25)(c)
c = layers.Flatten()(c)
c = layers.LayerNormalization()(c)
c = layers.Dense(7, activation="silu")(c)
c = layers.Dense(4)(c)
y = layers.Softmax()(c)
net = keras.Model(x, y)
net.set_weights([rng.normal(0, 0.5, w.shape) if "variance" not in v.path else rng.uniform(0.5, 2, w.shape) for w, v in zip(net.get_weights(), net.weights)])
net.save(HERE / "block.keras")
net.save(HERE / "block.h5")
answers["block"] = np.asarray(net.predict(samples(3, (8, 6, 3)), verbose=0)).ravel().tolist()
answers["block parameters"] = net.count_params()

# What torch.save writes, without torch: modules of its names, and pickle's own protocol 2.
for name in ["torch", "torch._utils"]:
    sys.modules[name] = types.ModuleType(name)


def rebuild(*_):
    pass


rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor_v2"
sys.modules["torch._utils"]._rebuild_tensor_v2 = rebuild


class FloatStorage:
    pass


class HalfStorage:
    pass


for storage in [FloatStorage, HalfStorage]:
    storage.__module__ = "torch"
    storage.__qualname__ = storage.__name__
    setattr(sys.modules["torch"], storage.__name__, storage)


class Stored:
    def __init__(self, kind, key, length):
        self.parts = ("storage", kind, key, "cpu", length)


class Tensor:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return rebuild, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        return item.parts if isinstance(item, Stored) else None


w1, b1, w2 = draw(3, 2), draw(3), draw(2, 3).astype(np.float16)
state = OrderedDict(
    [
        # Its memory lies column by column, behind one number that belongs to nobody.
        ("fc1.weight", Tensor(Stored(FloatStorage, "0", 7), 1, (3, 2), (1, 3), False, OrderedDict())),
        ("fc1.bias", Tensor(Stored(FloatStorage, "1", 3), 0, (3,), (1,), False, OrderedDict())),
        ("fc2.weight", Tensor(Stored(HalfStorage, "2", 6), 0, (2, 3), (3, 1), False, OrderedDict())),
    ]
)
stream = io.BytesIO()
Pickler(stream, protocol=2).dump({"epoch": 3, "state_dict": state, "loss": 0.5})
with zipfile.ZipFile(HERE / "nets.pt", "w") as archive:
    archive.writestr("nets/data.pkl", stream.getvalue())
    archive.writestr("nets/byteorder", "little")
    archive.writestr("nets/data/0", np.concatenate([[9.0], w1.T.ravel()]).astype("<f4").tobytes())
    archive.writestr("nets/data/1", b1.astype("<f4").tobytes())
    archive.writestr("nets/data/2", w2.astype("<f2").tobytes())
    archive.writestr("nets/version", "3\n")
hidden = np.maximum(samples(3, (2,)) @ w1.T + b1, 0)
logits = hidden @ w2.astype(np.float32).T
exp = np.exp(logits - logits.max(1, keepdims=True))
answers["nets.pt"] = (exp / exp.sum(1, keepdims=True)).ravel().tolist()

if len(sys.argv) > 1:
    lenet = Path(sys.argv[1]) / "lenet_mnist.onnx"
    answers["lenet"] = run(lenet, samples(4, (1, 28, 28))).ravel().tolist()
    mnist = HERE / "../../assets/data/mnist"
    images = gzip.decompress(next(mnist.glob("*test-images*")).read_bytes())[16:]
    labels = gzip.decompress(next(mnist.glob("*test-labels*")).read_bytes())[8:]
    images = np.frombuffer(images, np.uint8).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    right = run(lenet, images).argmax(1) == np.frombuffer(labels, np.uint8)
    answers["lenet accuracy"] = [100 * float(right.mean())]
elif (HERE / "reference.json").exists():
    before = json.loads((HERE / "reference.json").read_text())
    answers |= {key: before[key] for key in ["lenet", "lenet accuracy"]}
(HERE / "reference.json").write_text(json.dumps(answers, indent=1) + "\n")
