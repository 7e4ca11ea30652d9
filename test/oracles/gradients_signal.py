"""Makes packages/autodiff/test/fixtures/gradients-signal.json: gradients of resizing, sampling, quantising, Fourier and multiplying operators by PyTorch
autograd in float64.

Each case: the inputs x0, x1, …, the weights r, and the gradients of sum(r * y).

Run with torch: python test/oracles/gradients_signal.py
"""

import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)

IMAGE = [(1, 2, 5, 4)]
SAMPLED = [(2, 2, 4, 5), (2, 3, 2, 2)]
places = torch.tensor([[0, 0, 3], [1, 3, 1]])
window = torch.hann_window(4, periodic=False) + 0.1


def resize(**options):
    return (IMAGE, lambda x: F.interpolate(x, size=(8, 7), **options))


def narrow(**options):
    return ([(1, 2, 9, 8)], lambda x: F.interpolate(x, size=(5, 3), **options))


def sample(**options):
    return (SAMPLED, lambda x, grid: F.grid_sample(x, grid, **options))


def reduced(how):
    return ([(2, 4), (2, 3)], lambda x, u: x.scatter_reduce(1, places, u, how))


def zeroed(x):
    return x * torch.tensor([[1.0, 1, 1], [0, 1, 1], [0, 1, 0]])


def by_channel(x):
    scale, zero = torch.tensor([0.01, 0.02, 0.005], dtype=torch.float32), torch.tensor([0, 3, -5], dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(x, scale, zero, 1, -128, 127)


CASES = {
    "nearest": resize(mode="nearest"), "nearest, narrow": narrow(mode="nearest"),
    "linear": resize(mode="bilinear"), "linear by corners": resize(mode="bilinear", align_corners=True), "linear, narrow": narrow(mode="bilinear"),
    "linear, antialias": narrow(mode="bilinear", antialias=True), "cubic": resize(mode="bicubic"),
    "cubic by corners": resize(mode="bicubic", align_corners=True),
    "sample": sample(mode="bilinear", align_corners=False), "sample by corners": sample(mode="bilinear", align_corners=True),
    "sample border": sample(mode="bilinear", padding_mode="border", align_corners=False),
    "sample reflection": sample(mode="bilinear", padding_mode="reflection", align_corners=False),
    "sample reflection by corners": sample(mode="bilinear", padding_mode="reflection", align_corners=True),
    "sample nearest": sample(mode="nearest", align_corners=False), "sample cubic": sample(mode="bicubic", align_corners=False),
    "asinh": ([(2, 3)], torch.asinh), "acosh": ([(2, 3)], lambda x: torch.acosh(x * x + 1.5)), "atanh": ([(2, 3)], lambda x: torch.atanh(0.9 * torch.tanh(x))),
    "remainder": ([(2, 3), (3,)], torch.fmod), "product": ([(3, 3)], lambda x: x.prod(1)), "product with zeros": ([(3, 3)], lambda x: zeroed(x).prod(1)),
    "determinant": ([(2, 3, 3)], torch.linalg.det),
    "scatter mul": reduced("prod"), "scatter max": reduced("amax"), "scatter min": reduced("amin"),
    "quantise": ([(3, 4)], lambda x: torch.fake_quantize_per_tensor_affine(x, 0.01, 100, 0, 255)),
    "quantise by channel": ([(2, 3, 2)], by_channel),
    "local response": ([(2, 5, 3, 2)], lambda x: F.local_response_norm(x, 3, 0.5, 0.75, 2.0)),
    "fold": ([(1, 8, 12)], lambda x: F.fold(x, (4, 4), 2, dilation=(2, 1), padding=(1, 0))),
    "fourier": ([(2, 5, 2)], lambda x: torch.view_as_real(torch.fft.fft(torch.view_as_complex(x), dim=1))),
    "inverse fourier": ([(2, 5, 2)], lambda x: torch.view_as_real(torch.fft.ifft(torch.view_as_complex(x), dim=1))),
    "half fourier": ([(2, 6, 1)], lambda x: torch.view_as_real(torch.fft.rfft(x[..., 0], dim=1))),
    "short fourier": ([(2, 10, 1)], lambda x: torch.view_as_real(torch.fft.rfft(x[..., 0].unfold(1, 4, 2) * window, dim=2))),
    "batch norm statistics": ([(4, 3, 2)], lambda x: torch.cat([x.mean((0, 2)) * 0.1, x.var((0, 2), unbiased=False) * 0.1])),
    "inverse half fourier": ([(2, 5, 2)], lambda x: torch.fft.irfft(torch.view_as_complex(x), dim=1)[..., None]),
    "inverse half fourier, odd": ([(2, 5, 2)], lambda x: torch.fft.irfft(torch.view_as_complex(x), 9, dim=1)[..., None]),
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


path = pathlib.Path(__file__).parents[2] / "packages/autodiff/test/fixtures/gradients-signal.json"
cases = ",\n".join(f'"{name}": {json.dumps(record(*case))}' for name, case in CASES.items())
path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": {{\n{cases}\n}}}}\n')
