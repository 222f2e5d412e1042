"""Reference surfaces for tests/golden_surfaces.rs: the loss of trained networks over
planes through their parameters, by PyTorch at double precision.

    pip install torch==2.15.0 jax==0.10.0 numpy
    python generate_surfaces.py

writes surfaces.json (the networks) and surfaces.npz (samples, weights, directions and
heights) beside itself. Networks are described and built as in generate_layers.py.

Weights, directions and samples are numbers that a float of 32 bits holds exactly; the
coordinates are those of numpy.linspace. The directions are random and have the norm of
the weights in each row of a weight, and move every other trained parameter by a tenth
of what a weight's row moves on average.
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

from generate_layers import LOSSES, Reference, joined, split, start

SAMPLES = 150
SIDE = 21

CASES = [
    {
        "name": "dense, classes",
        "input": [2, 1, 1],
        "layers": ["flatten", {"dense": 16}, {"dense": 12, "activation": "relu"}],
        "output": [3, "softmax"],
        "loss": "softmax-cross-entropy",
        "steps": 150,
    },
    {
        "name": "dense, values",
        "input": [3, 1, 1],
        "layers": ["flatten", {"dense": 8}, {"dense": 8, "activation": "sigmoid"}],
        "output": [2, "linear"],
        "loss": "half-squared-error",
        "steps": 400,
    },
    {
        "name": "dense, far trained",
        "input": [2, 1, 1],
        "layers": ["flatten", {"dense": 8}, {"dense": 8}],
        "output": [1, "tanh"],
        "loss": "mean-squared-error",
        "steps": 3000,
    },
    {
        "name": "convolutional",
        "input": [1, 8, 8],
        "layers": [
            {"conv": 6, "kernel": 3, "padding": 1, "bias": False, "activation": "linear"},
            {"kind": "batch_norm", "activation": "relu"},
            {"max_pool": 2},
            {"conv": 8, "kernel": 3, "activation": "relu"},
            {"avg_pool": 2},
            "batch_norm",
            "flatten",
            {"dense": 10},
        ],
        "output": [4, "softmax"],
        "loss": "softmax-cross-entropy",
        "steps": 60,
    },
    {
        "name": "residual",
        "input": [2, 6, 5],
        "layers": [
            {"conv": 4, "kernel": 3, "padding": 1, "activation": "relu", "name": "stem"},
            {"conv": 4, "kernel": 3, "padding": 1, "bias": False, "activation": "linear"},
            {"kind": "batch_norm", "activation": "relu"},
            {"conv": 4, "kernel": 3, "padding": 1, "bias": False, "activation": "linear"},
            "batch_norm",
            {"add": "stem", "activation": "relu", "name": "block1"},
            {"conv": 6, "kernel": 1, "stride": 2, "activation": "linear", "name": "around"},
            {
                "conv": 6,
                "kernel": 3,
                "stride": 2,
                "padding": 1,
                "bias": False,
                "activation": "linear",
                "from": "block1",
            },
            {"kind": "batch_norm", "activation": "gelu"},
            {"add": "around", "activation": "relu"},
            "global_avg_pool",
        ],
        "output": [1, "sigmoid"],
        "loss": "binary-cross-entropy",
        "steps": 80,
    },
]


def single(tensor):
    """The nearest numbers of 32 bits."""
    return torch.as_tensor(tensor).float().double()


def samples(case, rng):
    """Inputs, and targets that a network can learn from them."""
    x = single(rng.standard_normal((SAMPLES, *case["input"])))
    units = case["output"][0]
    flat = x.reshape(SAMPLES, -1)
    mix = torch.from_numpy(rng.standard_normal((flat.shape[1], units)))
    score = torch.sin(flat @ mix) + 0.3 * flat @ mix
    match case["loss"]:
        case "softmax-cross-entropy":
            y = F.one_hot(score.argmax(dim=1), units).double()
        case "binary-cross-entropy":
            y = (score > 0).double()
        case _:
            y = single(torch.tanh(0.5 * score))
    return x, y


def direction(model, rng):
    parts = []
    for p in model.parameters():
        draw = torch.from_numpy(rng.standard_normal(p.shape))
        if p.ndim > 1:
            rows, weights = draw.reshape(len(p), -1), p.detach().reshape(len(p), -1)
            rows *= (weights.norm(dim=1) / rows.norm(dim=1))[:, None]
        else:
            draw *= 0.1
        parts.append(draw)
    return joined(parts + [torch.zeros_like(s) for s in model.statistics()])


def put(model, vector):
    """Takes parameters and statistics from the flat vector."""
    with torch.no_grad():
        tensors = list(model.parameters()) + model.statistics()
        for tensor, values in zip(tensors, split(vector, tensors)):
            tensor.copy_(values)


def surface(case, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = Reference(case)
    start(model, rng)
    x, y = samples(case, rng)
    loss_of = LOSSES[case["loss"]]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model.train()
    for _ in range(case["steps"]):
        optimizer.zero_grad()
        zs, values = model(x)
        loss_of(zs[-1], values[-1], y).backward()
        optimizer.step()
    model.eval()
    center = single(model.flat())
    put(model, center)
    u, v = (single(direction(model, rng)) for _ in range(2))
    axis = np.linspace(-1, 1, SIDE)
    heights = np.empty((SIDE, SIDE))
    with torch.no_grad():
        for j, b in enumerate(axis):
            for i, a in enumerate(axis):
                put(model, center + a * u + b * v)
                zs, values = model(x)
                heights[j, i] = loss_of(zs[-1], values[-1], y).item()
    flat = x.reshape(SAMPLES, -1)
    arrays = {"x": flat, "y": y, "center": center, "u": u, "v": v}
    arrays = {k: t.numpy().astype(np.float32) for k, t in arrays.items()}
    arrays["heights"] = heights
    described = {
        "name": case["name"],
        "input": case["input"],
        "network": {"layers": case["layers"], "loss": "cross-entropy"},
        "output": case["output"],
        "loss": case["loss"],
    }
    print(f"{case['name']}: {heights[SIDE // 2, SIDE // 2]:.3g}, {heights.min():.3g} to {heights.max():.3g}")
    return described, {f"{case['name']}/{k}": a for k, a in arrays.items()}


def main():
    cases, arrays = [], {}
    for seed, case in enumerate(CASES):
        described, own = surface(case, seed + 1)
        cases.append(described)
        arrays.update(own)
    folder = pathlib.Path(__file__).parent
    text = json.dumps({"library": {"torch": torch.__version__}, "cases": cases}, indent=1)
    (folder / "surfaces.json").write_text(text + "\n")
    np.savez(folder / "surfaces.npz", **arrays)


if __name__ == "__main__":
    main()
