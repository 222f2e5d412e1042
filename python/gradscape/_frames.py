"""The bytes of the protocol: docs/watch.md describes them."""

import json
import math
import struct

PROTOCOL = 1
DEFAULT_PORT = 5577
MAGIC = b"GRSP"
#: The limits of the app, until it says its own.
MAX_HEADER = 1 << 20
MAX_BODY = 256 << 20


def number(value):
    """A number as JSON can have it: what is not finite goes as a text."""
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def safetensors(tensors):
    """The parts of a safetensors file of `(name, dtype, shape, buffer)`, in this order, and its
    length; the buffers are not copied."""
    header, offset = {}, 0
    for name, dtype, shape, buffer in tensors:
        size = len(buffer)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts = [struct.pack("<Q", len(text)) + text] + [buffer for _, _, _, buffer in tensors if len(buffer)]
    return parts, 8 + len(text) + offset


def frame(header, body=(), length=0):
    """The parts of a frame; `body` are buffers of `length` bytes together."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    head = MAGIC + struct.pack("<I", len(text)) + text + struct.pack("<Q", length)
    return [head, *body]


class Parser:
    """Takes frames without bodies out of a stream: what the app answers."""

    def __init__(self):
        self._bytes = b""

    def feed(self, data):
        self._bytes += data
        found = []
        while len(self._bytes) >= 8:
            if self._bytes[:4] != MAGIC:
                raise ValueError("the answer is not gradscape's: does another program listen there?")
            (size,) = struct.unpack("<I", self._bytes[4:8])
            if size > MAX_HEADER:
                raise ValueError(f"an answer of {size} bytes")
            if len(self._bytes) < 16 + size:
                break
            (body,) = struct.unpack("<Q", self._bytes[8 + size : 16 + size])
            if body:
                raise ValueError("an answer with a body")
            found.append(json.loads(self._bytes[8 : 8 + size]))
            self._bytes = self._bytes[16 + size :]
        return found
