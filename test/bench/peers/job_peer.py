"""The whole job of `job/train.js` as a script in PyTorch: `job_peer.py SOURCE FOLDER SETTINGS`. From the files of the dataset to the weights and a report: standardises by
the training rows, trains mlp-fusion with fused AdamW, keeps the epoch with the least validation loss, judges it on every split. Prints what it reached on the test split
and the largest resident size of the process in MiB, as JSON."""

import json
import resource
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

source, folder, settings = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(1)
torch.manual_seed(1)
manifest = json.loads((source / "manifest.json").read_text())
modalities = list(manifest["modalities"])
read = lambda split, part: np.load(source / f"{split}_{part}.npy")
arrays = {split: {m: read(split, m).astype(np.float32) for m in modalities} for split in manifest["splits"]}
labels = {split: torch.from_numpy(read(split, "labels").astype(np.float32)) for split in manifest["splits"]}
for m in modalities:
    train = arrays["train"][m].reshape(-1, arrays["train"][m].shape[-1]).astype(np.float64)
    mean, deviation = train.mean(0), train.std(0)
    deviation[deviation < 1e-8] = 1
    for split in arrays.values():
        split[m] = torch.from_numpy(((split[m] - mean) / deviation).astype(np.float32))


class Encoder(nn.Module):
    def __init__(self, shape, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(shape[-1], width), nn.ReLU(), nn.Linear(width, width))
        self.score = nn.Linear(width, 1, bias=False) if len(shape) == 2 else None

    def forward(self, x):
        h = F.relu(self.layers(x))
        return h if self.score is None else (torch.softmax(self.score(h), 1) * h).sum(1)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.encoders = nn.ModuleList(Encoder(manifest["modalities"][m]["shape"], width) for m in modalities)
        self.head = nn.Sequential(nn.Linear(width * len(modalities), width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x):
        return self.head(torch.cat([encoder(x[m]) for m, encoder in zip(modalities, self.encoders)], 1))[:, 0]


def auroc(scores, truth):
    """The share of pairs of a positive and a negative row in which the positive one has the higher score; a tie is half a pair."""
    values, of = np.unique(scores, return_inverse=True)
    positives, negatives = (np.bincount(of, weights=part, minlength=len(values)) for part in (truth, 1 - truth))
    below = np.cumsum(negatives) - negatives
    return float((positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum()))


@torch.no_grad()
def judged(split):
    logits = torch.cat([model({m: x[i : i + 1024] for m, x in arrays[split].items()}) for i in range(0, len(labels[split]), 1024)])
    loss = F.binary_cross_entropy_with_logits(logits, labels[split])
    return {"loss": loss.item(), "auroc": auroc(logits.numpy(), labels[split].numpy())}


model = Model(settings["hidden"])
optimizer = torch.optim.AdamW(model.parameters(), settings["learning_rate"], weight_decay=0, fused=True)
best, kept = np.inf, None
for epoch in range(settings["epochs"]):
    for rows in torch.randperm(len(labels["train"])).split(settings["batch_size"]):
        optimizer.zero_grad()
        logits = model({m: x[rows] for m, x in arrays["train"].items()})
        F.binary_cross_entropy_with_logits(logits, labels["train"][rows]).backward()
        optimizer.step()
    loss = judged("valid")["loss"]
    if loss < best:
        best, kept = loss, {name: values.clone() for name, values in model.state_dict().items()}
model.load_state_dict(kept)
report = {split: judged(split) for split in manifest["splits"]}
torch.save(kept, folder / "model.pt")
(folder / "report.json").write_text(json.dumps(report))
print(json.dumps({**report["test"], "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
