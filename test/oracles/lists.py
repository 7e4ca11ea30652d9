"""Writes packages/features/test/fixtures/lists.parquet, a table with columns of lists, and lists.npz, the same values as NumPy arrays with offsets. `python test/oracles/lists.py`, with pyarrow."""

from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet

FOLDER = Path(__file__).parents[2] / "packages/features/test/fixtures"
random = numpy.random.default_rng(11)
ROWS, TRAIN = 90, 70


def lists(draw, most, missing):
    """A list of random length for each row; some rows have none, or an empty one."""
    rows = []
    for row in range(ROWS):
        length = int(random.integers(1, most + 1))
        rows.append(None if row % 11 == missing else [] if row % 13 == missing else draw(length))
    return rows


columns = {
    "pulse": (pyarrow.list_(pyarrow.float64()), lists(lambda n: random.normal(80, 12, n), 9, 3)),
    "wave": (pyarrow.list_(pyarrow.list_(pyarrow.float32(), 2)), lists(lambda n: random.normal(0, 1e-3, (n, 2)).astype("float32"), 5, 5)),
    "counts": (pyarrow.large_list(pyarrow.int64()), lists(lambda n: random.integers(-(2**40), 2**40, n), 4, 7)),
    "grid": (pyarrow.list_(pyarrow.list_(pyarrow.float64())), [random.normal(5, 1, (3, 4)) for _ in range(ROWS)]),
}
labels = random.integers(0, 2, ROWS).astype("int32")
plain = lambda value: value if value is None else [list(map(float, item)) if numpy.ndim(item) else item.item() for item in value]
table = pyarrow.table(
    {
        **{name: pyarrow.array([plain(row) for row in rows], type) for name, (type, rows) in columns.items()},
        "split": ["train"] * TRAIN + ["test"] * (ROWS - TRAIN),
        "label": [int(label) for label in labels],
        # The bits of the number of the row.
        "tags": [[tag for bit, tag in enumerate(["fracture", "effusion", "nodule"]) if row >> bit & 1] for row in range(ROWS)],
    }
)
# Several row groups and pages, dictionary encoding where it pays.
pyarrow.parquet.write_table(table, FOLDER / "lists.parquet", row_group_size=40, data_page_size=256, compression="zstd")

arrays = {}
for split, part in {"train": slice(0, TRAIN), "test": slice(TRAIN, ROWS)}.items():
    arrays[f"{split}_labels"] = labels[part]
    for name, (_, rows) in columns.items():
        width = 1 if name in ("pulse", "counts") else len(next(row for row in rows if row is not None and len(row))[0])
        own = [numpy.asarray([] if row is None else row, "float64").reshape(-1, width) for row in rows[part]]
        arrays[f"{split}_{name}_values"] = numpy.concatenate(own)
        arrays[f"{split}_{name}_offsets"] = numpy.cumsum([0, *(len(row) for row in own)])
numpy.savez_compressed(FOLDER / "lists.npz", **arrays)
