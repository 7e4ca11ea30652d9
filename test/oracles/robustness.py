"""Makes packages/trainer/test/fixtures/robustness/: permutation importances of whole modalities by scikit-learn, of a model that Python's ONNX Runtime runs.

Run with numpy, scipy, scikit-learn, onnx and onnxruntime: python test/oracles/robustness.py
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import scipy
import sklearn
from onnx import TensorProto, helper, numpy_helper
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score, log_loss

ROWS = 40
WIDTHS = {"a": 3, "b": 2}
FOLDER = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/robustness"


def model():
    """A logit of two modalities, with the inputs and outputs of an exported binary model; `a` counts more, and the tanh lets the two interact."""
    f = lambda name, values: numpy_helper.from_array(np.asarray(values, "f4"), name)
    nodes = [
        helper.make_node("MatMul", ["x.a", "wa"], ["za"]),
        helper.make_node("MatMul", ["x.b", "wb"], ["zb"]),
        helper.make_node("Tanh", ["zb"], ["tb"]),
        helper.make_node("Mul", ["za", "tb"], ["both"]),
        helper.make_node("Sum", ["za", "zb", "both"], ["logits"]),
        helper.make_node("Neg", ["logits"], ["against"]),
        helper.make_node("Sigmoid", ["logits"], ["p1"]),
        helper.make_node("Sigmoid", ["against"], ["p0"]),
        helper.make_node("Concat", ["p0", "p1"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["prediction"], axis=1, keepdims=0),
        helper.make_node("Shape", ["x.a"], ["rows"], start=0, end=1),
        helper.make_node("Concat", ["rows", "two"], ["size"], axis=0),
        helper.make_node("Expand", ["one", "size"], ["modality_weights"]),
    ]
    value = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(
        nodes,
        "two modalities",
        [value(f"x.{name}", width) for name, width in WIDTHS.items()],
        [
            helper.make_tensor_value_info("prediction", TensorProto.INT64, ["batch"]),
            value("probabilities", 2), value("logits", 1), value("modality_weights", 2),
        ],
        [f("wa", [[1.5], [-1.0], [0.5]]), f("wb", [[0.6], [-0.4]]), f("one", [[1]]), numpy_helper.from_array(np.array([2], "i8"), "two")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def interval(drops):
    """The mean of one drop a shuffle, and its 95 % interval by Student's t."""
    low, high = scipy.stats.t.interval(0.95, len(drops) - 1, drops.mean(), scipy.stats.sem(drops))
    return {"mean": float(drops.mean()), "low": float(low), "high": float(high)}


def main():
    rng = np.random.default_rng(5)
    x = {name: rng.normal(size=(ROWS, width)).astype("f4") for name, width in WIDTHS.items()}
    FOLDER.mkdir(exist_ok=True)
    onnx.save(model(), FOLDER / "model.onnx")
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])

    def probabilities(places):
        """Of rows whose modality m is that of row `places[:, m]`: scikit-learn shuffles a column of places, and so all columns of a modality together."""
        feeds = {f"x.{name}": x[name][places[:, m].astype(int)] for m, name in enumerate(WIDTHS)}
        return session.run(["probabilities"], feeds)[0].astype("f8")

    places = np.tile(np.arange(ROWS)[:, None], (1, len(WIDTHS)))
    labels = (probabilities(places)[:, 1] + 0.25 * rng.normal(size=ROWS) > 0.5).astype(int)
    orders = {name: [] for name in WIDTHS}

    class Runs(sklearn.base.ClassifierMixin, sklearn.base.BaseEstimator):
        def fit(self, X, y):
            return self

    def score(_, shuffled, y):
        for m, name in enumerate(WIDTHS):
            if not np.array_equal(shuffled[:, m], places[:, m]):
                orders[name].append(shuffled[:, m].astype(int).tolist())
        p = probabilities(shuffled)
        return {"accuracy": accuracy_score(y, p.argmax(1)), "loss": -log_loss(y, p[:, 1])}

    found = permutation_importance(Runs(), places, labels, scoring=score, n_repeats=10, random_state=3)
    levels = np.array([0, 0.5, 1, 2])
    own, late = np.array([0.9, 0.86, 0.75, 0.61]), np.array([0.85, 0.84, 0.8, 0.7])
    area = lambda y: float(np.trapezoid(y, levels) / levels[-1])
    fixture = {
        "versions": {"sklearn": sklearn.__version__, "onnxruntime": onnxruntime.__version__, "scipy": scipy.__version__},
        "labels": labels.tolist(),
        "modalities": {name: {"shape": [WIDTHS[name]], "values": x[name].astype("f8").ravel().tolist()} for name in WIDTHS},
        "shuffled": {
            name: {
                "orders": orders[name],
                "drop": {metric: interval(found[metric].importances[m]) for metric in ("accuracy", "loss")},
            }
            for m, name in enumerate(WIDTHS)
        },
        "curves": {
            "levels": levels.tolist(), "own": own.tolist(), "late": late.tolist(),
            "relative": area(own), "effective": area(own - (late + own[0] - late[0])),
        },
    }
    (FOLDER / "expected.json").write_text(json.dumps(fixture) + "\n")


main()
