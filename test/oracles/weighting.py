"""Fixtures of packages/weighting: divergences by mpmath, NumPy and SciPy, mutual information by scikit-learn, weights and summaries by NumPy, energies
by SciPy.

    python test/oracles/weighting.py

writes packages/weighting/test/fixtures/*.json. Needs numpy, scipy, scikit-learn and mpmath; made with the versions that each file names.
"""

import json
from pathlib import Path

import mpmath
import numpy as np
import scipy
import sklearn
from scipy.special import expit, log_softmax, logsumexp, softmax
from scipy.stats import entropy
from sklearn.feature_selection import mutual_info_regression
from sklearn.feature_selection._mutual_info import _compute_mi_cc
from sklearn.metrics import mutual_info_score

mpmath.mp.dps = 60
FIXTURES = Path(__file__).resolve().parents[2] / "packages" / "weighting" / "test" / "fixtures"
MADE_WITH = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "mpmath": mpmath.__version__}


def write(name, content):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"madeWith": MADE_WITH, **content}, default=lambda a: np.asarray(a).tolist())
    (FIXTURES / f"{name}.json").write_text(text + "\n")


def exact_categorical(a, b):
    """KL of softmax(a) and softmax(b) in 60 digits."""
    a, b = [mpmath.mpf(float(v)) for v in a], [mpmath.mpf(float(v)) for v in b]
    za, zb = mpmath.log(sum(map(mpmath.exp, a))), mpmath.log(sum(map(mpmath.exp, b)))
    return float(sum(mpmath.exp(x - za) * ((x - za) - (y - zb)) for x, y in zip(a, b)))


def exact_bernoulli(a, b):
    return exact_categorical([0, a], [0, b])


def exact_gaussian(a, b, sm, sf):
    a, b, sm, sf = (mpmath.mpf(float(v)) for v in (a, b, max(sm, 1e-5), max(sf, 1e-5)))
    return float(mpmath.log(sf / sm) + (sm**2 + (a - b) ** 2) / (2 * sf**2) - mpmath.mpf(1) / 2)


def divergences():
    rng = np.random.default_rng(7)
    cases = []

    extremes = np.array([1e4, -1e4, 0, 30, -30, 800, -800, 1e-3])
    a = np.concatenate([rng.normal(0, 3, 24).round(4), extremes, np.repeat(extremes, 2)])
    b = np.concatenate([rng.normal(0, 3, 24).round(4), extremes[::-1], np.tile([1e4, -9999.5], 8)])
    cases.append(dict(task="binary", classes=2, unimodal=a, fused=b, expected=[exact_bernoulli(x, y) for x, y in zip(a, b)]))

    for classes in (1, 2, 5, 15):
        a, b = rng.normal(0, 3, (2, 16, classes)).round(4)
        a[0], b[0] = 1e4, -1e4
        a[1, 0], b[1, -1] = 1e4, 1e4
        a[2, 0], b[2, 0] = -1e4, 1e4
        b[3] = a[3]
        b[4] = a[4] + 5
        expected = [exact_categorical(x, y) for x, y in zip(a, b)]
        plain = entropy(np.exp(log_softmax(a[5:], 1)), np.exp(log_softmax(b[5:], 1)), axis=1)
        assert np.allclose(plain, expected[5:], rtol=1e-9, atol=1e-12)
        cases.append(dict(task="multiclass", classes=classes, unimodal=a.ravel(), fused=b.ravel(), expected=expected))

    a, b = rng.normal(0, 3, (2, 12, 4)).round(4)
    a[0], b[0] = 1e4, [-1e4, 1e4, 0, 3]
    expected = [np.mean([exact_bernoulli(x, y) for x, y in zip(r, s)]) for r, s in zip(a, b)]
    cases.append(dict(task="multilabel", classes=4, unimodal=a.ravel(), fused=b.ravel(), expected=expected))

    for sm, sf in ((0.1, 0.1), (0.7, 1.3), (0.0, 0.2), (0.5, 1e-9)):
        a, b = rng.normal(0, 2, (2, 12)).round(4)
        a[0], b[0], a[1], b[1] = 1e4, -1e4, 0.5, 0.5
        expected = [exact_gaussian(x, y, sm, sf) for x, y in zip(a, b)]
        cases.append(dict(task="regression", classes=1, unimodal=a, fused=b, sigma=dict(unimodal=sm, fused=sf), expected=expected))

    rows = 12  # a standard deviation for every instance, some below the floor
    a, b = rng.normal(0, 2, (2, rows)).round(4)
    a[0], b[0] = 1e4, -1e4
    sm, sf = rng.gamma(1, 1, (2, rows)).round(5)
    sm[1], sf[2], sm[3], sf[3] = 0, 0, 1e4, 1e-9
    expected = [exact_gaussian(*row) for row in zip(a, b, sm, sf)]
    cases.append(dict(task="regression", classes=1, unimodal=a, fused=b, sigma=dict(unimodal=sm, fused=sf), expected=expected))
    write("divergence", dict(cases=cases))


def hashed(count, stream):
    """Uniform numbers k/2^32 from a linear congruence: the test makes the same ones, so that large samples need not be stored."""
    out, s = np.empty(count), stream
    for i in range(count):
        s = (1664525 * s + 1013904223) % 2**32
        out[i] = s / 2**32
    return out


def information():
    rng = np.random.default_rng(11)
    n = 120
    base, other = rng.normal(size=(2, n))
    samples = {
        "correlated": (base, 0.8 * base + 0.6 * other),
        "independent": (base, other),
        "saturated probabilities": (1 / (1 + np.exp(-np.abs(12 * base))), 1 / (1 + np.exp(-np.abs(30 * base + 5 * other)))),
        "ties": (np.round(base), np.round(base + other)),
        "two values against many": (np.where(base > 0, 1.0, 0.5), base + 0.1 * other),
        "large scale": (1e6 + 1e5 * base, 1e-6 * (base + other)),
    }
    ksg = []
    for name, (x, y) in samples.items():
        x, y = (np.array([float(f"{v:.7g}") for v in values]) for values in (x, y))
        for k in (1, 3, 5):
            seed = 5
            expected = mutual_info_regression(x[:, None], y, n_neighbors=k, random_state=seed)[0]
            case = dict(name=name, k=k, expected=expected)
            if k == 1:  # x, y and the noise are those of the case before, but for the first k
                state = np.random.RandomState(seed)
                noise_x = state.standard_normal(size=(n, 1)).ravel()
                noise_y = state.standard_normal(size=n)
                case |= dict(x=x, y=y, noise=dict(x=noise_x, y=noise_y))
            ksg.append(case)

    # Points that coincide, no noise: radius 0. Scaled as scale(with_mean=False) does.
    x, y = rng.integers(0, 3, (2, 60)).astype(float)
    y = np.where(rng.random(60) < 0.5, x, y)
    zeros = np.zeros(60)
    expected = _compute_mi_cc(x / x.std(), y / y.std(), 3)
    ksg.append(dict(name="points that coincide", k=3, expected=expected, x=x, y=y, noise=dict(x=zeros, y=zeros)))

    large = []
    for n in (2_000, 20_000):
        u, v = hashed(n, 1), hashed(n, 2)
        x, y = u, u + v * v
        noise_x, noise_y = hashed(n, 3) - 0.5, hashed(n, 4) - 0.5
        x, y = x / x.std(), y / y.std()
        x = x + 1e-10 * max(1, np.abs(x).mean()) * noise_x
        y = y + 1e-10 * max(1, np.abs(y).mean()) * noise_y
        large.append(dict(count=n, k=3, expected=_compute_mi_cc(x, y, 3)))

    a, b = rng.integers(0, 4, (2, 300))
    b = np.where(rng.random(300) < 0.6, a, b)
    argmax = [dict(a=a, b=b, classes=4, expected=mutual_info_score(a, b))]
    a, b = rng.integers(0, 2, (2, 50))
    argmax.append(dict(a=a, b=b, classes=2, expected=mutual_info_score(a, b)))
    write("information", dict(ksg=ksg, large=large, argmax=argmax, outputs=outputs_information()))


def weights():
    rng = np.random.default_rng(3)
    rows, modalities = 14, 4
    D = rng.gamma(1, 1, (rows, modalities)).round(5)
    present = (rng.random((rows, modalities)) < 0.75).astype(int)
    present[0] = 0
    present[1] = 1
    D[:, 3] = np.where(present[:, 3] == 1, 0.25, D[:, 3])  # a modality whose divergence is constant where it is present
    D[2] = [0, 0, 0, 0.25]
    mi = np.array([0.31, 1e-5, 0.72, 0.05])
    masked = np.ma.masked_array(D, present == 0)
    lo, hi = masked.min(0).filled(0), masked.max(0).filled(0)
    D = np.vstack([D, [[9.0, -1.0, 20.0, 1.0]], D[2:3]])  # rows of another split, beyond the range
    present = np.vstack([present, np.ones((2, modalities), int)])
    rows = len(D)

    flat = hi == lo
    scaled = np.clip((D - lo) / np.where(flat, 1, hi - lo), 0, 1)
    scaled[:, flat] = 0
    total = (D * present).sum(1, keepdims=True)
    shares = np.divide(D * present, total, out=np.zeros_like(D), where=total > 0)
    cases = []
    for normalise in ("minmax", "row"):
        normalised = scaled if normalise == "minmax" else shares
        for direction in ("agreement", "divergence"):
            if direction == "agreement":
                k = np.exp(-normalised)
            else:
                k = normalised.copy()
                if normalise == "minmax":
                    k[:, flat] = 1
            for combine in ("kl", "mi", "kl+mi", "none"):
                v = mi if "mi" in combine else np.ones(modalities)
                c = present * v * (k if "kl" in combine else 1)
                nothing = c.sum(1) == 0
                c[nothing] = (present * v)[nothing]
                for renormalise in ("none", "sum1", "mean1"):
                    w = np.zeros_like(D)
                    for i in range(rows):
                        here = present[i] == 1
                        if not here.any():
                            continue
                        if combine == "none":
                            w[i, here] = 1
                        elif renormalise == "none":
                            w[i, here] = c[i, here]
                        elif renormalise == "sum1":
                            w[i, here] = c[i, here] / c[i, here].sum()
                        else:
                            w[i, here] = c[i, here] / c[i, here].mean()
                    config = dict(normalise=normalise, direction=direction, combine=combine, renormalise=renormalise)
                    cases.append(dict(config=config, expected=w.round(12).ravel()))
                    if normalise == "minmax" and "mi" in combine:  # the same on the scale MI / sum(MI), which only renormalise=none sees
                        scaled_w = w / mi.sum() if renormalise == "none" else w
                        cases.append(dict(config=config | dict(informationScale="sum"), expected=scaled_w.round(12).ravel()))
    W = rng.random((rows, modalities)).astype(np.float32)
    summary = []
    for m in range(modalities):
        w = W[present[:, m] == 1, m].astype(np.float64)
        summary.append(dict(mean=w.mean(), p10=np.percentile(w, 10), p90=np.percentile(w, 90)))
    write(
        "weights",
        dict(rows=rows, trainingRows=rows - 2, modalities=modalities, D=D.T, present=present.T, mi=mi, min=lo, max=hi, cases=cases, W=W.ravel(), summary=summary),
    )


def outputs_information():
    """What stands for an output in each task, by mutual_info_regression; continuous, so that the noise that breaks ties does not matter."""
    rng = np.random.default_rng(17)
    n, modalities = 100, 2
    cases = []
    for task, classes in (("binary", 2), ("multiclass", 4), ("multilabel", 3), ("regression", 1)):
        width = classes if task in ("multiclass", "multilabel") else 1
        fused = rng.normal(0, 1, (n, width)).round(7)
        unimodal = (fused * np.array([1, 0.4])[:, None, None] + rng.normal(0, 0.5, (modalities, n, width))).round(7)
        present = np.ones((modalities, n), int)
        present[1, ::3] = 0

        def columns(values):
            if task == "regression":
                return values.T
            if task == "multiclass":
                return softmax(values, 1).max(1)[None]
            return expit(np.abs(values)).T

        expected = []
        for m in range(modalities):
            kept = present[m] == 1
            pairs = zip(columns(unimodal[m][kept]), columns(fused[kept]))
            expected.append(max(1e-5, np.mean([mutual_info_regression(a[:, None], b, random_state=1)[0] for a, b in pairs])))
        cases.append(dict(task=task, classes=classes, unimodal=unimodal.reshape(modalities, -1), fused=fused.ravel(), present=present, expected=expected))
    return cases


def qmf_weights():
    rng = np.random.default_rng(13)
    cases = []
    for task, classes, modalities in (("binary", 2, 3), ("multiclass", 4, 2), ("multiclass", 15, 6), ("multilabel", 3, 4), ("regression", 1, 3)):
        rows, width = 10, classes if task in ("multiclass", "multilabel") else 1
        outputs = rng.normal(0, 4, (modalities, rows, width)).round(4)
        outputs[0, 0], outputs[1, 0], outputs[0, 1, 0] = 1e4, -1e4, -1e4
        present = (rng.random((rows, modalities)) < 0.75).astype(int)
        present[0], present[1], present[2] = 1, 1, 0
        sigma = rng.gamma(1, 1, modalities).round(4)
        sigma[0] = 0
        if task == "multiclass":
            k = logsumexp(outputs - outputs.mean(2, keepdims=True), axis=2).T
        elif task == "regression":
            k = np.tile(np.maximum(sigma, 1e-5) ** -2.0, (rows, 1))
        else:
            k = logsumexp(np.stack([-outputs / 2, outputs / 2]), axis=0).mean(2).T
        k = k * present
        count, total = present.sum(1, keepdims=True), k.sum(1, keepdims=True)
        expected = np.divide(count * k, total, out=np.zeros_like(k), where=total > 0)
        case = dict(task=task, classes=classes, outputs=outputs.reshape(modalities, -1), present=present.T, expected=expected.ravel())
        cases.append(case | (dict(sigma=sigma) if task == "regression" else {}))
    write("qmf", dict(cases=cases))


if __name__ == "__main__":
    qmf_weights()
    divergences()
    information()
    weights()
