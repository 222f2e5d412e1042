"""Reads the network of `gradscape export NAME --out NAME.onnx --out NAME.safetensors` with ONNX's
checker, ONNX Runtime and safetensors: the graph has the parameters that the other file has, bit
for bit, and what ONNX Runtime makes of it is what numpy makes of dense layers with those.

    python3 read_model.py NAME

For networks of dense layers with tanh, ReLU, sigmoid and softmax. Run with numpy 2.4.6, onnx 1.23,
onnxruntime 1.32 and safetensors 0.8.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors import safe_open

name = sys.argv[1]
model = onnx.load(f"{name}.onnx")
onnx.checker.check_model(model, full_check=True)
notes = {prop.key: prop.value for prop in model.metadata_props}
scaling = json.loads(notes["gradscape.scaling"])
assert scaling["formula"] == "(x - shift) * factor", scaling
classes = json.loads(notes["gradscape.classes"])

graph = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
with safe_open(f"{name}.safetensors", "np") as file:
    assert file.metadata()["format"] == "pt"
    layers = json.loads(file.metadata()["gradscape.layers"])
    params = {key: file.get_tensor(key) for key in file.keys()}
assert graph.keys() == params.keys(), (graph.keys(), params.keys())
for key, value in params.items():
    np.testing.assert_array_equal(graph[key], value, key)

session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
port = session.get_inputs()[0]
x = np.random.default_rng(3).normal(size=(50, port.shape[1])).astype(np.float32)
found = session.run(None, {port.name: x})[0]
assert found.shape == (50, len(classes)), found.shape

functions = {
    "Tanh": np.tanh,
    "Relu": lambda z: np.maximum(z, 0),
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "Softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}
operators = [node.op_type for node in model.graph.node if node.op_type in functions]
y = x.astype(np.float64)
for layer, operator in zip(layers, operators, strict=True):
    y = functions[operator](y @ params[f"{layer}.weight"].T + params[f"{layer}.bias"])
off = np.abs(found - y).max()
assert off < 1e-5, off
print(f"{name}.onnx: {len(model.graph.node)} nodes, ONNX Runtime within {off:.1e} of numpy")
