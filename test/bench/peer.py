"""The steps of the bench in PyTorch eager with fused Adam, one thread: `peer.py NAME`. Each line read from standard input runs a chunk of steps and prints
milliseconds a step and the largest resident size of the process so far in MiB."""

import resource
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)


class Fusion(nn.Module):
    BATCH, STEPS, FEATURES, CLASSES, WIDTH = 32, 200, (768, 64, 64), 3, 128

    def __init__(self):
        super().__init__()
        linear, relu, width = nn.Linear, nn.ReLU, self.WIDTH
        self.encoders = nn.ModuleList(nn.Sequential(linear(f, width), relu(), linear(width, width)) for f in self.FEATURES)
        self.head = nn.Sequential(relu(), linear(width * len(self.FEATURES), width), relu(), linear(width, self.CLASSES))

    def forward(self, *inputs):
        half = len(self.FEATURES)
        return self.head(torch.cat([encoder(x) * w for encoder, x, w in zip(self.encoders, inputs[:half], inputs[half:])], 1))

    def inputs(self):
        xs = [torch.rand(self.STEPS, self.BATCH, f) * 2 - 1 for f in self.FEATURES]
        return xs + [torch.ones(self.STEPS, self.BATCH, 1) for _ in self.FEATURES]


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def split(self, x):
        batch, time_, width = x.shape
        return x.view(batch, time_, self.heads, width // self.heads).transpose(1, 2)

    def forward(self, x):
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = query @ key.transpose(-1, -2) / (x.shape[-1] // self.heads) ** 0.5
        mixed = (torch.softmax(scores, -1) @ value).transpose(1, 2).reshape(x.shape)
        x = self.norm1(x + self.out(mixed))
        return self.norm2(x + self.down(nn.functional.gelu(self.up(x))))


class Transformer(nn.Module):
    BATCH, STEPS, CLASSES, WIDTH, HEADS, TIME = 16, 4, 10, 128, 4, 64

    def __init__(self, layers=4):
        super().__init__()
        self.position = nn.Parameter(torch.rand(1, self.TIME, self.WIDTH) * 0.02)
        self.layers = nn.Sequential(*[Layer(self.WIDTH, self.HEADS) for _ in range(layers)])
        self.head = nn.Linear(self.WIDTH, self.CLASSES)

    def forward(self, x):
        return self.head(self.layers(x + self.position).mean(1))

    def inputs(self):
        return [torch.rand(self.STEPS, self.BATCH, self.TIME, self.WIDTH) * 2 - 1]


class Deep(Transformer):
    STEPS = 2

    def __init__(self):
        super().__init__(12)


class Convolution(nn.Module):
    BATCH, STEPS, CLASSES = 32, 10, 10

    def __init__(self):
        super().__init__()
        convolution = lambda a, b: [nn.Conv2d(a, b, 3, padding=1), nn.ReLU()]
        pool = nn.MaxPool2d(2)
        self.layers = nn.Sequential(*convolution(3, 16), pool, *convolution(16, 32), pool, *convolution(32, 64), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Linear(64, self.CLASSES)

    def forward(self, x):
        return self.head(self.layers(x).flatten(1))

    def inputs(self):
        return [torch.rand(self.STEPS, self.BATCH, 3, 32, 32) * 2 - 1]


class Lstm(nn.Module):
    BATCH, STEPS, CLASSES = 32, 50, 3

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(32, 64)
        self.head = nn.Linear(64, self.CLASSES)

    def forward(self, x):
        return self.head(self.lstm(x)[1][0][0])

    def inputs(self):
        return [torch.rand(self.STEPS, 30, self.BATCH, 32) * 2 - 1]


class Expert(nn.Sequential):
    def __init__(self, width, hidden):
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


class ExpertLayer(nn.Module):
    """One layer of mmim-moe: attention over the modalities, experts in a loop over those that have tokens, feed-forward."""

    def __init__(self, width, modalities, experts, hidden, chosen, dropout):
        super().__init__()
        self.chosen, self.experts = chosen, nn.ModuleList(Expert(width, hidden) for _ in range(experts))
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm1, self.norm2, self.dropout = nn.LayerNorm(width), nn.LayerNorm(width), nn.Dropout(dropout)
        self.routers = nn.ParameterList(torch.randn(experts, width) / width**0.5 for _ in range(modalities))
        self.noise = nn.ParameterList(torch.zeros(width, experts) for _ in range(modalities))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def route(self, x, router, noise):
        scores = -torch.cdist(x, router)
        scores = scores + torch.randn_like(scores) * nn.functional.softplus(x @ noise)
        best, index = scores.topk(self.chosen, 1)
        use = nn.functional.one_hot(index, len(self.experts)).float().mean((0, 1))
        return index, best.softmax(1), len(self.experts) * (use * scores.softmax(1).mean(0)).sum()

    def forward(self, x):
        mixed = nn.functional.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))
        h = self.norm1(x + self.dropout(self.out(mixed)))
        index, shares, imbalance = zip(*(self.route(h[:, m], *of) for m, of in enumerate(zip(self.routers, self.noise))))
        index, shares, tokens = torch.stack(index, 1).flatten(0, 1), torch.stack(shares, 1).flatten(0, 1), h.flatten(0, 1)
        y = torch.zeros_like(tokens)
        for e, expert in enumerate(self.experts):
            token, turn = torch.where(index == e)
            if len(token) > 0:
                y = y.index_add(0, token, expert(tokens[token]) * shares[token, turn, None])
        m = h + self.dropout(y.view(h.shape))
        return m + self.dropout(self.down(self.dropout(nn.functional.gelu(self.up(self.norm2(m)))))), sum(imbalance)


class Experts(nn.Module):
    BATCH, STEPS, CLASSES, WIDTH, STATE = 32, 10, 3, 128, 64
    SHAPES = ((30, 64), (30, 32), (16,))

    def __init__(self):
        super().__init__()
        width, drop = self.WIDTH, nn.Dropout(0.1)
        self.lstms = nn.ModuleList(nn.LSTM(shape[1], self.STATE, batch_first=True, bidirectional=True) for shape in self.SHAPES if len(shape) == 2)
        features = [2 * self.STATE if len(shape) == 2 else shape[0] for shape in self.SHAPES]
        self.encoders = nn.ModuleList(nn.Sequential(nn.Linear(f, width), nn.ReLU(), nn.Linear(width, width)) for f in features)
        self.layers = nn.ModuleList(ExpertLayer(width, len(self.SHAPES), 16, 768, 2, 0.1) for _ in range(2))
        linear = nn.Linear
        self.head = nn.Sequential(linear(width * len(self.SHAPES), width), nn.Tanh(), drop, linear(width, width), nn.Tanh(), drop, linear(width, self.CLASSES))

    def forward(self, *inputs):
        half = len(self.SHAPES)
        lstms = iter(self.lstms)
        states = [torch.cat(tuple(next(lstms)(x)[1][0]), 1) if x.dim() == 3 else x for x in inputs[:half]]
        x = torch.stack([encoder(state) * w for encoder, state, w in zip(self.encoders, states, inputs[half:])], 1)
        self.imbalance = 0
        for layer in self.layers:
            x, imbalance = layer(x)
            self.imbalance = self.imbalance + imbalance
        return self.head(x.flatten(1))

    def extra(self):
        return 0.01 * self.imbalance

    def inputs(self):
        xs = [torch.rand(self.STEPS, self.BATCH, *shape) * 2 - 1 for shape in self.SHAPES]
        return xs + [torch.ones(self.STEPS, self.BATCH, 1) for _ in self.SHAPES]


model = {"fusion": Fusion, "experts": Experts, "transformer": Transformer, "deep": Deep, "convolution": Convolution, "lstm": Lstm}[sys.argv[1]]()
optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
loss_of = nn.CrossEntropyLoss()
inputs = model.inputs()
y = torch.randint(0, model.CLASSES, (model.STEPS, model.BATCH))
losses = torch.zeros(model.STEPS)
print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    for k in range(model.STEPS):
        optimizer.zero_grad()
        loss = loss_of(model(*[x[k] for x in inputs]), y[k]) + (model.extra() if hasattr(model, "extra") else 0)
        loss.backward()
        optimizer.step()
        losses[k] = loss.detach()
    milliseconds = (time.perf_counter() - started) / model.STEPS * 1e3
    print(milliseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
