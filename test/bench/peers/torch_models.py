"""The models of the bench in PyTorch, as one writes them there. Each has `load(parameters)`, which takes the numbers of ours by their names, and `forward(inputs)`,
which takes the inputs of one step by name and gives logits, or logits and a loss that is added."""

import torch
from torch import nn
from torch.nn import functional as F


def put(parameter, values, transposed=False):
    """Copies numbers of ours into a parameter."""
    values = torch.from_numpy(values)
    with torch.no_grad():
        parameter.copy_((values.t() if transposed else values).reshape(parameter.shape))


def put_linear(layer, parameters, name, transposed=True):
    """Weights of built-in families lie as `[inputs, outputs]`, those of custom graphs as torch.nn.Linear has them."""
    put(layer.weight, parameters[f"{name}.weight"], transposed)
    put(layer.bias, parameters[f"{name}.bias"])


def put_norm(layer, parameters, name):
    put_linear(layer, parameters, name, transposed=False)


def linear_like(parameters, name):
    """A linear layer of a built-in family, with its numbers."""
    layer = nn.Linear(*parameters[f"{name}.weight"].shape)
    put_linear(layer, parameters, name)
    return layer


def norm_like(parameters, name):
    layer = nn.LayerNorm(parameters[f"{name}.weight"].shape[0])
    put_norm(layer, parameters, name)
    return layer


class Fusion(nn.Module):
    """mlp-fusion: an encoder per modality, the embeddings side by side, a head."""

    def __init__(self, options):
        super().__init__()
        self.modalities = options["modalities"]

    def load(self, p):
        encoder = lambda m: nn.Sequential(linear_like(p, f"encoder.{m}.0"), nn.ReLU(), linear_like(p, f"encoder.{m}.1"))
        self.encoders = nn.ModuleList(encoder(m) for m in self.modalities)
        self.head = nn.Sequential(nn.ReLU(), linear_like(p, "head.0"), nn.ReLU(), linear_like(p, "head.1"))

    def forward(self, x):
        return self.head(torch.cat([encoder(x[m]) for m, encoder in zip(self.modalities, self.encoders)], 1))


class Attention(nn.Module):
    """Multi-head attention as torch.nn.functional has it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        batch, tokens, width = x.shape
        return x.view(batch, tokens, self.heads, width // self.heads).transpose(1, 2)

    def forward(self, queries, keys):
        q, k, v = self.split(self.query(queries)), self.split(self.key(keys)), self.split(self.value(keys))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(queries.shape))

    def load(self, p, name, output, transposed):
        for layer, part in [(self.query, "query"), (self.key, "key"), (self.value, "value"), (self.out, output)]:
            put_linear(layer, p, f"{name}.{part}", transposed)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))

    def load(self, p, prefix, transposed):
        put_linear(self.up, p, f"{prefix}up", transposed)
        put_linear(self.down, p, f"{prefix}down", transposed)


class Layer(nn.Module):
    """An encoder layer that normalises after each part."""

    def __init__(self, width, heads):
        super().__init__()
        self.attention, self.feed_forward = Attention(width, heads), FeedForward(width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        x = self.norm1(x + self.attention(x, x))
        return self.norm2(x + self.feed_forward(x))

    def load(self, p, name):
        self.attention.load(p, f"{name}.attention", "out", False)
        self.feed_forward.load(p, f"{name}.", False)
        put_norm(self.norm1, p, f"{name}.norm1")
        put_norm(self.norm2, p, f"{name}.norm2")


class Transformer(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.count, self.heads = options["layers"], options["heads"]

    def load(self, p):
        self.position = nn.Parameter(torch.from_numpy(p["position"]))
        width = self.position.shape[-1]
        self.layers = nn.Sequential(*[Layer(width, self.heads) for _ in range(self.count)])
        for i, layer in enumerate(self.layers):
            layer.load(p, f"layers.{i}")
        self.head = nn.Linear(width, len(p["head.bias"]))
        put_linear(self.head, p, "head", False)

    def forward(self, x):
        return self.head(self.layers(x["x"] + self.position).mean(1))


class VitBlock(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.heads, self.patch = options["heads"], options["patch"]

    def load(self, p):
        self.position = nn.Parameter(torch.from_numpy(p["position"]))
        width = self.position.shape[-1]
        self.patches = nn.Conv2d(3, width, self.patch, stride=self.patch)
        put_linear(self.patches, p, "patches", False)
        self.attention, self.feed_forward = Attention(width, self.heads), FeedForward(width)
        self.attention.load(p, "attention", "out", False)
        self.feed_forward.load(p, "", False)
        self.norm1, self.norm2, self.norm = (nn.LayerNorm(width) for _ in range(3))
        for name in ["norm1", "norm2", "norm"]:
            put_norm(getattr(self, name), p, name)
        self.head = nn.Linear(width, len(p["head.bias"]))
        put_linear(self.head, p, "head", False)

    def forward(self, x):
        tokens = self.patches(x["x"]).flatten(2).transpose(1, 2) + self.position
        normed = self.norm1(tokens)
        tokens = tokens + self.attention(normed, normed)
        tokens = tokens + self.feed_forward(self.norm2(tokens))
        return self.head(self.norm(tokens).mean(1))


class Convolution(nn.Module):
    def __init__(self, options):
        super().__init__()
        convolution = lambda a, b: [nn.Conv2d(a, b, 3, padding=1), nn.ReLU()]
        pool = nn.MaxPool2d(2)
        self.layers = nn.Sequential(*convolution(3, 16), pool, *convolution(16, 32), pool, *convolution(32, 64), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Linear(64, 10)

    def load(self, p):
        for i, layer in enumerate(layer for layer in self.layers if isinstance(layer, nn.Conv2d)):
            put_linear(layer, p, f"convolutions.{i}", False)
        put_linear(self.head, p, "head", False)

    def forward(self, x):
        return self.head(self.layers(x["x"]).flatten(1))


class ResidualBlock(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        norm = lambda: nn.BatchNorm2d(b, track_running_stats=False)
        self.conv1, self.norm1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), norm()
        self.conv2, self.norm2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), norm()
        self.same = a == b and stride == 1
        if not self.same:
            self.past, self.norm3 = nn.Conv2d(a, b, 1, stride, bias=False), norm()

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + (x if self.same else self.norm3(self.past(x))))

    def load(self, p, name):
        for part in ["conv1", "conv2"] + ([] if self.same else ["past"]):
            put(getattr(self, part).weight, p[f"{name}.{part}.weight"])
        for part in ["norm1", "norm2"] + ([] if self.same else ["norm3"]):
            put_norm(getattr(self, part), p, f"{name}.{part}")


class Resnet(nn.Module):
    """ResNet-18 for 32×32 images. Like ours it keeps no running statistics in a race."""

    def __init__(self, options):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64, track_running_stats=False)
        sizes = [64, 64, 128, 256, 512]
        self.stages = nn.ModuleList(
            nn.Sequential(ResidualBlock(a, b, 1 if i == 0 else 2), ResidualBlock(b, b, 1)) for i, (a, b) in enumerate(zip(sizes, sizes[1:]))
        )
        self.head = nn.Linear(512, 10)

    def load(self, p):
        put(self.stem.weight, p["stem.conv.weight"])
        put_norm(self.norm, p, "stem.norm")
        for s, stage in enumerate(self.stages):
            for i, block in enumerate(stage):
                block.load(p, f"stages.{s}.{i}")
        put_linear(self.head, p, "head", False)

    def forward(self, x):
        y = F.relu(self.norm(self.stem(x["x"])))
        for stage in self.stages:
            y = stage(y)
        return self.head(y.mean((2, 3)))


def gates(values, order, axis):
    """The parts of the gates along an axis in the order of PyTorch (input, forget, candidate, output), from another `order` of `ifco`."""
    import numpy as np

    parts = dict(zip(order, np.split(values, 4, axis)))
    return np.ascontiguousarray(np.concatenate([parts[gate] for gate in "ifco"], axis))


class Lstm(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.hidden = options["hidden"]

    def load(self, p):
        weight, recurrence = p["lstm.weight"][0], p["lstm.recurrence"][0]
        self.lstm = nn.LSTM(weight.shape[1], self.hidden)
        put(self.lstm.weight_ih_l0, gates(weight, "iofc", 0))
        put(self.lstm.weight_hh_l0, gates(recurrence, "iofc", 0))
        for part, values in zip([self.lstm.bias_ih_l0, self.lstm.bias_hh_l0], p["lstm.bias"][0].reshape(2, -1)):
            put(part, gates(values, "iofc", 0))
        self.head = nn.Linear(self.hidden, len(p["head.bias"]))
        put_linear(self.head, p, "head", False)

    def forward(self, x):
        return self.head(self.lstm(x["x"])[1][0][0])


class Sequence(nn.Module):
    """An LSTM in both directions, of which the last states count. Ours has one bias a gate, so the second of PyTorch stays zero."""

    def __init__(self, p, name):
        super().__init__()
        features, hidden = p[f"{name}.forward.input"].shape[0], p[f"{name}.forward.recurrent"].shape[0]
        self.lstm = nn.LSTM(features, hidden, batch_first=True, bidirectional=True)
        for direction, suffix in [("forward", ""), ("backward", "_reverse")]:
            for part, of in [("weight_ih", "input"), ("weight_hh", "recurrent"), ("bias_ih", "bias")]:
                values = p[f"{name}.{direction}.{of}"]
                put(getattr(self.lstm, f"{part}_l0{suffix}"), gates(values.T, "ifoc", 0))
            nn.init.zeros_(getattr(self.lstm, f"bias_hh_l0{suffix}").requires_grad_(False))

    def forward(self, x):
        return torch.cat(tuple(self.lstm(x)[1][0]), 1)


class Router(nn.Module):
    """Sends each token to the experts whose vectors are nearest; gives their numbers, their shares and how unevenly the experts are used."""

    def __init__(self, p, name, chosen):
        super().__init__()
        self.chosen, self.vectors = chosen, nn.Parameter(torch.from_numpy(p[f"{name}.weight"]).t().contiguous())

    def forward(self, x):
        scores, experts = -torch.cdist(x, self.vectors), len(self.vectors)
        best, index = scores.topk(self.chosen, 1)
        use = F.one_hot(index, experts).float().mean((0, 1))
        return index, best.softmax(1), experts * (use * scores.softmax(1).mean(0)).sum()


class Experts(nn.Module):
    """A router per modality and experts that all share, in a loop over them. One without tokens gets gradients of zeros, as ours does: without any, Adam would leave its
    parameters where they are, in spite of their momentum."""

    def __init__(self, p, layer, options):
        super().__init__()
        self.routers = nn.ModuleList(Router(p, f"{layer}.router.{m}", options["top_k"]) for m in options["modalities"])
        expert = lambda name: nn.Sequential(linear_like(p, f"{name}.up"), nn.GELU(), linear_like(p, f"{name}.down"))
        self.experts = nn.ModuleList(expert(f"{layer}.expert.{e}") for e in range(options["experts"]))

    def forward(self, tokens):
        """`tokens` has `[n, width]` of each modality. Gives the outputs one below the other, and the sum of the imbalances."""
        index, shares, imbalance = zip(*(router(x) for router, x in zip(self.routers, tokens)))
        index, shares, x = torch.cat(index), torch.cat(shares), torch.cat(tokens)
        y = torch.zeros_like(x)
        for e, expert in enumerate(self.experts):
            token, turn = torch.where(index == e)
            y = y.index_add(0, token, expert(x[token]) * shares[token, turn, None])
        return y, sum(imbalance)


class MixingLayer(nn.Module):
    """A layer of mmim-moe over one token per modality, `[batch, modalities, width]`."""

    def __init__(self, p, name, options):
        super().__init__()
        width = len(p[f"{name}.norm.weight"])
        self.attention, self.feed_forward = Attention(width, 1), FeedForward(width)
        self.attention.load(p, f"{name}.attention", "output", True)
        self.feed_forward.load(p, f"{name}.feed_forward.", True)
        self.norm1, self.norm2 = norm_like(p, f"{name}.norm"), norm_like(p, f"{name}.feed_forward.norm")
        self.experts = Experts(p, name, options)

    def forward(self, x):
        h = self.norm1(x + self.attention(x, x))
        y, imbalance = self.experts(h.unbind(1))
        m = h + torch.stack(y.chunk(h.shape[1]), 1)
        return m + self.feed_forward(self.norm2(m)), imbalance


class MmimMoe(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.options = options

    def load(self, p):
        modalities = self.options["modalities"]
        projection = lambda m: nn.Sequential(linear_like(p, f"encoder.{m}.0"), nn.ReLU(), linear_like(p, f"encoder.{m}.1"))
        state = lambda m: Sequence(p, f"encoder.{m}") if f"encoder.{m}.forward.input" in p else nn.Identity()
        self.encoders = nn.ModuleList(nn.Sequential(state(m), projection(m)) for m in modalities)
        self.layers = nn.ModuleList(MixingLayer(p, f"layer.{i}", self.options) for i in range(self.options["layers"]))
        self.head = nn.Sequential(linear_like(p, "head.0"), nn.Tanh(), linear_like(p, "head.1"), nn.Tanh(), linear_like(p, "head.2"))

    def forward(self, x):
        tokens = torch.stack([encoder(x[m]) for m, encoder in zip(self.options["modalities"], self.encoders)], 1)
        total = 0
        for layer in self.layers:
            tokens, imbalance = layer(tokens)
            total = total + imbalance
        return self.head(tokens.flatten(1)), self.options["balance"] * total


def even_times(count):
    return torch.linspace(-(3**0.5), 3**0.5, count)[:, None]


class TimeAttention(nn.Module):
    """The steps `[batch, steps, features]` as seen from reference times (mTAND), `[batch, points, width]`; the steps are evenly spread."""

    def __init__(self, p, name, heads, points):
        super().__init__()
        self.heads, self.points = heads, points
        self.time, self.query, self.key, self.output = (linear_like(p, f"{name}.{part}") for part in ["time", "query", "key", "output"])

    def looks(self, count, layer):
        phases = self.time(even_times(count))
        embedded = layer(torch.cat([phases[:, :1], torch.sin(phases[:, 1:])], 1))
        return embedded.view(count, self.heads, -1).transpose(0, 1)

    def forward(self, x):
        query, key = self.looks(self.points, self.query), self.looks(x.shape[1], self.key)
        weights = torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, -1)
        averages = (weights.flatten(0, 1) @ x).view(len(x), self.heads, self.points, -1)
        return self.output(averages.transpose(1, 2).flatten(2))


class Look(nn.Module):
    """The attention of one modality with its norm."""

    def __init__(self, p, name, heads):
        super().__init__()
        self.norm = norm_like(p, f"{name}.norm")
        self.attention = Attention(len(p[f"{name}.norm.weight"]), heads)
        self.attention.load(p, name, "output", True)


class CrossLayer(nn.Module):
    """A layer of fuse-moe over the tokens of each modality, `[batch, tokens, width]`."""

    def __init__(self, p, name, options):
        super().__init__()
        modalities, heads = options["modalities"], options["heads"]
        self.own = nn.ModuleList(Look(p, f"{name}.self.{m}", heads) for m in modalities)
        self.others = nn.ModuleList(Look(p, f"{name}.cross.{m}", heads) for m in modalities)
        self.norms = nn.ModuleList(norm_like(p, f"{name}.expert_norm.{m}") for m in modalities)
        self.experts = Experts(p, name, options)

    def forward(self, streams):
        normed = [look.norm(x) for look, x in zip(self.own, streams)]
        streams = [x + look.attention(n, n) for look, x, n in zip(self.own, streams, normed)]
        normed = [look.norm(x) for look, x in zip(self.others, streams)]
        rest = lambda m: torch.cat(normed[:m] + normed[m + 1 :], 1)
        streams = [x + look.attention(normed[m], rest(m)) for m, (look, x) in enumerate(zip(self.others, streams))]
        y, imbalance = self.experts([norm(x).flatten(0, 1) for norm, x in zip(self.norms, streams)])
        parts = y.split([x.shape[0] * x.shape[1] for x in streams])
        return [x + part.view(x.shape) for x, part in zip(streams, parts)], imbalance


class FuseMoe(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.options = options

    def load(self, p):
        modalities, heads, tokens = (self.options[name] for name in ["modalities", "heads", "tokens"])

        def encoder(m):
            if f"encoder.{m}.time.weight" in p:
                return TimeAttention(p, f"encoder.{m}", heads, tokens)
            return nn.Sequential(linear_like(p, f"encoder.{m}.0"), nn.ReLU(), linear_like(p, f"encoder.{m}.1"), nn.Unflatten(1, (1, -1)))

        self.encoders = nn.ModuleList(encoder(m) for m in modalities)
        self.positions = nn.ParameterList(torch.from_numpy(p[f"position.{m}"]) for m in modalities)
        self.layers = nn.ModuleList(CrossLayer(p, f"layer.{i}", self.options) for i in range(self.options["layers"]))
        self.norms = nn.ModuleList(norm_like(p, f"norm.{m}") for m in modalities)
        self.head = nn.Sequential(linear_like(p, "head.0"), nn.ReLU(), linear_like(p, "head.1"))

    def forward(self, x):
        streams = [encoder(x[m]) + position for m, encoder, position in zip(self.options["modalities"], self.encoders, self.positions)]
        total = 0
        for layer in self.layers:
            streams, imbalance = layer(streams)
            total = total + imbalance
        pooled = torch.cat([norm(x).mean(1) for norm, x in zip(self.norms, streams)], 1)
        return self.head(pooled), self.options["balance"] * total


MODELS = {
    "fusion": Fusion,
    "transformer": Transformer,
    "vit_block": VitBlock,
    "convolution": Convolution,
    "resnet": Resnet,
    "lstm": Lstm,
    "mmim_moe": MmimMoe,
    "fuse_moe": FuseMoe,
}
