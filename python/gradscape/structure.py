"""What a network consists of, in words that gradscape understands: operators of ONNX.

A structure is a dictionary `{"format": "onnx", "inputs": [...], "outputs": [...], "nodes": [...]}`;
docs/watch.md describes it. PyTorch modules and Keras models say theirs by themselves.
"""

_ACTIVATIONS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "gelu": "Gelu",
    "softmax": "Softmax",
}


def node(name, op, inputs, weights=None, **attributes):
    """A node that reads the values `inputs` and gives one of its own name. `weights` are names of
    tensors by their place among what the operator reads: `{1: "fc.weight", 2: "fc.bias"}`."""
    found = {"name": name, "op": op, "inputs": list(inputs)}
    if weights:
        found["weights"] = {str(slot): tensor for slot, tensor in weights.items() if tensor is not None}
    if attributes:
        found["attributes"] = attributes
    return found


def graph(shape, nodes, outputs, name="input"):
    """A structure of nodes that reads samples of `shape` (without the side of the samples)."""
    inputs = [{"name": name, "shape": [None, *shape]}]
    return {"format": "onnx", "inputs": inputs, "outputs": list(outputs), "nodes": nodes}


def dense(inputs, layers, activation="relu", output="softmax", rows="inputs"):
    """Dense layers one behind the other.

    inputs      values of a sample
    layers      names of each layer's weight and bias: `[("0/w", "0/b"), ("1/w", "1/b")]`
    activation  behind each layer but the last: relu, tanh, sigmoid, softplus, gelu or None
    output      behind the last: softmax, sigmoid or None
    rows        what the rows of a weight are: "inputs" (JAX, `x @ w + b`) or "outputs" (PyTorch)
    """
    nodes, last = [], "input"
    for k, (weight, bias) in enumerate(layers):
        name = f"dense_{k + 1}"
        nodes.append(node(name, "Gemm", [last], {1: weight, 2: bias}, transB=int(rows == "outputs")))
        last = name
        wanted = output if k + 1 == len(layers) else activation
        if wanted is not None:
            nodes.append(node(f"{name}_{wanted}", _ACTIVATIONS[wanted], [last]))
            last = f"{name}_{wanted}"
    return graph([inputs], nodes, [last])
