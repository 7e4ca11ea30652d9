"""Makes packages/trainer/test/fixtures/batch-norm.json: small networks with batch normalisation trained by PyTorch in float64 for 60 steps.

The running statistics follow ONNX: running * momentum + batch * (1 - momentum) with the biased variance of the batch, where torch.nn.BatchNorm has the
unbiased one; so they are moved here by hand.

Run with torch and numpy: python test/oracles/batch_norm.py
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)
ROWS, BATCH, STEPS, MOMENTUM, EPSILON = 40, 8, 60, 0.8, 1e-3
CHANNELS, LENGTH, WIDTH = 3, 6, 4


def case(seed, kind, optimizer, mode):
    generator = np.random.default_rng(seed)
    f4 = lambda x: np.asarray(x).astype("f4").astype("f8")
    shape = (CHANNELS,) if kind == "dense" else (CHANNELS, LENGTH)
    x = torch.tensor(f4(generator.normal(1, 2, (ROWS, *shape))))
    y = torch.tensor(f4(generator.normal(size=ROWS)))
    first = (WIDTH, CHANNELS) if kind == "dense" else (WIDTH, CHANNELS, 3)
    p = {
        "first.weight": generator.normal(0, 0.5, first),
        "norm.weight": generator.uniform(0.5, 1.5, WIDTH),
        "norm.bias": generator.normal(0, 0.2, WIDTH),
        "last.weight": generator.normal(0, 0.5, (WIDTH, 1)),
        "last.bias": generator.normal(0, 0.2, 1),
    }
    p = {name: torch.tensor(f4(value), requires_grad=True) for name, value in p.items()}
    running = {"norm.mean": torch.tensor(f4(generator.normal(0, 0.1, WIDTH))), "norm.var": torch.tensor(f4(generator.uniform(0.5, 2, WIDTH)))}
    state = lambda: {name: value.detach().flatten().tolist() for name, value in {**p, **running}.items()}
    initial = state()

    def forward(rows, training):
        h = rows @ p["first.weight"].T if kind == "dense" else functional.conv1d(rows, p["first.weight"])
        if training:
            axes = (0,) if kind == "dense" else (0, 2)
            moved = {"norm.mean": h.detach().mean(axes), "norm.var": h.detach().var(axes, correction=0)}
            for name, value in moved.items():
                running[name] = running[name] * MOMENTUM + value * (1 - MOMENTUM)
            h = functional.batch_norm(h, None, None, p["norm.weight"], p["norm.bias"], training=True, eps=EPSILON)
        else:
            h = functional.batch_norm(h, running["norm.mean"], running["norm.var"], p["norm.weight"], p["norm.bias"], training=False, eps=EPSILON)
        h = torch.relu(h)
        h = h if kind == "dense" else h.mean(2)
        return (h @ p["last.weight"] + p["last.bias"])[:, 0]

    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    update = make(list(p.values()), lr=0.02)
    losses = []
    for step in range(STEPS):
        chosen = torch.arange(step * BATCH, (step + 1) * BATCH) % ROWS
        loss = functional.mse_loss(forward(x[chosen], mode == "train"), y[chosen])
        update.zero_grad()
        loss.backward()
        update.step()
        losses.append(loss.item())
    return {
        "kind": kind, "optimizer": optimizer, "mode": mode, "x": x.flatten().tolist(), "y": y.tolist(), "initial": initial,
        "losses": losses, "final": state(), "predictions": forward(x, False).tolist(),
    }


cases = [
    case(1, "dense", "sgd", "train"),
    case(2, "conv", "adam", "train"),
    case(3, "dense", "adam", "frozen"),
]
path = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/batch-norm.json"
shared = {"rows": ROWS, "batch": BATCH, "steps": STEPS, "momentum": MOMENTUM, "epsilon": EPSILON, "channels": CHANNELS, "length": LENGTH, "width": WIDTH}
path.write_text(json.dumps({**shared, "cases": cases}) + "\n")
