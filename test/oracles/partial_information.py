"""Fixture of packages/weighting: the least I_q(T; X1, X2) of distributions with given pairwise tables (BROJA), by an interior-point solver for exponential
cones, and the decomposition of known gates by dit.

    python test/oracles/partial_information.py

writes packages/weighting/test/fixtures/partial-information.json. Needs numpy, cvxpy, clarabel and dit; made with the versions that the file names.
"""

import json
import warnings
from importlib.metadata import version
from itertools import product
from pathlib import Path

import cvxpy
import dit
import numpy as np
from dit.pid import PID_BROJA

FIXTURE = Path(__file__).resolve().parents[2] / "packages" / "weighting" / "test" / "fixtures" / "partial-information.json"
MADE_WITH = {name: version(name) for name in ("numpy", "cvxpy", "clarabel", "dit")}
TIGHT = dict(tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)


def least_information(counts):
    """min Σ q ln(q / (p(t) u)), u = Σ_t q, over q with the tables of (t, a) and (t, b); in nats."""
    joint = counts / counts.sum()
    joint = joint[joint.sum((1, 2)) > 0]
    q = [cvxpy.Variable(joint.shape[1:], nonneg=True) for _ in joint]
    u = sum(q)
    objective = sum(cvxpy.sum(cvxpy.rel_entr(one, u * p.sum())) for one, p in zip(q, joint))
    tables = [cvxpy.sum(one, axis=axis) == p.sum(axis) for one, p in zip(q, joint) for axis in (0, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops short of 1e-11, which the tolerance of the test allows for
        return float(cvxpy.Problem(cvxpy.Minimize(objective), tables).solve(solver=cvxpy.CLARABEL, **TIGHT))


def predicted(rng, shape, rows, accuracy, copied):
    """Counts of (label, prediction of one model, prediction of another that copies the first now and then)."""
    targets, first, second = shape
    t = rng.integers(0, targets, rows)
    a = np.where(rng.random(rows) < accuracy[0], t % first, rng.integers(0, first, rows))
    b = np.where(rng.random(rows) < accuracy[1], t % second, rng.integers(0, second, rows))
    b = np.where(rng.random(rows) < copied, a % second, b)
    counts = np.zeros(shape, int)
    np.add.at(counts, (t, a, b), 1)
    return counts


def gate(function):
    inputs = list(product("01", repeat=2))
    outcomes = [a + b + function(a, b) for a, b in inputs]
    pid = PID_BROJA(dit.Distribution(outcomes, [1 / len(outcomes)] * len(outcomes)), [[0], [1]], [2])
    return dict(redundant=pid[((0,), (1,))], unique=[pid[((0,),)], pid[((1,),)]], synergistic=pid[((0, 1),)])


rng = np.random.default_rng(1)
settings = [
    ((2, 2, 2), 100, (0.8, 0.7), 0.2),
    ((2, 3, 2), 50, (0.8, 0.7), 0.2),
    ((3, 3, 3), 200, (0.7, 0.6), 0.3),
    ((3, 3, 3), 3000, (0.5, 0.5), 0.5),
    ((5, 5, 5), 400, (0.6, 0.8), 0.1),
    ((10, 10, 10), 1000, (0.9, 0.8), 0.1),
    ((10, 10, 10), 400, (0.95, 0.97), 0.2),
    ((3, 6, 3), 300, (0.28, 0.67), 0.78),
]
tables = [predicted(rng, *setting) for setting in settings]
tables += [rng.dirichlet(np.full(np.prod(shape), 0.5)).reshape(shape).round(5) for shape in [(2, 2, 2), (3, 2, 4), (4, 4, 4), (8, 6, 5)]]
random = [dict(shape=table.shape, counts=table.ravel().tolist(), least=least_information(table)) for table in tables]
gates = {
    "and": gate(lambda a, b: str(int(a) & int(b))),
    "xor": gate(lambda a, b: str(int(a) ^ int(b))),
    "sum": gate(lambda a, b: str(int(a) + int(b))),
    "copy": gate(lambda a, b: str(2 * int(a) + int(b))),
    "unique": gate(lambda a, b: a),
}
FIXTURE.write_text(json.dumps({"madeWith": MADE_WITH, "random": random, "gatesInBits": gates}) + "\n")
