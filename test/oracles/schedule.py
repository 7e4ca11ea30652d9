"""Makes packages/optim/test/fixtures/schedule.json: learning rates by PyTorch's schedulers.

Run with torch: python test/oracles/schedule.py
"""

import json
import math
import pathlib

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, ReduceLROnPlateau, SequentialLR

BASE = 0.02


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)


def rates(opt, scheduler, steps):
    """The rate that each of `steps` optimizer steps uses."""
    found = []
    for _ in range(steps):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    return found


def warmup_cosine(steps, warmup_fraction, final_fraction):
    """LambdaLR; the rate of the first step is one share of the warm-up, that of the last one the final rate."""
    warmup = math.floor(warmup_fraction * steps + 0.5)

    def factor(index):
        step = index + 1
        if step <= warmup:
            return step / warmup
        done = min(1, (step - warmup) / max(1, steps - warmup))
        return final_fraction + (1 - final_fraction) * 0.5 * (1 + math.cos(math.pi * done))

    opt = optimizer()
    return rates(opt, LambdaLR(opt, factor), steps)


def sequential(steps, warmup, final_fraction):
    """The same curve from PyTorch's own pieces: LinearLR up to the base rate at step `warmup`, then CosineAnnealingLR down to the last step."""
    opt = optimizer()
    up = LinearLR(opt, start_factor=1 / warmup, end_factor=1, total_iters=warmup - 1)
    down = CosineAnnealingLR(opt, T_max=steps - warmup, eta_min=BASE * final_fraction)
    return rates(opt, SequentialLR(opt, [up, down], milestones=[warmup - 1]), steps)


def plateau(losses, factor, patience):
    """The scale after every epoch. `eps=0`: PyTorch's default leaves out cuts of the rate by less than 1e-8, ours never."""
    opt = optimizer()
    scheduler = ReduceLROnPlateau(opt, factor=factor, patience=patience, eps=0)
    found = []
    for loss in losses:
        scheduler.step(loss)
        found.append(opt.param_groups[0]["lr"] / BASE)
    return found


def plateau_case(losses, factor, patience):
    return {"losses": losses, "factor": factor, "patience": patience, "scales": plateau(losses, factor, patience)}


wobble = [round(1 + math.sin(2.3 * i) / (1 + 0.05 * i), 6) for i in range(60)]
content = {
    "madeWith": {"torch": torch.__version__},
    "base": BASE,
    "cosine": [
        {"steps": steps, "warmup_fraction": warm, "final_fraction": final, "rates": warmup_cosine(steps, warm, final)}
        for steps, warm, final in [(50, 0.1, 0.01), (50, 0, 0), (7, 0.5, 0.1), (1, 0.1, 0), (1, 1, 0), (20, 1, 0.5)]
    ],
    "sequential": [{"steps": 40, "warmup_fraction": 0.25, "final_fraction": 0.05, "rates": sequential(40, 10, 0.05)}],
    "plateau": [
        plateau_case([1.0] * 12, 0.5, 2),
        plateau_case([1.0] * 6, 0.1, 0),
        plateau_case([1, 0.99995, 0.9998, 0.99975, 0.9997, 0.5, 0.5, 0.5, 0.5, 0.4, 0.6, 0.6, 0.6], 0.3, 1),
        plateau_case([-1, -1.00005, -0.5, -2, -2, -2, -2, -3], 0.5, 1),
        plateau_case(wobble, 0.5, 3),
    ],
}
out = pathlib.Path(__file__).parents[2] / "packages/optim/test/fixtures/schedule.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(content) + "\n")
