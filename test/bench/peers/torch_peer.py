"""PyTorch in a race: `torch_peer.py START eager|compile|graphs THREADS [DEVICE]`. Trains with fused Adam what the file START describes. Each line read from standard input runs a chunk
of steps and prints milliseconds a step, the largest resident size of the process so far in MiB, and the loss of each step."""

import resource
import sys
import time

import torch
from start import read_start
from torch import nn
from torch_models import MODELS

path, mode, threads, *more = sys.argv[1:]
device = more[0] if more else "cpu"
torch.set_num_threads(int(threads))
torch.set_num_interop_threads(1)
row, parameters, inputs, labels = read_start(path)
model = MODELS[row["model"]](row["options"])
model.load(parameters)
model.to(device)
optimizer = torch.optim.Adam([parameter for parameter in model.parameters() if parameter.requires_grad], row["rate"], fused=True)
inputs = {name: torch.from_numpy(values).to(device) for name, values in inputs.items()}
labels = torch.from_numpy(labels).to(device)
of_rows = nn.CrossEntropyLoss()


def loss_of(x, y):
    given = model(x)
    logits, more = given if isinstance(given, tuple) else (given, None)
    loss = of_rows(logits, y)
    return loss if more is None else loss + more


if mode != "eager":
    # reduce-overhead captures CUDA graphs
    loss_of = torch.compile(loss_of, mode="reduce-overhead" if mode == "graphs" else None)

losses = torch.zeros(row["chunk"], device=device)
print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    for k in range(row["chunk"]):
        if mode == "graphs":
            torch.compiler.cudagraph_mark_step_begin()
        optimizer.zero_grad()
        loss = loss_of({name: values[k] for name, values in inputs.items()}, labels[k])
        loss.backward()
        optimizer.step()
        losses[k] = loss.detach()
    if device != "cpu":
        torch.cuda.synchronize()
    milliseconds = (time.perf_counter() - started) / row["chunk"] * 1e3
    print(milliseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, *losses.tolist(), flush=True)
