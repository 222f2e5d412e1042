"""Reference runs for tests/golden.rs, made by PyTorch at double precision.

    pip install torch==2.15.0
    python generate.py > pytorch.json

Everything that a run depends on is in the file: data, initial parameters and
the rows of every batch. Data and initial parameters are numbers that a float
of 32 bits holds exactly, so that the same run can be made at either precision.
"""

import json
import math
import random
import sys

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
random.seed(20)

STEPS = 100
BATCH = 16

ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": lambda z: F.leaky_relu(z, 0.01),
    "softplus": F.softplus,
    "gelu": F.gelu,
    "silu": F.silu,
    "softmax": lambda z: torch.softmax(z, dim=1),
}

# Each takes pre-activations, activations and targets [n, outputs] and gives
# the mean over the samples.
LOSSES = {
    "half-squared-error": lambda z, a, t: 0.5 * ((a - t) ** 2).sum(dim=1).mean(),
    "mean-squared-error": lambda z, a, t: F.mse_loss(a, t),
    "binary-cross-entropy": lambda z, a, t: F.binary_cross_entropy_with_logits(z, t),
    "softmax-cross-entropy": lambda z, a, t: F.cross_entropy(z, t.argmax(dim=1)),
}

# Constants far from the defaults show where an epsilon or a correction stands.
# The learning rates are small enough that rounding does not grow from step to
# step: at larger ones PyTorch's own runs at 32 and at 64 bits part ways.
OPTIMIZERS = [
    ("sgd", {}, 0.1, lambda p: torch.optim.SGD(p, lr=0.1)),
    ("momentum", {"momentum": 0.9}, 0.03, lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.9)),
    (
        "nesterov",
        {"momentum": 0.9},
        0.03,
        lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.9, nesterov=True),
    ),
    ("adagrad", {"epsilon": 1e-10}, 0.03, lambda p: torch.optim.Adagrad(p, lr=0.03, eps=1e-10)),
    ("adagrad", {"epsilon": 0.05}, 0.03, lambda p: torch.optim.Adagrad(p, lr=0.03, eps=0.05)),
    (
        "rmsprop",
        {"rho": 0.99, "epsilon": 1e-8},
        0.002,
        lambda p: torch.optim.RMSprop(p, lr=0.002, alpha=0.99, eps=1e-8),
    ),
    (
        "rmsprop",
        {"rho": 0.8, "epsilon": 0.05},
        0.01,
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.8, eps=0.05),
    ),
    (
        "adam",
        {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        0.02,
        lambda p: torch.optim.Adam(p, lr=0.02),
    ),
    (
        "adam",
        {"beta1": 0.6, "beta2": 0.95, "epsilon": 0.05},
        0.02,
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.6, 0.95), eps=0.05),
    ),
    (
        "adamw",
        {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.5},
        0.02,
        lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.5),
    ),
]


def single(value):
    """The nearest number of the form k / 2^16: exact at 32 bits if |value| < 128."""
    return round(value * 65536) / 65536


def normal(scale=1.0):
    return single(random.gauss(0, scale))


def initial(widths):
    """Weights [out, in] and biases, layer by layer, as tensors."""
    params = []
    for n_in, n_out in zip(widths, widths[1:]):
        scale = 1.0 / math.sqrt(n_in)
        params.append(torch.tensor([[normal(scale) for _ in range(n_in)] for _ in range(n_out)]))
        params.append(torch.tensor([normal(0.1) for _ in range(n_out)]))
    return params


def flat(params):
    return [v for p in params for v in p.detach().reshape(-1).tolist()]


def forward(params, activations, x):
    a = x
    for k, name in enumerate(activations):
        z = F.linear(a, params[2 * k], params[2 * k + 1])
        a = ACTIVATIONS[name](z)
    return z, a


def classes(n):
    """Three clusters in four dimensions, as iris is."""
    centers = [(0, 0, 0, 0), (1.5, -1, 1, 0.5), (2, 1, 2, 1.5)]
    labels = [i % 3 for i in range(n)]
    x = [[single(c + random.gauss(0, 0.7)) for c in centers[k]] for k in labels]
    return x, [[float(k == j) for j in range(3)] for k in labels]


def rings(n):
    x = [[normal(), normal()] for _ in range(n)]
    return x, [[float(u * u + v * v > 1.4)] for u, v in x]


def waves(n):
    x = [[normal(), normal()] for _ in range(n)]
    return x, [[single(math.sin(2 * u) + v), single(u * v)] for u, v in x]


def ridge(n):
    x = [[normal(), normal(), normal()] for _ in range(n)]
    return x, [[single(math.tanh(u + v)), single(0.5 * math.cos(v - w))] for u, v, w in x]


CASES = [
    ("classes", classes, [4, 6, 5, 3], ["tanh", "relu", "softmax"], "softmax-cross-entropy"),
    ("rings", rings, [2, 6, 4, 1], ["gelu", "silu", "sigmoid"], "binary-cross-entropy"),
    ("waves", waves, [2, 6, 4, 2], ["sigmoid", "leaky-relu", "linear"], "half-squared-error"),
    ("ridge", ridge, [3, 5, 2], ["softplus", "tanh"], "mean-squared-error"),
]


def batch_rows(n):
    """A fresh order each epoch; the last batch of an epoch has what is left."""
    rows = []
    while len(rows) < STEPS:
        order = random.sample(range(n), n)
        rows += [order[i : i + BATCH] for i in range(0, n, BATCH)]
    return rows[:STEPS]


def train(start, case, x, y, batches, build, l1=0.0, l2=0.0):
    """The batches' data losses, each before its step."""
    _, _, _, activations, loss = case
    params = [p.clone().requires_grad_(True) for p in start]
    optimizer = build(params)
    losses = []
    for rows in batches:
        optimizer.zero_grad()
        z, a = forward(params, activations, x[rows])
        value = LOSSES[loss](z, a, y[rows])
        penalty = sum(l1 * w.abs().sum() + 0.5 * l2 * (w**2).sum() for w in params[::2])
        (value + penalty).backward()
        optimizer.step()
        losses.append(value.item())
    return losses


def reference(case):
    title, data, widths, activations, loss = case
    x, y = data(60)
    start = initial(widths)
    batches = batch_rows(len(x))
    full = [list(range(len(x)))] * STEPS
    tensors = torch.tensor(x), torch.tensor(y)
    runs = []
    for optimizer, constants, rate, build in OPTIMIZERS:
        run = {"optimizer": {"name": optimizer, "learning_rate": rate, **constants}}
        run["losses"] = train(start, case, *tensors, batches, build)
        run["full_batch_losses"] = train(start, case, *tensors, full, build)
        runs.append(run)
    name, _, rate, build = OPTIMIZERS[0]
    run = {"optimizer": {"name": name, "learning_rate": rate}, "l1": 0.002, "l2": 0.03}
    run["losses"] = train(start, case, *tensors, batches, build, 0.002, 0.03)
    run["full_batch_losses"] = train(start, case, *tensors, full, build, 0.002, 0.03)
    runs.append(run)
    return {
        "name": title,
        "widths": widths,
        "activations": activations,
        "loss": loss,
        "x": x,
        "y": y,
        "initial": flat(start),
        "batches": batches,
        "runs": runs,
    }


def curve(name):
    """Values and derivatives of an element-wise activation; none at a kink."""
    z = torch.tensor([-40, -12, -5.5, -3, -1.25, -0.5, -0.01, 0.01, 0.75, 1, 2.5, 6, 13, 40.0])
    z.requires_grad_(True)
    a = ACTIVATIONS[name](z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    return {"activation": name, "z": z.tolist(), "a": a.tolist(), "slope": slope.tolist()}


def main():
    result = {
        "library": f"PyTorch {torch.__version__}",
        "activations": [curve(name) for name in ACTIVATIONS if name != "softmax"],
        "cases": [reference(case) for case in CASES],
    }
    json.dump(result, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
