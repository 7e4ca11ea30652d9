"""Makes packages/trainer/test/fixtures/evaluation.json: confusion matrices and curves by scikit-learn, histograms and percentiles by NumPy.

Run with numpy and scikit-learn: python test/oracles/evaluation.py
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    multilabel_confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

BINS = 20


def f4(x):
    return np.asarray(x, "f4").astype("f8")


def curve(has, score):
    """None where every row has the class, or none."""
    if not 0 < has.sum() < len(has):
        return {"positives": int(has.sum()), "auroc": None, "auprc": None, "curve": None}
    fpr, tpr, threshold = roc_curve(has, score, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(has, score)
    assert np.allclose(recall[::-1], tpr)
    return {
        "positives": int(has.sum()), "auroc": roc_auc_score(has, score), "auprc": average_precision_score(has, score),
        "curve": {
            "threshold": [None, *threshold[1:].tolist()], "false_positive_rate": fpr.tolist(), "true_positive_rate": tpr.tolist(),
            "precision": precision[::-1].tolist(),
        },
    }


def in_bins(numbers, between):
    percentiles = np.percentile(numbers, [10, 50, 90]).tolist() if len(numbers) else [None] * 3
    return {
        "count": len(numbers), "counts": np.histogram(numbers, BINS, between)[0].tolist(), "mean": float(np.mean(numbers)) if len(numbers) else None,
        **dict(zip(["p10", "p50", "p90"], percentiles)),
    }


def by_rightness(numbers, present, right):
    """`[rows, modalities]` each; no entry for a modality that no row has."""
    found = {}
    for m in range(numbers.shape[1]):
        has = present[:, m] == 1
        if not has.any():
            continue
        between = (numbers[has, m].min(), numbers[has, m].max())
        found[f"m{m}"] = {
            "from": between[0], "to": between[1], "right": in_bins(numbers[has & right, m], between), "wrong": in_bins(numbers[has & ~right, m], between),
        }
    return found


def trust(rng, rows):
    """Weights of three modalities, of which the second is missing in some rows and the third in all."""
    present = np.stack([np.ones(rows), rng.random(rows) < 0.7, np.zeros(rows)], 1).astype(int)
    weights = f4(rng.dirichlet([2, 3, 1], rows) * present)
    weights[:5, 0] = np.float32(0.25)  # values on an edge
    return {"present": present, "weights": weights, "divergence": f4(rng.exponential(1, (rows, 3)) * present)}


def case(title, task, inputs, right, of_trust, **expected):
    flat = {name: np.asarray(values).ravel().tolist() for name, values in {**inputs, **of_trust}.items()}
    by = {name: by_rightness(of_trust[name], of_trust["present"], right) for name in ["weights", "divergence"]}
    return {"title": title, "task": task, **flat, "expected": {**expected, **by}}


def classes_case(title, rng, rows, classes, sharp, decimals=None, labels=None):
    labels = rng.integers(0, classes, rows) if labels is None else labels
    z = rng.normal(0, 1, (rows, classes)) + sharp * np.eye(classes)[labels]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    p = f4(p if decimals is None else p.round(decimals))
    predicted = p.argmax(1)
    shown = [1] if classes == 2 else range(classes)
    return case(
        title, "binary" if classes == 2 else "multiclass", {"labels": labels, "probabilities": p}, predicted == labels, trust(rng, rows),
        confusion=confusion_matrix(labels, predicted, labels=range(classes)).tolist(), curves=[curve(labels == c, p[:, c]) for c in shown],
    )


def labels_case(title, rng, rows, width):
    labels = (rng.random((rows, width)) < np.linspace(0, 0.6, width)).astype(int)
    p = f4(1 / (1 + np.exp(-rng.normal(2 * labels - 1, 1))))
    predicted = (p > 0.5).astype(int)
    return case(
        title, "multilabel", {"labels": labels, "probabilities": p}, (predicted == labels).all(1), trust(rng, rows),
        confusion=None, curves=[{**curve(labels[:, c], p[:, c]), "matrix": multilabel_confusion_matrix(labels, predicted)[c].tolist()} for c in range(width)],
    )


def values_case(title, rng, rows):
    labels = f4(rng.normal(10, 3, rows))
    values = f4(labels + rng.normal(0.5, 1, rows))
    residuals = labels - values
    errors = np.abs(residuals)
    between = (residuals.min(), residuals.max())
    return case(
        title, "regression", {"labels": labels, "values": values}, errors <= np.median(errors), trust(rng, rows),
        residuals={"from": between[0], "to": between[1], **in_bins(residuals, between)},
    )


rng = np.random.default_rng(21)
cases = [
    classes_case("binary", rng, 60, 2, 1),
    classes_case("binary with many ties", rng, 60, 2, 1, 1),
    classes_case("binary without a negative row", rng, 20, 2, 1, None, np.ones(20, int)),
    classes_case("binary of many rows, whose curve is thinned", rng, 400, 2, 0.7),
    classes_case("multiclass", rng, 60, 4, 1),
    classes_case("multiclass without rows of one class", rng, 60, 3, 1, None, rng.integers(0, 2, 60)),
    labels_case("multilabel", rng, 60, 4),
    values_case("regression", rng, 120),
]
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/evaluation.json"
out.write_text(json.dumps({"madeWith": {"numpy": np.__version__, "scikit-learn": sklearn.__version__}, "cases": cases}, separators=(",", ":")) + "\n")
