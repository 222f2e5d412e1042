"""Points of an error surface a second in PyTorch: what benches/surfaces.rs measures.

    pip install torch
    python torch_surface.py [THREADS] [SECONDS]

Each network as batched matrix products over a chunk of points, plainly and with the
first layer's linearity (its products with the centre and the directions formed once).
"""

import statistics
import sys
import time

import torch
from torch.nn import functional as F

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 3.0


def tanh_loss(z, y):
    return (0.5 * (torch.tanh(z) - y) ** 2).sum(dim=2).mean(dim=1)


def cross_entropy(z, y):
    return -(F.log_softmax(z, dim=2) * y).sum(dim=2).mean(dim=1)


CASES = [
    ("2-8-8-1 tanh, 250 samples, 51x51", [2, 8, 8, 1], torch.tanh, tanh_loss, 250, 51, (16, 64)),
    ("2-8-8-1 tanh, 500 samples, 101x101", [2, 8, 8, 1], torch.tanh, tanh_loss, 500, 101, (16, 64)),
    ("784-128-64-10 relu, 1000 samples", [784, 128, 64, 10], torch.relu, cross_entropy, 1000, 11, (1, 8)),
]


def rate(run, points):
    run()
    times, spent, begun = [], [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < SECONDS:
        start, before = time.perf_counter(), time.process_time()
        run()
        times.append(time.perf_counter() - start)
        spent.append(time.process_time() - before)
    return points / statistics.median(spent), points / statistics.median(times)


def measure(widths, activation, loss, n, side, chunk, linear):
    torch.manual_seed(1)
    x = torch.randn(n, widths[0])
    y = torch.randn(n, 1).sign() if widths[-1] == 1 else F.one_hot(torch.arange(n) % widths[-1]).float()
    shapes = list(zip(widths, widths[1:]))
    center, u, v = (
        [(torch.randn(i, o) / i**0.5, 0.1 * torch.randn(o)) for i, o in shapes] for _ in range(3)
    )
    first = [x @ w[0][0] + w[0][1] for w in (center, u, v)]
    axis = torch.linspace(-1, 1, side)
    points = torch.cartesian_prod(axis, axis)

    def run():
        for part in points.split(chunk):
            a, b = part[:, 0, None, None], part[:, 1, None, None]
            moved = [
                (w + a * w1 + b * w2, c + a * c1 + b * c2)
                for (w, c), (w1, c1), (w2, c2) in list(zip(center, u, v))[int(linear) :]
            ]
            if linear:
                z = first[0] + a * first[1] + b * first[2]
            else:
                (w, c), moved = moved[0], moved[1:]
                z = torch.baddbmm(c, x.expand(len(part), *x.shape), w)
            for w, c in moved:
                z = torch.baddbmm(c, activation(z), w)
            loss(z, y)

    with torch.no_grad():
        return rate(run, len(points))


def main():
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    for name, widths, activation, loss, n, side, chunks in CASES:
        for linear in (False, True):
            rates = [(measure(widths, activation, loss, n, side, c, linear), c) for c in chunks]
            (spent, best), chunk = max(rates)
            how = "first layer linear" if linear else "batched"
            print(f"{name}: {how}, chunks of {chunk}: {best:,.0f} points/s, {spent:,.0f} a second of processor time", flush=True)


if __name__ == "__main__":
    main()
