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


MODELS = {
    "fusion": Fusion,
    "transformer": Transformer,
    "vit_block": VitBlock,
    "convolution": Convolution,
    "resnet": Resnet,
    "lstm": Lstm,
}
