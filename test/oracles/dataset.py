"""Makes test/oracles/dataset: arrays as NumPy itself writes them, for the reader of packages/dataset. Needs numpy."""

import hashlib
import json
from pathlib import Path

import numpy as np

here = Path(__file__).parent / "dataset"
here.mkdir(exist_ok=True)
random = np.random.default_rng(20250818)

# Halves between 0 and 8 are exact in every type but the integers, which take the whole ones.
halves = random.integers(0, 16, size=(6, 3)) / 2
whole = random.integers(0, 8, size=(6, 3))
sequence = random.integers(0, 16, size=(6, 4, 3)) / 2

np.save(here / "f2.npy", halves.astype("<f2"))
np.save(here / "f4.npy", halves.astype("<f4"))
np.save(here / "f8.npy", halves.astype("<f8"))
np.save(here / "f4_big_endian.npy", halves.astype(">f4"))
np.save(here / "f8_big_endian.npy", halves.astype(">f8"))
np.save(here / "f4_fortran.npy", np.asfortranarray(halves.astype("<f4")))
np.save(here / "f4_fortran_sequence.npy", np.asfortranarray(sequence.astype("<f4")))
np.save(here / "f2_fortran_big_endian.npy", np.asfortranarray(halves.astype(">f2")))
for name in ("i1", "u1", "i2", "i4", "i8"):
    np.save(here / f"{name}.npy", whole.astype(name))
np.save(here / "b1.npy", np.array([True, False, True, True, False, True]))
np.save(here / "structured.npy", np.zeros(6, dtype=[("a", "<f4"), ("b", "<i4")]))
with open(here / "f4_version_2.npy", "wb") as file:
    np.lib.format.write_array(file, halves.astype("<f4"), version=(2, 0))

# Every finite float16 in the order of its bits, as float32, to hold the conversion against NumPy's.
bits = np.arange(65536, dtype=np.uint16).view(np.float16)
converted = bits[np.isfinite(bits)].astype("<f4")

labels = np.array([0, 1, 0, 1, 1, 0])
arrays = {"train_x": halves.astype("f4"), "train_labels": labels, "test_x": halves.astype("f4"), "test_labels": labels}
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "deflated.npz", **arrays)

expected = {
    "halves": halves.ravel().tolist(),
    "whole": whole.ravel().tolist(),
    "sequence": sequence.ravel().tolist(),
    "finite_float16_as_float32_sha256": hashlib.sha256(converted.tobytes()).hexdigest(),
}
(here / "expected.json").write_text(json.dumps(expected) + "\n")
