"""Streams a network in plain JAX to gradscape: a pytree of arrays, and its gradients.

    pip install jax numpy ../../python
    gradscape watch tcp --window
    python jax_watch.py
"""

import argparse

import jax
import jax.numpy as jnp

import gradscape
from digits import digits
from gradscape import structure

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=gradscape.DEFAULT_PORT)
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

images, labels = digits()
images, labels = jnp.asarray(images), jnp.asarray(labels)
split = 1400
keys = jax.random.split(jax.random.key(0), 2)
params = [
    {"w": jax.random.normal(keys[0], (64, 32)) / 8, "b": jnp.zeros(32)},
    {"w": jax.random.normal(keys[1], (32, 10)) / 6, "b": jnp.zeros(10)},
]


def scores(params, x):
    hidden = jnp.tanh(x @ params[0]["w"] + params[0]["b"])
    return hidden @ params[1]["w"] + params[1]["b"]


def loss_of(params, x, y):
    return -jnp.mean(jax.nn.log_softmax(scores(params, x))[jnp.arange(len(y)), y])


@jax.jit
def train(params, x, y):
    loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
    return loss, gradients, jax.tree.map(lambda p, g: p - 0.5 * g, params, gradients)


gradscape.connect(run="jax-digits", port=args.port, every=10, most=20)
gradscape.watch(
    params, structure=structure.dense(64, [("0/w", "0/b"), ("1/w", "1/b")], activation="tanh", output="softmax")
)
step = 0
for epoch in range(args.epochs):
    order = jax.random.permutation(jax.random.key(epoch + 1), split)
    for at in range(0, split - 63, 64):
        batch = order[at : at + 64]
        loss, gradients, params = train(params, images[batch], labels[batch])
        step += 1
        gradscape.log(step, loss=loss)
        gradscape.update(step, params, gradients)
    right = scores(params, images).argmax(1) == labels
    gradscape.log(step, accuracy=right[:split].mean(), val_accuracy=right[split:].mean())
    print(f"epoch {epoch + 1}: {right[split:].mean():.1%} of what is held back")
gradscape.close()
