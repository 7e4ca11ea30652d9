"""The zoo's architectures: name → (module, inputs by name, whether they are passed by position). A library is imported when one of its architectures is built."""

import importlib

EXPORTERS = ("torchscript", "dynamo")
LIBRARIES = ("plain", "vision", "timms", "hugging")


def _module(library):
    return importlib.import_module(f"architectures.{library}")


def names():
    return [name for library in LIBRARIES for name in _module(library).ARCHITECTURES]


def build(name, **options):
    library = next(library for library in LIBRARIES if name in _module(library).ARCHITECTURES)
    return _module(library).ARCHITECTURES[name](**options)


def alternatives(name):
    """Options to try where an exporter refuses the default."""
    return [{"attention": "eager"}] if name in _module("hugging").ARCHITECTURES else []


def load():
    """Imports every library once, before processes are forked."""
    import onnx
    import safetensors.numpy
    import torch

    # torchvision registers shapes for these two even where its compiled operators do not load; nothing here uses them
    try:
        torch.ops.torchvision.nms
    except AttributeError:
        load.library = torch.library.Library("torchvision", "FRAGMENT")
        try:
            import torchvision
        except RuntimeError:
            import sys

            for module in [m for m in sys.modules if m.startswith("torchvision")]:
                del sys.modules[module]
            for operator in ("nms", "qnms"):
                load.library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import timm
    import torchvision
    import transformers

    return onnx, safetensors, timm, torchvision, transformers
