"""Streams a Keras model to gradscape while it is fitted.

    pip install keras torch numpy ../../python    # or tensorflow, or jax
    gradscape watch tcp --window
    KERAS_BACKEND=torch python keras_watch.py
"""

import argparse

import keras

import gradscape
from digits import digits
from gradscape.keras import GradscapeCallback

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=gradscape.DEFAULT_PORT)
parser.add_argument("--epochs", type=int, default=5)
args = parser.parse_args()

keras.utils.set_random_seed(0)
images, labels = digits()
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(6, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    images.reshape(-1, 8, 8, 1),
    labels,
    batch_size=64,
    epochs=args.epochs,
    validation_split=0.2,
    verbose=0,
    callbacks=[GradscapeCallback(run="keras-digits", port=args.port, every=10, most=20)],
)
print(f"val_accuracy {history.history['val_accuracy'][-1]:.1%}")
