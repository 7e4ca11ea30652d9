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


model = {"fusion": Fusion, "transformer": Transformer, "deep": Deep, "convolution": Convolution, "lstm": Lstm}[sys.argv[1]]()
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
        loss = loss_of(model(*[x[k] for x in inputs]), y[k])
        loss.backward()
        optimizer.step()
        losses[k] = loss.detach()
    milliseconds = (time.perf_counter() - started) / model.STEPS * 1e3
    print(milliseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
