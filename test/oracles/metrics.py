"""Makes packages/trainer/test/fixtures/metrics.json: metrics of small predictions by scikit-learn and SciPy.

Run with numpy, scipy and scikit-learn: python test/oracles/metrics.py
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.special import log_expit, log_softmax, logit
from scipy.stats import pearsonr
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    hamming_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
    roc_auc_score,
)


def classes_case(title, task, labels, logits):
    """Logits `[rows, classes]` as float32, then as float64 for the arithmetic; `zero_division=0` over the classes that occur in labels or predictions."""
    labels = np.asarray(labels)
    z = np.asarray(logits, "f4")
    if task == "binary":  # one logit, of class 1 against class 0
        z = z[:, 1:] - z[:, :1]
        losses = -log_expit(np.where(labels == 1, 1, -1) * z[:, 0].astype("f8"))
        p = np.hstack([expit(-z.astype("f8")), expit(z.astype("f8"))])
    else:
        losses = -log_softmax(z.astype("f8"), 1)[np.arange(len(labels)), labels]
        p = softmax(z.astype("f8"))
    p8 = p.astype("f4").astype("f8")
    classes = p.shape[1]
    predicted = p8.argmax(1)
    columns = [1] if classes == 2 else range(classes)
    present = all(0 < (labels == c).sum() < len(labels) for c in columns)
    each = lambda score: float(np.mean([score(labels == c, p8[:, c]) for c in columns])) if present else None
    return {
        "title": title, "task": task, "outputs": z.shape[1], "labels": labels.tolist(),
        "logits": z.astype("f8").ravel().tolist(), "probabilities": p8.ravel().tolist(),
        "expected": {
            "loss": float(np.mean(losses)),
            "accuracy": accuracy_score(labels, predicted),
            "macro_f1": f1_score(labels, predicted, average="macro", zero_division=0),
            "weighted_f1": f1_score(labels, predicted, average="weighted", zero_division=0),
            "auroc": each(roc_auc_score),
            "auprc": each(average_precision_score),
        },
    }


def labels_case(title, labels, logits):
    """Labels and logits `[rows, labels]`; means over the labels for which scikit-learn's score is defined, None where there is none."""
    labels = np.asarray(labels)
    z = np.asarray(logits, "f4").astype("f8")
    p8 = expit(z).astype("f4").astype("f8")
    predicted = (p8 > 0.5).astype(int)
    columns = [c for c in range(labels.shape[1]) if 0 < labels[:, c].sum() < len(labels)]
    each = lambda score: float(np.mean([score(labels[:, c], p8[:, c]) for c in columns])) if columns else None
    defined = lambda value: None if np.isnan(value) else float(value)
    one = "binary" if labels.shape[1] == 1 else None  # scikit-learn takes one column for a binary task, whose F1 of class 1 is that of the label
    return {
        "title": title, "task": "multilabel", "outputs": labels.shape[1], "labels": labels.ravel().tolist(),
        "logits": z.ravel().tolist(), "probabilities": p8.ravel().tolist(),
        "expected": {
            "loss": float(np.mean(-log_expit(np.where(labels == 1, 1, -1) * z))),
            "accuracy": 1 - hamming_loss(labels, predicted),
            "subset_accuracy": accuracy_score(labels, predicted),
            "macro_f1": defined(f1_score(labels, predicted, average=one or "macro", zero_division=np.nan)),
            "micro_f1": defined(f1_score(labels, predicted, average=one or "micro", zero_division=np.nan)),
            "auroc": each(roc_auc_score),
            "auprc": each(average_precision_score),
        },
    }


def values_case(title, targets, values):
    targets = np.asarray(targets, "f8")
    v = np.asarray(values, "f4").astype("f8")
    constant = (targets == targets[0]).all() or (v == v[0]).all()
    return {
        "title": title, "task": "regression", "outputs": 1, "labels": targets.tolist(), "values": v.tolist(),
        "expected": {
            "loss": mean_squared_error(targets, v),
            "mae": mean_absolute_error(targets, v),
            "rmse": mean_squared_error(targets, v) ** 0.5,
            "pearson": None if constant else float(pearsonr(v, targets)[0]),
        },
    }


def quantiles_case(title, targets, levels, quantiles):
    """Quantiles `[rows, levels]`, in rising order; the median is judged as a value is."""
    q = np.asarray(quantiles, "f4").astype("f8")
    targets = np.asarray(targets, "f8")
    of_median = values_case(title, targets, q[:, levels.index(0.5)])
    pinball = float(np.mean([mean_pinball_loss(targets, q[:, i], alpha=level) for i, level in enumerate(levels)]))
    return {
        **of_median, "outputs": len(levels), "levels": levels, "quantiles": q.ravel().tolist(),
        "expected": {
            **of_median["expected"],
            "loss": pinball,
            "pinball": pinball,
            "coverage": float(np.mean((q[:, 0] <= targets) & (targets <= q[:, -1]))),
            "interval_width": float(np.mean(q[:, -1] - q[:, 0])),
        },
    }


def expit(z):
    return np.exp(log_expit(z))


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def binary(p):
    """Logits of two classes, of which the second has probability p."""
    return np.stack([np.zeros(np.shape(p)), logit(p)], 1)


rng = np.random.default_rng(11)
n = 60
y2, y5 = rng.integers(0, 2, n), rng.integers(0, 5, n)
z5 = rng.normal(0, 1.5, (n, 5))
z5[np.arange(n), y5] += 1
coarse = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.375, 0.375, 0.25]])
y = rng.normal(0, 3, n)
rng_labels = np.random.default_rng(12)
y4 = (rng_labels.random((n, 4)) < [0.5, 0.3, 0.1, 0.8]).astype(int)
z4 = rng_labels.normal(1.5 * y4 - 0.7, 1.5)
never = y4 * [1, 0, 1, 1]
rng_quantiles = np.random.default_rng(13)
cases = [
    classes_case("binary", "binary", y2, binary(np.clip(0.3 + 0.3 * y2 + rng.normal(0, 0.2, n), 0.001, 0.999))),
    classes_case("binary with many ties", "binary", y2, binary((np.round((0.3 + 0.3 * y2 + rng.normal(0, 0.2, n)).clip(0, 1) * 4) / 4).clip(0.01, 0.99))),
    classes_case("binary with one score for all", "binary", y2, binary(np.full(n, 0.5))),
    classes_case("binary without a positive label", "binary", np.zeros(8, int), binary(np.linspace(0.1, 0.8, 8))),
    classes_case("binary without a negative label", "binary", np.ones(8, int), binary(np.linspace(0.1, 0.8, 8))),
    classes_case("binary whose probabilities are 0 and 1 in float32", "binary", [0, 1, 1, 0], [[0, 200], [0, 300], [500, 0], [120, 0]]),
    classes_case("multiclass", "multiclass", y5, z5),
    classes_case("multiclass with many ties", "multiclass", rng.integers(0, 3, n), np.log(coarse[rng.integers(0, 4, n)])),
    classes_case("multiclass without labels of one class", "multiclass", np.where(y5 == 3, 1, y5), z5),
    classes_case("multiclass with a class in neither labels nor predictions", "multiclass", rng.integers(0, 2, n), np.log(np.hstack([softmax(z5[:, :2]) * 0.9, np.full((n, 1), 0.1)]))),
    classes_case("multiclass with a class that is predicted but is no label", "multiclass", rng.integers(0, 2, n), z5[:, :3]),
    classes_case("multiclass with a class that is never predicted", "multiclass", rng.integers(0, 3, n), np.log(np.hstack([softmax(z5[:, :2]) * 0.9, np.full((n, 1), 0.1)]))),
    classes_case("multiclass whose probabilities are 0 and 1 in float32", "multiclass", [0, 1, 2, 2], [[300, 0, -300], [300, 0, -300], [300, 0, -300], [0, -500, 150]]),
    labels_case("multilabel", y4, z4),
    labels_case("multilabel with many ties", y4, np.round(z4)),
    labels_case("multilabel without one label, which is predicted", never, z4),
    labels_case("multilabel without one label, which is never predicted", never, z4 - [0, 20, 0, 0]),
    labels_case("multilabel with a label that every row has", np.maximum(y4, [0, 0, 0, 1]), z4),
    labels_case("multilabel without any label, none predicted", np.zeros((5, 2), int), np.full((5, 2), -1.5)),
    labels_case("multilabel without any label, some predicted", np.zeros((5, 2), int), np.linspace(-2, 2, 10).reshape(5, 2)),
    labels_case("multilabel, certain and wrong", [[0, 1], [1, 0]], [[200, -200], [-20, 20]]),
    labels_case("multilabel of one label", y4[:, :1], z4[:, :1]),
    values_case("regression", y, y + rng.normal(0, 2, n)),
    values_case("regression, anticorrelated", y, -2 * y + 1),
    values_case("regression, large offset", y + 1e6, y + 1e6 + rng.normal(0, 2, n)),
    values_case("regression with constant predictions", y, np.full(n, 0.1)),
    values_case("regression with constant targets", np.full(10, 0.1), y[:10]),
    values_case("regression that is exact", np.arange(8.0), np.arange(8.0)),
    quantiles_case("quantiles", y, [0.1, 0.5, 0.9], np.sort(y[:, None] + rng_quantiles.normal(0, 2, (n, 3)), 1)),
    quantiles_case("quantiles, nine of them", y, [0.01, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99], np.sort(rng_quantiles.normal(0, 3, (n, 9)), 1)),
    quantiles_case("quantiles of which the median is the lowest", y, [0.5, 0.8], np.sort(rng_quantiles.normal(0, 3, (n, 2)), 1)),
    quantiles_case("quantiles on the labels", np.arange(8.0), [0.25, 0.5, 0.75], np.arange(8.0)[:, None] + [0, 0, 1]),
]
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/metrics.json"
made_with = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
out.write_text(json.dumps({"madeWith": made_with, "cases": cases}) + "\n")
