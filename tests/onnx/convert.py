"""The one-node ONNX models that tests/onnx_nodes.rs runs, as plain arrays.

    pip install onnx numpy
    python convert.py FOLDER

FOLDER is the backend test data of ONNX 1.12 (`onnx/backend/test/data`, or
/usr/share/libonnx-testdata of the Debian package libonnx-testdata), with the
folders node/ and pytorch-converted/. Writes beside itself nodes.json (operators
and attributes), nodes.npz (inputs, initialisers and expected outputs, as they are)
and COVERAGE.md, which names every model and why those that are left out are.
"""

import io
import json
import pathlib
import sys
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper

HERE = pathlib.Path(__file__).parent

MISSING = {"Elu", "Selu", "HardSigmoid", "ConvInteger", "MatMulInteger"}


def symmetric(attributes, spatial):
    """The padding [rows, columns], or none where the two sides differ."""
    kernel = attributes["kernel_shape"]
    strides = attributes.get("strides", [1, 1])
    if attributes.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
        totals = [(-(-n // s) - 1) * s + k - n for n, s, k in zip(spatial, strides, kernel)]
        return [t // 2 for t in totals] if all(t % 2 == 0 for t in totals) else None
    pads = attributes.get("pads", [0, 0, 0, 0])
    return pads[:2] if pads[:2] == pads[2:] else None


def reason(op, attributes, inputs):
    """Why the engine cannot run a node; nothing where it can."""
    if op in MISSING:
        return f"the engine has no {op}"
    if attributes.get("ceil_mode"):
        return "windows that are cut off at the edge (ceil_mode)"
    if op in ("Conv", "MaxPool", "AveragePool"):
        padding = symmetric(attributes, inputs[0].shape[2:])
        if padding is None:
            return "padding that differs from side to side"
        if op != "Conv" and any(p >= k for p, k in zip(padding, attributes["kernel_shape"])):
            return "a padding that puts windows beyond the edge"
        if op != "Conv" and attributes.get("dilations", [1, 1]) != [1, 1]:
            return "a pooling window with gaps (dilations)"
        attributes["pads"] = padding
    if op == "Gemm" and len(inputs) > 2 and inputs[2].ndim == 2 and inputs[2].shape[0] > 1:
        return "a bias for each sample"
    if op == "MatMul" and inputs[1].ndim > 2:
        return "a matrix for each sample"
    if op == "Flatten" and attributes.get("axis", 1) % inputs[0].ndim != 1:
        return "samples and values flattened together"
    if op == "SoftmaxCrossEntropyLoss" and (len(inputs) > 2 or "ignore_index" in attributes):
        return "losses that weigh or ignore classes"
    if op == "Adam":
        return (
            "a run that goes on from given moments without the correction of their start "
            "(T = 0 with moments); tests/golden compares Adam"
        )
    return None


def value(attribute):
    found = onnx.helper.get_attribute_value(attribute)
    return list(found) if isinstance(found, (list, tuple)) or hasattr(found, "extend") else found


def arrays_of(folder, model):
    """A node's inputs in order, and its outputs."""

    def read(path):
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        return numpy_helper.to_array(tensor)

    data = folder / "test_data_set_0"
    graph = model.graph
    known = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    given = [i.name for i in graph.input if i.name not in known]
    for i, name in enumerate(given):
        known[name] = read(data / f"input_{i}.pb")
    outputs = [read(data / f"output_{i}.pb") for i in range(len(graph.output))]
    return known, outputs


def main():
    source = pathlib.Path(sys.argv[1])
    nodes, arrays, covered, left_out = [], {}, [], []
    for folder in sorted(source.glob("*/test_*")):
        model = onnx.load(folder / "model.onnx")
        known, outputs = arrays_of(folder, model)
        node = model.graph.node[-1]
        op = node.op_type
        name = folder.name
        attributes = {a.name: value(a) for a in node.attribute}
        if len(model.graph.node) == 2 and model.graph.node[0].op_type == "Transpose":
            # MatMul by a transposed matrix, which is what older Gemm tests export.
            before = model.graph.node[0]
            known[before.output[0]] = known[before.input[0]].T
        inputs = [known[i] for i in node.input]
        why = reason(op, attributes, inputs)
        if why:
            left_out.append((name, op, why))
            continue
        covered.append((name, op))
        plain = {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}
        nodes.append(
            {
                "name": name,
                "op": op,
                "opset": model.opset_import[0].version,
                "attributes": plain,
                "inputs": len(inputs),
                "outputs": len(outputs),
            }
        )
        for what, group in [("input", inputs), ("output", outputs)]:
            for i, array in enumerate(group):
                arrays[f"{name}/{what}_{i}"] = np.ascontiguousarray(array, dtype="<f4")
    (HERE / "nodes.json").write_text(json.dumps(nodes, indent=0) + "\n")
    with zipfile.ZipFile(HERE / "nodes.npz", "w") as archive:
        for key, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array)
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), entry.getvalue())
    total = len(covered) + len(left_out)
    lines = [
        "# One-node models of ONNX",
        "",
        f"Written by `convert.py`. Of {total} models `tests/onnx_nodes.rs` runs {len(covered)}:",
        "",
        "| operator | models |",
        "|---|---|",
    ]
    for op in sorted({op for _, op in covered}):
        names = ", ".join(name.removeprefix("test_") for name, o in covered if o == op)
        lines.append(f"| {op} | {names} |")
    lines += ["", f"Left out are {len(left_out)}:", "", "| model | operator | why |", "|---|---|---|"]
    lines += [f"| {name.removeprefix('test_')} | {op} | {why} |" for name, op, why in left_out]
    (HERE / "COVERAGE.md").write_text("\n".join(lines) + "\n")
    print(f"{len(covered)} covered, {len(left_out)} left out")


if __name__ == "__main__":
    main()
