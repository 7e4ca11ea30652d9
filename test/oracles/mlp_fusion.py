"""Makes models/mlp-fusion/test/fixtures/forward.json: logits of small mlp-fusion models by PyTorch in float64.

The layers are torch.nn.Linear and the pooling is torch.nn.functional.softmax over the steps that the mask leaves, so that no formula is shared with the family.
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


def case(seed, title, hidden, encoder_layers, head_layers, outputs, modalities, rows=5):
    rng = np.random.default_rng(seed)
    kept, inputs, embeddings, weighted = [], {}, {}, []
    for name, shape, masked in modalities:
        encoder = Layers(f"encoder.{name}", [shape[-1]] + [hidden] * encoder_layers, rng, kept)
        x, w = f4(rng.normal(0, 1, (rows, *shape))), f4(rng.uniform(0, 2, (rows, 1)))
        w[1] = 0
        inputs[f"x.{name}"], inputs[f"w.{name}"] = x, w
        e = encoder(torch.tensor(x))
        if len(shape) == 2:
            score = f4(rng.normal(0, 0.7, (hidden, 1)))
            kept.append((f"encoder.{name}.score", [hidden, 1], score))
            mask = np.ones((rows, shape[0]))
            if masked:
                mask = (rng.random((rows, shape[0])) < 0.6).astype("f8")
                mask[0], mask[1] = 0, 1  # no step at all, every step
                mask[2] = np.arange(shape[0]) == 1  # one step
                inputs[f"mask.{name}"] = mask
            h = torch.relu(e)
            pooled = []
            for i in range(rows):  # row by row over its steps alone
                steps = torch.tensor(np.flatnonzero(mask[i]))
                s = h[i, steps]
                pooled.append(torch.softmax((s @ torch.tensor(score))[:, 0], 0) @ s if len(steps) else torch.zeros(hidden))
            e = torch.stack(pooled)
        embeddings[name] = e
        weighted.append(e * torch.tensor(w))
    head = Layers("head", [hidden * len(modalities)] + [hidden] * (head_layers - 1) + [outputs], rng, kept)
    logits = head(torch.relu(torch.cat(weighted, 1)))
    return {
        "title": title, "config": {"family": "mlp-fusion", "hidden": hidden, "encoder_layers": encoder_layers, "head_layers": head_layers}, "outputs": outputs, "rows": rows,
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
]
out = pathlib.Path(__file__).parents[2] / "models/mlp-fusion/test/fixtures/forward.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}, separators=(",", ":")) + "\n")
