"""Whether two made the same of a table: `agree.py OURS THEIRS`, the dataset that ingest.js wrote and the arrays of ingest_peer.py. Prints as JSON the features of each, how many
of them both have, the sampled rows, and how far the values of those differ at most; fails where rows or features differ."""

import json
import re
import sys
from pathlib import Path

import numpy as np

ours, theirs = Path(sys.argv[1]), Path(sys.argv[2])
SAMPLE = 2000


def our_name(name):
    """The name that we give to a feature of scikit-learn."""
    step, name = name.split("__", 1)
    if step == "numbers":
        return re.sub(r"^missingindicator_(.*)", r"\1 is missing", name)
    if step == "categories":
        column, value = name.split("_", 1)
        return f"{column} is another" if value == "infrequent_sklearn" else f"{column} = {value}"
    return f'note has "{name}"' if step == "note" else name


modalities = json.loads((ours / "profile.json").read_text())["modalities"]
own = {column: (modality, place) for modality, of in modalities.items() for place, column in enumerate(of["columns"])}
peers = {our_name(name): place for place, name in enumerate(json.loads((theirs / "names.json").read_text()))}
both = [name for name in own if name in peers]
# We keep a place for categories that come later; scikit-learn has one only where the rarest ones share it.
spare = [name for name in own if name.endswith(" is another") and name not in peers]
assert len(own) - len(spare) == len(peers), f"{len(own)} features, {len(spare)} of them spare, against {len(peers)}"
alone = [name for name in [*own, *peers] if name not in spare and not (name in own and name in peers)]
assert all(name.startswith("note has ") for name in alone), f"only one of the two has {alone[:5]}"
# Which of equally frequent terms come last is left to either.
assert len(alone) <= 0.2 * len(peers), f"{len(alone)} terms are those of one alone"

furthest = rows = 0
for split in ["train", "test"]:
    matrix = np.load(theirs / f"{split}.npy", mmap_mode="r")
    arrays = {modality: np.load(ours / f"{split}_{modality}.npy", mmap_mode="r") for modality in modalities}
    assert all(len(array) == len(matrix) for array in arrays.values()), f"{split}: not the same rows"
    assert np.array_equal(np.load(ours / f"{split}_labels.npy"), np.load(theirs / f"{split}_labels.npy")), f"{split}: not the same labels"
    some = np.linspace(0, len(matrix) - 1, min(SAMPLE, len(matrix))).astype(int)
    a = np.hstack([arrays[modality][some] for modality in modalities])
    b = np.asarray(matrix[some])
    columns = {name: place for place, name in enumerate(own)}
    # A term that only one knows changes the length of its rows, and so all their terms.
    known = ~np.logical_or.reduce([a[:, columns[name]] != 0 if name in columns else b[:, peers[name]] != 0 for name in alone] or [np.zeros(len(some), bool)])
    # We scale the year as the time, scikit-learn by itself.
    compared = [name for name in both if not name.startswith("year of ")]
    furthest = max(furthest, float(np.abs(a[known][:, [columns[name] for name in compared]] - b[known][:, [peers[name] for name in compared]]).max()))
    rows += int(known.sum())
assert rows >= SAMPLE // 4, f"only {rows} rows have no term that one alone knows"
assert furthest < 1e-4, f"values differ by {furthest}"
print(json.dumps({"ours": len(own), "theirs": len(peers), "both": len(both), "rows": rows, "furthest": furthest}))
