"""Makes test/fixtures/exports: small PyTorch models with their loss in the graph, exported by both exporters, with what autograd says of them.

A model has one `<model>.json` (batches, losses of 100 training steps in float32 and in float64) and for each export an `.onnx` file and the gradients of its
initializers, taken by autograd in float64. Which initializer is a parameter, and in what layout, is told by value: every element of every parameter is a number
that occurs once, so that transposed, stacked and reordered copies are found, and a constant is not.

Run with torch, onnx and onnxscript: python test/oracles/exports.py [model …]
"""

import base64
import contextlib
import io
import json
import logging
import math
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "exports"
STEPS, BATCHES = 100, 3
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.backends.mha.set_fastpath_enabled(False)
torch.set_num_threads(1)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3))

    def forward(self, x, label):
        logits = self.layers(x)
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def batch(r):
        return {"x": r.normal(8, 5), "label": r.integers(3, 8)}


class ResNetBlock(nn.Module):
    """Two convolutions with BatchNorm and a projected shortcut, strided."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.shortcut = nn.Sequential(nn.Conv2d(3, 4, 1, stride=2, bias=False), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 3)

    def forward(self, image, label):
        h = F.relu(self.bn1(self.conv1(image)))
        h = F.relu(self.bn2(self.conv2(h)) + self.shortcut(image))
        logits = self.head(F.adaptive_avg_pool2d(h, 1).flatten(1))
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def batch(r):
        return {"image": r.normal(6, 3, 8, 8), "label": r.integers(3, 6)}


class Tcn(nn.Module):
    """Dilated causal convolutions with residuals: pad both sides, chomp the future off."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(c, 6, 3, padding=2 * d, dilation=d) for c, d in ((3, 1), (6, 2), (6, 4)))
        self.down = nn.Conv1d(3, 6, 1)
        self.head = nn.Linear(6, 1)

    def forward(self, series, target):
        h = series
        for i, conv in enumerate(self.convs):
            chomp = conv.padding[0]
            out = F.relu(conv(h)[:, :, :-chomp])
            h = F.relu(out + (self.down(h) if i == 0 else h))
        y = self.head(h[:, :, -1])
        return F.mse_loss(y, target), y

    @staticmethod
    def batch(r):
        return {"series": r.normal(6, 3, 12), "target": r.normal(6, 1)}


class BiLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 5)
        self.lstm = nn.LSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 1)

    def forward(self, tokens, label):
        h, _ = self.lstm(self.embed(tokens))
        logit = self.head(h.mean(1)).squeeze(-1)
        return F.binary_cross_entropy_with_logits(logit, label), logit

    @staticmethod
    def batch(r):
        return {"tokens": r.integers(11, 6, 7), "label": r.integers(2, 6).float()}


class GruAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 6, batch_first=True)
        self.key = nn.Linear(6, 5)
        self.query = nn.Parameter(torch.zeros(5))
        self.head = nn.Linear(6, 3)

    def forward(self, series, label):
        h, _ = self.gru(series)
        weight = torch.softmax(torch.tanh(self.key(h)) @ self.query, dim=1)
        logits = self.head((weight.unsqueeze(-1) * h).sum(1))
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def batch(r):
        return {"series": r.normal(6, 8, 4), "label": r.integers(3, 6)}


class TransformerEncoder(nn.Module):
    """Token and learned position embeddings, two layers of torch's own encoder, a padding mask, mean of what is not padding."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(13, 8), nn.Embedding(6, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens, padding, label):
        h = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        h = self.encoder(h, src_key_padding_mask=padding)
        kept = (~padding).unsqueeze(-1).to(h.dtype)
        logits = self.head((h * kept).sum(1) / kept.sum(1))
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def batch(r):
        return {"tokens": r.integers(13, 5, 6), "padding": r.padding(5, 6), "label": r.integers(3, 5)}


class VitBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.cls = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos = nn.Parameter(torch.zeros(1, 5, 8))
        self.norm1, self.norm2, self.norm = nn.LayerNorm(8), nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.scale = nn.Parameter(torch.ones(8))
        self.head = nn.Linear(8, 3)

    def forward(self, image, label):
        h = self.patch(image).flatten(2).transpose(1, 2)
        h = torch.cat([self.cls.expand(h.shape[0], -1, -1), h], 1) + self.pos
        q, k, v = self.qkv(self.norm1(h)).reshape(h.shape[0], 5, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(h.shape)
        h = h + self.scale * self.proj(attended)
        h = h + self.mlp(self.norm2(h))
        logits = self.head(self.norm(h)[:, 0])
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def batch(r):
        return {"image": r.normal(4, 3, 8, 8), "label": r.integers(3, 4)}


class DeepSets(nn.Module):
    """Elements of all sets in one array; each names the set that it belongs to."""

    SETS = 4

    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 6))
        self.rho = nn.Sequential(nn.Linear(12, 8), nn.SiLU(), nn.Linear(8, 1))

    def forward(self, element, owner, target):
        h = self.phi(element)
        y = self.rho(torch.cat([self.pooled(h, owner), self.pooled(torch.tanh(h), owner)], 1)).squeeze(-1)
        return F.mse_loss(y, target), y

    def pooled(self, h, owner):
        return torch.zeros(self.SETS, 6, dtype=h.dtype).index_add(0, owner, h)

    @staticmethod
    def batch(r):
        return {"element": r.normal(14, 3), "owner": r.integers(4, 14), "target": r.normal(4)}


class ScatterSets(DeepSets):
    """The same by scatter_add: the TorchScript exporter knows no index_add of repeated indices."""

    def pooled(self, h, owner):
        return torch.zeros(self.SETS, 6, dtype=h.dtype).scatter_add(0, owner.unsqueeze(1).expand(-1, 6), h)


class Moe(nn.Module):
    """Top 2 of 4 experts a token, their matrices gathered."""

    def __init__(self):
        super().__init__()
        self.router = nn.Linear(6, 4, bias=False)
        self.up, self.up_bias = nn.Parameter(torch.zeros(4, 6, 8)), nn.Parameter(torch.zeros(4, 8))
        self.down = nn.Parameter(torch.zeros(4, 8, 6))
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 2)

    def forward(self, x, label):
        gate, expert = torch.topk(torch.softmax(self.router(x), -1), 2, dim=-1)
        gate = gate / gate.sum(-1, keepdim=True)
        h = F.gelu(torch.einsum("td,tkdh->tkh", x, self.up[expert]) + self.up_bias[expert])
        y = torch.einsum("tkh,tkhd->tkd", h, self.down[expert])
        logits = self.head(self.norm(x + (gate.unsqueeze(-1) * y).sum(1)))
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def batch(r):
        return {"x": r.normal(7, 6), "label": r.integers(2, 7)}


class Recommender(nn.Module):
    """Two tables of embeddings and numbers through LayerNorm and GELU, and a bias for each item."""

    def __init__(self):
        super().__init__()
        self.user, self.item, self.item_bias = nn.Embedding(9, 4), nn.Embedding(7, 4), nn.Embedding(7, 1)
        self.norm = nn.LayerNorm(11)
        self.fc1, self.fc2 = nn.Linear(11, 10), nn.Linear(10, 1)

    def forward(self, user, item, features, rating):
        h = self.norm(torch.cat([self.user(user), self.item(item), features], -1))
        score = (self.fc2(F.gelu(self.fc1(h))) + self.item_bias(item)).squeeze(-1)
        return F.mse_loss(score, rating), score

    @staticmethod
    def batch(r):
        return {"user": r.integers(9, 8), "item": r.integers(7, 8), "features": r.normal(8, 3), "rating": r.normal(8)}


class UNet(nn.Module):
    """Down by MaxPool, up once by ConvTranspose and once by Resize, with skips; a logit for each pixel."""

    def __init__(self):
        super().__init__()
        self.enter, self.mid, self.deep = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.up = nn.ConvTranspose2d(6, 6, 2, stride=2)
        self.join1, self.join2 = nn.Conv2d(12, 4, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)
        self.slope = nn.PReLU(4)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, image, mask):
        a = F.leaky_relu(self.enter(image), 0.1)
        b = F.relu(self.mid(F.max_pool2d(a, 2)))
        c = F.relu(self.deep(F.max_pool2d(b, 2)))
        h = F.relu(self.join1(torch.cat([self.up(c), b], 1)))
        h = F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
        logit = self.out(self.slope(self.join2(torch.cat([h, a], 1))))
        return F.binary_cross_entropy_with_logits(logit, mask), logit

    @staticmethod
    def batch(r):
        return {"image": r.normal(3, 2, 8, 8), "mask": r.integers(2, 3, 1, 8, 8).float()}


class GroupNormConv(nn.Module):
    """GroupNorm and SiLU before each convolution, a LayerScale on the residual, as in diffusion models and ConvNeXt."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Conv2d(2, 8, 3, padding=1)
        self.norm1, self.norm2 = nn.GroupNorm(2, 8), nn.GroupNorm(4, 8, eps=1e-6)
        self.depthwise, self.pointwise = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 8, 1)
        self.gamma = nn.Parameter(torch.ones(8, 1, 1))
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, image, target):
        h = self.enter(image)
        r = self.depthwise(F.silu(self.norm1(h)))
        h = h + self.gamma * self.pointwise(F.silu(self.norm2(r)))
        y = self.out(h)
        return (y - target).abs().mean(), y

    @staticmethod
    def batch(r):
        return {"image": r.normal(2, 2, 6, 6), "target": r.normal(2, 2, 6, 6)}


class CrossAttention(nn.Module):
    """Text asks audio: torch's MultiheadAttention over a masked second modality, and a missing-modality vector."""

    def __init__(self):
        super().__init__()
        self.text, self.audio = nn.Linear(5, 8), nn.Linear(3, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.absent = nn.Parameter(torch.zeros(1, 1, 8))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(16, 4)

    def forward(self, text, audio, audio_padding, labels):
        t, a = self.text(text), self.audio(audio)
        a = torch.cat([self.absent.expand(a.shape[0], 1, 8), a], 1)
        padding = torch.cat([torch.zeros_like(audio_padding[:, :1]), audio_padding], 1)
        fused, _ = self.attention(t, a, a, key_padding_mask=padding, need_weights=False)
        h = self.norm(t + fused)
        logits = self.head(torch.cat([h.mean(1), h.amax(1)], -1))
        return F.binary_cross_entropy_with_logits(logits, labels), logits

    @staticmethod
    def batch(r):
        return {"text": r.normal(4, 5, 5), "audio": r.normal(4, 6, 3), "audio_padding": r.padding(4, 6), "labels": r.integers(2, 4, 4).float()}


class Gpt(nn.Module):
    """A causal language model: sinusoidal positions and the mask as buffers, RMSNorm, gated MLP, the embedding tied to the head."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        place = torch.arange(7).unsqueeze(1) * torch.exp(torch.arange(0, 8, 2) * (-math.log(10000.0) / 8))
        self.register_buffer("positions", torch.stack([place.sin(), place.cos()], -1).reshape(7, 8))
        self.register_buffer("causal", torch.full((7, 7), float("-inf")).triu(1))
        self.norm1, self.norm2, self.norm = nn.RMSNorm(8, eps=1e-6), nn.RMSNorm(8, eps=1e-6), nn.RMSNorm(8, eps=1e-6)
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8, bias=False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False), nn.Linear(12, 8, bias=False)

    def forward(self, tokens, following):
        h = self.embed(tokens) * math.sqrt(8) + self.positions
        n = self.norm1(h)
        q, k, v = (f(n).reshape(n.shape[0], 7, 2, 4).transpose(1, 2) for f in (self.q, self.k, self.v))
        attention = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(4) + self.causal, -1)
        h = h + self.o((attention @ v).transpose(1, 2).reshape(n.shape))
        n = self.norm2(h)
        h = h + self.down(F.silu(self.gate(n)) * self.up(n))
        logits = self.norm(h) @ self.embed.weight.T
        return F.cross_entropy(logits.flatten(0, 1), following.flatten(), ignore_index=-100), logits

    @staticmethod
    def batch(r):
        return {"tokens": r.integers(11, 3, 7), "following": r.integers(11, 3, 7).masked_fill(r.padding(3, 7), -100)}


# model: class, optimizer, learning rate, exports as (exporter, opset, batch is symbolic, dynamo's optimiser is on). That optimiser folds BatchNorm into
# convolutions and copies tied or expanded weights, after which the parameters are no longer there: those are exported without it, as a user must. The dynamo
# exporter writes BatchNorm for evaluation, whatever the mode of the model; that for training comes from the other one alone.
MODELS = {
    "mlp": (Mlp, "sgd", 0.2, [("torchscript", 13, True), ("torchscript", 17, False), ("dynamo", 18, True), ("dynamo", 20, False), ("dynamo", 23, True)]),
    "resnet": (ResNetBlock, "sgd", 0.05, [("torchscript", 13, False), ("torchscript", 17, True), ("torchscript", 18, True)]),
    "resnet-eval": (ResNetBlock, "adam", 0.01, [("torchscript", 17, True), ("dynamo", 18, False, False), ("dynamo", 20, True, False)]),
    "tcn": (Tcn, "adam", 0.01, [("torchscript", 13, True), ("dynamo", 18, True), ("dynamo", 20, False)]),
    "bilstm": (BiLstm, "adam", 0.01, [("torchscript", 17, False), ("torchscript", 20, True), ("dynamo", 18, False), ("dynamo", 23, False)]),
    "gru-attention": (GruAttention, "adam", 0.01, [("torchscript", 13, False), ("torchscript", 18, True), ("dynamo", 18, False), ("dynamo", 23, False)]),
    "transformer": (TransformerEncoder, "adam", 0.005, [("torchscript", 17, True), ("torchscript", 18, False), ("dynamo", 18, True), ("dynamo", 23, False)]),
    "vit": (VitBlock, "sgd", 0.1, [("torchscript", 18, True), ("dynamo", 20, True), ("dynamo", 23, False, False)]),
    "deepsets": (DeepSets, "adam", 0.01, [("dynamo", 18, True), ("dynamo", 20, False)]),
    "scatter-sets": (ScatterSets, "adam", 0.01, [("torchscript", 17, False), ("torchscript", 18, True), ("dynamo", 23, True)]),
    "moe": (Moe, "sgd", 0.1, [("torchscript", 17, False), ("torchscript", 18, False), ("dynamo", 18, True), ("dynamo", 23, False)]),
    "recommender": (Recommender, "adam", 0.01, [("torchscript", 20, True), ("dynamo", 18, True), ("dynamo", 23, False)]),
    "unet": (UNet, "sgd", 0.2, [("torchscript", 13, False), ("torchscript", 18, True), ("dynamo", 18, True), ("dynamo", 20, False)]),
    "groupnorm": (GroupNormConv, "adam", 0.01, [("torchscript", 17, False), ("dynamo", 18, True), ("dynamo", 23, False)]),
    "cross-attention": (CrossAttention, "adam", 0.005, [("torchscript", 17, True), ("dynamo", 18, True), ("dynamo", 23, True)]),
    "gpt": (Gpt, "adam", 0.005, [("dynamo", 18, True, False), ("dynamo", 20, False, False), ("dynamo", 23, True, False)]),
}


class Random:
    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def normal(self, *shape):
        return torch.tensor(self.generator.standard_normal(shape).astype("f4"))

    def integers(self, end, *shape):
        return torch.tensor(self.generator.integers(0, end, shape))

    def padding(self, rows, length):
        """True where a row has ended; every row has at least two elements."""
        lengths = self.generator.integers(2, length + 1, (rows, 1))
        return torch.tensor(np.arange(length)[None] >= lengths)


def build(name, seed):
    """The model with every element of every parameter a number of its own."""
    for attempt in range(100):
        model = drawn(name, seed + 1000 * attempt)
        values = torch.cat([p.detach().ravel() for p in model.parameters()])
        if len(values.unique()) == len(values):
            return model
    raise RuntimeError(f"{name}: numbers repeat in every draw")


def drawn(name, seed):
    torch.manual_seed(seed)
    model = MODELS[name][0]()
    with torch.no_grad():
        for p in model.parameters():
            flat = p.dim() < 2 or p.std() == 0
            p.add_((0.1 if flat else 1e-3) * torch.randn(p.shape))
        for path, b in model.named_buffers():
            if "running" in path:
                b.add_(0.2 * torch.rand(b.shape))
    return model.eval() if name.endswith("-eval") else model.train()


def inputs_of(batch, dtype):
    return [v.to(dtype) if v.is_floating_point() else v for v in batch.values()]


def gradients(name, batch, seed):
    model = build(name, seed).double()
    loss = model(*inputs_of(batch, torch.float64))[0]
    loss.backward()
    return loss.item(), {path: p.grad.numpy() for path, p in model.named_parameters()}


def curve(name, batches, seed, dtype):
    _, kind, rate, _ = MODELS[name]
    model = build(name, seed).to(dtype)
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[kind]
    optimizer, losses = make(model.parameters(), rate), []
    for step in range(STEPS):
        loss = model(*inputs_of(batches[step % BATCHES], dtype))[0]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def export(name, batch, seed, exporter, opset, symbolic, optimize=True):
    model = build(name, seed)
    arguments, names = tuple(inputs_of(batch, torch.float32)), list(batch)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        common = dict(input_names=names, output_names=["loss", "output"], opset_version=opset)
        if exporter == "dynamo":
            rows = torch.export.Dim("batch", min=2, max=64)
            shapes = None
            if symbolic:
                shared = {n: v.shape[0] for n, v in batch.items()}
                size = arguments[0].shape[0]
                shapes = tuple({0: rows} if shared[n] == size else {} for n in names)
            torch.onnx.export(model, arguments, str(path), dynamo=True, dynamic_shapes=shapes, verbose=False, external_data=False, optimize=optimize, **common)
        else:
            size = arguments[0].shape[0]
            axes = {n: {0: "batch"} for n, v in batch.items() if v.shape[0] == size} if symbolic else None
            training = torch.onnx.TrainingMode.EVAL if name.endswith("-eval") else torch.onnx.TrainingMode.TRAINING
            torch.onnx.export(model, arguments, str(path), dynamo=False, dynamic_axes=axes, training=training, do_constant_folding=opset != 17, **common)
        return onnx.load(path)


def stripped(model):
    """Without what only a debugger reads: stack traces, inferred types, names of modules."""
    del model.metadata_props[:]
    def strip(graph):
        del graph.value_info[:], graph.metadata_props[:]
        graph.doc_string = ""
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    strip(attribute.g)
        for value in [*graph.input, *graph.output, *graph.initializer]:
            value.doc_string = ""
            del value.metadata_props[:]
    strip(model.graph)
    for function in model.functions:
        del function.value_info[:], function.metadata_props[:]
        function.doc_string = ""
        for node in function.node:
            del node.metadata_props[:]
            node.doc_string = ""
    return model


def parameters(model, truth, name, seed):
    """Gradients by initializer, for those that hold elements of true parameters; every element must be found once."""
    places = {}
    for path, p in build(name, seed).named_parameters():
        for value, gradient in zip(p.detach().numpy().ravel(), truth[path].ravel()):
            assert float(value) not in places, (path, value)
            places[float(value)] = (path, gradient)
    found, seen = {}, {}
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size == 0:
            continue
        hits = [places.get(float(v)) for v in array.ravel()]
        if all(h is None for h in hits):
            continue
        assert all(h is not None for h in hits), f"{tensor.name} is a parameter in part"
        for v in array.ravel():
            assert float(v) not in seen, f"{tensor.name} repeats what {seen[float(v)]} holds"
            seen[float(v)] = tensor.name
        found[tensor.name] = np.array([h[1] for h in hits])
    missing = {path for value, (path, _) in places.items() if value not in seen}
    assert not missing, f"not among the initializers: {sorted(missing)}"
    return found


def packed(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def recorded(tensor):
    array = tensor.numpy()
    kind = {"float32": "float32", "int64": "int64", "bool": "bool"}[str(array.dtype)]
    return {"dtype": kind, "shape": list(array.shape), "data": packed(array)}


def main(names):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or MODELS:
        kind, optimizer, rate, wanted = MODELS[name]
        seed = 1 + list(MODELS).index(name)
        random = Random(seed)
        batches = [kind.batch(random) for _ in range(BATCHES)]
        loss, truth = gradients(name, batches[0], seed)
        exports = {}
        for old in FOLDER.glob(f"{name}.*.onnx"):
            old.unlink()
        for exporter, opset, *options in wanted:
            title = f"{name}.{exporter}-{opset}"
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    model = stripped(export(name, batches[0], seed, exporter, opset, *options))
                found = parameters(model, truth, name, seed)
            except Exception as error:
                print(f"{title}: {type(error).__name__}: {str(error)[:600]}")
                continue
            data = model.SerializeToString()
            (FOLDER / f"{title}.onnx").write_bytes(data)
            exports[title] = {k: packed(v.astype("f4")) for k, v in found.items()}
            domains = {i.domain: i.version for i in model.opset_import}
            print(f"{title}: {len(data)} bytes, {len(model.graph.node)} nodes, {len(model.functions)} functions, {domains}, {len(found)} parameters")
        fixture = {
            "optimizer": optimizer,
            "learningRate": rate,
            "rows": next(iter(batches[0].values())).shape[0],
            "batches": [{k: recorded(v) for k, v in batch.items()} for batch in batches],
            "loss": loss,
            "losses": curve(name, batches, seed, torch.float32),
            "exactLosses": curve(name, batches, seed, torch.float64),
            "exports": exports,
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main(sys.argv[1:])
