"""Runs every .onnx of a folder with ONNX Runtime on the inputs of the .npz beside it, and
compares what comes out: arrays x [samples, values] and y.

    python3 run_onnx.py FOLDER

Each model passes ONNX's own checker first, its shapes included. Run with numpy 2.4.6,
onnx 1.23 and onnxruntime 1.32.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

files = sorted(Path(sys.argv[1]).glob("*.onnx"))
assert files, "no .onnx files"
for file in files:
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    arrays = np.load(file.with_suffix(".npz"))
    port = session.get_inputs()[0]
    x = arrays["x"].astype(np.float32).reshape(-1, *port.shape[1:])
    y = session.run(None, {port.name: x})[0].reshape(len(x), -1)
    off = float(np.abs(y - arrays["y"]).max())
    assert off < 1e-5, f"{file.name}: outputs differ by {off}"
    opset = model.opset_import[0].version
    print(f"{file.name}: opset {opset}, {len(model.graph.node)} nodes, outputs within {off:.1e}")
