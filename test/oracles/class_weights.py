"""Makes packages/trainer/test/fixtures/class-weights.json: balanced weights of classes by scikit-learn, and the weighted cross entropy of PyTorch over positions.

Run with torch, numpy and scikit-learn: python test/oracles/class_weights.py
"""

import json
import pathlib

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

IGNORED = -1


def balanced(labels):
    occurring = np.unique(labels)
    return {"labels": labels.tolist(), "weights": dict(zip(map(str, occurring), compute_class_weight("balanced", classes=occurring, y=labels).tolist()))}


def positions(generator, classes, weights):
    rows, steps = 3, 5
    z = torch.tensor(3 * generator.standard_normal((rows, steps, classes)).astype("f4").astype("f8"), requires_grad=True)
    y = generator.integers(0, max(classes, 2), (rows, steps))
    y[generator.random(y.shape) < 0.2] = IGNORED
    logits = z if classes > 1 else torch.cat([torch.zeros_like(z), z], -1)
    loss = F.cross_entropy(logits.reshape(rows * steps, -1), torch.tensor(y).reshape(-1), weight=torch.tensor(weights).double(), ignore_index=IGNORED)
    loss.backward()
    flat = lambda x: [float(f"{v:.9g}") for v in np.asarray(x, "f8").ravel().tolist()]
    return {
        "classes": classes, "rows": rows, "steps": steps, "weights": weights,
        "z": flat(z.detach()), "y": y.ravel().tolist(), "loss": float(loss.detach()), "gradient": flat(z.grad),
    }


generator = np.random.default_rng(1)
fixture = {
    "balanced": [
        balanced(np.repeat([0, 1], [90, 10])),
        balanced(np.repeat([0, 1, 2], [50, 30, 7])),
        balanced(np.repeat([0, 2], [20, 60])),  # a class that does not occur
    ],
    "positions": [positions(generator, 3, [0.5, 1.0, 4.0]), positions(generator, 1, [0.25, 3.0])],
}
path = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/class-weights.json"
path.write_text(json.dumps(fixture, separators=(",", ":")))
