"""Loads what the checker wrote, at default optimisation, and runs it: `load.py OUT [name/exporter …]` prints as JSON what failed, by `<name>/<exporter>`."""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

onnxruntime.set_default_logger_severity(4)
failed = {}
for export in sys.argv[2:]:
    path = pathlib.Path(sys.argv[1]) / export
    truth = load_file(path.with_suffix(".safetensors"))
    try:
        session = onnxruntime.InferenceSession(path.with_suffix(".gradients.onnx"), providers=["CPUExecutionProvider"])
        loss = session.run(["loss"], {i.name: truth[f"input/{i.name}"] for i in session.get_inputs()})[0]
        if not np.allclose(loss, truth["loss"], 1e-4, 1e-7):
            failed[export] = f"loss {loss}, expected {truth['loss']}"
    except Exception as error:
        failed[export] = str(error)[:400]
print(json.dumps(failed))
