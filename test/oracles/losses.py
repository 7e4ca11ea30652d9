"""Makes packages/trainer/test/fixtures/losses.json: the losses of PyTorch in float64, row by row, and the gradients of their weighted sum.

Run with torch and numpy: python test/oracles/losses.py
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

ROWS = 12


def smoothed(y, by):
    """Label smoothing of independent labels: that of cross entropy over the two classes of each."""
    return y * (1 - by) + by / 2


def focal(z, y, gamma):
    """Lin et al. 2017 for classes: (1 - p)^gamma times the cross entropy."""
    entropy = F.cross_entropy(z, y.long(), reduction="none")
    return (1 - torch.exp(-entropy)) ** gamma * entropy


def sigmoid_focal(z, y, gamma, alpha=None):
    """The same for labels, as torchvision.ops.sigmoid_focal_loss computes it."""
    p = torch.sigmoid(z)
    true = p * y + (1 - p) * (1 - y)
    factor = 1 if alpha is None else alpha * y + (1 - alpha) * (1 - y)
    return factor * (1 - true) ** gamma * bce(z, y)


def pinball(z, y, quantiles):
    """Koenker and Bassett 1978, as sklearn.metrics.mean_pinball_loss has it of one row: each column of z against the one y."""
    q = torch.tensor(quantiles, dtype=z.dtype)
    error = y - z
    return torch.maximum(q * error, (q - 1) * error)


bce = lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none")
CASES = [
    # task, columns, loss of a job, [rows] or [rows, columns] of z and y
    ("multiclass", 4, {"name": "cross_entropy"}, lambda z, y: F.cross_entropy(z, y.long(), reduction="none")),
    ("multiclass", 4, {"name": "cross_entropy", "label_smoothing": 0.1}, lambda z, y: F.cross_entropy(z, y.long(), reduction="none", label_smoothing=0.1)),
    ("multiclass", 4, {"name": "focal"}, lambda z, y: focal(z, y, 2)),
    ("multiclass", 4, {"name": "focal", "gamma": 0.5}, lambda z, y: focal(z, y, 0.5)),
    ("binary", 1, {"name": "cross_entropy"}, bce),
    ("binary", 1, {"name": "cross_entropy", "label_smoothing": 0.2}, lambda z, y: F.cross_entropy(torch.cat([torch.zeros_like(z), z], 1), y[:, 0].long(), reduction="none", label_smoothing=0.2)),
    ("binary", 1, {"name": "focal", "alpha": 0.25}, lambda z, y: sigmoid_focal(z, y, 2, 0.25)),
    ("multilabel", 3, {"name": "cross_entropy", "label_smoothing": 0.1}, lambda z, y: bce(z, smoothed(y, 0.1))),
    ("multilabel", 3, {"name": "focal", "gamma": 1.5}, lambda z, y: sigmoid_focal(z, y, 1.5)),
    ("multilabel", 3, {"name": "focal", "gamma": 1.5, "alpha": 0.7}, lambda z, y: sigmoid_focal(z, y, 1.5, 0.7)),
    ("regression", 1, {"name": "mse"}, lambda z, y: F.mse_loss(z, y, reduction="none")),
    ("regression", 1, {"name": "mae"}, lambda z, y: F.l1_loss(z, y, reduction="none")),
    ("regression", 1, {"name": "huber"}, lambda z, y: F.huber_loss(z, y, reduction="none")),
    ("regression", 1, {"name": "huber", "delta": 2.5}, lambda z, y: F.huber_loss(z, y, reduction="none", delta=2.5)),
    ("regression", 3, {"name": "quantile"}, lambda z, y: pinball(z, y, [0.1, 0.5, 0.9])),
    ("regression", 5, {"name": "quantile", "quantiles": [0.025, 0.25, 0.5, 0.75, 0.975]}, lambda z, y: pinball(z, y, [0.025, 0.25, 0.5, 0.75, 0.975])),
]


def case(seed, task, columns, loss, loss_of):
    generator = np.random.default_rng(seed)
    draw = lambda *shape: torch.tensor(generator.standard_normal(shape).astype("f4").astype("f8"))
    z = (3 * draw(ROWS, columns)).requires_grad_()
    y = {
        "multiclass": lambda: torch.tensor(generator.integers(0, columns, ROWS)).double(),
        "regression": lambda: 3 * draw(ROWS, 1),
    }.get(task, lambda: torch.tensor(generator.integers(0, 2, (ROWS, columns))).double())()
    weights = torch.tensor(generator.uniform(0, 0.2, ROWS).astype("f4").astype("f8"))
    rows = loss_of(z, y).reshape(ROWS, -1).mean(1)
    (weights * rows).sum().backward()
    flat = lambda value: [float(f"{v:.9g}") for v in value.detach().ravel().tolist()]
    return {"task": task, "columns": columns, "loss": loss, "z": flat(z), "y": flat(y), "weights": flat(weights), "rows": flat(rows), "gradient": flat(z.grad)}


path = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/losses.json"
path.write_text(json.dumps([case(seed, *of) for seed, of in enumerate(CASES)], separators=(",", ":")))
