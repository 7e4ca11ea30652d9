"""Makes packages/onnx/test/fixtures/onnx-nodes.json.gz: node tests of the ONNX project (models of one operator, with the outputs that it expects).

Run with onnx: python test/oracles/onnx_nodes.py
With a path, all tests go there instead of the smallest few of each operator: python test/oracles/onnx_nodes.py /tmp/all.json.gz; then
ONNX_NODE_TESTS=/tmp/all.json.gz npx vitest run --project unit packages/onnx/test/conformance.test.ts
"""

import base64
import collections
import gzip
import json
import pathlib
import sys

import numpy as np
import onnx
import onnx.defs
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

OLDEST, NEWEST = 13, 26
# What operator sets 13 to 26 changed, or canonicalise writes as others: more tests of these.
CLOSELY = {
    "AffineGrid", "Attention", "AveragePool", "BatchNormalization", "CastLike", "CenterCropPad", "CumProd", "DFT", "DequantizeLinear", "GRU", "Gelu",
    "GridSample", "GroupNormalization", "HardSwish", "LSTM", "LpPool", "MeanVarianceNormalization", "Mish", "NegativeLogLikelihoodLoss", "Pad",
    "QuantizeLinear", "RMSNormalization", "RNN", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceProd", "ReduceSumSquare", "Resize", "RoiAlign", "RotaryEmbedding", "ScatterElements", "ScatterND", "Shrink", "SoftmaxCrossEntropyLoss",
    "Split", "Swish", "TensorScatter",
}  # fmt: skip
FEW, MANY, LARGEST = 2, 10, 6000
# Inputs that say shapes, axes or sizes: exporters give them as constants.
CONSTANT = {
    "AffineGrid": [1], "BlackmanWindow": [0], "CenterCropPad": [1], "Col2Im": [1, 2], "ConstantOfShape": [0], "CumProd": [1], "CumSum": [1], "DFT": [1, 2], "Dropout": [1, 2], "Expand": [1],
    "HammingWindow": [0], "HannWindow": [0], "Loop": [0, 1],
    "MaxUnpool": [2], "MelWeightMatrix": [0, 1, 2, 3, 4], "OneHot": [1], "Pad": [1, 3], "Range": [0, 1, 2], "Reshape": [1], "Resize": [1, 2, 3], "STFT": [1, 3], "Slice": [1, 2, 3, 4], "Split": [1], "Squeeze": [1],
    "Tile": [1], "TopK": [1], "Trilu": [1], "Unsqueeze": [1],
}  # fmt: skip
HELD = {
    getattr(TensorProto, name)
    for name in ("FLOAT", "DOUBLE", "FLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL")
}
# Random numbers, which no two runtimes draw alike.
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


# ONNX Runtime takes the scale of aligned corners from the scales, ONNX from the rounded sizes.
DIFFERENT = {"test_resize_downsample_scales_linear_align_corners", "test_resize_downsample_scales_cubic_align_corners"}


def constant_inputs(node):
    if node.op_type.startswith("Reduce"):
        return [1]
    return CONSTANT.get(node.op_type, [])


def opset_of(model):
    """The operator set under which the model means the same and is one of those that are read; None where there is none."""
    if any(entry.domain not in ("", "ai.onnx") for entry in model.opset_import) or not model.opset_import:
        return None
    opset = model.opset_import[0].version
    if OLDEST <= opset <= NEWEST:
        return opset
    near = min(max(opset, OLDEST), NEWEST)
    for node in model.graph.node:
        try:
            schemas = [onnx.defs.get_schema(node.op_type, version, "") for version in (opset, near)]
        except onnx.defs.SchemaError:
            return None
        if opset < OLDEST and schemas[0].since_version != schemas[1].since_version:
            return None
        if any(schema.deprecated for schema in schemas) or set(schemas[0].attributes) != set(schemas[1].attributes):
            return None
    return near


def tensors(values, names):
    made = [value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value), name) for value, name in zip(values, names)]
    for proto, name in zip(made, names):
        proto.name = name
    return made


def is_held(model):
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.WhichOneof("value") != "tensor_type" or value.type.tensor_type.elem_type not in HELD:
            return False
    return True


def entry_of(case):
    model, opset = case.model, opset_of(case.model)
    if opset is None or not is_held(model) or any(node.op_type in RANDOM for node in model.graph.node):
        return None
    if case.name in DIFFERENT:
        return None
    if any(node.op_type == "Dropout" and len(node.input) > 2 for node in model.graph.node):
        return None  # in training, thus random
    model.opset_import[0].version = opset
    given, expected = case.data_sets[0]
    inputs = tensors(given, [value.name for value in model.graph.input])
    outputs = tensors(expected, [value.name for value in model.graph.output])
    constant = {node.input[i] for node in model.graph.node for i in constant_inputs(node) if i < len(node.input)}
    if inputs and all(tensor.name in constant for tensor in inputs):
        return None
    text = lambda proto: base64.b64encode(proto.SerializeToString()).decode()
    return {
        "name": case.name,
        "operator": model.graph.node[0].op_type,
        "model": text(model),
        "constants": [text(tensor) for tensor in inputs if tensor.name in constant],
        "inputs": [text(tensor) for tensor in inputs if tensor.name not in constant],
        "outputs": [text(tensor) for tensor in outputs],
        "rtol": case.rtol,
    }


everything = len(sys.argv) > 1
by_operator = collections.defaultdict(list)
for case in collect_testcases(None):
    if case.model is None or case.data_sets is None or case.name.endswith("_expanded") or "_expanded_ver" in case.name:
        continue
    entry = entry_of(case)
    if entry is not None:
        by_operator[entry["operator"]].append(entry)

chosen = []
for operator, entries in sorted(by_operator.items()):
    entries.sort(key=lambda entry: (len(json.dumps(entry)), entry["name"]))
    small = [entry for entry in entries if len(json.dumps(entry)) <= LARGEST] or entries[:1]
    many = MANY * 3 if operator == "Attention" else MANY if operator in CLOSELY else FEW
    # Evenly over all sizes: the smallest are often alike.
    picked = small if len(small) <= many else [small[round(i * (len(small) - 1) / (many - 1))] for i in range(many)]
    chosen.extend(entries if everything else picked)

out = pathlib.Path(sys.argv[1]) if everything else pathlib.Path(__file__).parents[2] / "packages/onnx/test/fixtures/onnx-nodes.json.gz"
out.parent.mkdir(parents=True, exist_ok=True)
lines = json.dumps({"onnx": onnx.__version__, "cases": chosen}, separators=(",", ":"))
out.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
print(f"{len(chosen)} tests of {len(by_operator)} operators, {out.stat().st_size} bytes")
