"""What a race starts from: the safetensors file that our side wrote, read with NumPy alone."""

import json

import numpy as np

DTYPES = {"F32": np.float32, "I64": np.int64}


def read_start(path):
    """The row (`model`, `options`, `batch`, `chunk`), the parameters and the inputs by name, and the labels `[chunk, batch]`."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    row = json.loads(header.pop("__metadata__")["row"])
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start:end], DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    under = lambda prefix: {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
    return row, under("parameter/"), under("input/"), tensors["target"].argmax(-1)
