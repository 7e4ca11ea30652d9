"""Makes packages/onnx/test/fixtures/older-operator-sets.json.gz: models of operator sets 7 to 12 with the outputs that ONNX Runtime gives for them as they are.

Run with onnx and onnxruntime: python test/oracles/older_operator_sets.py
"""

import base64
import gzip
import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)
F, I = np.float32, np.int64
cases = []


def text(proto):
    return base64.b64encode(proto.SerializeToString()).decode()


def add(name, opsets, nodes, inputs, constants=(), as_nodes=False):
    """One case for each operator set; `nodes` are made by it. The outputs of the graph are those of the last node."""
    for opset in opsets:
        made = nodes(opset) if callable(nodes) else nodes
        held = [numpy_helper.from_array(np.asarray(value), key) for key, value in dict(constants).items()]
        # old exporters write constants as nodes
        head = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in held] if as_nodes else []
        values = [helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape) for key, value in inputs.items()]
        outputs = [helper.make_empty_tensor_value_info(output) for output in made[-1].output if output]
        graph = helper.make_graph([*head, *made], name, values, outputs, [] if as_nodes else held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = session.run(None, inputs)
        cases.append({
            "name": f"{name}, operator set {opset}",
            "operator": made[-1].op_type,
            "model": text(model),
            "constants": [],
            "inputs": [text(numpy_helper.from_array(value, key)) for key, value in inputs.items()],
            "outputs": [text(numpy_helper.from_array(value, output.name)) for output, value in zip(session.get_outputs(), found)],
            "rtol": 1e-5,
        })  # fmt: skip


def n(op, inputs, outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), **attributes)


def data(*shape, dtype=F):
    return random.standard_normal(shape).astype(dtype)


OLD = range(7, 13)
x3, x4, image = data(3, 4, 5), data(2, 3, 4, 5), data(1, 2, 4, 6)

for op in ("Softmax", "LogSoftmax", "Hardmax"):
    add(op, OLD, [n(op, ["x"])], {"x": x3})
    add(f"{op} of axis 2", [7, 11], [n(op, ["x"], axis=2)], {"x": x4})
    add(f"{op} of axis 0", [9, 12], [n(op, ["x"], axis=0)], {"x": x3})
    for axis in (-1, -2):
        add(f"{op} of axis {axis}", [11, 12], [n(op, ["x"], axis=axis)], {"x": x4})

add("Clip", [7, 8, 9, 10], [n("Clip", ["x"], min=-0.5, max=0.25)], {"x": x3})
add("Clip to a least number", [10], [n("Clip", ["x"], min=-0.5)], {"x": x3})
add("Clip to a largest number", [10], [n("Clip", ["x"], max=0.5)], {"x": x3})
add("Clip by inputs", [11, 12], [n("Clip", ["x", "low", "high"])], {"x": x3}, {"low": F(-0.5), "high": F(0.5)})

add("Slice", [7, 9], [n("Slice", ["x"], starts=[1, -3], ends=[9, -1], axes=[1, 2])], {"x": x3})
add("Slice of the first axes", [8], [n("Slice", ["x"], starts=[1, 0], ends=[3, 2])], {"x": x3})
add("Slice by inputs", [10, 12], [n("Slice", ["x", "s", "e", "a"])], {"x": x3}, {"s": I([1]), "e": I([3]), "a": I([2])})

add("Squeeze", OLD, [n("Squeeze", ["x"], axes=[0, 2])], {"x": data(1, 3, 1, 2)})
add("Squeeze of every 1", [7, 12], [n("Squeeze", ["x"])], {"x": data(1, 3, 1, 2)})
add("Unsqueeze", OLD, [n("Unsqueeze", ["x"], axes=[0, 3])], {"x": x3})
add("Unsqueeze of negative axes", [11, 12], [n("Unsqueeze", ["x"], axes=[-1])], {"x": x3})
add("Split", OLD, [n("Split", ["x"], ["a", "b"], axis=1, split=[1, 3])], {"x": x3})
add("Split in equal parts", OLD, [n("Split", ["x"], ["a", "b"], axis=1)], {"x": x3})
add("ReduceSum", OLD, [n("ReduceSum", ["x"], axes=[0, 2], keepdims=0)], {"x": x3})
add("ReduceSum of all", [7, 12], [n("ReduceSum", ["x"])], {"x": x3})
for op in ("ReduceMean", "ReduceMax", "ReduceL2", "ReduceLogSumExp"):
    add(op, [7, 11, 12], [n(op, ["x"], axes=[1], keepdims=1)], {"x": x3})

for mode in ("constant", "reflect", "edge"):
    add(f"Pad by {mode}", [7, 10], [n("Pad", ["x"], pads=[0, 1, 2, 0, 2, 1], mode=mode)], {"x": x3})
    add(f"Pad by {mode} by inputs", [11], [n("Pad", ["x", "p"], mode=mode)], {"x": x3}, {"p": I([0, 1, 2, 0, 2, 1])})
add("Pad with a number", [8], [n("Pad", ["x"], pads=[0, 1, 2, 0, 2, 1], value=1.5)], {"x": x3})
add("Pad of float64", [10], [n("Pad", ["x"], pads=[1, 0, 1, 0], value=1.5)], {"x": data(2, 2, dtype=np.float64)})
add("Pad of a float64 in between", [10], [n("Neg", ["x"], ["h"]), n("Pad", ["h"], pads=[1, 0, 1, 0], value=1.5)], {"x": data(2, 2, dtype=np.float64)})

add("TopK", [7, 9], [n("TopK", ["x"], ["v", "i"], k=2, axis=1)], {"x": x3})
add("TopK by an input", [10, 11], [n("TopK", ["x", "k"], ["v", "i"], axis=2)], {"x": x3}, {"k": I([2])})
add("Dropout", OLD, lambda opset: [n("Dropout", ["x"], ratio=0.3) if opset < 12 else n("Dropout", ["x", "ratio"])], {"x": x3}, {"ratio": F(0.3)})

norm = {"s": data(3), "b": data(3), "m": data(3), "v": np.abs(data(3)) + F(0.1)}
add("BatchNormalization", OLD, lambda opset: [n("BatchNormalization", ["x", *norm], epsilon=1e-3, momentum=0.8, **({"spatial": 1} if opset < 9 else {}))], {"x": x4}, norm)

for mode in ("nearest", "linear"):
    scales = [1.0, 1.0, 2.0, 1.5]
    add(f"Upsample, {mode}", [7, 8], [n("Upsample", ["x"], mode=mode, scales=scales)], {"x": image})
    for as_nodes in (False, True):
        add(f"Upsample, {mode}, by {'a node' if as_nodes else 'an initializer'}", [9], [n("Upsample", ["x", "scales"], mode=mode)], {"x": image}, {"scales": F(scales)}, as_nodes)
        add(f"Resize, {mode}, by {'a node' if as_nodes else 'an initializer'}", [10], [n("Resize", ["x", "scales"], mode=mode)], {"x": image}, {"scales": F(scales)}, as_nodes)
    add(f"Resize to less, {mode}", [10], [n("Resize", ["x", "scales"], mode=mode)], {"x": image}, {"scales": F([1, 1, 0.6, 0.5])})
    for coordinates in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
        add(f"Resize, {mode}, {coordinates}", [11, 12], [n("Resize", ["x", "roi", "scales"], mode=mode, coordinate_transformation_mode=coordinates)], {"x": image}, {"roi": F([]), "scales": F([1, 1, 2, 0.5])})
add("Resize, cubic, to sizes", [11], [n("Resize", ["x", "roi", "scales", "sizes"], mode="cubic")], {"x": image}, {"roi": F([]), "scales": F([]), "sizes": I([1, 2, 8, 9])})
for scales in ([1, 1, 2, 3], [1, 1, 0.6, 0.5], [1, 1, 1.5, 0.7]):
    add(f"Resize of {scales}, tf_half_pixel_for_nn", [11, 12], [n("Resize", ["x", "roi", "scales"], mode="nearest", nearest_mode="floor", coordinate_transformation_mode="tf_half_pixel_for_nn")], {"x": image}, {"roi": F([]), "scales": F(scales)})

indices = I([[0, 2, 1], [1, 0, 2]])
for op, opsets in (("Scatter", [9, 10]), ("ScatterElements", [11, 12])):
    add(op, opsets, [n(op, ["x", "i", "u"], axis=1)], {"x": data(2, 5), "u": data(2, 3)}, {"i": indices})
add("GatherElements of negative indices", [11, 12], [n("GatherElements", ["x", "i"], axis=1)], {"x": data(2, 5)}, {"i": indices - 3})
add("Gather", OLD, [n("Gather", ["x", "i"], axis=1)], {"x": x3}, {"i": I([[0, 2], [1, 1]])})
add("OneHot", [9, 11], [n("OneHot", ["i", "d", "v"], ["h"]), n("Mul", ["h", "x"])], {"x": data(3, 4)}, {"i": I([0, 2, 1]), "d": I([4]), "v": F([0, 2])})
add("ConstantOfShape", [9, 12], [n("ConstantOfShape", ["s"], ["h"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.5])), n("Add", ["h", "x"])], {"x": data(2, 3)}, {"s": I([2, 3])})
add("CumSum", [11, 12], [n("CumSum", ["x", "a"], reverse=1)], {"x": x3}, {"a": np.int32(1)})
add("Flatten", OLD, [n("Flatten", ["x"], axis=2)], {"x": x4})
add("Gemm", OLD, [n("Gemm", ["x", "w", "b"], transB=1, alpha=0.5)], {"x": data(3, 4)}, {"w": data(2, 4), "b": data(2)})
add("Gemm without a bias", [11], [n("Gemm", ["x", "w"])], {"x": data(3, 4)}, {"w": data(4, 2)})
add("Pow", [7, 12], [n("Pow", ["x", "e"])], {"x": np.abs(x3)}, {"e": F(1.5)})
add("Mod", [10, 12], [n("Mod", ["x", "d"], fmod=1)], {"x": x3}, {"d": F(0.7)})
add("Max, Min and Sum that broadcast", [8, 12], [n("Max", ["x", "c"], ["a"]), n("Min", ["x", "c"], ["b"]), n("Sum", ["a", "b", "c"])], {"x": x3}, {"c": data(5)})
add("Where and comparisons", [9, 11], [n("Less", ["x", "c"], ["l"]), n("Where", ["l", "x", "c"])], {"x": x3}, {"c": data(5)})
add("Cast", [7, 9, 12], [n("Cast", ["x"], ["h"], to=TensorProto.INT32), n("Cast", ["h"], to=TensorProto.FLOAT)], {"x": x3 * 3})
add("PRelu", [7, 9], [n("PRelu", ["x", "s"])], {"x": x4}, {"s": data(3, 1, 1)})
add("MaxPool", [7, 8, 10, 12], [n("MaxPool", ["x"], kernel_shape=[2, 2], strides=[2, 1], pads=[1, 0, 0, 1])], {"x": x4})
for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
    add(f"AveragePool, {auto}", [7, 10, 11], [n("AveragePool", ["x"], kernel_shape=[2, 3], strides=[2, 2], auto_pad=auto)], {"x": x4})
add("AveragePool that counts padding", [7, 12], [n("AveragePool", ["x"], kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1)], {"x": x4})
add("LpPool", [7, 11], [n("LpPool", ["x"], kernel_shape=[2, 2])], {"x": x4})
add("Conv", [7, 11], [n("Conv", ["x", "w", "b"], pads=[1, 1, 1, 1])], {"x": x4}, {"w": data(2, 3, 3, 3), "b": data(2)})
add("ConvTranspose", [7, 11], [n("ConvTranspose", ["x", "w"], strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 0, 0])], {"x": x4}, {"w": data(3, 2, 3, 3)})
add("ConvTranspose of SAME_UPPER", [11], [n("ConvTranspose", ["x", "w"], strides=[2, 2], auto_pad="SAME_UPPER")], {"x": x4}, {"w": data(3, 2, 3, 3)})
add("DepthToSpace", [7, 11], [n("DepthToSpace", ["x"], blocksize=2)], {"x": data(1, 8, 2, 3)})
add("InstanceNormalization", [7], [n("InstanceNormalization", ["x", "s", "b"])], {"x": x4}, {"s": norm["s"], "b": norm["b"]})
add("LRN", [7], [n("LRN", ["x"], size=3)], {"x": x4})
add("Expand and Tile", [8], [n("Expand", ["x", "s"], ["h"]), n("Tile", ["h", "r"])], {"x": data(3, 1)}, {"s": I([2, 3, 4]), "r": I([1, 2, 1])})

steps = data(5, 2, 3)
for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
    weights = {"w": data(2, gates * 4, 3), "r": data(2, gates * 4, 4), "b": data(2, gates * 8)}
    add(op, [7, 12], [n(op, ["x", *weights], ["y", "h"], hidden_size=4, direction="bidirectional")], {"x": steps}, weights)


def graph(nodes, inputs, outputs):
    info = lambda name, dtype, shape: helper.make_tensor_value_info(name, dtype, shape)
    return helper.make_graph(nodes, "body", [info(*one) for one in inputs], [info(*one) for one in outputs])


FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
loop = graph(
    [n("Unsqueeze", ["c"], ["u"], axes=[0]), n("Softmax", ["u"], ["p"]), n("Squeeze", ["p"], ["q"], axes=[0]), n("Add", ["q", "x"], ["d"]), n("Identity", ["on"], ["going"])],
    [("i", INT64, []), ("on", BOOL, []), ("c", FLOAT, [3, 4])],
    [("going", BOOL, []), ("d", FLOAT, [3, 4]), ("q", FLOAT, [3, 4])],
)
add("Loop", [7, 11, 12], [n("Loop", ["trips", "go", "x"], ["last", "all"], body=loop)], {"x": data(3, 4)}, {"trips": I(3), "go": np.bool_(True)})
scan = graph([n("Clip", ["s"], ["k"], min=-1.0, max=1.0), n("Add", ["k", "e"], ["t"]), n("Identity", ["t"], ["o"])], [("s", FLOAT, [4]), ("e", FLOAT, [4])], [("t", FLOAT, [4]), ("o", FLOAT, [4])])
add("Scan", [9, 10], [n("Scan", ["start", "x"], ["last", "all"], body=scan, num_scan_inputs=1)], {"start": data(4), "x": data(3, 4)})

convolutions = {"w": data(4, 3, 3, 3) * F(0.3), "s": data(4), "b": data(4), "m": data(4), "v": np.abs(data(4)) + F(0.5), "size": I([0, -1]), "fw": data(5, 4), "fb": data(5)}
add(
    "a network", [7, 8],
    [
        n("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), n("BatchNormalization", ["c", "s", "b", "m", "v"], ["h"]), n("Relu", ["h"], ["r"]),
        n("Upsample", ["r"], ["u"], scales=[1.0, 1.0, 2.0, 2.0]), n("Slice", ["u"], ["l"], axes=[2, 3], starts=[1, 0], ends=[9, -1]), n("Dropout", ["l"], ["d"]),
        n("GlobalAveragePool", ["d"], ["g"]), n("Reshape", ["g", "size"], ["f"]), n("Gemm", ["f", "fw", "fb"], ["z"], transB=1), n("Softmax", ["z"]),
    ],
    {"x": data(2, 3, 8, 8)}, convolutions,
)  # fmt: skip

out = pathlib.Path(__file__).parents[2] / "packages/onnx/test/fixtures/older-operator-sets.json.gz"
lines = json.dumps({"onnx": onnx.__version__, "onnxruntime": ort.__version__, "cases": cases}, separators=(",", ":"))
out.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
print(f"{len(cases)} cases, {out.stat().st_size} bytes")
