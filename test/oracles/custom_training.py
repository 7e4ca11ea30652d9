"""Makes packages/trainer/test/fixtures/custom-training.json: a small network of one's own, trained by PyTorch in float64 for 50 steps of SGD.

Run with torch and numpy: python test/oracles/custom_training.py
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
ROWS, BATCH, STEPS, INPUTS, HIDDEN, LEARNING_RATE, RANK, ALPHA = 24, 8, 50, 4, 5, 0.2, 2, 6

f4 = lambda x: x.astype("f4").astype("f8")


def network(generator, outputs):
    """Parameters of tanh(x·w1 + b1)·w2 + b2."""
    draw = lambda *shape: torch.tensor(f4(0.5 * generator.standard_normal(shape)), requires_grad=True)
    return {"w1": draw(INPUTS, HIDDEN), "b1": draw(HIDDEN), "w2": draw(HIDDEN, outputs), "b2": draw(outputs)}


def forward(p, x):
    return torch.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]


def adapted(p, lora):
    """The parameters with the low-rank updates of the two matrices."""
    of = lambda name: p[name] + ALPHA / RANK * lora[f"{name}.lora_A"] @ lora[f"{name}.lora_B"]
    return {**p, "w1": of("w1"), "w2": of("w2")}


def adapters(generator, p):
    """A random, B zero."""
    parts = {}
    for name in ("w1", "w2"):
        inputs, outputs = p[name].shape
        parts[f"{name}.lora_A"] = torch.tensor(f4(0.5 * generator.standard_normal((inputs, RANK))), requires_grad=True)
        parts[f"{name}.lora_B"] = torch.zeros(RANK, outputs, requires_grad=True)
    return parts


CASES = {
    # name: (outputs, labels, loss of logits and labels)
    "binary": (1, lambda g: g.integers(0, 2, ROWS), lambda z, y: F.binary_cross_entropy_with_logits(z[:, 0], y.double())),
    "pair": (2, lambda g: g.integers(0, 2, ROWS), F.cross_entropy),
    "multiclass": (3, lambda g: g.integers(0, 3, ROWS), F.cross_entropy),
    "multilabel": (3, lambda g: g.integers(0, 2, (ROWS, 3)), lambda z, y: F.binary_cross_entropy_with_logits(z, y.double())),
    "lora": (3, lambda g: g.integers(0, 3, ROWS), F.cross_entropy, True),
    "regression": (1, lambda g: f4(g.standard_normal(ROWS)), lambda z, y: F.mse_loss(z[:, 0], y)),
}


def case(seed, outputs, labels, loss_of, low_rank=False):
    generator = np.random.default_rng(seed)
    x, y = torch.tensor(f4(generator.standard_normal((ROWS, INPUTS)))), torch.tensor(labels(generator))
    p = network(generator, outputs)
    lora = adapters(generator, p) if low_rank else {}
    flat = lambda: {name: value.detach().numpy().ravel().tolist() for name, value in {**p, **lora}.items()}
    initial, losses = flat(), []
    optimizer = torch.optim.SGD((lora or p).values(), LEARNING_RATE)
    for step in range(STEPS):
        rows = torch.arange(step * BATCH, (step + 1) * BATCH) % ROWS
        loss = loss_of(forward(adapted(p, lora) if low_rank else p, x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"outputs": outputs, "x": x.numpy().ravel().tolist(), "y": y.numpy().ravel().tolist(), "initial": initial, "losses": losses, "final": flat()}


fixture = {
    **{"rows": ROWS, "batch": BATCH, "steps": STEPS, "inputs": INPUTS, "hidden": HIDDEN, "learning_rate": LEARNING_RATE, "rank": RANK, "alpha": ALPHA},
    "cases": {name: case(seed, *of) for seed, (name, of) in enumerate(CASES.items())},
}
folder = pathlib.Path(__file__).parents[2] / "packages" / "trainer" / "test" / "fixtures"
rounded = lambda x: [rounded(v) for v in x] if isinstance(x, list) else {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else float(f"{x:.9g}") if isinstance(x, float) else x
(folder / "custom-training.json").write_text(json.dumps(rounded(fixture), separators=(",", ":")))
