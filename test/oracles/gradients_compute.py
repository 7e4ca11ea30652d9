"""Makes packages/autodiff/test/fixtures/gradients-compute.json: gradients of pointwise, reducing, convolving, pooling and normalising operators by PyTorch
autograd in float64.

Each case: the inputs x0, x1, …, the weights r, and the gradients of sum(r * y).

Run with torch: python test/oracles/gradients_compute.py
"""

import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)

BOX = [(2, 3)]
IMAGE = [(2, 4, 6, 5)]
CASES = {
    "sin": (BOX, torch.sin), "cos": (BOX, torch.cos), "tan": (BOX, torch.tan), "atan": (BOX, torch.atan), "sinh": (BOX, torch.sinh),
    "cosh": (BOX, torch.cosh), "erf": (BOX, torch.erf), "reciprocal": (BOX, torch.reciprocal), "softsign": (BOX, F.softsign),
    "leaky relu": (BOX, lambda x: F.leaky_relu(x, 0.2)), "elu": (BOX, lambda x: F.elu(x, 1.5)), "selu": (BOX, F.selu), "celu": (BOX, lambda x: F.celu(x, 1.5)),
    "hard sigmoid": (BOX, F.hardsigmoid), "hard swish": (BOX, F.hardswish), "mish": (BOX, F.mish), "clip": (BOX, lambda x: x.clamp(-0.5, 0.5)),
    "prelu": ([(2, 3, 2), (3, 1)], lambda x, s: torch.where(x > 0, x, s * x)),
    "max": ([(2, 3), (3,), (1, 3)], lambda a, b, c: torch.maximum(torch.maximum(a, b), c)),
    "min": ([(2, 3), (3,)], torch.minimum),
    "mean": ([(2, 3), (3,)], lambda a, b: (a + b) / 2),
    "reduce l1": (BOX, lambda x: x.abs().sum(1)), "reduce l2": (BOX, lambda x: x.norm(dim=1)), "reduce log sum exp": (BOX, lambda x: x.logsumexp(1)),
    "reduce sum square": (BOX, lambda x: (x * x).sum(0, keepdim=True)), "reduce max": (BOX, lambda x: x.amax(1)), "reduce min": (BOX, lambda x: x.amin(0)),
    "cumsum": (BOX, lambda x: x.cumsum(1)), "reverse exclusive cumsum": (BOX, lambda x: x.flip(1).cumsum(1).flip(1) - x),
    "conv": ([(2, 4, 6, 5), (6, 2, 3, 2), (6,)], lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)),
    "conv 1d": ([(2, 3, 9), (3, 1, 3)], lambda x, w: F.conv1d(x, w, padding=1, groups=3)),
    "conv transpose": ([(2, 4, 4, 3), (4, 2, 3, 2), (4,)], lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1, groups=2)),
    "average pool": (IMAGE, lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    "average pool with padding": (IMAGE, lambda x: F.avg_pool2d(x, 2, 2, 1, count_include_pad=True)),
    "max pool": (IMAGE, lambda x: F.max_pool2d(x, 3, 2, 1)), "global average pool": (IMAGE, lambda x: x.mean((2, 3), keepdim=True)),
    "global max pool": (IMAGE, lambda x: x.amax((2, 3), keepdim=True)), "lp pool": (IMAGE, lambda x: (F.avg_pool2d(x * x, 2, 2) * 4).sqrt()),
    "layer norm": ([(2, 3, 4), (4,), (4,)], lambda x, s, b: F.layer_norm(x, (4,), s, b, 1e-5)),
    "batch norm": ([(4, 3, 2, 2), (3,), (3,)], lambda x, s, b: F.batch_norm(x, None, None, s, b, training=True, eps=1e-5)),
    "instance norm": ([(2, 3, 4), (3,), (3,)], lambda x, s, b: F.instance_norm(x, None, None, s, b, eps=1e-5)),
    "lp norm": (BOX, lambda x: F.normalize(x, dim=1)),
}


def flat(x):
    return [float(f"{v:.10g}") for v in x.detach().flatten().tolist()]


def record(shapes, f):
    # rounded first, so that the file says what was differentiated
    inputs = [torch.tensor(flat(torch.randn(shape))).reshape(shape).requires_grad_() for shape in shapes]
    y = f(*inputs)
    r = torch.tensor(flat(torch.randn(y.shape))).reshape(y.shape)
    (r * y).sum().backward()
    recorded = [{"shape": list(x.shape), "data": flat(x), "gradient": flat(x.grad)} for x in inputs]
    return {"inputs": recorded, "output": list(y.shape), "r": flat(r)}


path = pathlib.Path(__file__).parents[2] / "packages/autodiff/test/fixtures/gradients-compute.json"
cases = ",\n".join(f'"{name}": {json.dumps(record(*case))}' for name, case in CASES.items())
path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": {{\n{cases}\n}}}}\n')
