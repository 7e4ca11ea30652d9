"""The same features by pandas and scikit-learn: `ingest_peer.py FILE FOLDER` reads a csv file, fits a ColumnTransformer on its training rows, and writes the features of
each split as train.npy and test.npy (float32), and their names as names.json. Prints the largest resident size in MiB."""

import json
import resource
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

file, folder = sys.argv[1], Path(sys.argv[2])


def moments(frame):
    """Seconds since 1970, and the year."""
    return pd.DataFrame({name: value for name, values in frame.items() for name, value in [
        (name, (values - pd.Timestamp(0)).dt.total_seconds()),
        (f"year of {name}", values.dt.year.astype(float)),
    ]})


def places(frame):
    """The place of a moment in its year, month, week and day, as sine and cosine."""
    columns = {}
    for name, values in frame.items():
        moment = values.dt
        month = (moment.day - 1) / 31
        parts = {
            "year": (moment.month - 1 + month) / 12,
            "month": month,
            # Weeks are counted from a Wednesday, where the count of days of our graph begins.
            "week": (moment.day_of_week - 2) % 7 / 7,
            "day": (moment.hour * 3600 + moment.minute * 60 + moment.second) / 86400,
        }
        for part, place in parts.items():
            columns[f"sine of the {part} of {name}"] = np.sin(2 * np.pi * place)
            columns[f"cosine of the {part} of {name}"] = np.cos(2 * np.pi * place)
    return pd.DataFrame(columns)


def named(function):
    return FunctionTransformer(function, feature_names_out=lambda _, names: list(function(pd.DataFrame({n: [pd.Timestamp(0)] for n in names}))))


table = pd.read_csv(file, parse_dates=["seen"])
train, test = (table[table["split"] == split] for split in ["train", "test"])
numbers = [name for name in table if name.startswith("n") and name[1:].isdigit()]
categories = [name for name in table if name.startswith("c") and name[1:].isdigit()]
features = ColumnTransformer(
    [
        ("numbers", make_pipeline(StandardScaler(), SimpleImputer(add_indicator=True)), numbers),
        ("categories", OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=101, dtype=np.float32), categories),
        ("moments", make_pipeline(named(moments), StandardScaler()), ["seen"]),
        ("places", named(places), ["seen"]),
        ("note", TfidfVectorizer(ngram_range=(1, 2), max_features=2048, min_df=2, sublinear_tf=True, dtype=np.float32), "note"),
    ],
    sparse_threshold=1,
)
# As a sparse matrix first, in single precision: to stack dense parts would take several times the memory and be slower.
for split, matrix in [("train", features.fit_transform(train)), ("test", features.transform(test))]:
    np.save(folder / f"{split}.npy", matrix.astype(np.float32).toarray())
    np.save(folder / f"{split}_labels.npy", (table.loc[table["split"] == split, "label"] == "yes").to_numpy(np.int32))
(folder / "names.json").write_text(json.dumps(list(features.get_feature_names_out())))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
