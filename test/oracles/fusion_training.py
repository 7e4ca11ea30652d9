"""Makes packages/trainer/test/fixtures/fusions.json: every fusion of mlp-fusion trained by PyTorch in float64 for 100 steps of Adam.

The models are those of mlp_fusion.py. Run with torch and numpy: python test/oracles/fusion_training.py
"""

import json
import pathlib

import numpy as np
import torch
from mlp_fusion import FUSIONS, THREE, Parameters, embed, encoder, f4, flat, fuse

ROWS, BATCH, STEPS, OUTPUTS, LEARNING_RATE = 16, 8, 100, 3, 0.01
rng = np.random.default_rng(1)
x = {name: f4(rng.standard_normal((ROWS, *shape))) for name, shape, _ in THREE}
mask = {name: (rng.random((ROWS, shape[0])) < 0.7).astype("f8") for name, shape, masked in THREE if masked}
weights = f4(rng.uniform(0.2, 1.8, (ROWS, len(THREE))) * (rng.random((ROWS, len(THREE))) < 0.8))
y = rng.integers(0, OUTPUTS, ROWS)
names = [name for name, _, _ in THREE]


def case(seed, fusion, choices):
    config = {"family": "mlp-fusion", "hidden": 4, "encoder_layers": 2, "head_layers": 2, "fusion": fusion, "pooling": "statistics", **choices}
    p = Parameters(np.random.default_rng(seed))
    for name, shape, _ in THREE:
        encoder(p, config, name, shape)

    def logits(rows):
        w = [torch.tensor(weights[rows, m : m + 1]) for m in range(len(THREE))]
        e = [embed(p, config, name, shape, torch.tensor(x[name][rows]), mask[name][rows] if name in mask else None) for name, shape, _ in THREE]
        return fuse(p, config, names, [a * b for a, b in zip(e, w)], w, OUTPUTS)

    logits(np.arange(2))  # makes every parameter
    initial = {name: flat(value.detach()) for name, value in p.items()}
    optimizer, losses = torch.optim.Adam(p.values(), LEARNING_RATE), []
    for step in range(STEPS):
        rows = np.arange(step * BATCH, (step + 1) * BATCH) % ROWS
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits(rows), torch.tensor(y[rows]))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return {"config": config, "initial": initial, "losses": flat(losses), "final": {name: flat(value.detach()) for name, value in p.items()}}


cases = [case(i, fusion, choices) for i, (fusion, choices) in enumerate({"concatenation": {}, **FUSIONS}.items())]
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/fusions.json"
data = {"x": {name: flat(v) for name, v in x.items()}, "mask": {name: flat(v) for name, v in mask.items()}, "weights": flat(weights), "y": y.tolist()}
modalities = [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in THREE]
sizes = {"rows": ROWS, "batch": BATCH, "steps": STEPS, "outputs": OUTPUTS, "learningRate": LEARNING_RATE}
out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, **sizes, "modalities": modalities, **data, "cases": cases}, separators=(",", ":")) + "\n")
