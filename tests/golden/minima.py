"""Minima found by SciPy, for tests/minima.rs.

    pip install scipy==1.17
    python minima.py > scipy.json

Rosenbrock's function in four dimensions, and a curve a exp(-b t) + c sin(d t)
fitted to forty points, each from a fixed start.
"""

import json
import math
import random
import sys

import numpy as np
import scipy
from scipy.optimize import least_squares, minimize

random.seed(5)
TIMES = [0.1 * i for i in range(40)]
VALUES = [
    2.5 * math.exp(-0.8 * t) + 0.7 * math.sin(1.9 * t) + random.gauss(0, 0.1) for t in TIMES
]


def rosenbrock(p):
    """Residuals: 10 (p[i+1] - p[i]^2) and 1 - p[i]."""
    p = np.asarray(p)
    return np.concatenate([10 * (p[1:] - p[:-1] ** 2), 1 - p[:-1]])


def curve(p):
    a, b, c, d = p
    t = np.asarray(TIMES)
    return a * np.exp(-b * t) + c * np.sin(d * t) - np.asarray(VALUES)


def solve(residuals, start):
    tight = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
    squares = least_squares(residuals, start, method="lm", x_scale=1.0, **tight)

    def loss(p):
        r = residuals(p)
        return 0.5 * float(r @ r)

    results = {"levenberg-marquardt": (squares.x.tolist(), loss(squares.x))}
    for name, method, options in [
        ("conjugate gradients", "CG", {"gtol": 1e-9, "maxiter": 10000}),
        ("lbfgs", "L-BFGS-B", {"gtol": 1e-10, "ftol": 1e-16, "maxiter": 10000}),
    ]:
        found = minimize(loss, start, method=method, jac="3-point", options=options)
        results[name] = (found.x.tolist(), loss(found.x))
    return {
        "start": start,
        "minima": [{"method": m, "x": x, "loss": v} for m, (x, v) in results.items()],
    }


def main():
    result = {
        "library": f"SciPy {scipy.__version__}",
        "times": TIMES,
        "values": VALUES,
        "rosenbrock": solve(rosenbrock, [0.3, 1.4, 0.6, 1.7]),
        "curve": solve(curve, [1.0, 0.3, 1.0, 2.2]),
    }
    json.dump(result, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
