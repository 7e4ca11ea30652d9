"""Makes small forward graphs of linear layers, opset 18, with initial numbers as torch.nn.Linear has them.

services/worker/test/fixtures/linear.onnx: y = Relu(x·weight + bias).
test/fixtures/uploaded/masked.onnx: three modalities a [6], b [3, 2] with the mask of its steps, and c [2], each through a linear layer to an embedding (ha, hb, hc), one logit.

Run with onnx and numpy: python test/oracles/plain_models.py
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

root = pathlib.Path(__file__).resolve().parents[2]
rng = np.random.default_rng(1)
value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def linear(name, inputs, outputs):
    bound = 1 / np.sqrt(inputs)
    draw = lambda *shape: rng.uniform(-bound, bound, shape).astype("f4")
    return [numpy_helper.from_array(draw(inputs, outputs), f"{name}.weight"), numpy_helper.from_array(draw(outputs), f"{name}.bias")]


def gemm(name, x, y):
    return helper.make_node("Gemm", [x, f"{name}.weight", f"{name}.bias"], [y], name=name)


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], name=output, **attributes)


def save(file, nodes, inputs, outputs, initializers):
    graph = helper.make_graph(nodes, pathlib.Path(file).stem, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, root / file)


save(
    "services/worker/test/fixtures/linear.onnx",
    [gemm("layer", "x", "h"), node("Relu", ["h"], "y")],
    [value("x", 4)],
    [value("y", 2)],
    linear("layer", 4, 2),
)

indices = lambda name, *values: numpy_helper.from_array(np.array(values, "i8"), name)
save(
    "test/fixtures/uploaded/masked.onnx",
    [
        gemm("encoder.a", "a", "a0"),
        node("Relu", ["a0"], "ha"),
        node("Unsqueeze", ["present", "last"], "b0"),
        node("Mul", ["b", "b0"], "b1"),
        node("ReduceMean", ["b1", "steps"], "b2", keepdims=0),
        gemm("encoder.b", "b2", "b3"),
        node("Relu", ["b3"], "hb"),
        gemm("encoder.c", "c", "c0"),
        node("Relu", ["c0"], "hc"),
        node("Concat", ["ha", "hb", "hc"], "joined", axis=1),
        gemm("head", "joined", "logit"),
    ],
    [value("a", 6), value("b", 3, 2), value("present", 3), value("c", 2)],
    [value("logit", 1)],
    [*linear("encoder.a", 6, 8), *linear("encoder.b", 2, 8), *linear("encoder.c", 2, 8), *linear("head", 24, 1), indices("last", 2), indices("steps", 1)],
)
