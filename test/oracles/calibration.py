"""Makes packages/trainer/test/fixtures/calibration.json: temperatures by scikit-learn and by PyTorch, cross entropy by PyTorch, and reliability curves by scikit-learn.

Run with torch, numpy and scikit-learn (1.8 or later): python test/oracles/calibration.py
"""

import json
import pathlib

import numpy as np
import torch
from sklearn.calibration import _TemperatureScaling, calibration_curve
from torch.nn import functional as F

BINS = 15


def entropy(task, z, y):
    if task == "multiclass":
        return F.cross_entropy(z, y.long())
    return F.binary_cross_entropy_with_logits(z, y.reshape(z.shape))


def by_torch(task, z, y):
    """The temperature by Newton-like steps of LBFGS on 1/T."""
    beta = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([beta], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = entropy(task, beta * z, y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return 1 / float(beta.detach())


def by_sklearn(task, z, y):
    if task == "multilabel":
        return None
    scores = z.numpy() if task == "multiclass" else np.concatenate([-z.numpy() / 2, z.numpy() / 2], 1)
    return 1 / float(_TemperatureScaling().fit(scores, y.numpy().ravel().astype(int)).beta_)


def reliability(task, z, y):
    if task == "multiclass":
        p = torch.softmax(z, 1)
        confidence, predicted = p.max(1)
        right = predicted == y.long()
    else:
        p = torch.sigmoid(z)
        confidence, right = torch.maximum(p, 1 - p), (p > 0.5) == (y.reshape(z.shape) == 1)
    confidence, right = confidence.ravel().numpy(), right.ravel().numpy()
    accuracy, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    counts = np.histogram(confidence, bins=np.linspace(0, 1, BINS + 1))[0]
    filled = counts > 0
    return {
        "ece": float((counts[filled] * np.abs(accuracy - mean)).sum() / counts.sum()),
        "cross_entropy": float(entropy(task, z, y)),
        "counts": counts.tolist(), "accuracy": accuracy.tolist(), "confidence": mean.tolist(),
    }


def case(seed, task, columns, sharp):
    generator = np.random.default_rng(seed)
    rows = 120
    f8 = lambda x: torch.tensor(x.astype("f4").astype("f8"))
    true = generator.standard_normal((rows, columns))
    if task == "multiclass":
        p = np.exp(true) / np.exp(true).sum(1, keepdims=True)
        y = np.array([generator.choice(columns, p=row) for row in p])
    else:
        y = (generator.random((rows, columns)) < 1 / (1 + np.exp(-true))).astype(int)
    z, y = f8(sharp * true), f8(y.astype("f8"))
    flat = lambda x: [float(f"{v:.9g}") for v in x.ravel().tolist()]
    temperature = by_torch(task, z, y)
    return {
        "task": task, "columns": columns, "z": flat(z), "y": flat(y), "torch": temperature, "sklearn": by_sklearn(task, z, y),
        "before": reliability(task, z, y), "after": reliability(task, z / temperature, y),
    }


cases = [case(1, "multiclass", 4, 3.0), case(2, "multiclass", 3, 0.4), case(3, "binary", 1, 4.0), case(4, "multilabel", 3, 2.5)]
path = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/calibration.json"
path.write_text(json.dumps(cases, separators=(",", ":")))
