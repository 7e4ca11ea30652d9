"""Makes packages/autodiff/test/fixtures/gradients-index.json: gradients of indexing operators by PyTorch autograd in float64.

Each case: the inputs x0, x1, …, the weights r, and the gradients of sum(r * y).

Run with torch: python test/oracles/gradients_index.py
"""

import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)

rows = torch.tensor([[0, 3, 3], [2, 1, 0]])
columns = torch.tensor([[0, 2, 2], [1, 1, 1]])
CASES = {
    "slice": ([(4, 7)], lambda x: x[1:3, 1:6:2]),
    "reverse": ([(4, 7)], lambda x: x.flip(1)[:, ::3]),
    "pad constant": ([(2, 3)], lambda x: F.pad(x, (1, 2, 0, 1))),
    "pad edge": ([(1, 2, 4)], lambda x: F.pad(x, (3, 2), mode="replicate")),
    "pad reflect": ([(1, 2, 4)], lambda x: F.pad(x, (3, 2), mode="reflect")),
    "tile": ([(2, 3)], lambda x: x.repeat(2, 3)),
    "gather": ([(2, 4, 3)], lambda x: x[:, rows]),
    "gather elements": ([(2, 4)], lambda x: torch.gather(x, 1, columns)),
    "gather nd": ([(3, 4, 2)], lambda x: x[[0, 2, 0], [1, 0, 1]]),
    "scatter elements": ([(2, 4), (2, 3)], lambda x, u: x.scatter_add(1, columns, u)),
    "scatter nd": ([(4, 3), (2, 3)], lambda x, u: x.index_put((torch.tensor([3, 0]),), u)),
    "top k": ([(3, 6)], lambda x: x.topk(2, dim=1).values),
    "depth to space": ([(2, 8, 2, 3)], lambda x: F.pixel_shuffle(x, 2)),
    "einsum": ([(2, 2, 3, 2), (2, 2, 4, 2)], lambda a, b: torch.einsum("bhqd,bhkd->bhqk", a, b)),
    "einsum diagonal": ([(3, 3, 2)], lambda a: torch.einsum("iij->j", a)),
    "matmul vector": ([(2, 4, 3), (3,)], torch.matmul),
}


def flat(x):
    return x.detach().flatten().tolist()


def record(shapes, f):
    inputs = [torch.randn(shape, requires_grad=True) for shape in shapes]
    y = f(*inputs)
    r = torch.randn(y.shape)
    (r * y).sum().backward()
    return {
        "inputs": [{"shape": list(x.shape), "data": flat(x), "gradient": flat(x.grad)} for x in inputs],
        "output": list(y.shape),
        "r": flat(r),
    }


path = pathlib.Path(__file__).parents[2] / "packages/autodiff/test/fixtures/gradients-index.json"
cases = ",\n".join(f'"{name}": {json.dumps(record(*case))}' for name, case in CASES.items())
path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": {{\n{cases}\n}}}}\n')
