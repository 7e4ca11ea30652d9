"""Makes packages/trainer/test/fixtures/thresholds.json: probabilities of one label, and the greatest F1 that scikit-learn finds for any threshold.

Run with numpy and scikit-learn: python test/oracles/thresholds.py
"""

import json
import pathlib

import numpy as np
from sklearn.metrics import precision_recall_curve


def case(seed, rows, share, decimals):
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < share).astype(int)
    scores = 1 / (1 + np.exp(-(generator.standard_normal(rows) + 1.5 * labels - 2)))
    p = np.round(scores, decimals).astype("f4").astype("f8")
    precision, recall, _ = precision_recall_curve(labels, p)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return {"p": [float(f"{v:.9g}") for v in p.tolist()], "y": labels.tolist(), "f1": float(f1.max())}


cases = [case(1, 200, 0.1, 9), case(2, 100, 0.4, 2), case(3, 50, 0.05, 9), case(4, 60, 0.9, 1)]
path = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/thresholds.json"
path.write_text(json.dumps(cases, separators=(",", ":")))
