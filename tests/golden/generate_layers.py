"""Reference values for tests/golden_layers.rs: networks of every layer kind by
PyTorch, and derivatives of the same networks by JAX.

    pip install torch==2.15.0 jax==0.10.0 numpy
    python generate_layers.py

writes layers.json (what the networks are and how they are trained) and
layers.npz (every array, at double precision) beside itself.

A network is written as in an experiment file, so that the names and defaults of
its keys are compared too; the last layer, which there follows from data and loss,
is added as `output`. Data, initial parameters and directions are numbers that a
float of 32 bits holds exactly.

Where a rectifier's input or the two greatest values of a pooling window nearly
coincide, rounding decides between two derivatives. Each case takes the first seed
that keeps clear of such points, by START_MARGIN where derivatives are compared and
by RUN_MARGIN in every step of its runs.
"""

import json
import math
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax
from torch import nn
from torch.nn import functional as F

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

SAMPLES = 20
BATCH = 12
STEPS = 30
START_MARGIN = 1e-4
RUN_MARGIN = 1e-6

ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": lambda z: F.leaky_relu(z, 0.01),
    "softplus": F.softplus,
    "gelu": F.gelu,
    "silu": F.silu,
    "softmax": lambda z: torch.softmax(z, dim=1),
}

JAX_ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky-relu": lambda z: jax.nn.leaky_relu(z, 0.01),
    "softplus": jax.nn.softplus,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "silu": jax.nn.silu,
    "softmax": lambda z: jax.nn.softmax(z, axis=1),
}

# Of pre-activations, activations and targets [n, outputs], as in generate.py.
LOSSES = {
    "half-squared-error": lambda z, a, t: 0.5 * ((a - t) ** 2).sum(dim=1).mean(),
    "mean-squared-error": lambda z, a, t: F.mse_loss(a, t),
    "binary-cross-entropy": lambda z, a, t: F.binary_cross_entropy_with_logits(z, t),
    "softmax-cross-entropy": lambda z, a, t: F.cross_entropy(z, t.argmax(dim=1)),
}

JAX_LOSSES = {
    "half-squared-error": lambda z, a, t: 0.5 * ((a - t) ** 2).sum(axis=1).mean(),
    "mean-squared-error": lambda z, a, t: ((a - t) ** 2).mean(),
    "binary-cross-entropy": lambda z, a, t: (jax.nn.softplus(z) - t * z).mean(),
    "softmax-cross-entropy": lambda z, a, t: -(jax.nn.log_softmax(z, axis=1) * t).sum(axis=1).mean(),
}

CASES = [
    {
        "name": "convolutional",
        "about": "stride, padding, dilation, groups, three kinds of pooling",
        "input": [2, 9, 8],
        "layers": [
            {"conv": 4, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "activation": "gelu"},
            {"conv": 6, "kernel": 3, "padding": 2, "dilation": 2, "groups": 2},
            {"max_pool": [2, 3], "stride": [1, 2]},
            {"conv": 4, "kernel": 1, "bias": False, "activation": "relu"},
            {"avg_pool": 3, "stride": 1, "padding": 1, "count_padding": False},
            {"avg_pool": [2, 2], "padding": 1, "stride": [2, 1]},
            "global_avg_pool",
        ],
        "output": [3, "softmax"],
        "loss": "softmax-cross-entropy",
    },
    {
        "name": "pooled",
        "about": "a convolution for each channel, overlapping windows that reach over the edge",
        "input": [3, 7, 6],
        "layers": [
            {"conv": 6, "kernel": 3, "padding": [1, 1], "groups": 3, "activation": "softplus"},
            {"max_pool": 3, "stride": 2, "padding": 1},
            {"conv": 5, "kernel": [2, 3], "dilation": [2, 1], "activation": "leaky-relu"},
            "flatten",
            {"dense": 6, "activation": "silu"},
        ],
        "output": [2, "linear"],
        "loss": "half-squared-error",
    },
    {
        "name": "batch normalisation",
        "about": "of images and of vectors, with constants other than the defaults",
        "input": [1, 6, 6],
        "layers": [
            {"conv": 4, "kernel": 3, "bias": False, "activation": "linear"},
            {"kind": "batch_norm", "momentum": 0.25, "epsilon": 0.001, "activation": "silu"},
            {"conv": 3, "kernel": 2, "stride": 2, "activation": "softplus"},
            {"kind": "batch_norm", "activation": "tanh"},
            "flatten",
            {"dense": 5},
            "batch_norm",
        ],
        "output": [3, "softmax"],
        "loss": "softmax-cross-entropy",
    },
    {
        "name": "residual",
        "about": "two blocks, the second with a convolution around it",
        "input": [2, 6, 5],
        "layers": [
            {"conv": 4, "kernel": 3, "padding": 1, "activation": "relu", "name": "stem"},
            {"conv": 4, "kernel": 3, "padding": 1, "bias": False, "activation": "linear"},
            {"kind": "batch_norm", "activation": "relu"},
            {"conv": 4, "kernel": 3, "padding": 1, "bias": False, "activation": "linear"},
            "batch_norm",
            {"add": "stem", "activation": "relu", "name": "block1"},
            {"conv": 6, "kernel": 1, "stride": 2, "activation": "linear", "name": "around"},
            {
                "conv": 6,
                "kernel": 3,
                "stride": 2,
                "padding": 1,
                "bias": False,
                "activation": "linear",
                "from": "block1",
            },
            {"kind": "batch_norm", "activation": "gelu"},
            {"add": "around", "activation": "relu"},
            "global_avg_pool",
        ],
        "output": [1, "sigmoid"],
        "loss": "binary-cross-entropy",
    },
    {
        "name": "layer normalisation and prelu",
        "about": "of images and of vectors, and the input added once more",
        "input": [2, 4, 4],
        "layers": [
            {"kind": "layer_norm", "epsilon": 0.01, "name": "normal"},
            {"conv": 2, "kernel": 3, "padding": 1, "activation": "linear"},
            {"kind": "prelu", "slope": 0.125},
            {"add": ["normal", "input"]},
            "prelu",
            "flatten",
            {"dense": 6, "activation": "linear", "name": "wide"},
            "layer_norm",
            {"dense": 6, "activation": "tanh"},
            {"add": "wide", "activation": "sigmoid"},
            "prelu",
        ],
        "output": [2, "linear"],
        "loss": "mean-squared-error",
    },
]

RUNS = [
    ({"name": "sgd", "learning_rate": 0.05}, lambda p: torch.optim.SGD(p, lr=0.05)),
    (
        {"name": "nesterov", "learning_rate": 0.01, "momentum": 0.9},
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    ),
    (
        {"name": "adam", "learning_rate": 0.005, "epsilon": 1e-4},
        lambda p: torch.optim.Adam(p, lr=0.005, eps=1e-4),
    ),
]


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def table(layer):
    """A kind that is written as a text is the table of this kind."""
    return {"kind": layer} if isinstance(layer, str) else layer


def kind_of(layer):
    named = ("dense", "conv", "max_pool", "avg_pool", "add")
    return next((key for key in named if key in layer), None) or layer["kind"]


def activation_of(layer):
    weighted = kind_of(layer) in ("dense", "conv")
    return layer.get("activation", "tanh" if weighted else "linear")


class Reference(nn.Module):
    """The network of a case, out of PyTorch's own modules."""

    def __init__(self, case):
        super().__init__()
        units, last = case["output"]
        self.tables = [table(layer) for layer in case["layers"]]
        self.tables.append({"dense": units, "activation": last})
        self.steps = nn.ModuleList()
        self.sources = []
        names = {"input": 0}
        shapes = [tuple(case["input"])]
        for i, layer in enumerate(self.tables):
            sources = [names[layer["from"]]] if "from" in layer else [i]
            added = layer.get("add", [])
            sources += [names[n] for n in ([added] if isinstance(added, str) else added)]
            module = self.module(layer, shapes[sources[0]])
            example = torch.zeros(2, *shapes[sources[0]])
            shapes.append(tuple(module(example).shape[1:]))
            self.steps.append(module)
            self.sources.append(sources)
            if "name" in layer:
                names[layer["name"]] = i + 1

    @staticmethod
    def module(layer, shape):
        channels, flat = shape[0], len(shape) == 1
        match kind_of(layer):
            case "dense":
                return nn.Linear(channels, layer["dense"])
            case "conv":
                return nn.Conv2d(
                    channels,
                    layer["conv"],
                    pair(layer["kernel"]),
                    stride=pair(layer.get("stride", 1)),
                    padding=pair(layer.get("padding", 0)),
                    dilation=pair(layer.get("dilation", 1)),
                    groups=layer.get("groups", 1),
                    bias=layer.get("bias", True),
                )
            case "max_pool":
                size = pair(layer["max_pool"])
                stride = pair(layer.get("stride", size))
                return nn.MaxPool2d(size, stride, pair(layer.get("padding", 0)))
            case "avg_pool":
                size = pair(layer["avg_pool"])
                return nn.AvgPool2d(
                    size,
                    pair(layer.get("stride", size)),
                    pair(layer.get("padding", 0)),
                    count_include_pad=layer.get("count_padding", True),
                )
            case "global_avg_pool":
                return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
            case "flatten":
                return nn.Flatten()
            case "batch_norm":
                norm = nn.BatchNorm1d if flat else nn.BatchNorm2d
                return norm(
                    channels, eps=layer.get("epsilon", 1e-5), momentum=layer.get("momentum", 0.1)
                )
            case "layer_norm":
                return nn.LayerNorm(shape, eps=layer.get("epsilon", 1e-5))
            case "prelu":
                return nn.PReLU(channels, init=layer.get("slope", 0.25))
            case "add":
                return nn.Identity()

    def forward(self, x):
        """Every layer's pre-activations and activations, the last one's last."""
        values, zs = [x], []
        self.margin = math.inf
        for layer, module, sources in zip(self.tables, self.steps, self.sources):
            inputs = [values[s] for s in sources]
            z = sum(inputs[1:], module(inputs[0]))
            self.look(layer, module, inputs[0].detach(), z.detach())
            zs.append(z)
            values.append(ACTIVATIONS[activation_of(layer)](z))
        return zs, values[1:]

    def look(self, layer, module, x, z):
        """Keeps the least distance to a point where a derivative jumps."""
        distances = []
        if activation_of(layer) in ("relu", "leaky-relu"):
            distances.append(z.abs().min())
        if isinstance(module, nn.PReLU):
            distances.append(x.abs().min())
        if isinstance(module, nn.MaxPool2d):
            (h, w), (ph, pw) = module.kernel_size, module.padding
            padded = F.pad(x, (pw, pw, ph, ph), value=-1e9)
            windows = F.unfold(padded, (h, w), stride=module.stride)
            windows = windows.reshape(len(x), x.shape[1], h * w, -1)
            best = windows.topk(2, dim=2).values
            distances.append((best[:, :, 0] - best[:, :, 1]).min())
        self.margin = min([self.margin] + [d.item() for d in distances])

    def statistics(self):
        norms = [m for m in self.steps if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
        return [s for m in norms for s in (m.running_mean, m.running_var)]

    def flat(self):
        """Parameters layer by layer, then statistics: the order of the flat vector."""
        return joined([p.detach() for p in self.parameters()] + self.statistics())


def joined(tensors):
    parts = [t.reshape(-1) for t in tensors]
    return torch.cat(parts) if parts else torch.zeros(0)


def split(vector, like):
    out, at = [], 0
    for tensor in like:
        out.append(vector[at : at + tensor.numel()].reshape(tensor.shape))
        at += tensor.numel()
    return out


def single(array):
    """The nearest numbers of the form k / 2^16: exact at 32 bits if below 128."""
    return torch.from_numpy(np.round(array * 65536) / 65536)


def start(model, rng):
    """Weights of the size that keeps signals as they are; gains about 1, and so on."""
    with torch.no_grad():
        for module in model.steps:
            for name, p in module.named_parameters():
                draw = rng.standard_normal(p.shape)
                if isinstance(module, (nn.Linear, nn.Conv2d)) and name == "weight":
                    p.copy_(single(draw * 1.2 / math.sqrt(p[0].numel())))
                elif isinstance(module, nn.PReLU):
                    p.copy_(single(p.numpy() + 0.1 * draw))
                else:
                    p.copy_(single((name == "weight") + 0.2 * draw))
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                n = module.num_features
                module.running_mean.copy_(single(0.3 * rng.standard_normal(n)))
                module.running_var.copy_(single(rng.uniform(0.5, 1.5, n)))


def data(case, rng):
    x = single(rng.standard_normal((SAMPLES, *case["input"])))
    units = case["output"][0]
    score = x.reshape(SAMPLES, -1)[:, :units] + x.mean(dim=(1, 2, 3))[:, None]
    match case["loss"]:
        case "softmax-cross-entropy":
            y = F.one_hot(score.argmax(dim=1), units).double()
        case "binary-cross-entropy":
            y = (score > 0).double()
        case _:
            y = single(torch.tanh(score).numpy())
    return x, y


def jax_loss(case, model, x, y):
    """The training loss as a function of the parameters, in JAX."""
    x, y = jnp.asarray(x.numpy()), jnp.asarray(y.numpy())
    shapes = [tuple(p.shape) for p in model.parameters()]
    counts = [len(list(m.parameters())) for m in model.steps]

    def padding(pads):
        return [(p, p) for p in pads]

    def pool(a, module, start, step):
        window, stride = (1, 1, *pair(module.kernel_size)), (1, 1, *pair(module.stride))
        return lax.reduce_window(a, start, step, window, stride, padding((0, 0, *pair(module.padding))))

    def layer(kind, module, own, a):
        match kind:
            case "dense":
                return a @ own[0].T + own[1]
            case "conv":
                z = lax.conv_general_dilated(
                    a,
                    own[0],
                    module.stride,
                    padding(module.padding),
                    rhs_dilation=module.dilation,
                    feature_group_count=module.groups,
                )
                return z + own[1][:, None, None] if len(own) > 1 else z
            case "max_pool":
                return pool(a, module, -jnp.inf, lax.max)
            case "avg_pool":
                total = pool(a, module, 0.0, lax.add)
                if module.count_include_pad:
                    return total / math.prod(module.kernel_size)
                return total / pool(jnp.ones_like(a), module, 0.0, lax.add)
            case "global_avg_pool":
                return a.mean(axis=(2, 3))
            case "flatten":
                return a.reshape(len(a), -1)
            case "batch_norm" | "layer_norm":
                if kind == "batch_norm":
                    over = (0, *range(2, a.ndim))
                    gain, shift = (p.reshape(-1, *[1] * (a.ndim - 2)) for p in own)
                else:
                    over = tuple(range(1, a.ndim))
                    gain, shift = own
                mean = a.mean(axis=over, keepdims=True)
                variance = ((a - mean) ** 2).mean(axis=over, keepdims=True)
                return gain * (a - mean) / jnp.sqrt(variance + module.eps) + shift
            case "prelu":
                slope = own[0].reshape(-1, *[1] * (a.ndim - 2))
                return jnp.where(a > 0, a, slope * a)
            case "add":
                return a

    def loss(vector):
        params, at = [], 0
        for shape in shapes:
            size = math.prod(shape)
            params.append(vector[at : at + size].reshape(shape))
            at += size
        values, used = [x], 0
        for spec, module, sources, count in zip(model.tables, model.steps, model.sources, counts):
            inputs = [values[s] for s in sources]
            z = layer(kind_of(spec), module, params[used : used + count], inputs[0])
            z = sum(inputs[1:], z)
            used += count
            values.append(JAX_ACTIVATIONS[activation_of(spec)](z))
        return JAX_LOSSES[case["loss"]](z, values[-1], y)

    return loss


def train(case, model, x, y, batches, build):
    """The batches' losses, each before its step."""
    model.train()
    optimizer = build(model.parameters())
    losses, margin = [], math.inf
    for rows in batches:
        optimizer.zero_grad()
        zs, values = model(x[rows])
        margin = min(margin, model.margin)
        loss = LOSSES[case["loss"]](zs[-1], values[-1], y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, margin


def reference(case, seed):
    """What layers.json and layers.npz hold of a case; none if it comes too near a corner."""
    rng = np.random.default_rng(seed)
    model = Reference(case)
    start(model, rng)
    x, y = data(case, rng)
    initial = {k: v.clone() for k, v in model.state_dict().items()}
    params = list(model.parameters())
    moved = sum(p.numel() for p in params)
    direction = single(rng.standard_normal(moved))
    orders = [rng.permutation(SAMPLES) for _ in range(STEPS)]
    batches = [o[i : i + BATCH].tolist() for o in orders for i in range(0, SAMPLES, BATCH)][:STEPS]
    loss_of = LOSSES[case["loss"]]
    arrays = {"x": x.reshape(SAMPLES, -1), "y": y, "initial": model.flat(), "direction": direction}

    model.eval()
    zs, values = model(x)
    margin = model.margin
    inference = loss_of(zs[-1], values[-1], y)
    arrays["inference_output"] = values[-1]
    arrays["inference_gradient"] = joined(torch.autograd.grad(inference, params))

    model.train()
    zs, values = model(x)
    margin = min(margin, model.margin)
    for i, (z, a) in enumerate(zip(zs, values)):
        arrays[f"z{i}"] = z.reshape(SAMPLES, -1)
        if a is not z:
            arrays[f"a{i}"] = a.reshape(SAMPLES, -1)
    if margin < START_MARGIN:
        return None
    loss = loss_of(zs[-1], values[-1], y)
    gradient = torch.autograd.grad(loss, params, create_graph=True)
    along = sum((g * v).sum() for g, v in zip(gradient, split(direction, params)))
    product = torch.autograd.grad(along, params, allow_unused=True, materialize_grads=True)
    arrays["gradient"] = joined(gradient)
    arrays["hessian_vector"] = joined(product)

    runs = []
    for k, (optimizer, build) in enumerate(RUNS):
        run = {"optimizer": optimizer}
        for what, order in [("", batches), ("full_batch_", [list(range(SAMPLES))] * STEPS)]:
            model.load_state_dict(initial)
            losses, margin = train(case, model, x, y, order, build)
            if margin < RUN_MARGIN:
                return None
            run[what + "losses"] = losses
            arrays[f"run{k}_{what}params"] = model.flat()
            if not what:
                model.eval()
                with torch.no_grad():
                    arrays[f"run{k}_output"] = model(x)[1][-1]
                if model.margin < RUN_MARGIN:
                    return None
        runs.append(run)
    function = jax_loss(case, model, x, y)
    model.load_state_dict(initial)
    at, v = jnp.asarray(joined(params).detach().numpy()), jnp.asarray(direction.numpy())
    arrays["jax_gradient"], arrays["jax_hessian_vector"] = jax.jvp(jax.grad(function), (at,), (v,))

    network = {"layers": case["layers"], "loss": "cross-entropy"}
    described = {
        "name": case["name"],
        "about": case["about"],
        "input": case["input"],
        "network": network,
        "output": case["output"],
        "loss": case["loss"],
        "seed": seed,
        "training_loss": loss.item(),
        "jax_training_loss": float(function(at)),
        "inference_loss": inference.item(),
        "batches": batches,
        "runs": runs,
    }
    arrays = {f"{case['name']}/{key}": np.asarray(plain(a)) for key, a in arrays.items()}
    return described, arrays


def plain(array):
    return array.detach().numpy() if isinstance(array, torch.Tensor) else array


def main():
    cases, arrays = [], {}
    for case in CASES:
        for seed in range(1, 300):
            if found := reference(case, seed):
                break
        else:
            raise SystemExit(f"{case['name']}: no seed keeps clear of corners")
        print(f"{case['name']}: seed {seed}")
        described, own = found
        cases.append(described)
        arrays.update(own)
    library = {"torch": torch.__version__, "jax": jax.__version__}
    folder = pathlib.Path(__file__).parent
    (folder / "layers.json").write_text(json.dumps({"library": library, "cases": cases}) + "\n")
    np.savez(folder / "layers.npz", **arrays)


if __name__ == "__main__":
    main()
