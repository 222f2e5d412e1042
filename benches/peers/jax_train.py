"""JAX at the sizes of benches/training.rs, to be run just before or after it.

    pip install jax
    taskset -c 0 python jax_train.py      # one core; without taskset, all of them

Whole epochs are compiled: `lax.scan` over the batches of an epoch (and over 20
epochs at a time for the small networks), so that Python is called as seldom as
possible, and the order of the samples is drawn inside. Only LeNet's steps are compiled
one by one, because XLA's convolutions on the CPU are several times slower within a
loop of its own. Prints the median and the best of nine runs after a warm-up. XLA
takes as many threads as it may use cores.
"""

import os
import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


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


def dense(key, n_in, n_out):
    return jax.random.normal(key, (n_in, n_out)) / n_in**0.5, jnp.zeros(n_out)


def sgd(params, gradient, state, lr=0.03):
    return jax.tree.map(lambda p, g: p - lr * g, params, gradient), state


def adam(params, gradient, state, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, gradient)
    r1, r2 = 1 - b1**t, 1 - b2**t
    step = lambda p, m, v: p - lr * (m / r1) / (jnp.sqrt(v / r2) + eps)
    return jax.tree.map(step, params, m, v), (m, v, t)


def measure(name, unit, loss, params, update, state, x, y, batch, epochs, elements):
    steps = len(x) // batch

    @partial(jax.jit, donate_argnums=0)
    def run(carry):
        def epoch(carry, _):
            params, state, key = carry
            key, own = jax.random.split(key)
            rows = jax.random.permutation(own, len(x))[: steps * batch].reshape(steps, batch)

            def step(carry, rows):
                params, state = carry
                value, gradient = jax.value_and_grad(loss)(params, x[rows], y[rows])
                return update(params, gradient, state), value

            (params, state), losses = lax.scan(step, (params, state), rows)
            return (params, state, key), losses.mean()

        return lax.scan(epoch, carry, None, length=epochs)

    held = [(params, state, jax.random.key(1))]

    def work():
        held[0], losses = run(held[0])
        losses.block_until_ready()

    print(f"{name}, {unit}/s: {rate(work, elements)}", flush=True)


def small(name, widths):
    keys = jax.random.split(jax.random.key(2), len(widths) + 1)
    params = [dense(k, i, o) for k, i, o in zip(keys, widths, widths[1:])]
    x = jax.random.normal(keys[-1], (250, widths[0]))
    y = jnp.sign(x[:, :1])

    def loss(params, x, y):
        for w, b in params:
            x = jnp.tanh(x @ w + b)
        return 0.5 * ((x - y) ** 2).sum(axis=1).mean()

    measure(name, "epochs", loss, params, sgd, (), x, y, 10, 20, 20)


def cross_entropy(z, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()


def start(params):
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)
    return zeros(), zeros(), jnp.zeros(())


def wide():
    keys = jax.random.split(jax.random.key(3), 4)
    widths = [784, 128, 64, 10]
    params = [dense(k, i, o) for k, i, o in zip(keys, widths, widths[1:])]
    x, y = jax.random.uniform(keys[-1], (1280, 784)), jnp.arange(1280) % 10

    def loss(params, x, y):
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = params[-1]
        return cross_entropy(x @ w + b, y)

    name = "784-128-64-10"
    measure(name, "samples", loss, params, adam, start(params), x, y, 64, 1, 1280)


def lenet():
    keys = jax.random.split(jax.random.key(4), 6)
    filters = lambda k, *shape: jax.random.normal(k, shape) / (shape[0] * shape[1] * shape[2]) ** 0.5
    params = {
        "c1": (filters(keys[0], 5, 5, 1, 6), jnp.zeros(6)),
        "c3": (filters(keys[1], 5, 5, 6, 16), jnp.zeros(16)),
        "dense": [dense(k, i, o) for k, i, o in zip(keys[2:], [400, 120, 84], [120, 84, 10])],
    }
    x, y = jax.random.uniform(keys[5], (1280, 28, 28, 1)), jnp.arange(1280) % 10

    def block(a, own, padding):
        w, b = own
        order = ("NHWC", "HWIO", "NHWC")
        z = lax.conv_general_dilated(a, w, (1, 1), padding, dimension_numbers=order) + b
        window = (1, 2, 2, 1)
        return lax.reduce_window(jax.nn.relu(z), -jnp.inf, lax.max, window, window, "VALID")

    def loss(params, x, y):
        a = block(block(x, params["c1"], "SAME"), params["c3"], "VALID")
        a = a.reshape(len(a), -1)
        for w, b in params["dense"][:-1]:
            a = jax.nn.relu(a @ w + b)
        w, b = params["dense"][-1]
        return cross_entropy(a @ w + b, y)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state, rows):
        gradient = jax.grad(loss)(params, x[rows], y[rows])
        return adam(params, gradient, state)

    order = jax.jit(lambda key: jax.random.permutation(key, len(x)).reshape(-1, 64))
    held = [params, start(params), jax.random.key(1)]

    def work():
        params, state, key = held
        key, own = jax.random.split(key)
        for rows in order(own):
            params, state = step(params, state, rows)
        held[:] = jax.block_until_ready((params, state, key))

    print(f"LeNet, channels innermost, samples/s: {rate(work, 1280)}", flush=True)


def main():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"JAX {jax.__version__} on {jax.devices()[0].platform}, {cores} cores to use")
    small("2-4-2-1", [2, 4, 2, 1])
    small("7-8-8-8-8-8-8-1", [7, 8, 8, 8, 8, 8, 8, 1])
    wide()
    lenet()


if __name__ == "__main__":
    main()
