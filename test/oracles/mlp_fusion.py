"""Makes models/mlp-fusion/test/fixtures/forward.json: logits of small mlp-fusion models by PyTorch in float64.

The layers are torch.nn.Linear; pooling and fusion go row by row over the steps and modalities that are there, so that no formula is shared with the family: the low-rank tensor is contracted
as the whole tensor that it stands for, attention is torch.nn.functional.scaled_dot_product_attention over the modalities that may be attended to.
Run with torch and numpy: python test/oracles/mlp_fusion.py
"""

import json
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
f4 = lambda x: np.asarray(x).astype("f4").astype("f8")
flat = lambda x: [float(f"{v:.9g}") for v in np.asarray(x, "f8").ravel()]


class Layers(torch.nn.Module):
    def __init__(self, name, widths, rng, kept):
        super().__init__()
        self.linear = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
        for i, layer in enumerate(self.linear):
            for part, value in (("weight", f4(rng.normal(0, 0.7, (layer.in_features, layer.out_features)))), ("bias", f4(rng.normal(0, 0.3, layer.out_features)))):
                kept.append((f"{name}.{i}.{part}", list(value.shape), value))
                getattr(layer, part).data = torch.tensor(value.T.copy())  # torch keeps [outputs, inputs]

    def forward(self, h):
        for i, layer in enumerate(self.linear):
            h = layer(torch.relu(h) if i > 0 else h)
        return h


def statistics(x, mask):
    """Mean, last, largest and least value of each feature over the steps that are there, row by row."""
    pooled = []
    for values, there in zip(x, mask):
        s = values[there > 0]
        pooled.append(np.concatenate([s.mean(0), s[-1], s.max(0), s.min(0)]) if len(s) else np.zeros(4 * x.shape[2]))
    return torch.tensor(np.stack(pooled))


def fuse(fusion, config, names, weighted, weights, outputs, rng, kept):
    """Logits of weighted embeddings, one [rows, hidden] a modality."""
    hidden, head_layers, count, rows = config["hidden"], config["head_layers"], len(names), len(weighted[0])

    def matrix(name, *shape):
        value = f4(rng.normal(0, 0.7, shape))
        kept.append((name, list(shape), value))
        return torch.tensor(value)

    head = lambda width, name="head": Layers(name, [width] + [hidden] * (head_layers - 1) + [outputs], rng, kept)
    x = [torch.relu(e) for e in weighted]
    if fusion == "concatenation":
        return head(hidden * count)(torch.relu(torch.cat(weighted, 1)))
    if fusion == "late-average":
        heads = [head(hidden, f"encoder.{name}.head") for name in names]
        logits = []
        for i in range(rows):
            there = [m for m in range(count) if weights[m][i, 0] > 0]
            said = sum(weights[m][i, 0] * heads[m](torch.relu(weighted[m][i] / weights[m][i, 0])) for m in there)
            logits.append(said / sum(weights[m][i, 0] for m in there) if there else torch.zeros(outputs))
        return torch.stack(logits)
    if fusion == "gated":
        values = [matrix(f"encoder.{name}.value", hidden, hidden) for name in names]
        gate = matrix("gate", count * hidden, count * hidden)
        h = sum(torch.sigmoid(torch.cat(x, 1) @ gate[:, m * hidden : (m + 1) * hidden]) * torch.tanh(x[m] @ values[m]) for m in range(count))
        return head(hidden)(h)
    if fusion == "tensor":
        width = config["tensor_width"]
        projections = [matrix(f"encoder.{name}.projection", hidden, width) for name in names]
        ones = [torch.cat([x[m] @ projections[m], torch.ones(rows, 1)], 1) for m in range(count)]
        letters = "abcdef"[:count]
        product = torch.einsum(",".join(f"n{l}" for l in letters) + f"->n{letters}", *ones)
        return head((width + 1) ** count)(product.reshape(rows, -1))
    if fusion == "low-rank-tensor":
        rank = config["rank"]
        factors = [(matrix(f"encoder.{name}.factor.weight", hidden, rank * hidden), matrix(f"encoder.{name}.factor.bias", rank * hidden)) for name in names]
        a, b = matrix("rank.weight", rank, 1), matrix("rank.bias", hidden)
        # [hidden + 1 inputs, rank, hidden outputs] a modality, and the tensor of all
        stacked = [torch.cat([w, c[None]]).reshape(hidden + 1, rank, hidden) for w, c in factors]
        letters = "abc"[:count]
        whole = torch.einsum("r," + ",".join(f"{l}ro" for l in letters) + f"->{letters}o", a[:, 0], *stacked)
        ones = [torch.cat([v, torch.ones(rows, 1)], 1) for v in x]
        return head(hidden)(torch.einsum(",".join(f"n{l}" for l in letters) + f",{letters}o->no", *ones, whole) + b)
    if fusion == "cross-attention":
        heads = config["heads"]
        roles = [[matrix(f"encoder.{name}.{role}", hidden, hidden) for role in ("query", "key", "value")] for name in names] if count > 1 else []
        out = matrix("attention.output", hidden, hidden) if count > 1 else None
        cut = lambda tokens: tokens.reshape(-1, heads, hidden // heads).transpose(0, 1)  # [heads, tokens, hidden / heads]
        joined = []
        for i in range(rows):
            for m in range(count):
                others = [k for k in range(count) if k != m and weights[k][i, 0] > 0]
                y = x[m][i]
                if others:
                    keys, values = (torch.stack([x[k][i] @ roles[k][r] for k in others]) for r in (1, 2))
                    heard = torch.nn.functional.scaled_dot_product_attention(cut((x[m][i] @ roles[m][0])[None]), cut(keys), cut(values))
                    y = y + heard.transpose(0, 1).reshape(hidden) @ out
                joined.append(y)
        return head(hidden * count)(torch.relu(torch.stack(joined).reshape(rows, -1)))
    raise ValueError(fusion)


def case(seed, title, hidden, encoder_layers, head_layers, outputs, modalities, rows=5, **more):
    rng = np.random.default_rng(seed)
    config = {"family": "mlp-fusion", "hidden": hidden, "encoder_layers": encoder_layers, "head_layers": head_layers, **more}
    kept, inputs, embeddings, weighted = [], {}, {}, []
    pooled_by_statistics = more.get("pooling") == "statistics"
    for m, (name, shape, masked) in enumerate(modalities):
        of_statistics = pooled_by_statistics and len(shape) == 2
        encoder = Layers(f"encoder.{name}", [shape[-1] * (4 if of_statistics else 1)] + [hidden] * encoder_layers, rng, kept)
        x, w = f4(rng.normal(0, 1, (rows, *shape))), f4(rng.uniform(0, 2, (rows, 1)))
        w[1] = 0
        if more and m == 0:
            w[3] = 0  # one modality left out, beside the row that has none
        inputs[f"x.{name}"], inputs[f"w.{name}"] = x, w
        e = None if of_statistics else encoder(torch.tensor(x))
        if len(shape) == 2:
            if not of_statistics:
                score = f4(rng.normal(0, 0.7, (hidden, 1)))
                kept.append((f"encoder.{name}.score", [hidden, 1], score))
            mask = np.ones((rows, shape[0]))
            if masked:
                mask = (rng.random((rows, shape[0])) < 0.6).astype("f8")
                mask[0], mask[1] = 0, 1  # no step at all, every step
                mask[2] = np.arange(shape[0]) == 1  # one step
                inputs[f"mask.{name}"] = mask
            if of_statistics:
                e = encoder(statistics(x, mask)) * torch.tensor((mask.sum(1, keepdims=True) > 0).astype("f8"))
            else:
                h = torch.relu(e)
                pooled = []
                for i in range(rows):  # row by row over its steps alone
                    steps = torch.tensor(np.flatnonzero(mask[i]))
                    s = h[i, steps]
                    pooled.append(torch.softmax((s @ torch.tensor(score))[:, 0], 0) @ s if len(steps) else torch.zeros(hidden))
                e = torch.stack(pooled)
        embeddings[name] = e
        weighted.append(e * torch.tensor(w))
    names = [name for name, _, _ in modalities]
    logits = fuse(more.get("fusion", "concatenation"), config, names, weighted, [inputs[f"w.{name}"] for name in names], outputs, rng, kept)
    return {
        "title": title, "config": config, "outputs": outputs, "rows": rows,
        "modalities": [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in modalities],
        "parameters": [{"name": name, "shape": shape, "values": flat(value)} for name, shape, value in kept],
        "inputs": {name: {"shape": list(value.shape), "values": flat(value)} for name, value in inputs.items()},
        "embeddings": {name: flat(value.detach()) for name, value in embeddings.items()},
        "logits": flat(logits.detach()),
    }


cases = [
    case(1, "two vectors", 4, 2, 2, 3, [("a", (5,), False), ("b", (2,), False)]),
    case(2, "a vector and a sequence with masked steps", 3, 2, 2, 3, [("text", (4,), False), ("audio", (4, 3), True)]),
    case(3, "a sequence without a mask alone, one layer each", 4, 1, 1, 1, [("s", (3, 2), False)]),
    case(4, "three layers, a sequence of one step", 3, 3, 3, 2, [("one", (1, 2), True), ("v", (1,), False)]),
    case(5, "statistics of masked and of whole sequences", 3, 2, 2, 3, [("text", (4,), False), ("audio", (4, 3), True), ("whole", (3, 2), False)], pooling="statistics"),
    case(6, "statistics of a sequence of one step alone", 3, 1, 1, 1, [("one", (1, 2), True)], pooling="statistics"),
]
THREE = [("text", (4,), False), ("audio", (4, 3), True), ("v", (2,), False)]
FUSIONS = {"tensor": {"tensor_width": 2}, "low-rank-tensor": {"rank": 3}, "gated": {}, "cross-attention": {"heads": 2}, "late-average": {}}
for i, (fusion, choices) in enumerate(FUSIONS.items()):
    cases.append(case(10 + i, f"{fusion} of three modalities", 4, 2, 2, 3, THREE, fusion=fusion, **choices))
    cases.append(case(20 + i, f"{fusion} of one modality", 4, 1, 1, 2, THREE[:1], rows=4, fusion=fusion, **choices))
out = pathlib.Path(__file__).parents[2] / "models/mlp-fusion/test/fixtures/forward.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}, separators=(",", ":")) + "\n")
