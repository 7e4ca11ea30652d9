"""Makes packages/trainer/test/fixtures/training.json: small mlp-fusion models trained by PyTorch in float64 for 100 steps.

Run with torch and numpy: python test/oracles/training.py
"""

import json
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
ROWS, BATCH, STEPS, HIDDEN = 40, 8, 100, 6
VECTOR, SEQUENCE = 5, (4, 3)
QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def linear(generator, inputs, outputs):
    bound = inputs**-0.5
    return [
        torch.tensor(generator.uniform(-bound, bound, (inputs, outputs)).astype("f4").astype("f8"), requires_grad=True),
        torch.tensor(generator.uniform(-bound, bound, outputs).astype("f4").astype("f8"), requires_grad=True),
    ]


def parameters(generator, outputs):
    p = {}
    def add(name, inputs, width):
        p[f"{name}.weight"], p[f"{name}.bias"] = linear(generator, inputs, width)
    add("encoder.a.0", VECTOR, HIDDEN)
    add("encoder.a.1", HIDDEN, HIDDEN)
    add("encoder.b.0", SEQUENCE[1], HIDDEN)
    add("encoder.b.1", HIDDEN, HIDDEN)
    p["encoder.b.score"] = linear(generator, HIDDEN, 1)[0]
    add("head.0", 2 * HIDDEN, HIDDEN)
    add("head.1", HIDDEN, outputs)
    return p


def forward(p, a, b, mask, wa, wb):
    layer = lambda h, name: h @ p[f"{name}.weight"] + p[f"{name}.bias"]
    ea = layer(torch.relu(layer(a, "encoder.a.0")), "encoder.a.1")
    h = torch.relu(layer(torch.relu(layer(b, "encoder.b.0")), "encoder.b.1"))
    score = (h @ p["encoder.b.score"]).squeeze(-1).masked_fill(mask == 0, -1e9)
    eb = (torch.softmax(score, 1).unsqueeze(-1) * mask.unsqueeze(-1) * h).sum(1)
    joined = torch.cat([ea * wa, eb * wb], 1)
    return layer(torch.relu(layer(torch.relu(joined), "head.0")), "head.1")


def loss_of(task, logits, y, class_weights):
    if class_weights is not None:
        classes = logits if task == "multiclass" else torch.cat([torch.zeros_like(logits), logits], 1)
        return torch.nn.functional.cross_entropy(classes, y.long(), weight=torch.tensor(class_weights))
    if task == "multiclass":
        return torch.nn.functional.cross_entropy(logits, y.long())
    if task == "multilabel":
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, y)
    if task == "binary":
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], y)
    if task == "quantile":
        error = y[:, None] - logits
        return torch.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean()
    return torch.nn.functional.mse_loss(logits[:, 0], y) if task == "regression" else torch.nn.functional.l1_loss(logits[:, 0], y)


def case(seed, task, optimizer, clip, learning_rate, weight_decay, class_weights=None):
    generator = np.random.default_rng(seed)
    outputs = {"multiclass": 3, "multilabel": 4, "quantile": len(QUANTILES)}.get(task, 1)
    f4 = lambda x: x.astype("f4").astype("f8")
    a = f4(generator.standard_normal((ROWS, VECTOR)))
    b = f4(generator.standard_normal((ROWS, *SEQUENCE)))
    mask = (generator.random((ROWS, SEQUENCE[0])) < 0.7).astype("f8")
    weights = f4(generator.uniform(0.2, 1.8, (ROWS, 2)))
    y = {"multiclass": generator.integers(0, 3, ROWS), "binary": generator.integers(0, 2, ROWS)}.get(task, f4(generator.standard_normal(ROWS)))
    if task == "multilabel":
        y = (generator.random((ROWS, outputs)) < [0.5, 0.3, 0.1, 0.7]).astype("f8")
    p = parameters(generator, outputs)
    initial = {k: v.detach().numpy().ravel().tolist() for k, v in p.items()}
    kinds = {
        "sgd": lambda: torch.optim.SGD(p.values(), learning_rate, weight_decay=weight_decay),
        "momentum": lambda: torch.optim.SGD(p.values(), learning_rate, momentum=0.9, weight_decay=weight_decay),
        "adam": lambda: torch.optim.Adam(p.values(), learning_rate, weight_decay=weight_decay),
        "adamw": lambda: torch.optim.AdamW(p.values(), learning_rate, weight_decay=weight_decay),
    }
    opt = kinds[optimizer]()
    t = lambda x: torch.tensor(x)
    losses, norms = [], []
    for step in range(STEPS):
        rows = np.arange(step * BATCH, (step + 1) * BATCH) % ROWS
        opt.zero_grad()
        out = forward(p, t(a[rows]), t(b[rows]), t(mask[rows]), t(weights[rows, :1]), t(weights[rows, 1:]))
        loss = loss_of(task, out, t(y[rows].astype("f8")), class_weights)
        loss.backward()
        if clip is not None:
            norms.append(float(torch.nn.utils.clip_grad_norm_(p.values(), clip)))
        opt.step()
        losses.append(float(loss.detach()))
    flat = lambda x: np.asarray(x, "f8").ravel().tolist()
    return {
        "task": task, "optimizer": optimizer, "clip_norm": clip, "learning_rate": learning_rate, "weight_decay": weight_decay,
        **({} if class_weights is None else {"class_weights": class_weights}),
        "a": flat(a), "b": flat(b), "mask": flat(mask), "weights": flat(weights), "y": flat(y), "initial": initial,
        "losses": losses, "grad_norms": norms, "final": {k: v.detach().numpy().ravel().tolist() for k, v in p.items()},
    }


cases = [
    case(1, "multiclass", "adam", None, 1e-2, 0),
    case(2, "multiclass", "adamw", 0.5, 1e-2, 0.1),
    case(3, "binary", "sgd", None, 0.1, 0.01),
    case(4, "binary", "adam", 0.8, 1e-2, 0.05),
    case(5, "regression", "momentum", 1.0, 0.02, 0.001),
    case(6, "mae", "adam", None, 1e-2, 0),
    case(7, "multilabel", "sgd", None, 0.5, 0),
    case(8, "multilabel", "adamw", 0.3, 1e-2, 0.1),
    case(9, "multiclass", "adam", 0.5, 1e-2, 0, [0.5, 1.0, 4.0]),
    case(10, "binary", "sgd", None, 0.1, 0, [0.25, 3.0]),
    case(11, "quantile", "adam", None, 1e-2, 0),
    case(12, "quantile", "momentum", 0.5, 0.05, 0.001),
]
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/training.json"
rounded = lambda x: [rounded(v) for v in x] if isinstance(x, list) else {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else float(f"{x:.9g}") if isinstance(x, float) else x
out.write_text(json.dumps({"rows": ROWS, "batch": BATCH, "steps": STEPS, "hidden": HIDDEN, "cases": rounded(cases)}, separators=(",", ":")))
