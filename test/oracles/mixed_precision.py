"""Makes packages/trainer/test/fixtures/mixed-precision.json: small mlp-fusion models trained by PyTorch under autocast, with a GradScaler for float16.

`cases` have the losses of every step, the steps that the scaler skipped and the parameters at the end; `scales` has the scale before each step of a run of which
`overflows` are the steps with infinite gradients. What autocast computes in float32 on GPUs alone (softmax and losses) is cast here by hand.

Run with torch and numpy: python test/oracles/mixed_precision.py
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

ROWS, BATCH, STEPS, HIDDEN = 40, 8, 60, 8
VECTOR, SEQUENCE = 5, (4, 3)


def parameters(generator, outputs):
    p = {}

    def add(name, inputs, width):
        bound = inputs**-0.5
        for part, shape in (("weight", (inputs, width)), ("bias", (width,))):
            p[f"{name}.{part}"] = torch.tensor(generator.uniform(-bound, bound, shape).astype("f4"), requires_grad=True)

    add("encoder.a.0", VECTOR, HIDDEN)
    add("encoder.a.1", HIDDEN, HIDDEN)
    add("encoder.b.0", SEQUENCE[1], HIDDEN)
    add("encoder.b.1", HIDDEN, HIDDEN)
    bound = HIDDEN**-0.5
    p["encoder.b.score"] = torch.tensor(generator.uniform(-bound, bound, (HIDDEN, 1)).astype("f4"), requires_grad=True)
    add("head.0", 2 * HIDDEN, HIDDEN)
    add("head.1", HIDDEN, outputs)
    return p


def forward(p, a, b, mask, wa, wb):
    layer = lambda h, name: torch.addmm(p[f"{name}.bias"], h, p[f"{name}.weight"])
    ea = layer(torch.relu(layer(a, "encoder.a.0")), "encoder.a.1")
    h = torch.relu(layer(torch.relu(layer(b.reshape(-1, SEQUENCE[1]), "encoder.b.0")), "encoder.b.1"))
    score = (h @ p["encoder.b.score"]).float().reshape(-1, SEQUENCE[0]).masked_fill(mask == 0, -1e9)
    attention = torch.softmax(score, 1) * mask
    eb = torch.bmm(attention[:, None, :], h.reshape(-1, SEQUENCE[0], HIDDEN))[:, 0]
    joined = torch.cat([ea * wa, eb * wb], 1)
    return layer(torch.relu(layer(torch.relu(joined), "head.0")), "head.1").float()


def case(seed, precision, task, optimizer, clip, learning_rate, weight_decay=0.0, reach=1.0):
    generator = np.random.default_rng(seed)
    outputs = 3 if task == "multiclass" else 1
    a = generator.standard_normal((ROWS, VECTOR)).astype("f4")
    b = generator.standard_normal((ROWS, *SEQUENCE)).astype("f4")
    mask = (generator.random((ROWS, SEQUENCE[0])) < 0.7).astype("f4")
    mask[:, 0] = 1
    weights = generator.uniform(0.2, 1.8, (ROWS, 2)).astype("f4")
    y = generator.integers(0, 3, ROWS) if task == "multiclass" else (reach * generator.standard_normal(ROWS)).astype("f4")
    p = parameters(generator, outputs)
    initial = {k: v.detach().numpy().ravel().tolist() for k, v in p.items()}
    opt = {
        "momentum": lambda: torch.optim.SGD(p.values(), learning_rate, momentum=0.9, weight_decay=weight_decay),
        "adam": lambda: torch.optim.Adam(p.values(), learning_rate, weight_decay=weight_decay),
        "adamw": lambda: torch.optim.AdamW(p.values(), learning_rate, weight_decay=weight_decay),
    }[optimizer]()
    dtype = {"float16": torch.float16, "bfloat16": torch.bfloat16}[precision]
    scaler = torch.amp.GradScaler("cpu", enabled=precision == "float16")
    losses, skipped = [], []
    t = torch.tensor
    for step in range(STEPS):
        rows = np.arange(step * BATCH, (step + 1) * BATCH) % ROWS
        opt.zero_grad()
        with torch.autocast("cpu", dtype=dtype):
            out = forward(p, t(a[rows]), t(b[rows]), t(mask[rows]), t(weights[rows, :1]), t(weights[rows, 1:]))
        loss = F.cross_entropy(out, t(y[rows])) if task == "multiclass" else F.mse_loss(out[:, 0], t(y[rows]))
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(p.values(), clip)
        before = scaler.get_scale()
        scaler.step(opt)
        scaler.update()
        if scaler.get_scale() < before:
            skipped.append(step)
        losses.append(float(loss.detach()))
    flat = lambda x: np.asarray(x, "f8").ravel().tolist()
    return {
        "precision": precision, "task": task, "optimizer": optimizer, "clip_norm": clip, "learning_rate": learning_rate,
        "weight_decay": weight_decay, "a": flat(a), "b": flat(b), "mask": flat(mask), "weights": flat(weights), "y": flat(y),
        "initial": initial, "losses": losses, "skipped": skipped, "final": {k: v.detach().numpy().ravel().tolist() for k, v in p.items()},
    }


def scales(overflows, steps):
    """The scale before each step, of a scaler with its defaults."""
    weight = torch.zeros(1, requires_grad=True)
    opt = torch.optim.SGD([weight], 1.0)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(weight.sum())  # the scale is made when it is first used
    found = []
    for step in range(steps):
        found.append(scaler.get_scale())
        weight.grad = torch.full((1,), float("inf") if step in overflows else 1.0)
        scaler.step(opt)
        scaler.update()
    return found


def runs(values):
    """[value, how often it stands in a row]."""
    out = []
    for value in values:
        if out and out[-1][0] == value:
            out[-1][1] += 1
        else:
            out.append([value, 1])
    return out


OVERFLOWS = [0, 1, 2, 900, 2901, 2903, 7000]
cases = [
    case(1, "float16", "multiclass", "adam", None, 1e-2),
    case(2, "float16", "multiclass", "adamw", 0.5, 1e-2, 0.1),
    case(3, "float16", "regression", "momentum", 1.0, 0.02, 0.001, reach=40),
    case(4, "float16", "regression", "adam", None, 1e-2, 0, reach=40),
    case(5, "bfloat16", "multiclass", "momentum", None, 0.05),
    case(6, "bfloat16", "regression", "momentum", 1.0, 0.02, 0.001),
]
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/mixed-precision.json"
rounded = lambda x: [rounded(v) for v in x] if isinstance(x, list) else {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else float(f"{x:.9g}") if isinstance(x, float) else x
fixture = {
    "torch": torch.__version__, "rows": ROWS, "batch": BATCH, "steps": STEPS, "hidden": HIDDEN, "cases": rounded(cases),
    "scales": {"overflows": OVERFLOWS, "runs": runs(scales(OVERFLOWS, 10000))},
}
out.write_text(json.dumps(fixture, separators=(",", ":")))
for c in cases:
    print(c["precision"], c["task"], c["optimizer"], "skipped", c["skipped"], "loss", c["losses"][0], c["losses"][-1])
print(fixture["scales"])
