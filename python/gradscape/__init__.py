"""Shows a network that you train in Python in gradscape, live.

    import gradscape

    gradscape.connect(run="mnist")            # gradscape runs `gradscape watch tcp` or its window
    gradscape.watch(model, loss="cross_entropy")
    for step, (x, y) in enumerate(batches):
        ...                                   # forward, backward, optimizer.step()
        gradscape.log(step, loss=loss)
    gradscape.close()

Nothing here waits for the app, raises into training, or needs the app to run: numbers and
tensors go out on a thread of their own, and what it cannot keep up with is left out.
"""

from ._client import Client
from ._frames import DEFAULT_PORT, PROTOCOL

__all__ = ["Client", "DEFAULT_PORT", "PROTOCOL", "close", "connect", "log", "update", "watch"]
__version__ = "0.1.0"

_default = None


def connect(run="run", host="127.0.0.1", port=DEFAULT_PORT, every=20, **options):
    """Begins to send to gradscape, as soon as one listens there. Returns the `Client`, which is
    also what `watch`, `log`, `update` and `close` of this module mean from now on.

    run    the name of the run
    every  weights, gradients and activations go out every so many steps, at most five times a
           second (the option `most`); numbers always do
    """
    global _default
    if _default is not None:
        _default.close()
    _default = Client(run=run, host=host, port=port, every=every, **options)
    return _default


def watch(model, **options):
    """Watches a PyTorch module, a Keras model, or a pytree of arrays; see `Client.watch`."""
    if _default is None:
        connect()
    return _default.watch(model, **options)


def log(step, **metrics):
    """Sends numbers of a step, and when they are due the watched tensors; see `Client.log`."""
    if _default is None:
        connect()
    _default.log(step, **metrics)


def update(step, weights=None, gradients=None, activations=None):
    """Sends pytrees of arrays if they are due; see `Client.update`."""
    if _default is None:
        connect()
    _default.update(step, weights, gradients, activations)


def close(timeout=5.0):
    """Sends what waits, says that the run has ended, and closes the connection."""
    global _default
    if _default is not None:
        _default.close(timeout)
        _default = None
