"""Makes packages/layers/test/fixtures/attention.json: multi-head attention and time attention by PyTorch in float64.

Attention is torch.nn.MultiheadAttention, time attention torch's scaled_dot_product_attention over sines; both go row by row over the keys that the mask leaves, so that
no way of masking is shared with the layers. Run with torch and numpy: python test/oracles/attention.py
"""

import json
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
f4 = lambda x: np.asarray(x).astype("f4").astype("f8")
flat = lambda x: [float(f"{v:.9g}") for v in np.asarray(x, "f8").ravel()]
shaped = lambda values: {name: {"shape": list(np.shape(v)), "values": flat(v)} for name, v in values.items()}


def linear(rng, kept, name, inputs, outputs):
    kept[f"{name}.weight"], kept[f"{name}.bias"] = f4(rng.normal(0, 0.7, (inputs, outputs))), f4(rng.normal(0, 0.3, outputs))


def applied(kept, name, x):
    return torch.as_tensor(x) @ torch.tensor(kept[f"{name}.weight"]) + torch.tensor(kept[f"{name}.bias"])


def some_mask(rng, rows, keys):
    mask = (rng.random((rows, keys)) < 0.6).astype("f8")
    mask[0], mask[1] = 0, 1  # no key at all, every key
    mask[2] = np.arange(keys) == keys - 1  # one key
    return mask


def attention(seed, title, rows, queries, keys, width, heads, masked):
    rng = np.random.default_rng(seed)
    kept = {}
    for part in ("query", "key", "value", "output"):
        linear(rng, kept, f"it.{part}", width, width)
    q = f4(rng.normal(0, 1, (rows, queries, width)))
    k = q if keys is None else f4(rng.normal(0, 1, (rows, keys, width)))
    inputs = {"queries": q} if keys is None else {"queries": q, "keys": k}
    mask = np.ones(k.shape[:2])
    if masked:
        inputs["mask"] = mask = some_mask(rng, *k.shape[:2])
    peer = torch.nn.MultiheadAttention(width, heads, batch_first=True)
    peer.in_proj_weight.data = torch.cat([torch.tensor(kept[f"it.{p}.weight"].T.copy()) for p in ("query", "key", "value")])
    peer.in_proj_bias.data = torch.cat([torch.tensor(kept[f"it.{p}.bias"]) for p in ("query", "key", "value")])
    peer.out_proj.weight.data, peer.out_proj.bias.data = torch.tensor(kept["it.output.weight"].T.copy()), torch.tensor(kept["it.output.bias"])
    out = []
    for i in range(rows):
        there = np.flatnonzero(mask[i])
        own = torch.tensor(k[i : i + 1, there])
        out.append(peer(torch.tensor(q[i : i + 1]), own, own, need_weights=False)[0][0] if len(there) else torch.zeros(queries, width))
    return {"title": title, "heads": heads, "parameters": shaped(kept), "inputs": shaped(inputs), "output": flat(torch.stack(out).detach())}


def time_attention(seed, title, rows, steps, features, time_width, heads, points, width, timed, masked):
    rng = np.random.default_rng(seed)
    kept = {}
    linear(rng, kept, "it.time", 1, time_width)
    linear(rng, kept, "it.query", time_width, time_width)
    linear(rng, kept, "it.key", time_width, time_width)
    linear(rng, kept, "it.output", heads * features, width)
    x = f4(rng.normal(0, 1, (rows, steps, features)))
    even = lambda count: np.array([0.0]) if count == 1 else np.linspace(-(3**0.5), 3**0.5, count)
    inputs = {"values": x}
    times = np.broadcast_to(even(steps), (rows, steps))
    if timed:
        inputs["times"] = times = f4(np.sort(rng.normal(0, 1, (rows, steps)), axis=1))
    mask = np.ones((rows, steps))
    if masked:
        inputs["mask"] = mask = some_mask(rng, rows, steps)

    def embedded(t, layer):
        phases = applied(kept, "it.time", np.asarray(t, "f8")[:, None])
        phi = torch.cat([phases[:, :1], torch.sin(phases[:, 1:])], 1)
        return applied(kept, layer, phi).reshape(len(t), heads, time_width // heads).transpose(0, 1)

    out = []
    for i in range(rows):
        there = np.flatnonzero(mask[i])
        if len(there) == 0:
            out.append(torch.zeros(points, width))
            continue
        values = torch.tensor(x[i, there]).expand(heads, -1, -1)
        seen = torch.nn.functional.scaled_dot_product_attention(embedded(even(points), "it.query"), embedded(times[i, there], "it.key"), values)
        out.append(applied(kept, "it.output", seen.transpose(0, 1).reshape(points, heads * features)))
    return {
        "title": title, "heads": heads, "points": points, "size": {"features": features, "timeWidth": time_width, "heads": heads, "width": width},
        "parameters": shaped(kept), "inputs": shaped(inputs), "output": flat(torch.stack(out)),
    }


fixture = {
    "madeWith": {"torch": torch.__version__},
    "attention": [
        attention(1, "self attention, one head", 3, 4, None, 6, 1, False),
        attention(2, "self attention with masked keys", 4, 5, None, 6, 3, True),
        attention(3, "cross attention with masked keys", 5, 2, 4, 8, 2, True),
        attention(4, "cross attention to a single key", 3, 3, 1, 4, 4, True),
    ],
    "time": [
        time_attention(5, "irregular times, masked steps", 5, 6, 3, 8, 2, 4, 5, True, True),
        time_attention(6, "even times, no mask", 3, 5, 2, 6, 3, 2, 4, False, False),
        time_attention(7, "even times, masked steps, one reference point", 4, 4, 2, 4, 1, 1, 3, False, True),
        time_attention(8, "irregular times, no mask, a time embedding of the trend alone", 3, 3, 2, 1, 1, 3, 2, True, False),
        time_attention(9, "one step", 2, 1, 3, 4, 2, 2, 2, False, False),
    ],
}
out = pathlib.Path(__file__).parents[2] / "packages/layers/test/fixtures/attention.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
