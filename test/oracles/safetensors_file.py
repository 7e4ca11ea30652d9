"""Makes packages/trainer/test/fixtures/tensors.safetensors by the Python package, and checks a file of ours with it.

Run with numpy and safetensors: python test/oracles/safetensors_file.py [FILE]
With FILE, a file that `encodeSafetensors` wrote, the package reads it and prints names, types, shapes and metadata.
"""

import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], "np") as file:
        print(file.metadata())
        for name in file.keys():
            print(name, file.get_tensor(name).dtype, file.get_tensor(name).shape, file.get_tensor(name).ravel()[:8].tolist())
else:
    tensors = {
        "weights": np.arange(6, dtype="f4").reshape(2, 3) / 4,
        "double": np.array([1 / 3, -1e300]),
        "scalar": np.array(2.5, "f4"),
        "empty": np.zeros((0, 4), "f4"),
        "steps": np.array([-(2**62), 7], "i8"),
        "mask": np.array([1, 0, 1], "u1"),
        "größe": np.array([-5], "i4"),
        "bits": np.array([0xFFFFFFFF], "u4"),
    }
    out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/tensors.safetensors"
    save_file(tensors, out, {"steelyard": '{"epoch": 3}'})
