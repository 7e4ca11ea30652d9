"""Makes models/mlp-fusion/test/fixtures/forward.json: logits of small mlp-fusion models by PyTorch in float64.

The layers are torch.nn.functional.linear; pooling and fusion go row by row over the steps and modalities that are there, so that no formula is shared with the family: the low-rank tensor is
contracted as the whole tensor that it stands for, attention is scaled_dot_product_attention over the modalities that may be attended to.
Run with torch and numpy: python test/oracles/mlp_fusion.py
"""

import json
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
f4 = lambda x: np.asarray(x).astype("f4").astype("f8")
flat = lambda x: [float(f"{v:.9g}") for v in np.asarray(x, "f8").ravel()]
LETTERS = "abcdef"


class Parameters(dict):
    """Tensors by name, in order, each drawn when it is first asked for."""

    def __init__(self, rng):
        self.rng = rng

    def of(self, name, *shape, deviation=0.7):
        if name not in self:
            self[name] = torch.tensor(f4(self.rng.normal(0, deviation, shape)), requires_grad=True)
        return self[name]

    def perceptron(self, name, widths):
        layers = [(self.of(f"{name}.{i}.weight", *w), self.of(f"{name}.{i}.bias", w[1], deviation=0.3)) for i, w in enumerate(zip(widths, widths[1:]))]

        def forward(h):
            for i, (weight, bias) in enumerate(layers):
                h = torch.nn.functional.linear(torch.relu(h) if i > 0 else h, weight.T, bias)
            return h

        return forward


by_statistics = lambda config, shape: config.get("pooling") == "statistics" and len(shape) == 2


def encoder(p, config, name, shape):
    features = shape[-1] * (4 if by_statistics(config, shape) else 1)
    return p.perceptron(f"encoder.{name}", [features] + [config["hidden"]] * config["encoder_layers"])


def score(p, config, name):
    return p.of(f"encoder.{name}.score", config["hidden"], 1)


def embed(p, config, name, shape, x, mask):
    """[rows, hidden]; of a sequence row by row over its steps alone."""
    layers = encoder(p, config, name, shape)
    if len(shape) == 1:
        return layers(x)
    rows = []
    for values, there in zip(x, mask):
        s = values[there > 0]
        if len(s) == 0:
            rows.append(torch.zeros(config["hidden"]))
        elif by_statistics(config, shape):
            rows.append(layers(torch.cat([s.mean(0), s[-1], s.max(0).values, s.min(0).values])))
        else:
            h = torch.relu(layers(s))
            rows.append(torch.softmax((h @ score(p, config, name))[:, 0], 0) @ h)
    return torch.stack(rows)


def fuse(p, config, names, weighted, weights, outputs):
    """Logits of weighted embeddings, one [rows, hidden] a modality."""
    fusion = config.get("fusion", "concatenation")
    hidden, count, rows = config["hidden"], len(names), len(weighted[0])
    head = lambda width, name="head": p.perceptron(name, [width] + [hidden] * (config["head_layers"] - 1) + [outputs])
    x = [torch.relu(e) for e in weighted]
    with_one = lambda v: torch.cat([v, torch.ones(rows, 1)], 1)
    letters = LETTERS[:count]
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
        values = [p.of(f"encoder.{name}.value", hidden, hidden) for name in names]
        gates = p.of("gate", count * hidden, count * hidden).split(hidden, 1)
        return head(hidden)(sum(torch.sigmoid(torch.cat(x, 1) @ gates[m]) * torch.tanh(x[m] @ values[m]) for m in range(count)))
    if fusion == "tensor":
        width = config["tensor_width"]
        ones = [with_one(v @ p.of(f"encoder.{name}.projection", hidden, width)) for name, v in zip(names, x)]
        product = torch.einsum(",".join(f"n{l}" for l in letters) + f"->n{letters}", *ones)
        return head((width + 1) ** count)(product.reshape(rows, -1))
    if fusion == "low-rank-tensor":
        rank = config["rank"]
        factors = [(p.of(f"encoder.{name}.factor.weight", hidden, rank * hidden), p.of(f"encoder.{name}.factor.bias", rank * hidden)) for name in names]
        a, b = p.of("rank.weight", rank, 1), p.of("rank.bias", hidden)
        stacked = [torch.cat([w, c[None]]).reshape(hidden + 1, rank, hidden) for w, c in factors]  # [hidden + 1 inputs, rank, hidden outputs]
        whole = torch.einsum("r," + ",".join(f"{l}ro" for l in letters) + f"->{letters}o", a[:, 0], *stacked)
        return head(hidden)(torch.einsum(",".join(f"n{l}" for l in letters) + f",{letters}o->no", *map(with_one, x), whole) + b)
    if fusion == "cross-attention":
        heads = config["heads"]
        roles = [[p.of(f"encoder.{name}.{role}", hidden, hidden) for role in ("query", "key", "value")] for name in names] if count > 1 else []
        out = p.of("attention.output", hidden, hidden) if count > 1 else None
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
    p, inputs, embeddings, weighted = Parameters(rng), {}, {}, []
    for m, (name, shape, masked) in enumerate(modalities):
        encoder(p, config, name, shape)
        x, w = f4(rng.normal(0, 1, (rows, *shape))), f4(rng.uniform(0, 2, (rows, 1)))
        w[1] = 0
        if more and m == 0:
            w[3] = 0  # one modality left out, beside the row that has none
        inputs[f"x.{name}"], inputs[f"w.{name}"] = x, w
        mask = None
        if len(shape) == 2:
            if not by_statistics(config, shape):
                score(p, config, name)
            mask = np.ones((rows, shape[0]))
            if masked:
                mask = (rng.random((rows, shape[0])) < 0.6).astype("f8")
                mask[0], mask[1] = 0, 1  # no step at all, every step
                mask[2] = np.arange(shape[0]) == 1  # one step
                inputs[f"mask.{name}"] = mask
        embeddings[name] = embed(p, config, name, shape, torch.tensor(x), mask)
        weighted.append(embeddings[name] * torch.tensor(w))
    names = [name for name, _, _ in modalities]
    logits = fuse(p, config, names, weighted, [torch.tensor(inputs[f"w.{name}"]) for name in names], outputs)
    return {
        "title": title, "config": config, "outputs": outputs, "rows": rows,
        "modalities": [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in modalities],
        "parameters": [{"name": name, "shape": list(value.shape), "values": flat(value.detach())} for name, value in p.items()],
        "inputs": {name: {"shape": list(value.shape), "values": flat(value)} for name, value in inputs.items()},
        "embeddings": {name: flat(value.detach()) for name, value in embeddings.items()},
        "logits": flat(logits.detach()),
    }


THREE = [("text", (4,), False), ("audio", (4, 3), True), ("v", (2,), False)]
FUSIONS = {"tensor": {"tensor_width": 2}, "low-rank-tensor": {"rank": 3}, "gated": {}, "cross-attention": {"heads": 2}, "late-average": {}}


def main():
    cases = [
        case(1, "two vectors", 4, 2, 2, 3, [("a", (5,), False), ("b", (2,), False)]),
        case(2, "a vector and a sequence with masked steps", 3, 2, 2, 3, [("text", (4,), False), ("audio", (4, 3), True)]),
        case(3, "a sequence without a mask alone, one layer each", 4, 1, 1, 1, [("s", (3, 2), False)]),
        case(4, "three layers, a sequence of one step", 3, 3, 3, 2, [("one", (1, 2), True), ("v", (1,), False)]),
        case(5, "statistics of masked and of whole sequences", 3, 2, 2, 3, [("text", (4,), False), ("audio", (4, 3), True), ("whole", (3, 2), False)], pooling="statistics"),
        case(6, "statistics of a sequence of one step alone", 3, 1, 1, 1, [("one", (1, 2), True)], pooling="statistics"),
    ]
    for i, (fusion, choices) in enumerate(FUSIONS.items()):
        cases.append(case(10 + i, f"{fusion} of three modalities", 4, 2, 2, 3, THREE, fusion=fusion, **choices))
        cases.append(case(20 + i, f"{fusion} of one modality", 4, 1, 1, 2, THREE[:1], rows=4, fusion=fusion, **choices))
    out = pathlib.Path(__file__).parents[2] / "models/mlp-fusion/test/fixtures/forward.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
