"""Makes packages/trainer/test/fixtures/tokens.json: mlp-fusion over modalities of token ids, trained by PyTorch in float64 for 60 steps of Adam.

The vectors of tokens are torch.nn.EmbeddingBag of mode "mean" over those that the mask leaves; the rest of the model is that of mlp_fusion.py.
Run with torch and numpy: python test/oracles/tokens.py
"""

import json
import pathlib

import numpy as np
import torch
from mlp_fusion import Parameters, embed, f4, flat, fuse

ROWS, BATCH, STEPS, OUTPUTS, LEARNING_RATE, WIDTH = 16, 8, 60, 3, 0.02, 5
# name, tokens of a row, how many ids there are (None for a vector of numbers), whether some are masked
MODALITIES = [("note", 6, 11, True), ("codes", 2, 5, False), ("vitals", 3, None, False)]
rng = np.random.default_rng(4)
x, mask = {}, {}
for name, size, count, masked in MODALITIES:
    x[name] = f4(rng.standard_normal((ROWS, size))) if count is None else rng.integers(0, count, (ROWS, size))
    if masked:
        mask[name] = (rng.random((ROWS, size)) < 0.6).astype("f8")
        mask[name][3], mask[name][4] = 0, 1  # no token at all, every token
        x[name] = np.where(mask[name] > 0, x[name], 0)
y = rng.integers(0, OUTPUTS, ROWS)
config = {"family": "mlp-fusion", "hidden": 4, "encoder_layers": 2, "head_layers": 2, "token_width": WIDTH}
names = [name for name, *_ in MODALITIES]
p = Parameters(np.random.default_rng(9))
tables = {name: f4(rng.standard_normal((count, WIDTH))) for name, _, count, _ in MODALITIES if count is not None}
bags = {name: torch.nn.EmbeddingBag.from_pretrained(torch.tensor(table), freeze=False, mode="mean") for name, table in tables.items()}


def vector(name, rows):
    if name not in bags:
        return torch.tensor(x[name][rows])
    there = [x[name][row][mask[name][row] > 0] if name in mask else x[name][row] for row in rows]
    offsets = np.cumsum([0] + [len(ids) for ids in there])[:-1]
    return bags[name](torch.tensor(np.concatenate(there)), torch.tensor(offsets))


def logits(rows):
    # A row without any token lacks the modality, whose weight is 0 then.
    present = [(mask[name][rows].max(1, keepdims=True) if name in mask else np.ones((len(rows), 1))) for name in names]
    w = [torch.tensor(one) for one in present]
    e = [embed(p, config, name, (WIDTH if name in bags else x[name].shape[1],), vector(name, rows), None) for name in names]
    return fuse(p, config, names, [a * b for a, b in zip(e, w)], w, OUTPUTS)


logits(np.arange(ROWS))  # makes every parameter
named = lambda: {**{name: flat(value.detach()) for name, value in p.items()}, **{f"encoder.{name}.tokens": flat(bag.weight.detach()) for name, bag in bags.items()}}
initial, losses = named(), []
optimizer = torch.optim.Adam([*p.values(), *(bag.weight for bag in bags.values())], LEARNING_RATE)
for step in range(STEPS):
    rows = np.arange(step * BATCH, (step + 1) * BATCH) % ROWS
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(logits(rows), torch.tensor(y[rows]))
    loss.backward()
    optimizer.step()
    losses.append(float(loss.detach()))

modalities = [
    {"name": name, "shape": [size], "maskedSteps": masked, **({} if count is None else {"dtype": "int32", "tokens": count})} for name, size, count, masked in MODALITIES
]
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/tokens.json"
sizes = {"rows": ROWS, "batch": BATCH, "steps": STEPS, "outputs": OUTPUTS, "learningRate": LEARNING_RATE}
data = {"x": {name: flat(v) for name, v in x.items()}, "mask": {name: flat(v) for name, v in mask.items()}, "y": y.tolist()}
kept = {"config": config, "modalities": modalities, **data, "initial": initial, "losses": flat(losses), "final": named()}
out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, **sizes, **kept}, separators=(",", ":")) + "\n")
