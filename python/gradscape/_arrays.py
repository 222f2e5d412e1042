"""Arrays of any library as bytes, and trees of them as names."""

import struct
import sys

_SAFETENSORS = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}


def is_torch(value):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def number_of(value):
    """A metric as it is kept: of a tensor in the memory of the processor the number, which is
    at hand; of another one a tensor without its graph, which nobody waits for here."""
    if not hasattr(value, "detach"):
        return value
    if value.device.type == "cpu" and value.numel() == 1:
        return value.item()
    return value.detach()


def held(value):
    """The value as it is now: a copy of what training will write over, in the memory of the
    processor; of what cannot change (JAX's arrays) a reference."""
    if is_torch(value):
        value = value.detach()
        if value.device.type != "cpu":
            return value.to("cpu", copy=True).contiguous()
        try:
            # As an array of NumPy, whose bytes the thread takes without calling PyTorch, which
            # would give the interpreter away each time.
            return value.numpy().copy()
        except (TypeError, RuntimeError):
            # Types that NumPy lacks (bfloat16), layouts that are not dense, no NumPy at all.
            return value.clone().contiguous()
    if type(value).__module__.startswith(("jaxlib", "jax")):
        return value
    numpy = sys.modules.get("numpy")
    if numpy is not None and not isinstance(value, (list, tuple)):
        return numpy.array(value)
    return value


def encoded(value):
    """`(dtype, shape, buffer)` of a held value, as safetensors has them."""
    if is_torch(value):
        torch = sys.modules["torch"]
        name = str(value.dtype).rpartition(".")[2]
        shape = tuple(value.shape)
        flat = value.reshape(-1)
        if value.numel() == 0:
            return _SAFETENSORS[name], shape, b""
        # As bytes, so that types which NumPy lacks (bfloat16) go out too.
        return _SAFETENSORS[name], shape, memoryview(flat.view(torch.uint8).numpy())
    try:
        import numpy
    except ImportError:
        return _plain(value)
    array = numpy.ascontiguousarray(value)
    # ascontiguousarray makes a side of a single number.
    shape = numpy.shape(value)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    name = array.dtype.name
    if name not in _SAFETENSORS:
        raise TypeError(f"arrays of {name} are not sent")
    if array.size == 0:
        return _SAFETENSORS[name], shape, b""
    return _SAFETENSORS[name], shape, memoryview(array.reshape(-1).view(numpy.uint8))


def _plain(value):
    """Nested lists of numbers, without NumPy, in single precision."""
    shape, level = [], value
    while isinstance(level, (list, tuple)):
        shape.append(len(level))
        level = level[0] if level else 0.0

    def flat(part, depth):
        if depth == len(shape):
            return [float(part)]
        if not isinstance(part, (list, tuple)) or len(part) != shape[depth]:
            raise TypeError("a list whose rows differ in length")
        return [x for row in part for x in flat(row, depth + 1)]

    numbers = flat(value, 0)
    return "F32", tuple(shape), struct.pack(f"<{len(numbers)}f", *numbers)


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _is_plain(value):
    """Whether a value is a number, or a list of such: an array without a library."""
    if isinstance(value, (list, tuple)):
        return bool(value) and not hasattr(value, "_fields") and all(_is_plain(part) for part in value)
    return isinstance(value, (int, float))


def flattened(tree, prefix=""):
    """Names and arrays of a tree of dictionaries, lists and tuples: `layer/kernel`, `0/w`. Lists
    that hold numbers alone are arrays."""
    if tree is None:
        return []
    if _is_array(tree) or _is_plain(tree):
        return [(prefix or "value", tree)]
    if hasattr(tree, "items"):
        parts = tree.items()
    elif hasattr(tree, "_fields"):
        parts = zip(tree._fields, tree)
    elif isinstance(tree, (list, tuple)):
        parts = enumerate(tree)
    else:
        raise TypeError(f"{type(tree).__name__} is neither an array nor a tree of arrays")
    found = []
    for key, value in parts:
        found += flattened(value, f"{prefix}/{key}" if prefix else str(key))
    return found
