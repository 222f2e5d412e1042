"""PyTorch modules: their structure, and their tensors while they are trained."""

import operator

import torch
from torch import nn
from torch.nn import functional as F

from . import _arrays
from .structure import graph, node

_PLAIN = {
    nn.ReLU: "Relu",
    nn.Sigmoid: "Sigmoid",
    nn.Tanh: "Tanh",
    nn.Identity: "Identity",
}
_FUNCTIONS = {
    torch.relu: "Relu",
    F.relu: "Relu",
    torch.sigmoid: "Sigmoid",
    F.sigmoid: "Sigmoid",
    torch.tanh: "Tanh",
    F.tanh: "Tanh",
    F.softplus: "Softplus",
    operator.add: "Add",
    operator.iadd: "Add",
    torch.add: "Add",
}
_METHODS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "add": "Add", "contiguous": "Identity"}
#: What a loss adds behind the last layer.
_LOSSES = {None: None, "mse": None, "nll": None, "bce": None, "cross_entropy": "Softmax", "bce_with_logits": "Sigmoid"}


class Watcher:
    """Takes the tensors of a module when they are due."""

    def __init__(self, module, client, loss=None, sample=None):
        if loss not in _LOSSES:
            raise ValueError(f"loss is one of {sorted(map(str, _LOSSES))}, not {loss!r}")
        self._module, self._client, self._loss = module, client, loss
        self._shape = None if sample is None else tuple(sample.shape[1:])
        self._armed = False
        self._activations = {}
        self._described = False
        # Hooks cost something at every pass: they are there while they are needed.
        self._hooks, self._look = [], None
        if self._shape is None:
            self._look = module.register_forward_pre_hook(self._see_input)
        else:
            self._describe()

    def _see_input(self, _, inputs):
        if self._shape is None and inputs and isinstance(inputs[0], torch.Tensor):
            self._shape = tuple(inputs[0].shape[1:])

    def _arm(self, armed):
        if armed == self._armed:
            return
        self._armed = armed
        if not armed:
            self._unhook()
        elif self._client.activations > 0:
            for name, part in self._module.named_modules():
                if not list(part.children()):
                    self._hooks.append(part.register_forward_hook(self._hook(name or "module")))

    def _unhook(self):
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _hook(self, name):
        def hook(_, __, output):
            if isinstance(output, torch.Tensor) and output.dim() > 0:
                self._activations[name] = output.detach()[: self._client.activations]

        return hook

    def _describe(self):
        self._described = True
        found = None
        try:
            found = structure_of(self._module, self._shape, self._loss)
        except Exception as error:  # noqa: BLE001 what cannot be traced is guessed at there
            self._client._warn(
                f"the structure of {type(self._module).__name__} cannot be traced ({type(error).__name__}: {error}); "
                "gradscape guesses it from names and shapes of the weights"
            )
        self._client.describe(found, f"PyTorch {torch.__version__.split('+')[0]}")

    def before(self, _):
        if not self._described:
            self._describe()
        if self._look is not None and self._shape is not None:
            self._look.remove()
            self._look = None

    def after(self, armed):
        self._activations = {}
        self._arm(armed)

    def tensors(self):
        module, found = self._module, []
        parameters = list(module.named_parameters())
        weights = parameters + list(module.named_buffers())
        found += [(f"weights/{name}", _arrays.held(value)) for name, value in weights]
        if self._client.gradients:
            found += [
                (f"gradients/{name}", _arrays.held(value.grad)) for name, value in parameters if value.grad is not None
            ]
        found += [(f"activations/{name}", _arrays.held(value)) for name, value in self._activations.items()]
        return found

    def close(self):
        self._unhook()
        if self._look is not None:
            self._look.remove()


def structure_of(module, shape, loss=None):
    """The structure of a module for samples of `shape`, by tracing it (`torch.fx`).

    What gradscape does not have keeps its name and is shown as it is. Raises where the module
    cannot be traced: where its way depends on its values.
    """
    if shape is None:
        raise ValueError("nothing has passed through it yet: give watch() a sample")
    traced = torch.fx.symbolic_trace(module)
    modules = dict(traced.named_modules())
    nodes, outputs, name = [], [], "input"
    seen_input = False
    for step in traced.graph.nodes:
        if step.op == "placeholder":
            if seen_input and step.users:
                raise ValueError("it reads more than one value")
            seen_input, name = True, step.name
        elif step.op == "call_module":
            nodes.append(_module(step, modules[step.target]))
        elif step.op in ("call_function", "call_method"):
            if _is_size(step):
                continue
            nodes.append(_call(step))
        elif step.op == "get_attr":
            nodes.append(node(step.name, f"parameter {step.target}", []))
        elif step.op == "output":
            result = step.args[0]
            if not isinstance(result, torch.fx.Node):
                raise ValueError("it gives more than one value")
            outputs = [result.name]
    added = _LOSSES[loss]
    if added and not (nodes and nodes[-1]["op"] == added):
        nodes.append(node("of_the_loss", added, outputs))
        outputs = ["of_the_loss"]
    return graph(list(shape), nodes, outputs, name)


def _is_size(step):
    """What asks for a shape rather than computing."""
    return (step.op == "call_method" and step.target in ("size", "dim")) or step.target in (getattr, operator.getitem)


def _pair(value):
    return [int(value)] * 2 if isinstance(value, int) else [int(v) for v in value]


def _reads(step):
    return [argument.name for argument in step.args if isinstance(argument, torch.fx.Node) and not _is_size(argument)]


def _window(name, op, inputs, size, stride, padding, **attributes):
    size, padding = _pair(size), _pair(padding)
    stride = size if stride is None or stride == () else _pair(stride)
    return node(name, op, inputs, kernel_shape=size, strides=stride, pads=padding * 2, **attributes)


def _module(step, module):
    name, inputs, path = step.name, _reads(step), step.target
    weight, bias = f"{path}.weight", f"{path}.bias"
    kind = type(module)
    if kind in _PLAIN:
        return node(name, _PLAIN[kind], inputs)
    if kind is nn.Linear:
        return node(name, "Gemm", inputs, {1: weight, 2: bias if module.bias is not None else None}, transB=1)
    if kind is nn.Conv2d and module.padding_mode == "zeros":
        padding = module.padding
        if isinstance(padding, str):
            padding = {"auto_pad": "VALID" if padding == "valid" else "SAME_UPPER"}
        else:
            padding = {"pads": _pair(padding) * 2}
        return node(
            name,
            "Conv",
            inputs,
            {1: weight, 2: bias if module.bias is not None else None},
            kernel_shape=_pair(module.kernel_size),
            strides=_pair(module.stride),
            dilations=_pair(module.dilation),
            group=module.groups,
            **padding,
        )
    if kind in (nn.BatchNorm1d, nn.BatchNorm2d) and module.affine and module.track_running_stats:
        statistics = {1: weight, 2: bias, 3: f"{path}.running_mean", 4: f"{path}.running_var"}
        momentum = 0.1 if module.momentum is None else module.momentum
        return node(name, "BatchNormalization", inputs, statistics, epsilon=module.eps, momentum=1.0 - momentum)
    if kind is nn.LayerNorm and module.elementwise_affine:
        weights = {1: weight, 2: bias if module.bias is not None else None}
        return node(name, "LayerNormalization", inputs, weights, epsilon=module.eps)
    if kind is nn.PReLU:
        return node(name, "PRelu", inputs, {1: weight})
    if kind is nn.GELU:
        return node(name, "Gelu", inputs, approximate=module.approximate)
    if kind is nn.LeakyReLU:
        return node(name, "LeakyRelu", inputs, alpha=module.negative_slope)
    if kind is nn.Softplus and module.beta == 1:
        return node(name, "Softplus", inputs)
    if kind in (nn.Softmax, nn.LogSoftmax):
        return node(name, "Softmax", inputs, axis=-1 if module.dim is None else module.dim)
    if kind is nn.Flatten and module.end_dim == -1:
        return node(name, "Flatten", inputs, axis=module.start_dim)
    if kind is nn.Unflatten and module.dim == 1:
        return node(name, "Reshape", inputs, shape=[-1, *module.unflattened_size])
    if kind is nn.Dropout:
        return node(name, "Dropout", inputs, ratio=module.p)
    if kind is nn.MaxPool2d and _pair(module.dilation) == [1, 1]:
        sizes = (module.kernel_size, module.stride, module.padding)
        return _window(name, "MaxPool", inputs, *sizes, ceil_mode=int(module.ceil_mode))
    if kind is nn.AvgPool2d and module.divisor_override is None:
        sizes = (module.kernel_size, module.stride, module.padding)
        options = {"ceil_mode": int(module.ceil_mode), "count_include_pad": int(module.count_include_pad)}
        return _window(name, "AveragePool", inputs, *sizes, **options)
    if kind is nn.AdaptiveAvgPool2d and _pair(module.output_size) == [1, 1]:
        return node(name, "GlobalAveragePool", inputs)
    # Shown as a box; its weights are told all the same.
    own = {k + 1: f"{path}.{key}" for k, (key, _) in enumerate(module.named_parameters())}
    return node(name, kind.__name__, inputs, own)


def _argument(step, place, name, default=None):
    if name in step.kwargs:
        return step.kwargs[name]
    return step.args[place] if len(step.args) > place else default


def _call(step):
    name, inputs, target = step.name, _reads(step), step.target
    if step.op == "call_method":
        if target in _METHODS:
            return node(name, _METHODS[target], inputs)
        if target == "flatten" and _argument(step, 2, "end_dim", -1) == -1:
            return node(name, "Flatten", inputs, axis=_argument(step, 1, "start_dim", 0))
        if target in ("view", "reshape"):
            sides = step.args[1:]
            sides = sides[0] if len(sides) == 1 and isinstance(sides[0], (tuple, list)) else sides
            # The first is the side of the samples, whatever says how many there are.
            if len(sides) > 1 and all(isinstance(side, int) for side in sides[1:]):
                return node(name, "Reshape", inputs, shape=[-1, *sides[1:]])
        if target in ("softmax", "log_softmax"):
            return node(name, "Softmax", inputs, axis=_argument(step, 1, "dim", -1))
        return node(name, str(target), inputs)
    if target in _FUNCTIONS:
        return node(name, _FUNCTIONS[target], inputs)
    if target is torch.flatten and _argument(step, 2, "end_dim", -1) == -1:
        return node(name, "Flatten", inputs, axis=_argument(step, 1, "start_dim", 0))
    if target is F.gelu:
        return node(name, "Gelu", inputs, approximate=_argument(step, 1, "approximate", "none"))
    if target is F.leaky_relu:
        return node(name, "LeakyRelu", inputs, alpha=_argument(step, 1, "negative_slope", 0.01))
    if target in (F.softmax, F.log_softmax, torch.softmax, torch.log_softmax):
        return node(name, "Softmax", inputs, axis=_argument(step, 1, "dim", -1))
    if target is F.dropout:
        return node(name, "Dropout", inputs, ratio=_argument(step, 1, "p", 0.5))
    windows = {"max_pool2d": "MaxPool", "avg_pool2d": "AveragePool"}
    called = getattr(target, "__name__", str(target)).lstrip("_").removeprefix("boolean_dispatch.<locals>.")
    if called == "fn" or target is F.max_pool2d or target is F.avg_pool2d:
        called = "max_pool2d" if target is not F.avg_pool2d else "avg_pool2d"
    if called in windows:
        sizes = (_argument(step, 1, "kernel_size"), _argument(step, 2, "stride"), _argument(step, 3, "padding", 0))
        include = {} if called == "max_pool2d" else {"count_include_pad": 1}
        return _window(name, windows[called], inputs, *sizes, **include)
    if target is F.adaptive_avg_pool2d and _pair(_argument(step, 1, "output_size")) == [1, 1]:
        return node(name, "GlobalAveragePool", inputs)
    return node(name, called, inputs)
