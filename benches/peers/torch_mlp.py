"""PyTorch at the sizes of benches/training.rs, to be run just before or after it.

    pip install torch numpy
    python torch_mlp.py [THREADS]

Prints the median and the best of nine runs after a warm-up, in the same units.
On a machine that others use, compare the best with the best.
"""

import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def rate(work, elements):
    """Elements a second over nine runs of about 0.2 s."""
    work()
    start = time.perf_counter()
    work()
    repeats = max(1, int(0.2 / (time.perf_counter() - start)))
    rates = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        rates.append(elements * repeats / (time.perf_counter() - start))
    return f"median {statistics.median(rates):.0f}, best {max(rates):.0f}"


def mlp(widths, activation, last):
    layers = []
    for n_in, n_out in zip(widths, widths[1:]):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1], *([activation()] if last else []))


def epoch_of(model, optimizer, loss, x, y, batch):
    def work():
        order = torch.randperm(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()

    return work


def half_squared_error(output, target):
    return 0.5 * ((output - target) ** 2).sum(dim=1).mean()


def epochs(name, widths):
    x, y = torch.randn(250, widths[0]), torch.randn(250, 1).sign()
    model = mlp(widths, nn.Tanh, last=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    work = epoch_of(model, optimizer, half_squared_error, x, y, 10)
    print(f"{name}, epochs/s: {rate(work, 1)}")


def samples():
    x, y = torch.rand(1280, 784), torch.arange(1280) % 10
    model = mlp([784, 128, 64, 10], nn.ReLU, last=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    work = epoch_of(model, optimizer, F.cross_entropy, x, y, 64)
    print(f"784-128-64-10, samples/s: {rate(work, 1280)}")


def surface(n, side, chunk=64):
    """All networks of a chunk of points at once, as batched matrix products."""
    widths = [2, 8, 8, 1]
    x, y = torch.randn(n, 2), torch.randn(n, 1).sign()
    shapes = list(zip(widths, widths[1:]))
    center, d1, d2 = ([(torch.randn(i, o), torch.randn(o)) for i, o in shapes] for _ in range(3))
    axis = torch.linspace(-1, 1, side)
    points = torch.cartesian_prod(axis, axis)

    def work():
        with torch.no_grad():
            for part in points.split(chunk):
                a, b = part[:, 0, None, None], part[:, 1, None, None]
                h = x.expand(len(part), *x.shape)
                for (w, c), (w1, c1), (w2, c2) in zip(center, d1, d2):
                    h = torch.tanh(torch.baddbmm(c + a * c1 + b * c2, h, w + a * w1 + b * w2))
                (0.5 * (h - y) ** 2).mean(dim=(1, 2))

    print(f"2-8-8-1, {n} samples, points/s: {rate(work, side * side)}")


def main():
    torch.manual_seed(1)
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    epochs("2-4-2-1", [2, 4, 2, 1])
    epochs("7-8-8-8-8-8-8-1", [7, 8, 8, 8, 8, 8, 8, 1])
    samples()
    surface(250, 51)
    surface(500, 101)


if __name__ == "__main__":
    main()
