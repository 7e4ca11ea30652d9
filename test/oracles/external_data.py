"""Makes packages/model-file/test/fixtures/external-data.json: models whose one weight, [2, 2] of float32, lies in another file.

Run with onnx: python test/oracles/external_data.py
"""

import base64
import json
import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data


def model(location, **place):
    weight = numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")
    set_external_data(weight, location, **place)
    weight.ClearField("raw_data")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "layer", values[:1], values[1:], [weight])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return base64.b64encode(made.SerializeToString()).decode()


out = pathlib.Path(__file__).parents[2] / "packages/model-file/test/fixtures/external-data.json"
fixture = {
    "beside": model("net.onnx.data"),
    "far": model("weights/all.bin", offset=2_500_000_000, length=16),
    "long": model("net.onnx.data", offset=8, length=16),
    "outside": model("../outside.bin"),
    "absolute": model("/etc/hostname"),
}
out.write_text(json.dumps(fixture) + "\n")
