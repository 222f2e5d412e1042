"""Makes explain.json: what PyTorch and Captum find about three digits.

    python -m venv venv
    venv/bin/pip install torch captum safetensors numpy
    venv/bin/pip install ckatorch
    venv/bin/python tests/reference/explain.py

The network is lenet_mnist.safetensors (tensorspace 0.6.1, Apache-2.0), at double
precision; the digits are the first 3, the first 5 and the first 7 of the test part in
assets/data/mnist, and their pixels are in the file. What is explained is the logit of
the digit's own class. CKA is of four layers over the first 60 of those samples, by
ckatorch (biased, linear) and, for the script's own check, by Gram matrices in numpy.
"""

import gzip
import json
import pathlib

import captum
import numpy
import torch
from captum.attr import (
    InputXGradient,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from ckatorch.core import cka_base
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent.parent / "assets" / "data" / "mnist"


def idx(name, offset):
    return numpy.frombuffer(gzip.decompress((DATA / name).read_bytes()), numpy.uint8)[offset:]


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5)
        self.pool1 = torch.nn.MaxPool2d(2)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.pool2 = torch.nn.MaxPool2d(2)
        self.fc1 = torch.nn.Linear(256, 120)
        self.relu1 = torch.nn.ReLU()
        self.fc2 = torch.nn.Linear(120, 84)
        self.relu2 = torch.nn.ReLU()
        self.fc3 = torch.nn.Linear(84, 10)

    def layers(self, x):
        """Activations of each layer as gradscape counts them; the last are probabilities."""
        c1 = self.conv1(x)
        p1 = self.pool1(c1)
        c2 = self.conv2(p1)
        p2 = self.pool2(c2)
        flat = p2.flatten(1)
        f1 = self.relu1(self.fc1(flat))
        f2 = self.relu2(self.fc2(f1))
        return [c1, p1, c2, p2, flat, f1, f2, self.fc3(f2)]

    def forward(self, x):
        return self.layers(x)[-1]


def short(values):
    """Seven digits: enough for a comparison to 1e-5, and short."""
    return [float(f"{v:.7g}") for v in numpy.asarray(values, dtype=float).reshape(-1)]


def gram_cka(x, y):
    x, y = (v - v.mean(0) for v in (x, y))
    k, l = x @ x.T, y @ y.T
    return float((k * l).sum() / numpy.sqrt((k * k).sum() * (l * l).sum()))


def library_cka(layers):
    layers = [torch.tensor(v) for v in layers]
    return [[float(cka_base(x, y, "linear", unbiased=False)) for y in layers] for x in layers]


def main():
    torch.manual_seed(0)
    net = LeNet()
    net.load_state_dict(load_file(HERE / "lenet_mnist.safetensors"))
    net = net.double().eval()
    pixels = idx("2k-test-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = idx("2k-test-labels-idx1-ubyte.gz", 8)
    samples = []
    for digit in (3, 5, 7):
        index = int(numpy.flatnonzero(labels == digit)[0])
        x = torch.tensor(pixels[index].astype(float) / 255).reshape(1, 1, 28, 28)
        zero = torch.zeros_like(x)
        with torch.no_grad():
            layers = [v.detach().numpy() for v in net.layers(x)]
        integrated = IntegratedGradients(net)
        cam = LayerGradCam(net, net.conv2).attribute(x, target=digit)
        relu = LayerGradCam(net, net.conv2).attribute(x, target=digit, relu_attributions=True)
        over = LayerAttribution.interpolate(relu, (28, 28), interpolate_mode="bilinear")
        samples.append(
            {
                "index": index,
                "label": digit,
                "pixels": pixels[index].reshape(-1).tolist(),
                # The largest maps of one sample only, to keep the file small.
                "layers": [short(v) if v.size < 1000 or digit == 3 else [] for v in layers],
                "layer_sums": [float(v.sum()) for v in layers],
                "saliency": short(Saliency(net).attribute(x, target=digit, abs=False).detach()),
                "gradient_times_input": short(
                    InputXGradient(net).attribute(x, target=digit).detach()
                ),
                "integrated_64": short(
                    integrated.attribute(
                        x, zero, target=digit, n_steps=64, method="riemann_middle"
                    ).detach()
                ),
                "integrated_fine": short(
                    integrated.attribute(
                        x,
                        zero,
                        target=digit,
                        n_steps=20000,
                        method="riemann_middle",
                        internal_batch_size=500,
                    ).detach()
                ),
                "grad_cam": short(cam.detach()),
                "grad_cam_over": short(over.detach()),
                "occlusion": short(
                    Occlusion(net).attribute(
                        x,
                        sliding_window_shapes=(1, 6, 6),
                        strides=(1, 2, 2),
                        baselines=0,
                        target=digit,
                    )
                ),
            }
        )
    batch = torch.tensor(pixels[:60].astype(float) / 255).reshape(-1, 1, 28, 28)
    with torch.no_grad():
        layers = [v.flatten(1).numpy() for v in net.layers(batch)]
    chosen = [0, 3, 5, 6]
    cka = [[gram_cka(layers[i], layers[j]) for j in chosen] for i in chosen]
    library = library_cka([layers[i] for i in chosen])
    print(numpy.abs(numpy.array(cka) - numpy.array(library)).max(), "between the two CKAs")
    out = {
        "library": {"torch": torch.__version__, "captum": captum.__version__},
        "samples": samples,
        "cka_layers": chosen,
        "cka_samples": 60,
        "cka": library,
    }
    (HERE / "explain.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
