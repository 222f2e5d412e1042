"""Points of an error surface a second in JAX: what benches/surfaces.rs measures.

    pip install jax
    python jax_surface.py [SECONDS]

Each network two ways: all of it at every point (vmap over a chunk of points,
compiled), and with the first layer's linearity (its products with the centre and the
directions formed once); of each the best of several sizes of chunk. Use `taskset -c 0` for one core; JAX has no other switch.
"""

import os
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0


def tanh_loss(z, y):
    return (0.5 * (jnp.tanh(z) - y) ** 2).sum(axis=1).mean()


def cross_entropy(z, y):
    return -(jax.nn.log_softmax(z) * y).sum(axis=1).mean()


CASES = [
    ("2-8-8-1 tanh, 250 samples, 51x51", [2, 8, 8, 1], jnp.tanh, tanh_loss, 250, 51, (8, 32, 64)),
    ("2-8-8-1 tanh, 500 samples, 101x101", [2, 8, 8, 1], jnp.tanh, tanh_loss, 500, 101, (8, 32, 64)),
    ("784-128-64-10 relu, 1000 samples", [784, 128, 64, 10], jax.nn.relu, cross_entropy, 1000, 11, (1, 4, 8)),
]


def best_rate(run, points):
    """Points a second of processor time, and by the clock, of the median run."""
    run()
    times, spent, begun = [], [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < SECONDS:
        start, before = time.perf_counter(), time.process_time()
        run()
        times.append(time.perf_counter() - start)
        spent.append(time.process_time() - before)
    return points / float(np.median(spent)), points / float(np.median(times))


def measure(widths, activation, loss, n, side, chunk, linear):
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.standard_normal((n, widths[0])), jnp.float32)
    if widths[-1] == 1:
        y = jnp.asarray(np.sign(rng.standard_normal((n, 1))), jnp.float32)
    else:
        y = jnp.asarray(np.eye(widths[-1])[np.arange(n) % widths[-1]], jnp.float32)

    def draw():
        shapes = list(zip(widths, widths[1:]))
        return [
            (
                jnp.asarray(rng.standard_normal((i, o)) / np.sqrt(i), jnp.float32),
                jnp.asarray(0.1 * rng.standard_normal(o), jnp.float32),
            )
            for i, o in shapes
        ]

    center, u, v = draw(), draw(), draw()
    first = [x @ w[0][0] + w[0][1] for w in (center, u, v)]

    def at(point):
        a, b = point
        moved = jax.tree.map(lambda c, d, e: c + a * d + b * e, center, u, v)
        if linear:
            z = first[0] + a * first[1] + b * first[2]
        else:
            z = x @ moved[0][0] + moved[0][1]
        for w, c in moved[1:]:
            z = activation(z) @ w + c
        return loss(z, y)

    axis = np.linspace(-1, 1, side, dtype=np.float32)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    padded = -len(points) % chunk
    parts = jnp.asarray(np.concatenate([points, points[:padded]]).reshape(-1, chunk, 2))
    surface = jax.jit(lambda parts: jax.lax.map(jax.vmap(at), parts))
    return best_rate(lambda: surface(parts).block_until_ready(), len(points))


def main():
    print(f"JAX {jax.__version__}, {len(os.sched_getaffinity(0))} cores", flush=True)
    for name, widths, activation, loss, n, side, chunks in CASES:
        for linear in (False, True):
            rates = [(measure(widths, activation, loss, n, side, c, linear), c) for c in chunks]
            (spent, rate), chunk = max(rates)
            how = "first layer linear" if linear else "vmap"
            print(f"{name}: {how}, chunks of {chunk}: {rate:,.0f} points/s, {spent:,.0f} a second of processor time", flush=True)


if __name__ == "__main__":
    main()
