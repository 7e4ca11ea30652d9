"""Networks as people write them by hand, of torch.nn alone."""

import torch
import torch.nn.functional as F
from torch import nn

ARCHITECTURES = {}


def architecture(name, **inputs):
    """Registers a module; inputs by their shape, or as what makes them."""

    def register(kind):
        def build():
            return kind(), {k: v() if callable(v) else torch.randn(v) for k, v in inputs.items()}, True

        ARCHITECTURES[f"plain-{name}"] = build
        return kind

    return register


def tokens(*shape, size=20):
    return lambda: torch.randint(0, size, shape)


def adjacency(count):
    def make():
        near = (torch.rand(count, count) < 0.3).float()
        near = ((near + near.T + torch.eye(count)) > 0).float()
        scale = near.sum(1).rsqrt()
        return scale[:, None] * near * scale

    return make


@architecture("mlp", x=(4, 8))
class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(8, 16), nn.SELU(), nn.LayerNorm(16), nn.Linear(16, 16), nn.Mish(), nn.Linear(16, 3))


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.embed, self.cell = nn.Embedding(20, 6), kind(6, 8, batch_first=True, **options)
        self.head = nn.Linear(8 * (2 if options.get("bidirectional") else 1), 3)

    def forward(self, words):
        return self.head(self.cell(self.embed(words))[0])


architecture("lstm", words=tokens(3, 7))(lambda: Recurrent(nn.LSTM))
architecture("lstm-bidirectional-2", words=tokens(3, 7))(lambda: Recurrent(nn.LSTM, bidirectional=True, num_layers=2))
architecture("gru", words=tokens(3, 7))(lambda: Recurrent(nn.GRU))
architecture("gru-bidirectional-2", words=tokens(3, 7))(lambda: Recurrent(nn.GRU, bidirectional=True, num_layers=2))
architecture("rnn", words=tokens(3, 7))(lambda: Recurrent(nn.RNN, num_layers=2))


@architecture("lstm-cell-unrolled", x=(3, 5, 4))
class Unrolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.LSTMCell(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        h = c = torch.zeros(x.shape[0], 6, dtype=x.dtype)
        for step in x.unbind(1):
            h, c = self.cell(step, (h, c))
        return self.head(h)


@architecture("gcn", x=(6, 5), near=adjacency(6))
class Gcn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x, near):
        return near @ self.second(F.relu(near @ self.first(x)))


@architecture("gcn-buffer", x=(6, 5))
class GcnBuffer(Gcn):
    """The graph belongs to the module."""

    def __init__(self):
        super().__init__()
        self.register_buffer("near", adjacency(6)())

    def forward(self, x):
        return super().forward(x, self.near)


@architecture("gat", x=(6, 5), near=adjacency(6))
class Gat(nn.Module):
    def __init__(self):
        super().__init__()
        self.project, self.source, self.target = nn.Linear(5, 8, bias=False), nn.Parameter(torch.randn(8)), nn.Parameter(torch.randn(8))

    def forward(self, x, near):
        h = self.project(x)
        score = F.leaky_relu((h @ self.source)[:, None] + (h @ self.target)[None], 0.2)
        return F.elu(score.masked_fill(near == 0, float("-inf")).softmax(1) @ h)


@architecture("unet", image=(2, 3, 16, 16))
class UNet(nn.Module):
    def __init__(self):
        super().__init__()

        def block(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.ReLU())

        self.down1, self.down2, self.middle = block(3, 4), block(4, 8), block(8, 8)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.rise2, self.rise1 = nn.ConvTranspose2d(8, 8, 2, 2), block(12, 4)
        self.join, self.head = block(16, 8), nn.Conv2d(4, 2, 1)

    def forward(self, image):
        a = self.down1(image)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.middle(F.max_pool2d(b, 2))
        b = self.join(torch.cat([b, self.rise2(c)], 1))
        return self.head(self.rise1(torch.cat([a, self.up(b)], 1)))


@architecture("mlp-mixer", image=(2, 3, 16, 16))
class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        mlp = lambda n, m: nn.Sequential(nn.Linear(n, m), nn.GELU(), nn.Linear(m, n))
        self.patch = nn.Conv2d(3, 12, 4, 4)
        self.norms = nn.ModuleList(nn.LayerNorm(12) for _ in range(4))
        self.mix = nn.ModuleList(mlp(16, 8) for _ in range(2))
        self.channels = nn.ModuleList(mlp(12, 24) for _ in range(2))

    def forward(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2)
        for i in range(2):
            x = x + self.mix[i](self.norms[2 * i](x).transpose(1, 2)).transpose(1, 2)
            x = x + self.channels[i](self.norms[2 * i + 1](x))
        return x.mean(1)


@architecture("tcn", x=(2, 4, 20))
class Tcn(nn.Module):
    def __init__(self):
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        self.layers = nn.ModuleList(norm(nn.Conv1d(4 if d == 1 else 6, 6, 3, dilation=d)) for d in (1, 2, 4))
        self.skip = nn.Conv1d(4, 6, 1)

    def forward(self, x):
        h, skip = x, self.skip(x)
        for layer, d in zip(self.layers, (1, 2, 4)):
            h = F.relu(layer(F.pad(h, (2 * d, 0))))
        return (h + skip)[:, :, -1]


@architecture("wavenet", x=(2, 4, 20))
class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Conv1d(4, 6, 1)
        self.filters = nn.ModuleList(nn.Conv1d(6, 12, 2, dilation=d) for d in (1, 2, 4))
        self.outs = nn.ModuleList(nn.Conv1d(6, 12, 1) for _ in range(3))
        self.head = nn.Conv1d(6, 5, 1)

    def forward(self, x):
        h, total = self.start(x), 0
        for conv, out, d in zip(self.filters, self.outs, (1, 2, 4)):
            a, b = conv(F.pad(h, (d, 0))).chunk(2, 1)
            residual, skip = out(torch.tanh(a) * torch.sigmoid(b)).chunk(2, 1)
            h, total = h + residual, total + skip
        return self.head(F.relu(total))


@architecture("autoencoder", image=(2, 1, 16, 16))
class Autoencoder(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 4, 3, 2, 1), nn.ELU(), nn.Conv2d(4, 8, 3, 2, 1), nn.Flatten(), nn.Linear(128, 6), nn.Tanh(), nn.Linear(6, 128), nn.Unflatten(1, (8, 4, 4)),
            nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1), nn.PReLU(4), nn.ConvTranspose2d(4, 1, 3, 2, 1, output_padding=1), nn.Sigmoid(),
        )


@architecture("transformer-encoder", words=tokens(2, 6))
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.position = nn.Embedding(20, 16), nn.Parameter(torch.randn(1, 6, 16))
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 24, 0.0, "gelu", batch_first=True, norm_first=True), 2, enable_nested_tensor=False)

    def forward(self, words):
        return self.layers(self.embed(words) + self.position)


@architecture("transformer-sinusoids", words=tokens(2, 6))
class Sinusoids(Encoder):
    """The attention paper's positions, as a buffer."""

    def __init__(self):
        super().__init__()
        del self.position
        angle = torch.arange(6)[:, None] / 10000 ** (torch.arange(0, 16, 2) / 16)
        self.register_buffer("position", torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[None])


@architecture("transformer", words=tokens(2, 6), said=tokens(2, 5))
class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(20, 16), nn.Linear(16, 20)
        self.net = nn.Transformer(16, 2, 1, 1, 24, 0.0, batch_first=True)
        self.register_buffer("future", torch.full((5, 5), float("-inf")).triu(1))

    def forward(self, words, said):
        return self.head(self.net(self.embed(words), self.embed(said), tgt_mask=self.future.to(self.head.weight.dtype), tgt_is_causal=True))


@architecture("vae", x=(4, 10), noise=(4, 3))
class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Sequential(nn.Linear(10, 8), nn.Softplus(), nn.Linear(8, 6)), nn.Sequential(nn.Linear(3, 8), nn.SiLU(), nn.Linear(8, 10))

    def forward(self, x, noise):
        mean, log = self.encode(x).chunk(2, 1)
        return self.decode(mean + (0.5 * log).exp() * noise), mean, log


@architecture("siamese", a=(4, 8), b=(4, 8))
class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower, self.temperature = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 6)), nn.Parameter(torch.tensor(1.0))

    def forward(self, a, b):
        a, b = F.normalize(self.tower(a), dim=1), F.normalize(self.tower(b), dim=1)
        return self.temperature.exp() * a @ b.T


@architecture("deep-sets", x=(3, 5, 4))
class DeepSets(nn.Module):
    def __init__(self):
        super().__init__()
        self.each, self.all = nn.Sequential(nn.Linear(4, 8), nn.Hardswish()), nn.Linear(24, 2)

    def forward(self, x):
        h = self.each(x)
        return self.all(torch.cat([h.mean(1), h.amax(1), h.logsumexp(1)], 1))


@architecture("mixture-of-experts", x=(6, 8))
class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.router, self.first, self.second = nn.Linear(8, 4), nn.Parameter(torch.randn(4, 8, 10) / 3), nn.Parameter(torch.randn(4, 10, 8) / 3)

    def forward(self, x):
        value, which = self.router(x).topk(2)
        gate = torch.zeros(x.shape[0], 4, dtype=x.dtype).scatter(1, which, value.softmax(1))
        h = F.gelu(torch.einsum("bi,eio->beo", x, self.first))
        return torch.einsum("beo,eoi,be->bi", h, self.second, gate)
