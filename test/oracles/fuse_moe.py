"""A fuse-moe model in PyTorch, and with it models/fuse-moe/test/fixtures/forward.json: embeddings, logits and load balance in float64.

The peer goes row by row over the steps and the modalities that are there, and token by token through the experts; attention is torch's own. No way of masking, batching
or routing is shared with the family. Run with torch and numpy: python test/oracles/fuse_moe.py
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # small numbers of numbers
f4 = lambda x: np.asarray(x).astype("f4").astype("f8")
flat = lambda x: [float(f"{v:.9g}") for v in np.asarray(x, "f8").ravel()]


class Peer:
    """The parameters of a model, drawn by `rng` in the order of the family, and its forward pass."""

    def __init__(self, config, modalities, outputs, rng):
        self.config, self.modalities, self.p = config, modalities, {}
        self.margin = float("inf")  # the nearest that two experts came to changing places in a choice
        self.rng = rng
        width, heads, hidden = config["width"], config["heads"], config["expert_hidden"]
        names = [name for name, _, _ in modalities]
        for name, shape, _ in modalities:
            at, features = f"encoder.{name}", shape[-1]
            if len(shape) == 1:
                self.linear(f"{at}.0", features, width)
                self.linear(f"{at}.1", width, width)
            elif config["sequence_encoder"] != "mtand":
                h, gru = config["hidden"], config["sequence_encoder"] == "gru"
                gates = 3 if gru else 4
                for direction in ("forward", "backward")[: 1 + config["bidirectional"]]:
                    self.draw(f"{at}.sequence.{direction}.input", (features, gates * h), 0.5)
                    self.draw(f"{at}.sequence.{direction}.recurrent", (h, gates * h), 0.5)
                    for bias in ("bias", "recurrent_bias")[: 1 + gru]:
                        self.draw(f"{at}.sequence.{direction}.{bias}", (gates * h,), 0.3)
                self.linear(f"{at}.output", h * (1 + config["bidirectional"]), config["tokens"] * width)
            else:
                time = config["time_width"]
                values = features - (name in config["time_columns"])
                self.linear(f"{at}.time", 1, time)
                self.linear(f"{at}.query", time, time)
                self.linear(f"{at}.key", time, time)
                self.linear(f"{at}.output", heads * values, width)
        for name, shape, _ in modalities:
            self.draw(f"position.{name}", (self.tokens(shape), width), 0.5)
        for i in range(config["layers"]):
            for kind in ("self", "cross") if len(names) > 1 else ("self",):
                for name in names:
                    self.norm(f"layer.{i}.{kind}.{name}.norm", width)
                    for part in ("query", "key", "value", "output"):
                        self.linear(f"layer.{i}.{kind}.{name}.{part}", width, width)
            for name in names:
                self.norm(f"layer.{i}.expert_norm.{name}", width)
            for suffix in [".joint"] if config["router"] == "joint" else [f".{name}" for name in names]:
                self.draw(f"layer.{i}.router{suffix}.weight", (width, config["experts"]), 1)
                if config["noisy"]:
                    self.draw(f"layer.{i}.router{suffix}.noise", (width, config["experts"]), 1)
            for suffix in [f".{name}" for name in names] if config["router"] == "disjoint" else [""]:
                for e in range(config["experts"]):
                    self.linear(f"layer.{i}.expert{suffix}.{e}.up", width, hidden)
                    self.linear(f"layer.{i}.expert{suffix}.{e}.down", hidden, width)
        for name in names:
            self.norm(f"norm.{name}", width)
        self.linear("head.0", len(names) * width, width)
        self.linear("head.1", width, outputs)

    def draw(self, name, shape, deviation, mean=0.0):
        self.p[name] = torch.tensor(f4(self.rng.normal(mean, deviation, shape)), requires_grad=True)

    def linear(self, name, inputs, outputs):
        self.draw(f"{name}.weight", (inputs, outputs), inputs**-0.5)
        self.draw(f"{name}.bias", (outputs,), 0.3)

    def norm(self, name, width):
        self.draw(f"{name}.weight", (width,), 0.2, 1.0)
        self.draw(f"{name}.bias", (width,), 0.2)

    def tokens(self, shape):
        return 1 if len(shape) == 1 else self.config["tokens"]

    def apply(self, name, x):
        return x @ self.p[f"{name}.weight"] + self.p[f"{name}.bias"]

    def normed(self, name, x):
        return F.layer_norm(x, (x.shape[-1],), self.p[f"{name}.weight"], self.p[f"{name}.bias"])

    def attend(self, name, queries, keys):
        """[queries, width] over [keys, width]"""
        p, parts = self.p, ("query", "key", "value")
        out, _ = F.multi_head_attention_forward(
            queries[:, None], keys[:, None], keys[:, None], queries.shape[1], self.config["heads"],
            torch.cat([p[f"{name}.{part}.weight"].T for part in parts]), torch.cat([p[f"{name}.{part}.bias"] for part in parts]),
            None, None, False, 0.0, p[f"{name}.output.weight"].T, p[f"{name}.output.bias"], need_weights=False,
        )
        return out[:, 0]

    def time_attention(self, name, x, times):
        """The observed steps of one row, [steps, features]"""
        heads, points, time = self.config["heads"], self.config["tokens"], self.config["time_width"]

        def embedded(t, layer):
            phases = self.apply(f"{name}.time", t[:, None])
            phi = torch.cat([phases[:, :1], torch.sin(phases[:, 1:])], 1)
            return self.apply(f"{name}.{layer}", phi).reshape(len(t), heads, time // heads).transpose(0, 1)

        seen = F.scaled_dot_product_attention(embedded(even(points), "query"), embedded(times, "key"), x.expand(heads, -1, -1))
        return self.apply(f"{name}.output", seen.transpose(0, 1).reshape(points, -1))

    def recurrent(self, name, x):
        """The states of a recurrent network after the observed steps of one row, [steps, features], by the cells of torch"""
        h, gru = self.config["hidden"], self.config["sequence_encoder"] == "gru"
        order = list(range(3 * h)) if gru else [*range(2 * h), *range(3 * h, 4 * h), *range(2 * h, 3 * h)]  # torch has the gates of an LSTM as i, f, g, o
        ends = []
        for direction, steps in (("forward", x), ("backward", x.flip(0)))[: 1 + self.config["bidirectional"]]:
            part = {key: self.p[f"{name}.{direction}.{key}"] for key in ("input", "recurrent", "bias") + ("recurrent_bias",) * gru}
            arranged = {"weight_ih": part["input"].T[order], "weight_hh": part["recurrent"].T[order], "bias_ih": part["bias"][order]}
            arranged["bias_hh"] = part["recurrent_bias"] if gru else torch.zeros(4 * h)
            cell = (torch.nn.GRUCell if gru else torch.nn.LSTMCell)(x.shape[1], h)
            state = torch.zeros(1, h) if gru else (torch.zeros(1, h), torch.zeros(1, h))
            for step in steps:
                state = torch.func.functional_call(cell, arranged, (step[None], state))
            ends.append((state if gru else state[0])[0])
        return torch.cat(ends)

    def encode(self, name, shape, x, mask):
        """The tokens of one row of a modality"""
        at, width = f"encoder.{name}", self.config["width"]
        if len(shape) == 1:
            return self.apply(f"{at}.1", torch.relu(self.apply(f"{at}.0", x)))[None]
        there = torch.arange(shape[0]) if mask is None else torch.nonzero(mask)[:, 0]
        if self.config["sequence_encoder"] != "mtand":
            return self.apply(f"{at}.output", self.recurrent(f"{at}.sequence", x[there])).reshape(self.config["tokens"], width)
        if len(there) == 0:
            return torch.zeros(self.config["tokens"], width)
        column = self.config["time_columns"].get(name)
        times = even(shape[0]) if column is None else x[:, column]
        others = [i for i in range(shape[1]) if i != column]
        return self.time_attention(at, x[there][:, others], times[there])

    def choose(self, router, token):
        """The scores of a token, the experts that it goes to and its shares"""
        w, k = self.p[f"{router}.weight"], self.config["top_k"]
        gate = {"softmax": lambda: token @ w, "laplace": lambda: -torch.linalg.vector_norm(token[:, None] - w, dim=0), "gaussian": lambda: -((token[:, None] - w) ** 2).sum(0) / 2}
        scores = gate[self.config["gate"]]()
        order = torch.argsort(scores, descending=True)
        ranked = scores.detach()[order]
        if k < len(ranked):
            self.margin = min(self.margin, float(ranked[k - 1] - ranked[k]))
        return scores, order[:k], torch.softmax(scores[order[:k]], 0)

    def through(self, at, name, tokens, told):
        """The tokens of one row of a modality through the experts of a layer; `told` gathers what the routers say of each token, and is None where the modality is missing"""
        joint, own = self.config["router"] == "joint", self.config["router"] == "disjoint"
        router = f"{at}.router.{'joint' if joint else name}"
        experts = f"{at}.expert.{name}" if own else f"{at}.expert"
        out = []
        for token in tokens:
            scores, chosen, shares = self.choose(router, token)
            expert = lambda e: self.apply(f"{experts}.{e}.down", F.gelu(self.apply(f"{experts}.{e}.up", token)))
            out.append(sum(share * expert(int(e)) for e, share in zip(chosen, shares)))
            if told is not None:
                told.setdefault(f"{at.split('.')[1]}.{'joint' if joint else name}", []).append((scores, chosen))
        return torch.stack(out)

    def imbalance(self, told):
        """Switch Transformers, eq. 4, of the tokens of one router"""
        experts, k = self.config["experts"], self.config["top_k"]
        f = torch.bincount(torch.cat([chosen for _, chosen in told]), minlength=experts) / (k * len(told))
        return experts * (f * torch.stack([torch.softmax(scores, 0) for scores, _ in told]).mean(0)).sum()

    def forward(self, x, mask, w):
        """x by modality [rows, …], mask by masked modality [rows, steps], w [rows, modalities]: embeddings, logits, load balance, use of the experts"""
        names = [name for name, _, _ in self.modalities]
        rows = len(w)
        embeddings = {
            name: torch.stack([self.encode(name, shape, x[name][i], mask[name][i] if masked else None) for i in range(rows)])
            for name, shape, masked in self.modalities
        }
        told, logits, use = {}, [], {}
        for i in range(rows):
            own = {}
            stream = {name: embeddings[name][i] * w[i, m] + self.p[f"position.{name}"] for m, name in enumerate(names)}
            for layer in range(self.config["layers"]):
                at = f"layer.{layer}"
                for name in names:
                    normed = self.normed(f"{at}.self.{name}.norm", stream[name])
                    stream[name] = stream[name] + self.attend(f"{at}.self.{name}", normed, normed)
                if len(names) > 1:
                    normed = {name: self.normed(f"{at}.cross.{name}.norm", stream[name]) for name in names}
                    for name in names:
                        others = [normed[other] for m, other in enumerate(names) if other != name and w[i, m] > 0]
                        if others:
                            stream[name] = stream[name] + self.attend(f"{at}.cross.{name}", normed[name], torch.cat(others))
                for m, name in enumerate(names):
                    stream[name] = stream[name] + self.through(at, name, self.normed(f"{at}.expert_norm.{name}", stream[name]), own if w[i, m] > 0 else None)
            pooled = [self.normed(f"norm.{name}", stream[name]).mean(0) * w[i, m] for m, name in enumerate(names)]
            logits.append(self.apply("head.1", torch.relu(self.apply("head.0", torch.cat(pooled)))))
            for router, said in own.items():
                told.setdefault(router, []).extend(said)
                counts = torch.bincount(torch.cat([chosen for _, chosen in said]), minlength=self.config["experts"])
                use.setdefault(f"expert_use.{router}", torch.zeros(rows, self.config["experts"]))[i] = counts / counts.sum()
        balance = torch.stack([self.imbalance(said) for said in told.values()]).sum() * self.config["balance"]
        return {"embeddings": embeddings, "logits": torch.stack(logits), "auxiliary": balance, "statistics": use}


def even(count):
    return torch.zeros(1) if count == 1 else torch.linspace(-(3**0.5), 3**0.5, count)


DEFAULTS = {
    "family": "fuse-moe", "width": 4, "heads": 2, "layers": 2, "tokens": 2, "sequence_encoder": "mtand", "time_width": 4, "time_columns": {}, "bidirectional": True, "hidden": 3,
    "experts": 3, "top_k": 1, "expert_hidden": 3, "router": "permod", "gate": "laplace", "noisy": True, "balance": 0.5, "dropout": 0.1,
}


def case(seed, title, modalities, outputs=2, rows=5, **changes):
    rng = np.random.default_rng(seed)
    config = {**DEFAULTS, **changes}
    peer = Peer(config, modalities, outputs, rng)
    x, mask = {}, {}
    w = f4(rng.uniform(0.2, 1.8, (rows, len(modalities))))
    for m, (name, shape, masked) in enumerate(modalities):
        x[name] = f4(rng.normal(0, 1, (rows, *shape)))
        if masked:
            mask[name] = (rng.random((rows, shape[0])) < 0.6).astype("f8")
            mask[name][0], mask[name][1], mask[name][2] = 0, 1, np.arange(shape[0]) == 1
            w[0, m] = 0  # no step: a missing modality
        w[1, m] = w[1, m] if m == 0 else 0  # one modality alone
        w[2, m] = 0  # none
    said = peer.forward({name: torch.tensor(v) for name, v in x.items()}, {name: torch.tensor(v) for name, v in mask.items()}, torch.tensor(w))
    inputs = {f"x.{name}": v for name, v in x.items()} | {f"mask.{name}": v for name, v in mask.items()}
    inputs |= {f"w.{name}": w[:, m : m + 1] for m, (name, _, _) in enumerate(modalities)}
    return {
        "title": title, "config": config, "outputs": outputs, "rows": rows, "margin": peer.margin,
        "modalities": [{"name": name, "shape": list(shape), "maskedSteps": masked} for name, shape, masked in modalities],
        "parameters": [{"name": name, "shape": list(v.shape), "values": flat(v.detach())} for name, v in peer.p.items()],
        "inputs": {name: {"shape": list(v.shape), "values": flat(v)} for name, v in inputs.items()},
        "embeddings": {name: flat(v.detach()) for name, v in said["embeddings"].items()},
        "logits": flat(said["logits"].detach()), "auxiliary": float(said["auxiliary"].detach()),
        "statistics": {name: flat(v) for name, v in said["statistics"].items()},
    }


if __name__ == "__main__":
    CLINIC = [("vitals", (4, 3), True), ("static", (3,), False), ("notes", (2, 2), False)]
    cases = [
        case(1, "masked and regular sequences and a vector", CLINIC),
        case(2, "irregular times in the first, a middle and the last column", [("a", (3, 3), True), ("b", (3, 3), False), ("c", (3, 2), False)], time_columns={"a": 0, "b": 1, "c": 1}, layers=1),
        case(3, "two experts a token, one router, Gaussian gate", [("vitals", (4, 3), True), ("static", (3,), False)], router="joint", gate="gaussian", top_k=2),
        case(4, "experts of each modality, softmax gate", [("vitals", (4, 3), True), ("static", (3,), False)], router="disjoint", gate="softmax", layers=1, experts=4),
        case(5, "one sequence alone", [("vitals", (4, 3), True)], outputs=1, tokens=3, noisy=False),
        case(6, "one vector alone, every expert", [("static", (3,), False)], experts=2, top_k=2),
        case(7, "LSTM both ways", [("vitals", (4, 3), True), ("static", (3,), False), ("notes", (2, 2), False)], layers=1, sequence_encoder="lstm"),
        case(8, "GRU one way", [("vitals", (4, 3), True), ("static", (3,), False)], layers=1, sequence_encoder="gru", bidirectional=False, time_columns={"vitals": 1}),
    ]
    for one in cases:
        print(one["title"], "margin", one.pop("margin"))
    out = pathlib.Path(__file__).parents[2] / "models/fuse-moe/test/fixtures/forward.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}, separators=(",", ":")) + "\n")
