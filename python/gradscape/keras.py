"""Keras models: a callback, and what `watch` takes."""

import json

import keras

from ._client import Client, quiet
from . import _arrays


class Watcher:
    """Takes the weights of a model when they are due. Keras keeps no gradients."""

    def __init__(self, model, client):
        self._model, self._client = model, client
        self._described = False

    def before(self, _):
        # A model is built at its first batch at the latest.
        if not self._described and self._model.built:
            self._described = True
            self._client.describe(structure_of(self._model), f"Keras {keras.__version__}")

    def after(self, *_):
        pass

    def tensors(self):
        return [
            (f"weights/{layer.name}/{variable.name.split('/')[-1].split(':')[0]}", _arrays.held(_value(variable)))
            for layer in self._model.layers
            for variable in layer.weights
        ]

    def close(self):
        pass


def _value(variable):
    return keras.ops.convert_to_numpy(variable)


def structure_of(model):
    """What the layers of a Sequential or functional model are. A cross-entropy that takes logits
    puts a softmax (or sigmoid) behind the last layer of a Sequential one."""
    config = json.loads(model.to_json())
    loss = getattr(model, "loss", None)
    added = None
    if getattr(loss, "from_logits", False) or getattr(loss, "_fn_kwargs", {}).get("from_logits", False):
        added = "sigmoid" if "Binary" in type(loss).__name__ else "softmax"
    if added and config.get("class_name") == "Sequential":
        layer = {"class_name": "Activation", "config": {"name": "of_the_loss", "activation": added}}
        config["config"]["layers"].append(layer)
    return {"format": "keras", "config": config}


class GradscapeCallback(keras.callbacks.Callback):
    """Sends what `model.fit` trains: `model.fit(..., callbacks=[GradscapeCallback(run="mnist")])`."""

    def __init__(self, client=None, **options):
        super().__init__()
        self._own = client is None
        self.client = Client(**options) if client is None else client
        self._step = 0

    def _warn(self, message):
        self.client._warn(message)

    @quiet
    def on_train_begin(self, logs=None):
        self.client.watch(self.model)

    @quiet
    def on_train_batch_end(self, batch, logs=None):
        self.client.log(self._step, **_numbers(logs))
        self._step += 1

    @quiet
    def on_epoch_end(self, epoch, logs=None):
        held_back = {key: value for key, value in _numbers(logs).items() if key.startswith("val_")}
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None and not callable(rate):
            held_back["learning_rate"] = float(_value(rate))
        if held_back:
            self.client.log(max(0, self._step - 1), **held_back)

    @quiet
    def on_train_end(self, logs=None):
        if self._own:
            self.client.close()


def _numbers(logs):
    return {key: float(value) for key, value in (logs or {}).items() if not isinstance(value, (list, dict, str))}
