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
from torch.optim import lr_scheduler as schedulers

from references import Gdx, Lion, QHM, Reference, RpropPlus

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
    (
        "adadelta",
        {"rho": 0.9, "epsilon": 1e-6},
        1.0,
        lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.9, eps=1e-6),
    ),
    (
        "adadelta",
        {"rho": 0.7, "epsilon": 1e-3},
        0.3,
        lambda p: torch.optim.Adadelta(p, lr=0.3, rho=0.7, eps=1e-3),
    ),
    (
        "adamax",
        {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        0.01,
        lambda p: torch.optim.Adamax(p, lr=0.01),
    ),
    (
        "adamax",
        {"beta1": 0.6, "beta2": 0.9, "epsilon": 0.05},
        0.02,
        lambda p: torch.optim.Adamax(p, lr=0.02, betas=(0.6, 0.9), eps=0.05),
    ),
    (
        "nadam",
        {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "momentum_decay": 0.004},
        0.01,
        lambda p: torch.optim.NAdam(p, lr=0.01),
    ),
    (
        "nadam",
        {"beta1": 0.7, "beta2": 0.95, "epsilon": 0.05, "momentum_decay": 0.1},
        0.02,
        lambda p: torch.optim.NAdam(p, lr=0.02, betas=(0.7, 0.95), eps=0.05, momentum_decay=0.1),
    ),
    (
        "lion",
        {"beta1": 0.9, "beta2": 0.99, "weight_decay": 0.2},
        0.002,
        lambda p: Lion(p, 0.002, 0.9, 0.99, 0.2),
    ),
    ("qhm", {"momentum": 0.999, "nu": 0.7}, 0.1, lambda p: QHM(p, 0.1, 0.999, 0.7)),
    ("qhm", {"momentum": 0.8, "nu": 0.4}, 0.1, lambda p: QHM(p, 0.1, 0.8, 0.4)),
    (
        "rprop",
        {"eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 0.05},
        0.001,
        lambda p: RpropPlus(p, 0.001, 0.5, 1.2, 1e-6, 0.05),
    ),
]

# Each with an optimiser, as the training table writes both, and PyTorch's own
# scheduler. Rates change after every batch or, where `epochs` is set, after
# every epoch; one of a plateau also heeds the loss over all samples.
SGD = {"name": "sgd", "learning_rate": 0.1}
STEPS_PER_EPOCH = 4
SCHEDULES = [
    ({"name": "step", "every": 3, "factor": 0.6}, True, lambda o: schedulers.StepLR(o, 3, 0.6)),
    (
        {"name": "exponential", "factor": 0.9},
        True,
        lambda o: schedulers.ExponentialLR(o, 0.9),
    ),
    (
        {"name": "cosine", "minimum": 0.01},
        False,
        lambda o: schedulers.CosineAnnealingLR(o, STEPS, eta_min=0.01),
    ),
    (
        {"name": "one-cycle", "warm_share": 0.3, "divide_first": 25.0, "divide_last": 1e4},
        False,
        lambda o: schedulers.OneCycleLR(o, 0.1, total_steps=STEPS, cycle_momentum=False),
    ),
    (
        {"name": "constant", "warmup_steps": 20},
        False,
        lambda o: schedulers.LinearLR(o, 1 / 20, 1, 19),
    ),
    (
        {"name": "cosine", "minimum": 0.0, "warmup_steps": 20},
        False,
        lambda o: schedulers.ChainedScheduler(
            [schedulers.LinearLR(o, 1 / 20, 1, 19), schedulers.CosineAnnealingLR(o, STEPS)]
        ),
    ),
    (
        {"name": "plateau", "factor": 0.5, "patience": 1, "threshold": 0.2, "cooldown": 2},
        True,
        lambda o: schedulers.ReduceLROnPlateau(
            o, factor=0.5, patience=1, threshold=0.2, cooldown=2
        ),
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


def train(start, case, x, y, batches, build, l1=0.0, l2=0.0, clip=None, decay=0.0, schedule=None):
    """The batches' data losses, each before its step."""
    _, _, _, activations, loss = case
    params = [p.clone().requires_grad_(True) for p in start]
    optimizer = build(params)
    scheduler = schedule and schedule(optimizer)
    losses = []
    for rows in batches:
        optimizer.zero_grad()
        z, a = forward(params, activations, x[rows])
        value = LOSSES[loss](z, a, y[rows])
        penalty = sum(l1 * w.abs().sum() + 0.5 * l2 * (w**2).sum() for w in params[::2])
        (value + penalty).backward()
        if clip:
            clip(params)
        if decay:
            with torch.no_grad():
                for p in params:
                    p *= 1 - optimizer.param_groups[0]["lr"] * decay
        if isinstance(optimizer, Reference):
            optimizer.step((value + penalty).item())
        else:
            optimizer.step()
        if scheduler:
            scheduler.after_step(params)
        losses.append(value.item())
    return losses


class Scheduler:
    """Steps PyTorch's scheduler after every batch or every epoch, and notes the
    rates."""

    def __init__(self, optimizer, build, epochs, evaluate):
        self.optimizer, self.inner = optimizer, build(optimizer)
        self.epochs, self.evaluate, self.steps = epochs, evaluate, 0
        self.rates = [optimizer.param_groups[0]["lr"]]

    def after_step(self, params):
        self.steps += 1
        if not self.epochs or self.steps % STEPS_PER_EPOCH == 0:
            if isinstance(self.inner, schedulers.ReduceLROnPlateau):
                self.inner.step(self.evaluate(params))
            elif self.steps < STEPS:  # OneCycleLR refuses one step too many.
                self.inner.step()
        self.rates.append(self.optimizer.param_groups[0]["lr"])


def scheduled(start, case, x, y, batches):
    """A run of SGD under each schedule, with the rate of every step."""
    runs = []
    for schedule, epochs, build in SCHEDULES:
        made = []

        def evaluate(params):
            with torch.no_grad():
                z, a = forward(params, case[3], x)
                return LOSSES[case[4]](z, a, y).item()

        def make(optimizer):
            made.append(Scheduler(optimizer, build, epochs, evaluate))
            return made[-1]

        rate = SGD["learning_rate"]
        losses = train(
            start, case, x, y, batches, lambda p: torch.optim.SGD(p, lr=rate), schedule=make
        )
        runs.append({"schedule": schedule, "rates": made[0].rates[:STEPS], "losses": losses})
    return runs


def clip_norm(most):
    """Exactly to the norm: PyTorch's own divides by the norm plus 1e-6."""

    def clip(params):
        norm = torch.cat([p.grad.reshape(-1) for p in params]).norm()
        if norm > most:
            for p in params:
                p.grad *= most / norm

    return clip


def variable_rate(start, case, x, y, constants):
    """The losses and the last rate of traingdx over all samples."""
    _, _, _, activations, loss = case
    params = [p.clone().requires_grad_(True) for p in start]
    optimizer = Gdx(params, **constants)

    def evaluate():
        with torch.no_grad():
            z, a = forward(params, activations, x)
            return LOSSES[loss](z, a, y).item()

    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        z, a = forward(params, activations, x)
        value = LOSSES[loss](z, a, y)
        value.backward()
        losses.append(value.item())
        optimizer.step(value.item(), evaluate)
    return {"losses": losses, "rate": optimizer.lr}


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
    for extra, options in [
        ({"weight_decay": 0.4}, {"decay": 0.4}),
        ({"clip_norm": 0.05}, {"clip": clip_norm(0.05)}),
        (
            {"clip_value": 0.02},
            {"clip": lambda p: torch.nn.utils.clip_grad_value_(p, 0.02, foreach=False)},
        ),
    ]:
        name, constants, rate, build = OPTIMIZERS[1]
        run = {"optimizer": {"name": name, "learning_rate": rate, **constants}}
        target = run["optimizer"] if "weight_decay" in extra else run
        target.update(extra)
        run["losses"] = train(start, case, *tensors, batches, build, **options)
        run["full_batch_losses"] = train(start, case, *tensors, full, build, **options)
        runs.append(run)
    constants = {"momentum": 0.9, "lr_inc": 1.05, "lr_dec": 0.7, "max_perf_inc": 1.04}
    rate = 0.5
    gdx = variable_rate(start, case, *tensors, {"lr": rate, **constants})
    gdx["optimizer"] = {"name": "gdx", "learning_rate": rate, **constants}
    # PyTorch's Rprop is iRprop-: iRprop+ that is never told a loss.
    minus = train(
        start,
        case,
        *tensors,
        full,
        lambda p: torch.optim.Rprop(p, lr=0.001, etas=(0.5, 1.2), step_sizes=(1e-6, 0.05)),
    )
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
        "schedules": scheduled(start, case, *tensors, batches),
        "variable_rate": gdx,
        "rprop_without_losses": minus,
    }


def smoothed(case):
    """PyTorch's label smoothing for softmax, and targets smoothed by hand for a
    sigmoid, whose loss has no such option."""
    title, data, widths, activations, loss = case
    x, y = data(60)
    start = initial(widths)
    x, y = torch.tensor(x), torch.tensor(y)
    params = [p.clone().requires_grad_(True) for p in start]
    optimizer = torch.optim.SGD(params, lr=0.1)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        z, _ = forward(params, activations, x)
        if loss == "softmax-cross-entropy":
            value = F.cross_entropy(z, y.argmax(dim=1), label_smoothing=0.15)
        else:
            value = F.binary_cross_entropy_with_logits(z, 0.85 * y + 0.075)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return {
        "name": f"{title}, smoothed",
        "widths": widths,
        "activations": activations,
        "loss": loss,
        "x": x.tolist(),
        "y": y.tolist(),
        "initial": flat(start),
        "label_smoothing": 0.15,
        "losses": losses,
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
        "smoothed": [smoothed(case) for case in CASES[:2]],
    }
    json.dump(result, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
