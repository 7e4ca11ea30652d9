"""PyTorch eager with fused Adam on the step of step.js. Each line read from standard input runs a chunk of steps and prints milliseconds a step."""

import sys
import time

import torch

BATCH, STEPS, FEATURES, CLASSES, WIDTH = 32, 200, (768, 64, 64), 3, 128
torch.set_num_threads(1)


class Fusion(torch.nn.Module):
    def __init__(self):
        super().__init__()
        linear, relu = torch.nn.Linear, torch.nn.ReLU
        self.encoders = torch.nn.ModuleList(torch.nn.Sequential(linear(f, WIDTH), relu(), linear(WIDTH, WIDTH)) for f in FEATURES)
        self.head = torch.nn.Sequential(relu(), linear(WIDTH * len(FEATURES), WIDTH), relu(), linear(WIDTH, CLASSES))

    def forward(self, xs, ws):
        return self.head(torch.cat([encoder(x) * w for encoder, x, w in zip(self.encoders, xs, ws)], 1))


model = Fusion()
optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
loss_of = torch.nn.CrossEntropyLoss()
xs = [torch.rand(STEPS, BATCH, f) * 2 - 1 for f in FEATURES]
ws = [torch.ones(STEPS, BATCH, 1) for _ in FEATURES]
y = torch.randint(0, CLASSES, (STEPS, BATCH))
losses = torch.zeros(STEPS)
print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    for k in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model([x[k] for x in xs], [w[k] for w in ws]), y[k])
        loss.backward()
        optimizer.step()
        losses[k] = loss.detach()
    print((time.perf_counter() - started) / STEPS * 1e3, flush=True)
