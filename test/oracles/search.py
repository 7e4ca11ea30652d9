"""Fixtures of packages/search: Parzen estimators, log densities, best values and importances by Optuna, quantiles of Student's t by SciPy.

    python test/oracles/search.py

writes packages/search/test/fixtures/*.json, in about a minute. Needs optuna and scipy; made with the versions that each file names.
"""

import json
import math
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import optuna
import scipy
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers import RandomSampler, TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_gamma, default_weights

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
FIXTURES = Path(__file__).resolve().parents[2] / "packages" / "search" / "test" / "fixtures"
MADE_WITH = {"optuna": optuna.__version__, "numpy": np.__version__, "scipy": scipy.__version__}


def write(name, content):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"madeWith": MADE_WITH, **content}, default=lambda a: np.asarray(a).tolist())
    (FIXTURES / f"{name}.json").write_text(text + "\n")


SPACE = {
    "x": {"type": "uniform", "low": -5.0, "high": 10.0},
    "rate": {"type": "log-uniform", "low": 1e-5, "high": 0.1},
    "layers": {"type": "int", "low": 1, "high": 8},
    "width": {"type": "int", "low": 4, "high": 1024, "log": True},
    "kind": {"type": "choice", "values": ["a", "b", "c", "d"]},
}


def distribution(dimension):
    if dimension["type"] == "choice":
        return CategoricalDistribution(dimension["values"])
    low, high = dimension["low"], dimension["high"]
    if dimension["type"] == "int":
        return IntDistribution(low, high, log=dimension.get("log", False))
    return FloatDistribution(low, high, log=dimension["type"] == "log-uniform")


DISTRIBUTIONS = {name: distribution(dimension) for name, dimension in SPACE.items()}


def drawn(rng):
    return {
        "x": rng.uniform(-5, 10),
        "rate": 10 ** rng.uniform(-5, -1),
        "layers": int(rng.integers(1, 9)),
        "width": int(round(4 * 256 ** rng.random())),
        "kind": "abcd"[rng.integers(4)],
    }


def internal(assignments, names):
    columns = {name: [DISTRIBUTIONS[name].to_internal_repr(one[name]) for one in assignments] for name in names}
    return {name: np.asarray(column, dtype=float) for name, column in columns.items()}


def stable_argsort(values):
    return np.asarray(sorted(range(len(values)), key=lambda i: values[i]), dtype=int)


def parzen():
    """
    The estimator of each dimension and of all together, of histories without and with forgetting. Equal observations of an int get their widths in the order
    in which they are sorted, which NumPy leaves open: here the older comes first.
    """
    rng = np.random.default_rng(3)
    parameters = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    cases = []
    for count in (0, 1, 2, 7, 26, 40):
        observed, probes = [drawn(rng) for _ in range(count)], [drawn(rng) for _ in range(8)]
        probes[0] = {"x": -5.0, "rate": 1e-5, "layers": 1, "width": 4, "kind": "a"}
        probes[1] = {"x": 10.0, "rate": 0.1, "layers": 8, "width": 1024, "kind": "d"}
        for names in [*([name] for name in SPACE), list(SPACE)]:
            with mock.patch("numpy.argsort", stable_argsort):
                estimator = _ParzenEstimator(internal(observed, names), {name: DISTRIBUTIONS[name] for name in names}, parameters)
            mixture = estimator._mixture_distribution
            [kernels] = mixture.distributions if len(names) == 1 else [None]
            normal = {"means": kernels.mu, "sigmas": kernels.sigma} if hasattr(kernels, "mu") else {}
            cases.append(
                dict(
                    names=names,
                    observed=[{name: one[name] for name in names} for one in observed],
                    probes=[{name: one[name] for name in names} for one in probes],
                    weights=mixture.weights,
                    logDensities=estimator.log_pdf(internal(probes, names)),
                    **normal,
                )
            )
    write("parzen", dict(space=SPACE, gammas=[default_gamma(n) for n in range(301)], cases=cases))


def branin(x, y):
    return (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


HARTMANN_A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
HARTMANN_P = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)
HARTMANN_ALPHA = np.array([1, 1.2, 3, 3.2])


def hartmann(point):
    return -float(HARTMANN_ALPHA @ np.exp(-(HARTMANN_A * (np.array(point) - HARTMANN_P) ** 2).sum(1)))


OBJECTIVES = {
    "branin": lambda trial: branin(trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)),
    "hartmann": lambda trial: hartmann([trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]),
}
SAMPLERS = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "univariate": lambda seed: TPESampler(seed=seed, multivariate=False),
    "random": lambda seed: RandomSampler(seed=seed),
}


def best(objective, sampler):
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=50)
    return study.best_value


def convergence():
    """The best value after 50 trials, over 20 seeds: of TPESampler with its defaults, one dimension at a time, and of random search."""
    content = {}
    for name, objective in OBJECTIVES.items():
        content[name] = {}
        for kind, sampler in SAMPLERS.items():
            values = [best(objective, sampler(seed)) for seed in range(20)]
            content[name][kind] = dict(values=values, quartiles=np.quantile(values, [0.25, 0.5, 0.75]))
            print(name, kind, content[name][kind]["quartiles"])
    probes = np.random.default_rng(5).random((4, 6))
    checks = dict(branin=[[-5 + 15 * x, 15 * y, branin(-5 + 15 * x, 15 * y)] for x, y in probes[:, :2]], hartmann=[[*p, hartmann(p)] for p in probes])
    write("convergence", dict(trials=50, checks=checks, **content))


def importances():
    """Shares of importance by PedAnovaImportanceEvaluator, of a space in which `momentum` exists where `kind` is a or b."""
    rng = np.random.default_rng(11)
    momentum = FloatDistribution(0.0, 1.0)
    trials, study = [], optuna.create_study()
    for _ in range(80):
        one = drawn(rng)
        value = math.log10(one["rate"] / 1e-3) ** 2 + 0.1 * abs(one["layers"] - 5) + {"a": 0, "b": 0.5, "c": 0, "d": 2}[one["kind"]]
        used = dict(DISTRIBUTIONS)
        if one["kind"] in "ab":
            one["momentum"] = rng.random()
            used["momentum"] = momentum
            value += (one["momentum"] - 0.9) ** 2
        trials.append(dict(assignment=one, value=value))
        study.add_trial(optuna.trial.create_trial(params=one, distributions=used, value=value))
    shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    condition = {"kind": ["a", "b"]}
    space = {**SPACE, "momentum": {"type": "uniform", "low": 0.0, "high": 1.0, "when": condition}}
    write("importance", dict(space=space, trials=trials, shares=shares))


def student():
    degrees = [*range(1, 12), 30, 99]
    write("student-t", dict(quantiles=[[n, float(scipy.stats.t.ppf(0.975, n))] for n in degrees]))


parzen()
importances()
student()
convergence()
