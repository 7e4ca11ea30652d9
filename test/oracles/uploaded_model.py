"""Makes services/worker/test/fixtures/linear.onnx: a small forward graph as a user would upload it, Relu(x·weight + bias), opset 18.

Run with onnx and numpy: python test/oracles/uploaded_model.py
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(1)
initializers = [
    numpy_helper.from_array(rng.normal(size=(4, 2)).astype("f4"), "weight"),
    numpy_helper.from_array(rng.normal(size=2).astype("f4"), "bias"),
]
graph = helper.make_graph(
    [helper.make_node("Gemm", ["x", "weight", "bias"], ["h"], name="gemm"), helper.make_node("Relu", ["h"], ["y"], name="relu")],
    "linear",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
    initializers,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
root = pathlib.Path(__file__).resolve().parents[2]
onnx.save(model, root / "services/worker/test/fixtures/linear.onnx")
