"""Judges what was trained on a table: `judge.py FILE LABEL MODEL`, a csv file with a column `split`, and the model.onnx of a job on it. Prints as JSON the figures of that model
on the rows of the test, fed raw as docs/tables.md says, those of scikit-learn's models on the same rows, and an interval of the best of these by the bootstrap."""

import json
import sys

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, mean_absolute_error, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

file, label, model = sys.argv[1:]
table = pd.read_csv(file, dtype=str, keep_default_na=False)
rows = {split: table[table["split"] == split] for split in ["train", "test"]}


def fed(rows):
    """The outputs of the model for raw rows."""
    session = onnxruntime.InferenceSession(model)
    inputs = json.loads(session.get_modelmeta().custom_metadata_map["steelyard.inputs"])
    feeds = {}
    for column in inputs["columns"]:
        cells = rows[column["column"]]
        if column["kind"] == "number":
            feeds[column["input"]] = pd.to_numeric(cells, errors="coerce").to_numpy("float64")
        elif column["kind"] == "date":
            moments = pd.to_datetime(cells, errors="coerce", dayfirst=column["day_first"], utc=True)
            feeds[column["input"]] = (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy("float64")
        else:
            feeds[column["input"]] = cells.to_numpy(object)
    return {column["column"]: column["kind"] for column in inputs["columns"]}, session.run(["prediction"], feeds)[0].ravel()


kinds, predicted = fed(rows["test"])
is_classes = predicted.dtype.kind in "iu"
classes = sorted(rows["train"][label].unique(), key=lambda text: (len(text), text))
truth = {split: some[label].to_numpy(object) if is_classes else some[label].astype(float).to_numpy() for split, some in rows.items()}
if is_classes:
    predicted = np.array(classes, object)[predicted]
METRICS = {"accuracy": accuracy_score} if is_classes else {"rmse": root_mean_squared_error, "mae": mean_absolute_error}
first = next(iter(METRICS))


def moments(frame):
    """A date as numbers: seconds, month, day, day of the week, hour."""
    columns = {}
    for name, cells in frame.items():
        moment = pd.to_datetime(cells, errors="coerce", utc=True)
        columns[name] = (moment - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
        for part in ["month", "day", "day_of_week", "hour"]:
            columns[f"{part} of {name}"] = getattr(moment.dt, part)
    return pd.DataFrame(columns)


def read(frame):
    """The columns that we use as well, as numbers where they are."""
    numbers = {name: pd.to_numeric(frame[name], errors="coerce") for name, kind in kinds.items() if kind == "number"}
    return frame[list(kinds)].assign(**numbers)


def named(kind):
    return [name for name, own in kinds.items() if own == kind]


def peer(estimator, dense):
    """The usual pipeline before an estimator."""
    numbers = make_pipeline(StandardScaler(), SimpleImputer(add_indicator=True))
    text = lambda: TfidfVectorizer(ngram_range=(1, 2), max_features=2048, sublinear_tf=True)
    steps = [
        ("numbers", "passthrough" if dense else numbers, named("number")),
        ("dates", make_pipeline(FunctionTransformer(moments), "passthrough" if dense else numbers), named("date")),
        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=not dense), named("category")),
        *[(name, text(), name) for name in named("text")],
    ]
    used = [(name, step, columns) for name, step, columns in steps if len(columns) > 0]
    return make_pipeline(ColumnTransformer(used, sparse_threshold=0 if dense else 1), estimator)


estimators = {
    "linear": (LogisticRegression(max_iter=5000) if is_classes else RidgeCV(np.logspace(-3, 3, 13)), False),
    "boosted trees": (HistGradientBoostingClassifier(random_state=1) if is_classes else HistGradientBoostingRegressor(random_state=1), True),
}
outputs = {name: peer(*how).fit(read(rows["train"]), truth["train"]).predict(read(rows["test"])) for name, how in estimators.items()}
figures = {name: {metric: of(truth["test"], output) for metric, of in METRICS.items()} for name, output in outputs.items()}
best = (max if is_classes else min)(figures, key=lambda name: figures[name][first])
random = np.random.default_rng(1)
drawn = [random.integers(0, len(predicted), len(predicted)) for _ in range(1000)]
interval = np.quantile([METRICS[first](truth["test"][some], outputs[best][some]) for some in drawn], [0.025, 0.975])
print(
    json.dumps(
        {
            "rows": {split: len(some) for split, some in rows.items()},
            "kinds": {kind: list(kinds.values()).count(kind) for kind in dict.fromkeys(kinds.values())},
            "metric": first,
            "fed": {metric: of(truth["test"], predicted) for metric, of in METRICS.items()},
            "peers": figures,
            "best": best,
            "interval": list(interval),
        }
    )
)
