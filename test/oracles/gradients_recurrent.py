"""Makes packages/autodiff/test/fixtures/gradients-recurrent.json: gradients of recurrent operators and of control flow by PyTorch autograd in float64.

The recurrent cases call torch.nn.LSTM, GRU and RNN on parameters in ONNX's layout and order of gates, over packed sequences where there are lengths; y is
every output in one vector. The others are loops written out. Each case: the inputs x0, x1, …, the weights r, and the gradients of sum(r * y).

Run with torch: python test/oracles/gradients_recurrent.py
"""

import json
import pathlib

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)

T, B, I, H = 4, 3, 2, 2
# ONNX's place of each gate that PyTorch lists: LSTM i f g o of i o f c; GRU r z n of z r h
ORDERS = {nn.LSTM: [0, 2, 3, 1], nn.GRU: [1, 0, 2], nn.RNN: [0]}


def recurrent(kind, directions, lengths=None, **options):
    order = ORDERS[kind]
    gates = len(order)
    module = kind(I, H, bidirectional=directions == 2, **options)
    rows = torch.cat([torch.arange(gate * H, (gate + 1) * H) for gate in order])

    def f(x, w, r, b, *states):
        parameters = {}
        for d, end in enumerate(["", "_reverse"][:directions]):
            wb, rb = b[d].chunk(2)
            for name, value in {"weight_ih": w[d], "weight_hh": r[d], "bias_ih": wb, "bias_hh": rb}.items():
                parameters[f"{name}_l0{end}"] = value[rows]
        packed = x if lengths is None else pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        y, last = functional_call(module, parameters, (packed, states if kind is nn.LSTM else states[0]))
        if lengths is not None:
            y = pad_packed_sequence(y, total_length=T)[0]
        y = y.reshape(T, B, directions, H).transpose(1, 2)
        return torch.cat([one.flatten() for one in (y, *(last if kind is nn.LSTM else (last,)))])

    state = (directions, B, H)
    states = [state, state] if kind is nn.LSTM else [state]
    return [(T, B, I), (directions, gates * H, I), (directions, gates * H, H), (directions, 2 * gates * H), *states], f


def scan(h, x, w):
    """From the last column of x to the first; its outputs stand from the last to the first as well."""
    all = []
    for t in reversed(range(4)):
        h = torch.tanh(h @ w + x[:, t])
        all.append(h * h)
    return torch.cat([h.flatten(), torch.stack(all[::-1]).flatten()])


def choose(x, w):
    return torch.stack([row * torch.exp(w) if row.sum() > 0 else torch.tanh(row) * row for row in x])


def loop(v, w):
    all = []
    for i in range(3):
        all.append(v * w)
        v = torch.sin(v * (w + i))
    return torch.cat([v, torch.stack(all).flatten()])


CASES = {
    **{f"lstm, {d} directions": recurrent(nn.LSTM, d) for d in (1, 2)},
    "lstm of packed sequences": recurrent(nn.LSTM, 2, [2, 4, 1]),
    **{f"gru, {d} directions": recurrent(nn.GRU, d) for d in (1, 2)},
    "gru of packed sequences": recurrent(nn.GRU, 2, [4, 1, 3]),
    "rnn, 2 directions": recurrent(nn.RNN, 2),
    "rnn of relu over packed sequences": recurrent(nn.RNN, 2, [3, 2, 4], nonlinearity="relu"),
    "scan": ([(2, 3), (2, 4, 3), (3, 3)], scan),
    "if": ([(5, 2), (2,)], choose),
    "loop": ([(3,), (3,)], loop),
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


path = pathlib.Path(__file__).parents[2] / "packages/autodiff/test/fixtures/gradients-recurrent.json"
cases = ",\n".join(f'"{name}": {json.dumps(record(*case))}' for name, case in CASES.items())
path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": {{\n{cases}\n}}}}\n')
