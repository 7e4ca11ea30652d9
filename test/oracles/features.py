"""Writes packages/features/test/fixtures/: a table, and its features by scikit-learn and pandas. `python test/oracles/features.py`, with scikit-learn and pandas."""

import json
from pathlib import Path

import numpy
import pandas
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDER = Path(__file__).parents[2] / "packages/features/test/fixtures"
random = numpy.random.default_rng(5)
ROWS, TRAIN = 120, 90
WORDS = "fever cough rash pain mild strong since monday again daughter's 39 c no yes ward".split()

table = pandas.DataFrame(
    {
        "age": random.integers(18, 95, ROWS).astype(float),
        "sodium": random.normal(140, 4, ROWS).round(2),
        "ward": random.choice(["A", "B b", "C"], ROWS),
        "note": [" ".join(random.choice(WORDS, random.integers(4, 12))) + "." for _ in range(ROWS)],
        "seen": pandas.Timestamp("1999-12-27 23:45") + pandas.to_timedelta(random.integers(0, 3_000_000, ROWS), unit="min"),
    }
)
table.loc[random.random(ROWS) < 0.1, "age"] = None
table.loc[random.random(ROWS) < 0.2, "sodium"] = None
table["split"] = ["train"] * TRAIN + ["test"] * (ROWS - TRAIN)
table["label"] = random.choice(["no", "yes"], ROWS)
train = table[:TRAIN]

numbers = ["age", "sodium"]
scaled = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler()).fit(train[numbers])
flags = table[numbers].isna().to_numpy(float)
# The imputed rows are no part of the mean and deviation here, and are there; so scale by those of what is there.
mean, deviation = train[numbers].mean(), train[numbers].std(ddof=0)
standard = ((table[numbers].fillna(mean) - mean) / deviation).to_numpy()
assert numpy.allclose(scaled.named_steps["simpleimputer"].statistics_, mean)

often = train["ward"].value_counts()
wards = sorted(often.index, key=lambda ward: (-often[ward], ward))
encoder = OneHotEncoder(categories=[wards], handle_unknown="ignore", sparse_output=False).fit(train[["ward"]])
categories = numpy.hstack([encoder.transform(table[["ward"]]), numpy.zeros((ROWS, 1))])

text = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, token_pattern=r"[\w']+").fit(train["note"])
counts = numpy.asarray((text.transform(train["note"]) > 0).sum(axis=0)).ravel()
frequency = dict(zip(text.get_feature_names_out(), counts))
terms = sorted(frequency, key=lambda term: (" " in term, -frequency[term], term))
note = text.transform(table["note"]).toarray()[:, [text.vocabulary_[term] for term in terms]]

# Ids of the first 8 words, 1 and so on by how many training rows have them, 0 for those of one row, and -1 behind the last.
words = CountVectorizer(min_df=2, binary=True, token_pattern=r"[\w']+").fit(train["note"])
rows_with = dict(zip(words.get_feature_names_out(), numpy.asarray(words.transform(train["note"]).sum(axis=0)).ravel()))
kept = sorted(rows_with, key=lambda word: (-rows_with[word], word))[:12]
ids = [[1 + kept.index(word) if word in kept else 0 for word in words.build_analyzer()(text)][:8] for text in table["note"]]
tokens = numpy.array([own + [-1] * (8 - len(own)) for own in ids])

seen = table["seen"].dt
seconds = (table["seen"] - pandas.Timestamp(0)).dt.total_seconds()
scale = seconds[:TRAIN].std(ddof=0)
year = 365.2425 * 86400
circle = lambda part: [numpy.sin(2 * numpy.pi * part), numpy.cos(2 * numpy.pi * part)]
in_month = (seen.day - 1) / 31
# 1970-01-01 was a Thursday; the week begins where the graph's count of days does.
in_week = ((table["seen"].dt.normalize() - pandas.Timestamp(0)).dt.days + 719_468 + 25 * 146_097) % 7 / 7
in_day = (seen.hour * 60 + seen.minute) / 1440
dates = numpy.stack(
    [
        (seconds - seconds[:TRAIN].mean()) / scale,
        (seen.year - (1970 + seconds[:TRAIN].mean() / year)) / scale * year,
        *circle((seen.month - 1 + in_month) / 12),
        *circle(in_month),
        *circle(in_week),
        *circle(in_day),
    ],
    axis=1,
)

FOLDER.mkdir(exist_ok=True)
table.to_csv(FOLDER / "visits.csv", index=False)
expected = {
    "terms": terms,
    "words": kept,
    "tokens": tokens,
    "numbers": numpy.hstack([standard, flags]),
    "categories": categories,
    "note": note,
    "dates": dates,
}
rounded = {name: value if isinstance(value, list) else value.round(7).tolist() for name, value in expected.items()}
(FOLDER / "expected.json").write_text(json.dumps(rounded) + "\n")
