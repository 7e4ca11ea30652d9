"""Makes packages/trainer/test/fixtures/bootstrap.json: percentile intervals of metrics by SciPy's bootstrap, with many more resamples than a job takes.

Run with numpy, scipy and scikit-learn: python test/oracles/bootstrap.py
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.special import log_expit
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

RESAMPLES = 20_000


def interval(statistic, *samples):
    """The 95 % percentile interval of a statistic of paired samples, and the deviation of its resamples."""
    found = bootstrap(samples, statistic, paired=True, vectorized=False, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(1))
    return {"low": float(found.confidence_interval.low), "high": float(found.confidence_interval.high), "error": float(found.standard_error)}


def case(rng, rows):
    labels = (rng.random(rows) < 0.4).astype(int)
    z = (1.2 * (2 * labels - 1) + 1.6 * rng.normal(size=rows)).astype("f4").astype("f8")
    losses = -log_expit(np.where(labels == 1, z, -z))
    right = ((z > 0) == (labels == 1)).astype(float)
    return {
        "task": "binary", "labels": labels.tolist(), "outputs": z.tolist(),
        "expected": {
            "loss": interval(np.mean, losses),
            "accuracy": interval(np.mean, right),
            **({"auroc": interval(roc_auc_score, labels, z)} if rows < 1000 else {}),
        },
    }


def regression(rng, rows):
    labels = rng.normal(size=rows).astype("f4").astype("f8")
    values = (0.7 * labels + 0.6 * rng.normal(size=rows)).astype("f4").astype("f8")
    errors = np.abs(values - labels)
    return {
        "task": "regression", "labels": labels.tolist(), "outputs": values.tolist(),
        "expected": {
            "mae": interval(np.mean, errors),
            "rmse": interval(lambda e: np.sqrt(np.mean(e**2)), errors),
            "pearson": interval(lambda a, b: np.corrcoef(a, b)[0, 1], values, labels),
        },
    }


rng = np.random.default_rng(7)
fixture = {
    "versions": {"scipy": scipy.__version__, "sklearn": sklearn.__version__},
    "cases": [case(rng, 60), regression(rng, 80), case(rng, 2500)],
}
path = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/bootstrap.json"
path.write_text(json.dumps(fixture) + "\n")
