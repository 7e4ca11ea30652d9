"""Fixture of the consensus of packages/weighting: temperatures by SciPy, the vote by NumPy as a sum over every subset of the modalities.

    python test/oracles/consensus.py

writes packages/weighting/test/fixtures/consensus.json. Needs numpy and scipy; made with the versions that the file names.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax, logsumexp, softmax

TARGET = Path(__file__).resolve().parents[2] / "packages" / "weighting" / "test" / "fixtures" / "consensus.json"
FLOOR = np.log(1e-12)
GAMMAS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def two(z):
    """Log-softmax of the logits (0, z), the answers on a last axis."""
    return np.stack([log_expit(-z), log_expit(z)], -1)


def temperature(log_probabilities, logits, labels):
    """The temperature in [0.05, 20] with the least log loss."""
    if len(labels) == 0:
        return 1.0
    rows = np.arange(len(labels))
    loss = lambda t: -log_probabilities(logits / np.exp(t))[rows, labels].mean()
    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded", options=dict(xatol=1e-11)).x))


def vote(log_p, prior, gamma, epsilon, present):
    """One instance: log_p [M, C], prior [C], present [M]. Every subset of the present modalities, one by one."""
    here = [m for m in range(len(log_p)) if present[m]]
    log_prior = np.maximum(np.log(prior), FLOOR)
    R = gamma * (np.maximum(log_p, FLOOR) - log_prior)
    log_evidence, predictions, subsets = [], [], []
    for size in range(len(here) + 1):
        for subset in itertools.combinations(here, size):
            joint = log_prior + R[list(subset)].sum(0)
            evidence = logsumexp(joint)
            predictions.append(np.exp(joint - evidence))
            log_evidence.append(evidence + size * np.log(1 - epsilon) + (len(here) - size) * np.log(epsilon))
            subsets.append(subset)
    posterior = softmax(np.array(log_evidence))
    weights = [sum(p for p, subset in zip(posterior, subsets) if m in subset) for m in range(len(log_p))]
    return np.array(weights), posterior @ np.array(predictions)


def best_gamma(log_p, prior, truth, present):
    """log_p [Q, N, M, C] and truth [Q, N] of Q questions, prior [Q, C]."""
    losses = []
    for gamma in GAMMAS:
        loss = 0
        for q in range(len(log_p)):
            log_prior = np.maximum(np.log(prior[q]), FLOOR)
            R = gamma * (np.maximum(log_p[q], FLOOR) - log_prior) * present[:, :, None]
            loss -= log_softmax(log_prior + R.sum(1), -1)[np.arange(len(R)), truth[q]].mean()
        losses.append(loss)
    ordered = np.sort(losses)
    assert ordered[1] - ordered[0] > 1e-9, "no clear winner"
    return GAMMAS[int(np.argmin(losses))]


def calibrate(task, outputs, labels, present):
    """Statistics, and log_p [Q, N, M, C] of the same outputs."""
    modalities, rows, width = outputs.shape
    kept = [present[:, m] == 1 for m in range(modalities)]
    if task == "multiclass":
        prior = (np.bincount(labels, minlength=width) + 1) / (rows + width)
        by_row = lambda z: log_softmax(z, -1)
        T = [temperature(by_row, outputs[m][kept[m]], labels[kept[m]]) for m in range(modalities)]
        statistics = dict(prior=prior, temperature=T)
        priors, truth = prior[None], labels[None]
    elif task == "regression":
        spread = labels.std()
        grid = np.linspace(labels.min() - spread, labels.max() + spread, 201)
        spacing = grid[1] - grid[0]
        prior = softmax(-0.5 * ((grid - labels.mean()) / spread) ** 2)
        sigma = [max(spacing, np.sqrt(((outputs[m, :, 0] - labels)[kept[m]] ** 2).mean())) for m in range(modalities)]
        statistics = dict(prior=prior, temperature=np.ones(modalities), sigma=sigma, grid=dict(**{"from": grid[0]}, to=grid[-1], count=201))
        priors, truth = prior[None], np.abs(labels[:, None] - grid).argmin(1)[None]
    else:
        ones = labels.reshape(rows, width)
        positive = (ones.sum(0) + 1) / (rows + 2)
        T = [[temperature(two, outputs[m][kept[m], l], ones[kept[m], l]) for l in range(width)] for m in range(modalities)]
        statistics = dict(prior=positive, temperature=np.ravel(T))
        priors, truth = np.stack([1 - positive, positive], 1), ones.T
    statistics["gamma"] = best_gamma(log_probabilities(task, outputs, statistics), priors, truth, present)
    return statistics, priors


def log_probabilities(task, outputs, statistics):
    """[Q, N, M, C]"""
    modalities, rows, width = outputs.shape
    if task == "multiclass":
        return log_softmax(outputs / np.reshape(statistics["temperature"], (modalities, 1, 1)), -1).transpose(1, 0, 2)[None]
    if task == "regression":
        grid = np.linspace(statistics["grid"]["from"], statistics["grid"]["to"], 201)
        sigma = np.reshape(statistics["sigma"], (modalities, 1, 1))
        return log_softmax(-0.5 * ((grid - outputs) / sigma) ** 2, -1).transpose(1, 0, 2)[None]
    return two(outputs / np.reshape(statistics["temperature"], (modalities, 1, width))).transpose(2, 1, 0, 3)


def grid_of(statistics):
    return np.linspace(statistics["grid"]["from"], statistics["grid"]["to"], 201)


def case(rng, task, classes, modalities, rows, epsilon):
    width = classes if task in ("multiclass", "multilabel") else 1
    skill = rng.uniform(0.4, 1.5, (modalities, 1, 1)) / np.sqrt(modalities)
    scale = rng.uniform(0.3, 3, (modalities, 1, 1))
    noise = rng.normal(size=(modalities, rows, width))
    if task == "multiclass":
        labels = rng.choice(classes, rows, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
        signal = np.eye(classes)[labels]
    elif task == "regression":
        labels = (3 + 2 * rng.normal(size=rows)).round(3)
        signal = labels[:, None]
    else:
        labels = (rng.random(rows * width) < 0.35).astype(int)
        signal = (2 * labels - 1).reshape(rows, width)
    outputs = signal + noise / skill if task == "regression" else scale * (skill * signal + noise - 0.3)
    outputs = outputs.round(3)
    present = (rng.random((rows, modalities)) < 0.8).astype(int) if modalities > 1 else np.ones((rows, 1), int)
    statistics, priors = calibrate(task, outputs, labels, present)
    statistics["epsilon"] = epsilon
    if task == "regression":
        log_p = log_probabilities(task, outputs, statistics)[0]
        q = np.array([vote(log_p[i], priors[0], statistics["gamma"], epsilon, present[i])[1] for i in range(rows)])
        slope, offset = np.polyfit(q @ grid_of(statistics), labels, 1)
        statistics["line"] = dict(offset=offset, slope=slope)

    judged = outputs[:, : rows // 3].copy()
    here = present[: rows // 3].copy()
    here[0] = 0
    here[1] = 1
    judged[:, 2] *= -1e4
    judged[0, 3] = 1e4
    log_p = log_probabilities(task, judged, statistics)
    votes = [[vote(log_p[q, i], priors[q], statistics["gamma"], epsilon, here[i]) for q in range(len(log_p))] for i in range(len(here))]
    weights = np.array([np.mean([w for w, _ in row], 0) for row in votes])
    q = np.array([[answer for _, answer in row] for row in votes])
    if task == "multiclass":
        late = np.log(q[:, 0])
    elif task == "regression":
        late = statistics["line"]["offset"] + statistics["line"]["slope"] * (q[:, 0] @ grid_of(statistics))
    else:
        late = np.log(q[:, :, 1]) - np.log(q[:, :, 0])
    return dict(
        task=task, classes=classes, outOfFold=outputs.reshape(modalities, -1), labels=labels, present=present.T,
        statistics=statistics, outputs=judged.reshape(modalities, -1), here=here.T, weights=weights.ravel().round(12), late=late.ravel().round(10),
    )  # fmt: skip


def main():
    rng = np.random.default_rng(2)
    cases = []
    for modalities in (1, 2, 3, 6, 12):
        rows = 30 if modalities == 12 else 60
        cases.append(case(rng, "binary", 2, modalities, rows, 0.1))
        cases.append(case(rng, "multiclass", 4 if modalities < 6 else 3, modalities, rows, 0.1 if modalities != 2 else 0.35))
        cases.append(case(rng, "multilabel", 3 if modalities < 6 else 2, modalities, rows, 0.1))
        cases.append(case(rng, "regression", 1, modalities, rows, 0.1 if modalities != 3 else 0.05))
    text = json.dumps(dict(madeWith=dict(numpy=np.__version__, scipy=scipy.__version__), cases=cases), default=lambda a: np.asarray(a).tolist())
    TARGET.write_text(text + "\n")


if __name__ == "__main__":
    main()
