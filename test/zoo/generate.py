"""Makes what the zoo's checker reads: `generate.py OUT [name …]`, or `generate.py --list [word …]` for the names that contain every word.

Each architecture of `architectures/` gets a small random configuration and a loss: the mean squared distance of every floating output to a random target. The targets
are inputs of the graph. Each is made in a process of its own, with a limit of time and of memory, and leaves a folder OUT/<name> with

  <exporter>.onnx          the export, from `torchscript` (dynamo=False) and from `dynamo`, each as docs/your-own-model.md tells users to export
  <exporter>.safetensors   `input/<name>`, `loss`, `gradient` [parameters' elements] by autograd in float64, `error` [parameters] of autograd in float32: the largest
                           distance of an element; `index/<initializer>`: where in `gradient` the elements of that initializer stand, -1 for what is no parameter
  <exporter>.json          the parameters in the order of `gradient`, the buffers, and the words of what failed

Which initializer is a parameter is told by its numbers: exporters rename, transpose and stack.
"""

import contextlib
import copy
import functools
import io
import itertools
import json
import logging
import math
import os
import pathlib
import re
import resource
import signal
import sys
import time
import traceback
import unittest.mock
import warnings

import numpy as np

import architectures
from architectures import EXPORTERS

SECONDS, BYTES = 300, 16 << 30


def outputs_of(value):
    """The floating tensors of whatever a forward gives, in order."""
    import torch

    if torch.is_tensor(value):
        return [value] if value.is_floating_point() else []
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for part in value for tensor in outputs_of(part)] if isinstance(value, (list, tuple)) else []


def with_loss(net, names, positional, compared):
    """The module whose output is the loss: the distance of the outputs with the indices `compared` to the targets, which are passed behind the inputs `names`."""
    from torch import nn

    class WithLoss(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, *values):
            data, targets = values[: len(names)], values[len(names) :]
            outputs = outputs_of(self.net(*data) if positional else self.net(**dict(zip(names, data))))
            return sum(((outputs[i] - target) ** 2).mean() for i, target in zip(compared, targets))

    return WithLoss()


def prepared(name, **options):
    """The module with its loss, and its inputs by name."""
    import torch

    torch.manual_seed(sum(map(ord, name)))
    net, inputs, positional = architectures.build(name, **options)
    net.eval()
    call = lambda: net(*inputs.values()) if positional else net(**inputs)
    with torch.no_grad():
        for parameter in net.parameters():
            spread = parameter.std().item() if parameter.numel() > 1 else 0
            parameter.add_((0.01 * spread if parameter.dim() > 1 and spread > 0 else 0.1) * torch.randn(parameter.shape))
        norms = [module for module in net.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            # the statistics of these inputs, so that no layer's signal vanishes
            norm.train()
            norm.momentum = 1.0
        if norms:
            call()
        net.eval()
    # what the module detaches, such as XLNet's memory, teaches nothing in PyTorch, and the file does not show where it does
    shapes = {i: output.shape for i, output in enumerate(outputs_of(call())) if output.requires_grad}
    targets = {f"target{i}": torch.randn(shape) for i, shape in shapes.items()}
    return with_loss(net, list(inputs), positional, list(shapes)).eval(), {**inputs, **targets}


@contextlib.contextmanager
def functions_through_their_forward(names):
    """Within it, autograd passes through the forward of each torch.autograd.Function, as a file shows it, and not by its own backward. Their names go into `names`."""
    import torch

    def apply(kind, *values):
        names.add(kind.__name__)
        if kind.setup_context is not torch.autograd.Function.setup_context:
            return kind.forward(*values)
        return kind.forward(unittest.mock.MagicMock(), *values)

    with unittest.mock.patch.object(torch.autograd.Function, "apply", classmethod(apply)):
        yield


def autograd(module, inputs):
    """Loss, and by path the gradient of each parameter or None."""
    module.zero_grad()
    loss = module(*inputs)
    loss.backward()
    return loss.item(), {path: None if p.grad is None else p.grad.double().numpy() for path, p in module.named_parameters()}


def truth_of(module, inputs):
    """Loss and gradients in float64 where the module can be run so, and the gradients in float32."""
    import torch

    single = autograd(module, inputs)
    module.zero_grad()
    torch.set_default_dtype(torch.float64)
    try:
        double = autograd(copy.deepcopy(module).double(), [v.double() if v.is_floating_point() else v for v in inputs])
        # a mask of 0 in float32 times the least number of float64 is NaN
        if math.isfinite(double[0]):
            return *double, single[1], "float64"
    except (RuntimeError, ValueError, NotImplementedError):
        pass
    finally:
        torch.set_default_dtype(torch.float32)
    return *single, single[1], "float32"


def export(module, inputs, exporter, path):
    import torch

    common = dict(input_names=list(inputs), output_names=["loss"], opset_version=18)
    arguments = tuple(inputs.values())
    with contextlib.redirect_stdout(io.StringIO()):
        if exporter == "dynamo":
            torch.onnx.export(module, arguments, path, dynamo=True, external_data=False, optimize=False, verbose=False, **common)
        else:
            # what is exported as EVAL has its norms folded into the layers before them
            torch.onnx.export(module, arguments, path, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, **common)


class Places:
    """Where in the parameters, all in one row, the elements of a tensor stand."""

    def __init__(self, parameters):
        self.parameters, self.offsets, at = parameters, {}, 0
        for path, values in parameters.items():
            self.offsets[path], at = at, at + values.size
        flat = np.concatenate([values.ravel() for values in parameters.values()] or [np.zeros(0, np.float32)])
        self.order = np.argsort(flat, kind="stable")
        self.sorted = flat[self.order]
        self.by_content = {}
        for path, values in parameters.items():
            self.by_content.setdefault((values.size, np.sort(values, axis=None).tobytes()), []).append(path)

    def of(self, name, array):
        """The places as int32 of the tensor's shape, -1 for what no parameter holds; None for a tensor that holds none of any parameter."""
        same = self.by_content.get((array.size, np.sort(array, axis=None).tobytes()), [])
        for path in sorted(same, key=lambda path: path != name):
            values = self.parameters[path]
            places = np.arange(values.size, dtype=np.int32).reshape(values.shape) + self.offsets[path]
            for axes in itertools.permutations(range(values.ndim)):
                if np.array_equal(values.transpose(axes).reshape(array.shape), array):
                    return places.transpose(axes).reshape(array.shape)
        if self.sorted.size == 0:
            return None
        at = np.minimum(np.searchsorted(self.sorted, array), self.sorted.size - 1)
        hit = (self.sorted[at] == array) & (array != 0)
        # numbers that occur by chance
        if hit.mean() < 0.5 or (array.size < 4 and not same):
            return None
        return np.where(hit, self.order[at], -1).astype(np.int32)


def describe(path, module, inputs, truth):
    """What the checker needs besides the export itself: tensors and a report."""
    import onnx
    import onnx.numpy_helper

    loss, gradients, single, precision = truth
    parameters = {p: v.detach().numpy() for p, v in module.named_parameters()}
    places = Places(parameters)
    tensors = {f"input/{name}": value.numpy() for name, value in inputs.items()}
    tensors["loss"] = np.array([loss])
    rows = [(p, np.zeros(v.shape) if gradients[p] is None else gradients[p]) for p, v in parameters.items()]
    tensors["gradient"] = np.concatenate([g.ravel() for _, g in rows]).astype(np.float32)
    tensors["error"] = np.array([0 if gradients[p] is None else np.abs(single[p] - g).max(initial=0) for p, g in rows])
    graph = onnx.load(path).graph
    for tensor in graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.size > 0:
            index = places.of(tensor.name, array)
            if index is not None:
                tensors[f"index/{tensor.name}"] = index
    described = [
        {"path": p, "size": v.numel(), "requiresGrad": v.requires_grad, "used": gradients[p] is not None} for p, v in module.named_parameters()
    ]
    return tensors, {"parameters": described, "buffers": [p for p, _ in module.named_buffers()], "precision": precision}


def words(error):
    # the exporter by torch.export puts what happened behind advice
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("## Exception summary")[-1]
    return f"{type(error).__name__}: {' '.join(text.split())[:600]}"


def make(name, exporter, folder):
    from safetensors.numpy import save_file

    report, attempts = {}, [{}, *architectures.alternatives(name)]
    for options in attempts:
        try:
            module, inputs = prepared(name, **options)
        except Exception as error:
            report = {"failed": "build", "words": words(error), "trace": traceback.format_exc()[-1500:]}
            break
        path = str(folder / f"{exporter}.onnx")
        try:
            functions = set()
            with functions_through_their_forward(functions):
                truth = truth_of(module, list(inputs.values()))
            # an exporter may change what it exports
            export(copy.deepcopy(module), inputs, exporter, path)
            tensors, described = describe(path, module, inputs, truth)
            save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, folder / f"{exporter}.safetensors")
            report = {**described, "options": options, "functions": sorted(functions)}
            break
        except Exception as error:
            report = {"failed": "export", "words": words(error), "trace": traceback.format_exc()[-1500:]}
    return report


def child(name, exporter, folder):
    """In a process of its own; never returns."""
    import torch

    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.alarm(SECONDS)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    began = time.time()
    try:
        report = make(name, exporter, folder)
    except BaseException as error:
        report = {"failed": "export", "words": words(error)}
    report["seconds"] = round(time.time() - began, 1)
    (folder / f"{exporter}.json").write_text(json.dumps(report))
    os._exit(0)


def warm():
    """Imports what the exporters import, once for all processes."""
    import torch
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    architectures.load()
    # three quarters of the time of a small export: the table of operators, which is the same each time
    ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
        for dynamo in (True, False):
            torch.onnx.export(torch.nn.Linear(1, 1), (torch.ones(1, 1),), io.BytesIO(), dynamo=dynamo, verbose=False, opset_version=18)


def main(out, names):
    if any(not (pathlib.Path(out) / name / f"{exporter}.json").exists() for name in names for exporter in EXPORTERS):
        warm()
    for name in names:
        folder = pathlib.Path(out) / name
        folder.mkdir(parents=True, exist_ok=True)
        for exporter in EXPORTERS:
            report = folder / f"{exporter}.json"
            if report.exists():
                continue
            pid = os.fork()
            if pid == 0:
                child(name, exporter, folder)
            _, status = os.waitpid(pid, 0)
            if not report.exists():
                number = os.waitstatus_to_exitcode(status)
                cause = f"took longer than {SECONDS} s" if number == -signal.SIGALRM else f"the process ended with {number}"
                report.write_text(json.dumps({"failed": "export", "words": cause}))
        print(name, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print(*[name for name in architectures.names() if all(word in name for word in sys.argv[2:])], sep="\n")
    else:
        main(sys.argv[1], sys.argv[2:])
