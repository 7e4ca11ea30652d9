"""Predictions as NumPy saves them, and what NumPy, SciPy and scikit-learn make of them, for the command `steelyard weigh`.

    python test/oracles/weigh.py

writes services/cli/test/fixtures/weigh/. Needs numpy, scipy and scikit-learn; made with the versions that expected.json names.
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from consensus import calibrate, log_probabilities, vote
from scipy.special import expit, logsumexp, softmax
from scipy.stats import entropy
from sklearn.feature_selection import mutual_info_regression
from sklearn.metrics import mutual_info_score

FIXTURES = Path(__file__).resolve().parents[2] / "services" / "cli" / "test" / "fixtures" / "weigh"
MODALITIES = ["text", "audio", "video"]
ROWS = 64


def save(task, name, array):
    (FIXTURES / task).mkdir(parents=True, exist_ok=True)
    np.save(FIXTURES / task / f"{name}.npy", array)


def bernoulli(logits):
    return np.stack([expit(-logits), expit(logits)], -1)


def divergence(task, a, b, sigma):
    if task == "multiclass":
        return entropy(softmax(a, 1), softmax(b, 1), axis=1)
    if task == "regression":
        (sm, sf), gap = sigma, (a - b)[:, 0]
        return np.log(sf / sm) + (sm**2 + gap**2) / (2 * sf**2) - 0.5
    return entropy(bernoulli(a), bernoulli(b), axis=2).mean(1)


def information(task, a, b, estimator):
    def ksg(x, y):
        return mutual_info_regression(x[:, None], y, n_neighbors=3, random_state=0)[0]

    if task == "regression":
        pairs = [(a[:, 0], b[:, 0])]
    elif task == "multiclass":
        pairs = [(softmax(a, 1), softmax(b, 1))]
    else:
        pairs = [(bernoulli(a[:, label]), bernoulli(b[:, label])) for label in range(a.shape[1])]
    if estimator == "argmax":
        values = [mutual_info_score(x.argmax(1), y.argmax(1)) for x, y in pairs]
    elif task == "regression":
        values = [ksg(x, y) for x, y in pairs]
    else:
        values = [ksg(x.max(1), y.max(1)) for x, y in pairs]
    return max(1e-5, np.mean(values))


def residual(outputs, labels):
    return np.sqrt(np.mean((outputs[:, 0] - labels) ** 2))


def consensus(task, unimodal, labels, present, epsilon=0.1):
    """Statistics and weights of a vote over every subset of the modalities."""
    outputs, here = np.stack(unimodal), present.astype(int)
    statistics, priors = calibrate(task, outputs, np.ravel(labels), here)
    log_p = log_probabilities(task, outputs, statistics)
    votes = [[vote(log_p[q, i], priors[q], statistics["gamma"], epsilon, here[i])[0] for q in range(len(log_p))] for i in range(ROWS)]
    return dict(statistics, epsilon=epsilon), np.array(votes).mean(1)


def energy(task, unimodal, labels, present):
    """Confidence of each modality as the negative energy of its centred logits; of a regression, the precision of its residuals."""
    k = np.zeros((ROWS, len(unimodal)))
    for m, output in enumerate(unimodal):
        if task == "regression":
            rows = present[:, m] == 1
            k[:, m] = residual(output[rows], labels[rows]) ** -2
        elif task == "multiclass":
            k[:, m] = logsumexp(output - output.mean(1, keepdims=True), axis=1)
        else:
            k[:, m] = logsumexp(np.stack([-output / 2, output / 2]), axis=0).mean(1)
    k = k * present
    return k / k.sum(1, keepdims=True) * present.sum(1, keepdims=True)


def weigh(task, fused, unimodal, labels, present, *, preset="btw", scale="none", combine="kl+mi", direction="agreement", normalise="minmax", renormalise="mean1", mi="ksg", sigma="residual"):
    D = np.zeros((ROWS, len(unimodal)))
    v = np.zeros(len(unimodal))
    for m, output in enumerate(unimodal):
        rows = present[:, m] == 1
        deviations = None
        if task == "regression":
            deviations = {
                "fixed": lambda: (0.1, 0.1),
                "residual": lambda: (residual(output[rows], labels[rows]), residual(fused, labels)),
                "oracle": lambda: tuple(np.maximum(1e-5, np.abs(x[rows, 0] - labels[rows])) for x in (output, fused)),
            }[sigma]()
        D[rows, m] = divergence(task, output[rows], fused[rows], deviations)
        v[m] = information(task, output[rows], fused[rows], mi)
    told = []
    normalised = np.zeros_like(D)
    for m in range(len(unimodal)):
        d = D[present[:, m] == 1, m]
        told.append(dict(mean=d.mean(), min=d.min(), max=d.max(), p10=np.percentile(d, 10), p90=np.percentile(d, 90)))
        normalised[:, m] = (D[:, m] - d.min()) / (d.max() - d.min())
    if normalise == "row":
        normalised = D / D.sum(1, keepdims=True)
    k = np.exp(-normalised) if direction == "agreement" else normalised
    shares = v / v.sum() if scale == "sum" else v
    w = present * (k if "kl" in combine else 1) * (shares if "mi" in combine else 1)
    if combine != "none" and renormalise != "none":
        w = w / w.sum(1, keepdims=True)
        if renormalise == "mean1":
            w = w * present.sum(1, keepdims=True)
    statistics = None
    if preset == "consensus":
        statistics, w = consensus(task, unimodal, labels, present)
    elif preset == "qmf":
        w = energy(task, unimodal, labels, present)
    return dict(divergence=told, mutual_information=v.tolist(), weights=w.round(8).tolist(), statistics=statistics)


def predictions(task, width, rng):
    """A truth, and models that see it through noise of their own; the fused one sees the noise of all."""
    truth = rng.normal(0, 1.5, (ROWS, width))
    unimodal = [truth + rng.normal(0, spread, (ROWS, width)) for spread in (0.5, 1, 2)]
    fused = truth + sum(0.2 * (output - truth) for output in unimodal) + rng.normal(0, 0.2, (ROWS, width))
    labels = {"multiclass": truth.argmax(1), "binary": (truth[:, 0] > 0) * 1, "multilabel": (truth > 0) * 1, "regression": truth[:, 0]}[task]
    return fused, unimodal, labels


CONSENSUS, QMF = [("preset", "consensus")], [("preset", "qmf")]
CASES = {
    "binary": [[], [("direction", "divergence"), ("normalise", "row"), ("renormalise", "none")], [("mi", "argmax"), ("combine", "mi"), ("renormalise", "sum1")], CONSENSUS, QMF],
    "multiclass": [[], [("direction", "divergence")], [("mi", "argmax")], [("combine", "none")], [("scale", "sum"), ("renormalise", "none")], CONSENSUS, QMF],
    "multilabel": [[], [("combine", "kl"), ("renormalise", "none")], [("mi", "argmax"), ("normalise", "row")], CONSENSUS, QMF],
    "regression": [[], [("sigma", "fixed")], [("sigma", "fixed"), ("direction", "divergence"), ("renormalise", "sum1")], [("sigma", "oracle")], CONSENSUS, QMF],
}
WIDTHS = {"binary": 1, "multiclass": 4, "multilabel": 2, "regression": 1}
FLAGS = {"mi": "mutual-information", "scale": "information-scale"}
MASKED = [[], CONSENSUS, QMF]


def main():
    rng = np.random.default_rng(29)
    everywhere = np.ones((ROWS, len(MODALITIES)))
    absent = everywhere.copy()
    absent[5::4, 1] = 0
    expected = []
    for task, cases in CASES.items():
        fused, unimodal, labels = predictions(task, WIDTHS[task], rng)
        # Every form in which NumPy saves such arrays is among them, and what is computed is computed from what was saved.
        if task == "multilabel":
            fused, unimodal = fused.astype(np.float32), [output.astype(np.float32) for output in unimodal]
        unimodal[1] = np.asfortranarray(unimodal[1])
        flat = task == "binary"
        save(task, "fused", fused[:, 0].astype(">f8") if flat else fused)
        for name, output in zip(MODALITIES, unimodal):
            save(task, name, output)
        hidden = unimodal[1].copy(order="K")
        hidden[absent[:, 1] == 0] = np.nan
        save(task, "audio-absent", hidden)
        save(task, "audio-mask", absent[:, 1].astype({"binary": bool, "multiclass": np.uint8}.get(task, np.float32)))
        save(task, "labels", labels)
        fused, unimodal = fused.astype(float), [output.astype(float) for output in unimodal]
        for options in cases:
            flags = [text for option, value in options for text in (f"--{FLAGS.get(option, option)}", value)]
            for masked in (False, True) if options in MASKED else (False,):
                found = weigh(task, fused, unimodal, labels, absent if masked else everywhere, **dict(options))
                expected.append(dict(task=task, flags=flags, masked=masked, **found))
    made_with = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
    content = dict(madeWith=made_with, modalities=MODALITIES, rows=ROWS, cases=expected)
    (FIXTURES / "expected.json").write_text(json.dumps(content, default=lambda a: np.asarray(a).tolist()) + "\n")


if __name__ == "__main__":
    main()
