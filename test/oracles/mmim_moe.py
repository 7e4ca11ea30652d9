"""Makes models/mmim-moe/test/fixtures/forward.json and packages/trainer/test/fixtures/mmim-moe.json: small mmim-moe models by PyTorch in float64.

What PyTorch has as a layer is that layer: LSTM and GRU row by row over the steps that the mask leaves, Conv1d, LayerNorm, attention, GELU, cdist; experts
are a loop in which each sees the tokens that chose it. Parameters and inputs are drawn by `Numbers`, which the tests repeat, so that files stay small.
Run with torch and numpy: python test/oracles/mmim_moe.py
"""

import itertools
import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


class Numbers:
    """The linear congruential generator of Numerical Recipes: numbers over [-1, 1) with 16 bits, which float32 holds exactly."""

    def __init__(self, seed):
        self.state = seed

    def one(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 16) / 2**15 - 1

    def tensor(self, *shape):
        return torch.tensor([self.one() for _ in range(math.prod(shape))]).reshape(shape)


DEFAULTS = {
    "family": "mmim-moe", "width": 4, "layers": 1, "block": "attention", "experts": 9, "top_k": 2, "expert_hidden": 6, "router": "permod", "gate": "laplace",
    "noisy": False, "balance": 0.3, "dropout": 0, "sequence": {"cell": "lstm", "bidirectional": True, "hidden": 3},
}


class Model:
    """Parameters by our names, in the order in which they are used, [inputs, outputs]."""

    def __init__(self, config, modalities, outputs, numbers):
        self.config, self.modalities = config, modalities
        self.p = {}
        width, hidden = config["width"], config["sequence"]["hidden"]
        names = [name for name, _, _ in modalities]

        def add(name, *shape):
            self.p[name] = numbers.tensor(*shape).requires_grad_()

        def linear(name, a, b):
            add(f"{name}.weight", a, b)
            add(f"{name}.bias", b)

        def norm(name):
            add(f"{name}.weight", width)
            add(f"{name}.bias", width)

        for name, shape, _ in modalities:
            into = shape[-1]
            if len(shape) == 2:
                gates = {"lstm": 4, "gru": 3}[config["sequence"]["cell"]] * hidden
                for direction in ["forward", "backward"][: 1 + config["sequence"]["bidirectional"]]:
                    add(f"encoder.{name}.{direction}.input", shape[-1], gates)
                    add(f"encoder.{name}.{direction}.recurrent", hidden, gates)
                    add(f"encoder.{name}.{direction}.bias", gates)
                    if config["sequence"]["cell"] == "gru":
                        add(f"encoder.{name}.{direction}.recurrent_bias", gates)
                into = hidden * (1 + config["sequence"]["bidirectional"])
            linear(f"encoder.{name}.0", into, width)
            linear(f"encoder.{name}.1", width, width)
        for i in range(config["layers"]):
            layer = f"layer.{i}"
            if config["block"] == "attention":
                for part in ["query", "key", "value", "output"]:
                    linear(f"{layer}.attention.{part}", width, width)
            else:
                linear(f"{layer}.conv", 3 * width, width)
            norm(f"{layer}.norm")
            for router in ["joint"] if config["router"] == "joint" else names:
                add(f"{layer}.router.{router}.weight", width, config["experts"])
            for experts in [f"{layer}.expert.{name}" for name in names] if config["router"] == "disjoint" else [f"{layer}.expert"]:
                for e in range(config["experts"]):
                    linear(f"{experts}.{e}.up", width, config["expert_hidden"])
                    linear(f"{experts}.{e}.down", config["expert_hidden"], width)
            norm(f"{layer}.feed_forward.norm")
            linear(f"{layer}.feed_forward.up", width, 4 * width)
            linear(f"{layer}.feed_forward.down", 4 * width, width)
        linear("head.0", width * len(modalities), width)
        linear("head.1", width, width)
        linear("head.2", width, outputs)

    def linear(self, x, name):
        return F.linear(x, self.p[f"{name}.weight"].T, self.p[f"{name}.bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p[f"{name}.weight"], self.p[f"{name}.bias"])

    def state(self, x, name):
        """The last state of PyTorch's own cell over the steps x [steps, features] of one row, in one direction."""
        hidden = self.config["sequence"]["hidden"]
        lstm = self.config["sequence"]["cell"] == "lstm"
        cell = (nn.LSTM if lstm else nn.GRU)(x.shape[1], hidden)
        # PyTorch has the gates i, f, g, o
        order = torch.cat([torch.arange(2 * hidden), torch.arange(3 * hidden, 4 * hidden), torch.arange(2 * hidden, 3 * hidden)]) if lstm else torch.arange(3 * hidden)
        weights = {
            "weight_ih_l0": self.p[f"{name}.input"].T[order],
            "weight_hh_l0": self.p[f"{name}.recurrent"].T[order],
            "bias_ih_l0": self.p[f"{name}.bias"][order],
            "bias_hh_l0": torch.zeros(4 * hidden) if lstm else self.p[f"{name}.recurrent_bias"],
        }
        last = torch.func.functional_call(cell, weights, (x,))[1]
        return (last[0] if lstm else last)[0]

    def encode(self, m, x, mask):
        name, shape, _ = self.modalities[m]
        if len(shape) == 2:
            size = self.config["sequence"]["hidden"]
            rows = []
            for i in range(len(x)):
                steps = x[i][mask[i] == 1]
                ends = []
                for direction in ["forward", "backward"][: 1 + self.config["sequence"]["bidirectional"]]:
                    walked = steps if direction == "forward" else steps.flip(0)
                    ends.append(self.state(walked, f"encoder.{name}.{direction}") if len(steps) else torch.zeros(size))
                rows.append(torch.cat(ends))
            x = torch.stack(rows)
        return self.linear(torch.relu(self.linear(x, f"encoder.{name}.0")), f"encoder.{name}.1")

    def route(self, x, name):
        w = self.p[f"{name}.weight"]
        scores = {"softmax": lambda: x @ w, "laplace": lambda: -torch.cdist(x, w.T, compute_mode="donot_use_mm_for_euclid_dist"), "gaussian": lambda: -((x[:, None] - w.T) ** 2).sum(2) / 2}[self.config["gate"]]()
        best, index = scores.topk(self.config["top_k"], 1)
        use = F.one_hot(index, self.config["experts"]).to(x.dtype).mean(1)
        imbalance = self.config["experts"] * (use.mean(0) * scores.softmax(1).mean(0)).sum()
        return index, best.softmax(1), use, imbalance

    def experts(self, x, index, shares, name):
        y = torch.zeros_like(x)
        for e in range(self.config["experts"]):
            token, turn = torch.where(index == e)
            h = self.linear(F.gelu(self.linear(x[token], f"{name}.{e}.up")), f"{name}.{e}.down")
            y = y.index_add(0, token, h * shares[token, turn, None])
        return y

    def fuse(self, embeddings):
        config = self.config
        names = [name for name, _, _ in self.modalities]
        x = torch.stack(embeddings, 1)
        uses, imbalances = {}, []
        for i in range(config["layers"]):
            layer = f"layer.{i}"
            if config["block"] == "attention":
                q, k, v = (self.linear(x, f"{layer}.attention.{part}") for part in ["query", "key", "value"])
                mixed = self.linear(F.scaled_dot_product_attention(q, k, v), f"{layer}.attention.output")
            else:
                kernel = self.p[f"{layer}.conv.weight"].reshape(3, x.shape[2], -1).permute(2, 1, 0)
                mixed = F.gelu(F.conv1d(x.transpose(1, 2), kernel, self.p[f"{layer}.conv.bias"], padding=1).transpose(1, 2))
            h = self.norm(x + mixed, f"{layer}.norm")
            if config["router"] == "joint":
                index, shares, use, imbalance = self.route(h.flatten(0, 1), f"{layer}.router.joint")
                y = self.experts(h.flatten(0, 1), index, shares, f"{layer}.expert").reshape(h.shape)
                uses[f"expert_use.{i}.joint"] = use.reshape(*h.shape[:2], -1).mean(1)
                imbalances.append(imbalance)
            else:
                parts = []
                for m, name in enumerate(names):
                    index, shares, use, imbalance = self.route(h[:, m], f"{layer}.router.{name}")
                    parts.append(self.experts(h[:, m], index, shares, f"{layer}.expert.{name}" if config["router"] == "disjoint" else f"{layer}.expert"))
                    uses[f"expert_use.{i}.{name}"] = use
                    imbalances.append(imbalance)
                y = torch.stack(parts, 1)
            m = h + y
            n = self.norm(m, f"{layer}.feed_forward.norm")
            x = m + self.linear(F.gelu(self.linear(n, f"{layer}.feed_forward.up")), f"{layer}.feed_forward.down")
        h = torch.tanh(self.linear(torch.tanh(self.linear(x.flatten(1), "head.0")), "head.1"))
        return self.linear(h, "head.2"), config["balance"] * sum(imbalances), uses

    def forward(self, inputs):
        embeddings = [self.encode(m, inputs[f"x.{name}"], inputs.get(f"mask.{name}", torch.ones(inputs[f"x.{name}"].shape[:2]))) for m, (name, _, _) in enumerate(self.modalities)]
        return embeddings, *self.fuse([e * inputs[f"w.{name}"] for e, (name, _, _) in zip(embeddings, self.modalities)])


def draw(modalities, rows, numbers):
    """By modality x, then its mask, then its weight. Row 0 of a mask has no step, row 1 all, row 2 one."""
    inputs = {}
    for name, shape, masked in modalities:
        inputs[f"x.{name}"] = numbers.tensor(rows, *shape)
        if masked:
            mask = (numbers.tensor(rows, shape[0]) > -0.2).to(torch.float64)
            mask[0], mask[1] = 0, 1
            mask[2] = torch.arange(shape[0]) == 1
            inputs[f"mask.{name}"] = mask
        inputs[f"w.{name}"] = numbers.tensor(rows, 1) + 1
        inputs[f"w.{name}"][1] = 0
    return inputs


flat = lambda x, digits=8: [float(f"{v:.{digits}g}") for v in x.detach().flatten().tolist()]


def case(seed, title, modalities, rows=6, outputs=2, **changes):
    config = {**DEFAULTS, **changes}
    numbers = Numbers(seed)
    model = Model(config, modalities, outputs, numbers)
    inputs = draw(modalities, rows, numbers)
    embeddings, logits, auxiliary, use = model.forward(inputs)
    (F.cross_entropy(logits, torch.arange(rows) % outputs) + auxiliary).backward()
    wave = lambda g: torch.cos(torch.arange(g.numel()).to(g.dtype))
    return {
        "title": title, "seed": seed, "config": config, "outputs": outputs, "rows": rows,
        "modalities": [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in modalities],
        "embeddings": [flat(e) for e in embeddings], "logits": flat(logits), "auxiliary": float(auxiliary.detach()), "use": {name: flat(u) for name, u in use.items()},
        # of each gradient the sum, the sum of its squares, and the sum times cos i
        "gradients": {name: flat(torch.stack([g.sum(), (g**2).sum(), (g.flatten() * wave(g)).sum()]), 6) for name, p in model.p.items() for g in [torch.zeros_like(p) if p.grad is None else p.grad]},
    }


VECTORS = [("a", (3,), False), ("b", (2,), False), ("c", (4,), False)]
SEQUENCES = [("text", (5, 3), True), ("audio", (4, 2), False), ("static", (2,), False)]


def cases():
    seeds = itertools.count(1)
    for router, gate, block in itertools.product(["joint", "permod", "disjoint"], ["softmax", "laplace", "gaussian"], ["attention", "conv"]):
        yield case(next(seeds), f"{router}, {gate}, {block}", VECTORS, router=router, gate=gate, block=block)
    for cell, bidirectional in itertools.product(["lstm", "gru"], [False, True]):
        sequence = {"cell": cell, "bidirectional": bidirectional, "hidden": 3}
        yield case(next(seeds), f"sequences by {'both directions of ' if bidirectional else ''}a {cell}", SEQUENCES, sequence=sequence)
    yield case(next(seeds), "two layers of one modality, a masked sequence", SEQUENCES[:1], layers=2, outputs=1 + 1)
    yield case(next(seeds), "more experts than tokens choose", VECTORS, rows=4, experts=30, top_k=1)
    for router in ["joint", "disjoint"]:
        yield case(next(seeds), f"half of the experts for every token, {router}", VECTORS, experts=4, router=router)
    yield case(next(seeds), "all experts for every token, no balance", VECTORS, experts=3, top_k=3, balance=0)


def training():
    """100 steps of Adam on 24 rows in batches of 8, in order."""
    rows, batch, steps, seed = 24, 8, 100, 77
    modalities = SEQUENCES
    config = {**DEFAULTS, "layers": 2, "balance": 0.01}
    numbers = Numbers(seed)
    model = Model(config, modalities, 3, numbers)
    inputs = draw(modalities, rows, numbers)
    y = (torch.arange(rows) * 7) % 3
    optimizer = torch.optim.Adam(model.p.values(), 0.001)
    losses = []
    for step in range(steps):
        chosen = (torch.arange(batch) + step * batch) % rows
        _, logits, auxiliary, _ = model.forward({name: value[chosen] for name, value in inputs.items()})
        loss = F.cross_entropy(logits, y[chosen]) + auxiliary
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        losses.append(float(f"{float(loss.detach()):.9g}"))
    return {
        "seed": seed, "rows": rows, "batch": batch, "steps": steps, "learning_rate": 0.001, "config": config, "outputs": 3,
        "modalities": [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in modalities],
        "losses": losses,
    }


made = list(cases())
forward = [{key: value for key, value in one.items() if key != "gradients"} for one in made]
gradients = [{key: one[key] for key in ["title", "seed", "config", "modalities", "outputs", "rows", "gradients"]} for one in made]
root = pathlib.Path(__file__).parents[2]
for path, content in [
    ("models/mmim-moe/test/fixtures/forward.json", {"madeWith": {"torch": torch.__version__}, "cases": forward}),
    ("packages/trainer/test/fixtures/mmim-moe.json", {"madeWith": {"torch": torch.__version__}, "cases": gradients, "training": training()}),
]:
    out = root / path
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(content, separators=(",", ":")) + "\n")
