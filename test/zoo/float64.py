"""Evaluates what was exported and what the checker wrote with every float32 number made float64: `float64.py OUT [name/exporter …]` prints as JSON, by `<name>/<exporter>`,

  exported    the distance of the exported file's loss from PyTorch's in float64, as a share of it
  loss        the same of the file with the gradients
  gradient    the largest distance of a gradient from autograd's in float64, as a share of the largest element of its parameter
  where       the parameter of which that is
  failed      why nothing could be evaluated, in place of the others

Rounding plays no part there: where it agrees, the rules of the gradients are right, and where the exported file has another loss, the exporter wrote another function.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from safetensors.numpy import load_file

# a gradient that is exactly 0 is left with roundings of the largest of the network
OF_NETWORK = 1e-6


def widen_tensor(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def widen(graph):
    """Makes float64 of everything in the graph that is float32, also in its bodies."""
    for tensor in graph.initializer:
        widen_tensor(tensor)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype") and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
            elif attribute.type == AttributeProto.TENSOR:
                widen_tensor(attribute.t)
            elif attribute.type == AttributeProto.GRAPH:
                widen(attribute.g)
            elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
                number = np.array(attribute.f if attribute.name == "value_float" else attribute.floats, np.float64)
                attribute.CopyFrom(onnx.helper.make_attribute("value", numpy_helper.from_array(number)))
        if node.op_type == "ConstantOfShape" and not node.attribute:
            node.attribute.append(onnx.helper.make_attribute("value", numpy_helper.from_array(np.zeros(1))))


def operator(compute):
    """An operator for the evaluator from a function of its inputs and attributes, by whose name it goes."""
    run = lambda self, *inputs, **attributes: tuple(np.asarray(output) for output in compute(*inputs, **attributes))
    return type(compute.__name__, (OpRun,), {"op_domain": "", "_run": run})


def tensor_of(array):
    return None if array is None else torch.from_numpy(np.array(array))


def padded(x, pads):
    """`x` with its last axes grown by ONNX's pads [begin…, end…], or cropped where they are negative."""
    count = len(pads) // 2
    return torch.nn.functional.pad(x, [pads[axis + side * count] for axis in reversed(range(count)) for side in (0, 1)])


@operator
def Conv(x, kernel, bias=None, auto_pad=None, dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
    if auto_pad not in (None, "NOTSET", "VALID"):
        raise NotImplementedError(f"auto_pad {auto_pad}")
    convolve = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
    x = tensor_of(x) if pads is None else padded(tensor_of(x), pads)
    return [convolve(x, tensor_of(kernel), tensor_of(bias), stride=strides or 1, dilation=dilations or 1, groups=group)]


@operator
def ConvTranspose(x, kernel, bias=None, auto_pad=None, dilations=None, group=1, kernel_shape=None, output_padding=None, output_shape=None, pads=None, strides=None):
    if auto_pad not in (None, "NOTSET") or output_shape is not None:
        raise NotImplementedError(f"auto_pad {auto_pad}, output_shape {output_shape}")
    count = x.ndim - 2
    convolve = getattr(torch.nn.functional, f"conv_transpose{count}d")
    y = convolve(tensor_of(x), tensor_of(kernel), stride=strides or 1, dilation=dilations or 1, groups=group)
    more = [*[0] * count, *(output_padding or [0] * count)]
    y = padded(y, [grown - cropped for grown, cropped in zip(more, pads or [0] * 2 * count)])
    return [y if bias is None else y + tensor_of(bias).reshape(1, -1, *[1] * count)]


@operator
def LayerNormalization(x, scale, bias=None, axis=-1, epsilon=1e-5, stash_type=None):
    # the evaluator's own computes in float32
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean = x.mean(axes, keepdims=True)
    inverse = 1 / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + epsilon)
    y = (x - mean) * inverse * scale
    return [y if bias is None else y + bias, mean, inverse]


@operator
def Pad(x, pads, value=None, axes=None, mode="constant"):
    # the evaluator's own knows no negative pads
    axes = range(x.ndim) if axes is None else axes
    sides = np.zeros((x.ndim, 2), int)
    sides[list(axes)] = np.reshape(pads, (2, -1)).T
    grown = np.pad(x, np.maximum(sides, 0), mode, **({"constant_values": 0 if value is None else value.item()} if mode == "constant" else {}))
    return [grown[tuple(slice(max(-begin, 0), size + min(end, 0)) for (begin, end), size in zip(sides, grown.shape))]]


@operator
def GatherElements(x, indices, axis=0):
    # the evaluator's own fails where the other axes have size 1
    axis %= x.ndim
    return [np.take_along_axis(x[tuple(slice(None if i == axis else size) for i, size in enumerate(indices.shape))], indices, axis)]


OPERATORS = [Conv, ConvTranspose, GatherElements, LayerNormalization, Pad]


def evaluate(path, tensors):
    """The outputs by name."""
    model = onnx.load(path)
    widen(model.graph)
    for function in model.functions:
        widen(function)
    inputs = {value.name: tensors[f"input/{value.name}"] for value in model.graph.input}
    inputs = {name: array.astype(np.float64) if array.dtype == np.float32 else array for name, array in inputs.items()}
    with np.errstate(all="ignore"):
        return dict(zip([value.name for value in model.graph.output], ReferenceEvaluator(model, new_ops=OPERATORS).run(None, inputs)))


def furthest(report, tensors, outputs):
    """The distance and the path of the parameter whose gradient is furthest from autograd's."""
    truth = tensors["gradient"].astype(np.float64)
    found, covered = np.zeros(truth.size), np.zeros(truth.size, bool)
    for name, gradient in outputs.items():
        places = tensors.get(f"index/{name.removeprefix('grad/')}")
        if name.startswith("grad/") and places is not None:
            np.add.at(found, places[places >= 0], gradient[places >= 0])
            covered[places[places >= 0]] = True
    largest, end, worst = np.abs(truth).max(initial=0), 0, (0.0, "")
    for parameter in report["parameters"]:
        begin, end = end, end + parameter["size"]
        here = np.arange(begin, end)[covered[begin:end]]
        if here.size > 0 and parameter["requiresGrad"] and parameter["used"]:
            distance = np.abs(found[here] - truth[here]).max() / (np.abs(truth[here]).max() + OF_NETWORK * largest or 1)
            worst = max(worst, (float(np.nan_to_num(distance, nan=np.inf)), parameter["path"]))
    return worst


def check(folder, exporter):
    report = json.loads((folder / f"{exporter}.json").read_text())
    if report["precision"] != "float64":
        return {"failed": "PyTorch does not run the module in float64"}
    tensors = load_file(folder / f"{exporter}.safetensors")
    loss = tensors["loss"].item()
    away = lambda outputs: abs(outputs["loss"].item() - loss) / (abs(loss) or 1)
    exported = away(evaluate(folder / f"{exporter}.onnx", tensors))
    outputs = evaluate(folder / f"{exporter}.gradients.onnx", tensors)
    gradient, where = furthest(report, tensors, outputs)
    return {"exported": exported, "loss": away(outputs), "gradient": gradient, "where": where}


def main(out, exports):
    results = {}
    for export in exports:
        name, exporter = export.split("/")
        try:
            results[export] = check(pathlib.Path(out) / name, exporter)
        except Exception as error:
            results[export] = {"failed": f"{type(error).__name__}: {error}"[:400]}
    print(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
