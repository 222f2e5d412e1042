"""A connection to gradscape on a thread of its own."""

import atexit
import collections
import functools
import select
import socket
import sys
import threading
import time
import warnings

from . import _arrays, _frames

#: Frames with tensors that wait to be sent; beyond, new ones are left out.
WAITING_FRAMES = 2
#: Rows of numbers that wait to be sent; beyond, the oldest go.
WAITING_ROWS = 20_000
#: Rows in one frame: within its header's limit.
ROWS_AT_ONCE = 2_000
#: Sets of tensors a second, at most.
MOST = 5.0
#: Seconds between two looks for rows, and between two tries to connect.
LOOK = 0.1
RETRY = 1.0
#: Parts of a frame that the system takes at once.
AT_ONCE = 512
#: Seconds after which a connection that takes nothing counts as lost.
STALLED = 30.0


class Refused(Exception):
    """The app does not want what was sent."""


def quiet(method):
    """What goes wrong here is said once and never stops training."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 training goes on, whatever it is
            self._warn(f"{type(error).__name__}: {error}")
            return None

    return guarded


class Client:
    """Sends a run to gradscape, which may start before or after, or never.

    run          the name of the run
    host, port   where gradscape listens
    every        tensors go out every so many steps
    most         but not more often than so many times a second, which nobody could see; None
                 for no such limit
    gradients    whether gradients go with them
    activations  of how many samples of a batch activations go with them; 0 for none
    """

    def __init__(self, run="run", host="127.0.0.1", port=_frames.DEFAULT_PORT, every=20, gradients=True, activations=4, most=MOST):
        self.run = str(run)
        self.every = max(1, int(every))
        self._pause = 0.0 if most is None else 1.0 / float(most)
        self._last = -self._pause
        self._ready = None
        self.gradients = bool(gradients)
        self.activations = int(activations)
        #: How many frames and rows were left out, and how many were sent.
        self.dropped_frames = self.dropped_rows = self.sent_frames = 0
        self._address = (host, int(port))
        self._structure = None
        self._framework = ""
        self._watcher = None
        self._due = None
        self._rows = collections.deque()
        self._frames = collections.deque()
        self._wake = threading.Condition()
        self._connected = False
        self._closing = False
        self._told = False
        self._warned = set()
        self._max_body = _frames.MAX_BODY
        self._thread = threading.Thread(target=self._work, name="gradscape", daemon=True)
        self._thread.start()
        atexit.register(self.close, 1.0)

    # What training calls.

    @quiet
    def watch(self, model, **options):
        """Watches a model, whose tensors `log` sends from now on.

        A PyTorch module: parameters, buffers, gradients, activations; options are `loss`
        (`"cross_entropy"`, `"bce_with_logits"`: what the loss adds behind the last layer) and
        `sample` (a batch; else the first one that passes through says its shape).
        A Keras model: its weights.
        A pytree of arrays that training writes over; of arrays that it does not (JAX's) `update`
        hands over the newest ones. The option `structure` is one of `gradscape.structure`.
        Returns the model.
        """
        # First Keras, whose models are modules of PyTorch where that computes for it.
        if _is_module(model, "keras", "Model"):
            from .keras import Watcher

            self._watcher = Watcher(model, self, **options)
        elif _is_module(model, "torch", "nn.Module"):
            from .torch import Watcher

            self._watcher = Watcher(model, self, **options)
        else:
            structure = options.pop("structure", None)
            self.describe(structure, options.pop("framework", "JAX" if "jax" in sys.modules else ""))
            if options:
                raise TypeError(f"unknown options {sorted(options)}")
            self._watcher = _Tree(model)
        return model

    @quiet
    def log(self, step, **metrics):
        """Sends numbers of a step (also tensors of a single number), and the tensors of the
        watched model when they are due."""
        step = int(step)
        if self._watcher is not None:
            self._watcher.before(step)
        if metrics:
            row = {tag: _arrays.number_of(value) for tag, value in metrics.items()}
            # One call of a deque needs no lock; the thread takes rows from the other end.
            if len(self._rows) >= WAITING_ROWS:
                with self._wake:
                    self._rows.popleft()
                    self.dropped_rows += 1
            self._rows.append((step, time.time(), row))
        self._told = True
        if self._watcher is not None:
            # Activations are taken on the way: it is known a step before.
            if self.due(step) if self._ready is None else self._ready:
                self._take(step, self._watcher.tensors)
            self._ready = self.due(step + 1) if self._connected else None
            self._watcher.after(bool(self._ready))

    @quiet
    def update(self, step, weights=None, gradients=None, activations=None):
        """Sends pytrees of arrays if they are due, every so many steps."""
        step = int(step)
        self._told = True
        if isinstance(self._watcher, _Tree):
            # What is handed over is newer.
            self._watcher = None
        if not self.due(step):
            return
        groups = (("weights", weights), ("gradients", gradients), ("activations", activations))

        def tensors():
            return [
                (f"{group}/{name}", _arrays.held(value))
                for group, tree in groups
                for name, value in _arrays.flattened(tree)
            ]

        self._take(step, tensors)

    def due(self, step):
        """Whether tensors of this step are wanted: somebody listens, and it is time."""
        return (
            self._connected
            and (self._due is None or step >= self._due or step < self._due - 2 * self.every)
            and time.monotonic() >= self._last + self._pause
        )

    def describe(self, structure=None, framework=""):
        """Says what the network consists of, before the first step."""
        self._structure, self._framework = structure, framework

    @quiet
    def close(self, timeout=5.0):
        """Sends what waits, for so many seconds at most, and says that the run has ended."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        atexit.unregister(self.close)
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def wait_connected(self, timeout=5.0):
        """Waits until gradscape has answered; whether it has. Training need not call this."""
        self._told = True
        end = time.monotonic() + timeout
        while not self._connected and time.monotonic() < end:
            time.sleep(0.01)
        return self._connected

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Between training and the thread.

    def _take(self, step, tensors):
        self._due, self._last = step + self.every, time.monotonic()
        if len(self._frames) >= WAITING_FRAMES:
            self.dropped_frames += 1
            return
        taken = (step, time.time(), tensors())
        with self._wake:
            self._frames.append(taken)
            self._wake.notify()

    def _warn(self, message):
        if message not in self._warned and len(self._warned) < 20:
            self._warned.add(message)
            warnings.warn(f"gradscape: {message}", RuntimeWarning, stacklevel=3)

    # The thread.

    def _work(self):
        while True:
            with self._wake:
                while not (self._told or self._closing):
                    self._wake.wait(LOOK)
                if self._closing and not self._told:
                    return
            try:
                self._talk()
                return
            except Refused as why:
                self._warn(f"{why}; nothing more is sent")
                self._closing = True
                return
            except ValueError as why:
                self._warn(str(why))
                self._closing = True
                return
            except OSError:
                pass  # nobody listens, or not any more
            except Exception as error:  # noqa: BLE001 training goes on, whatever it is
                self._warn(f"{type(error).__name__}: {error}; nothing more is sent")
                self._closing = True
                return
            finally:
                self._connected = False
                self._frames.clear()
            with self._wake:
                if self._closing or self._wake.wait_for(lambda: self._closing, RETRY):
                    return

    def _talk(self):
        with socket.create_connection(self._address, timeout=2.0) as connection:
            connection.settimeout(STALLED)
            parser = _frames.Parser()
            hello = {"type": "hello", "protocol": _frames.PROTOCOL, "run": self.run, "framework": self._framework}
            if self._structure is not None:
                hello["structure"] = self._structure
            said = self._structure
            _send(connection, _frames.frame(hello))
            answer = None
            while answer is None:
                data = connection.recv(65536)
                if not data:
                    raise OSError("closed")
                for answer in parser.feed(data):
                    self._hear(answer)
            self._due = None
            self._connected = True
            while True:
                with self._wake:
                    if not self._frames and not self._closing:
                        self._wake.wait(LOOK)
                    closing = self._closing
                    taken = self._frames.popleft() if self._frames else None
                self._listen(connection, parser)
                if self._structure is not said:
                    # Another model is watched: as from another connection.
                    raise OSError("anew")
                self._send_rows(connection)
                if taken is not None:
                    self._send_tensors(connection, taken)
                elif closing:
                    _send(connection, _frames.frame({"type": "bye"}))
                    # Whatever is still on its way arrives before the connection is closed.
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(2.0)
                    while connection.recv(65536):
                        pass
                    return

    def _hear(self, answer):
        if answer.get("type") == "error":
            raise Refused(answer.get("message", "refused"))
        if answer.get("type") == "welcome":
            self._max_body = int(answer.get("max_body", self._max_body))

    def _listen(self, connection, parser):
        readable, _, _ = select.select([connection], [], [], 0)
        if readable:
            data = connection.recv(65536)
            if not data:
                raise OSError("closed")
            for answer in parser.feed(data):
                self._hear(answer)

    def _head(self, step, wall, rows=()):
        return {
            "type": "frame",
            "step": step,
            "wall": wall,
            "rows": list(rows),
            "dropped_frames": self.dropped_frames,
            "dropped_rows": self.dropped_rows,
        }

    def _send_rows(self, connection):
        while True:
            with self._wake:
                rows = [self._rows.popleft() for _ in range(min(len(self._rows), ROWS_AT_ONCE))]
            if not rows:
                return
            told = []
            for step, wall, row in rows:
                numbers = {}
                for tag, value in row.items():
                    try:
                        numbers[str(tag)] = _frames.number(value)
                    except (TypeError, ValueError, RuntimeError) as error:
                        self._warn(f"{tag} is not a number: {error}")
                told.append([step, wall, numbers])
            step, wall = told[-1][:2]
            _send(connection, _frames.frame(self._head(step, wall, told)))

    def _send_tensors(self, connection, taken):
        step, wall, tensors = taken
        parts = []
        for name, value in tensors:
            try:
                parts.append((name, *_arrays.encoded(value)))
            except (TypeError, ValueError, RuntimeError, KeyError) as error:
                # Such as an array of JAX whose memory was donated meanwhile.
                self._warn(f"{name} is not sent: {error}")
        body, length = _frames.safetensors(parts)
        if length > self._max_body:
            self._warn(
                f"{length} bytes of tensors are more than the {self._max_body} that gradscape takes: only numbers "
                "are sent; watch a part of the model, or leave out gradients"
            )
            return
        _send(connection, _frames.frame(self._head(step, wall), body, length))
        self.sent_frames += 1


class _Tree:
    """Takes arrays that training writes over, as they are when they are due."""

    def __init__(self, tree):
        self._tree = tree
        _arrays.flattened(tree)  # what is no tree of arrays is refused at once

    def before(self, step):
        pass

    def after(self, armed):
        pass

    def tensors(self):
        return [(f"weights/{name}", _arrays.held(value)) for name, value in _arrays.flattened(self._tree)]

    def close(self):
        pass


def _send(connection, parts):
    """All parts, in as few calls as can be: each gives the interpreter away and has to wait
    for it again while training computes."""
    if not hasattr(connection, "sendmsg"):
        connection.sendall(b"".join(parts))
        return
    waiting = [memoryview(part).cast("B") for part in parts if len(part)]
    while waiting:
        sent = connection.sendmsg(waiting[:AT_ONCE])
        while sent > 0:
            if sent < len(waiting[0]):
                waiting[0] = waiting[0][sent:]
                break
            sent -= len(waiting.pop(0))


def _is_module(model, package, path):
    """Whether `model` is an instance of a class of a package, if that is imported at all."""
    found = sys.modules.get(package)
    for name in path.split("."):
        found = getattr(found, name, None)
    return isinstance(found, type) and isinstance(model, found)
