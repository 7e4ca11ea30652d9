"""Makes packages/trainer/test/fixtures/fuse-moe.json: a small fuse-moe model, the peer of fuse_moe.py, trained by PyTorch in float64 for 100 steps without dropout or noise.

A choice of experts that is nearly undecided may fall otherwise in float32, and a loss that leaps blows up any rounding; from there on two runs are not the same. The seed is
one without either: `margin` tells how near a choice came. Run with torch and numpy: python test/oracles/fuse_moe_training.py
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

from fuse_moe import DEFAULTS, Peer, f4, flat

ROWS, BATCH, STEPS, RATE, MOMENTUM = 12, 4, 100, 0.004, 0.9
MODALITIES = [("series", (3, 3), True), ("vector", (3,), False)]
CONFIG = {**DEFAULTS, "time_columns": {"series": 1}, "experts": 9, "top_k": 2, "noisy": False, "balance": 0.1, "dropout": 0}


def trained(seed):
    rng = np.random.default_rng(seed)
    peer = Peer(CONFIG, MODALITIES, 1, rng)
    initial = {name: flat(value.detach()) for name, value in peer.p.items()}
    x = {name: f4(rng.normal(0, 1, (ROWS, *shape))) for name, shape, _ in MODALITIES}
    mask = (rng.random((ROWS, 3)) < 0.7).astype("f8")
    mask[0] = 0
    w = f4(rng.uniform(0.2, 1.8, (ROWS, 2)))
    w[:, 0] *= mask.max(1)
    w[3, 1] = 0
    y = rng.integers(0, 2, ROWS).astype("f8")
    # not Adam: the bias of a key has no gradient but for rounding, which Adam would blow up
    optimizer = torch.optim.SGD(peer.p.values(), RATE, momentum=MOMENTUM)
    losses = []
    for step in range(STEPS):
        rows = np.arange(step * BATCH, (step + 1) * BATCH) % ROWS
        for value in peer.p.values():
            value.grad = torch.zeros_like(value)  # none at all, and the momentum of an expert without a token would stand still
        said = peer.forward({name: torch.tensor(v[rows]) for name, v in x.items()}, {"series": torch.tensor(mask[rows])}, torch.tensor(w[rows]))
        loss = F.binary_cross_entropy_with_logits(said["logits"][:, 0], torch.tensor(y[rows])) + said["auxiliary"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return {
        "config": CONFIG, "rows": ROWS, "batch": BATCH, "steps": STEPS, "learning_rate": RATE, "momentum": MOMENTUM, "margin": peer.margin,
        "modalities": [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in MODALITIES],
        "x": {name: flat(v) for name, v in x.items()}, "mask": flat(mask), "weights": flat(w), "y": flat(y),
        "initial": initial, "losses": flat(losses), "final": {name: flat(value.detach()) for name, value in peer.p.items()},
    }


if __name__ == "__main__":
    fixture = trained(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    print("margin", fixture["margin"], "losses", fixture["losses"][:: STEPS // 5])
    out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/fuse-moe.json"
    out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, **fixture}, separators=(",", ":")) + "\n")
