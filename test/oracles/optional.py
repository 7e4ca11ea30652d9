"""Makes packages/onnx/test/fixtures/optional.json: a model that asks an Optional without an element whether it has one, and what ONNX Runtime makes of it.

Run with onnx and onnxruntime: python test/oracles/optional.py
"""

import base64
import json
import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def branch(operator):
    node = helper.make_node(operator, ["x"], [operator])
    return helper.make_graph([node], operator, [], [helper.make_tensor_value_info(operator, TensorProto.FLOAT, [2, 6])])


nodes = [
    helper.make_node("Optional", [], ["maybe"], type=helper.make_tensor_type_proto(TensorProto.FLOAT, [2, 6])),
    helper.make_node("OptionalHasElement", ["maybe"], ["has"]),
    helper.make_node("If", ["has"], ["y"], then_branch=branch("Neg"), else_branch=branch("Tanh")),
]
values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 6]) for name in ("x", "y")]
graph = helper.make_graph(nodes, "asks", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)
(y,) = onnxruntime.InferenceSession(model).run(None, {"x": x})

out = pathlib.Path(__file__).parents[2] / "packages/onnx/test/fixtures/optional.json"
fixture = {"model": base64.b64encode(model).decode(), "x": x.ravel().tolist(), "y": y.ravel().tolist()}
out.write_text(json.dumps(fixture) + "\n")
