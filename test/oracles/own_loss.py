"""Makes packages/trainer/test/fixtures/own-loss/: graphs that compute their loss themselves, their data, and how PyTorch trains them.

Two towers and the symmetric InfoNCE of their embeddings with a trained scale (no labels), with rows that make whole batches and with rows that do not; a weighted
cross entropy beside its logits; and a quantile loss of values. Each is exported as it begins, and trained for 50 steps of AdamW in float64 on the rows in the order
in which a job takes them, where the rows of a last, short batch are left out (DataLoader's drop_last).

Run in the repository, built, with torch, onnx and onnxscript: python test/oracles/own_loss.py
"""

import copy
import json
import pathlib
import subprocess

import onnx
import torch
from torch import nn
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "packages/trainer/test/fixtures/own-loss"
ORDER = ROOT / "test/zoo/trainings/order.js"
BATCH, EPOCHS, SEED, LEARNING_RATE, DECAY = 8, 10, 1, 0.01, 0.01


class Clip(nn.Module):
    outputs = ["loss", "image_embedding", "text_embedding"]

    def __init__(self):
        super().__init__()
        tower = lambda width: nn.Sequential(nn.Linear(width, 12), nn.GELU(), nn.Linear(12, 4))
        self.image, self.text = tower(6), tower(5)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, image, text):
        a, b = F.normalize(self.image(image), dim=1), F.normalize(self.text(text), dim=1)
        logits = self.logit_scale.exp() * a @ b.T
        return -(logits.log_softmax(1).diagonal().mean() + logits.log_softmax(0).diagonal().mean()) / 2, a, b

    @staticmethod
    def data(rows):
        shared = torch.randn(rows, 3)
        return {"image": shared @ torch.randn(3, 6) + 0.2 * torch.randn(rows, 6), "text": shared @ torch.randn(3, 5) + 0.2 * torch.randn(rows, 5)}


class Weighted(nn.Module):
    outputs = ["loss", "logits"]

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))

    def forward(self, x, y):
        logits = self.net(x)
        return F.cross_entropy(logits, y, weight=torch.tensor([0.5, 1.0, 2.0], dtype=logits.dtype)), logits

    @staticmethod
    def data(rows):
        x = torch.randn(rows, 4)
        return {"x": x, "y": (x[:, :3] + 0.3 * torch.randn(rows, 3)).argmax(1)}


class Quantile(nn.Module):
    outputs = ["loss"]

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x, y):
        error = y - self.net(x)
        return torch.maximum(0.9 * error, -0.1 * error).mean()

    @staticmethod
    def data(rows):
        x = torch.randn(rows, 4)
        return {"x": x, "y": x.sum(1, keepdim=True) + torch.randn(rows, 1)}


# name: (module, rows of train and of valid)
CASES = {"clip": (Clip, 40, 16), "clip-rest": (Clip, 43, 13), "weighted": (Weighted, 43, 13), "quantile": (Quantile, 43, 13)}

as_float32 = lambda values: {k: (v * 1000).round() / 1000 if v.is_floating_point() else v for k, v in values.items()}
exact = lambda values: {k: v.double() if v.is_floating_point() else v for k, v in values.items()}
rows_of = lambda data, rows: [v[rows] for v in data.values()]
loss_of = lambda made: made[0] if isinstance(made, tuple) else made


def curve(module, train, valid, order):
    """The mean loss of each epoch's batches, and of the validation batches after it, weighted by their rows."""
    module = copy.deepcopy(module).double()
    optimizer = torch.optim.AdamW(module.parameters(), LEARNING_RATE, weight_decay=DECAY)
    [train_losses, valid_losses] = [[], []]
    count = len(next(iter(valid.values())))
    for epoch in order:
        losses = []
        for at in range(0, len(epoch) - BATCH + 1, BATCH):
            optimizer.zero_grad()
            loss = loss_of(module(*rows_of(train, epoch[at : at + BATCH])))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        train_losses.append(sum(losses) / len(losses))
        with torch.no_grad():
            batches = [list(range(at, min(count, at + BATCH))) for at in range(0, count, BATCH)]
            valid_losses.append(sum(len(b) * loss_of(module(*rows_of(valid, b))).item() for b in batches) / count)
    return train_losses, valid_losses, {name: value.detach().flatten().tolist() for name, value in module.named_parameters()}


def case(name, kind, rows, held):
    torch.manual_seed(SEED)
    module = kind().eval()
    data = as_float32(kind.data(rows + held))
    names = list(data)
    batch = torch.export.Dim("batch")
    graph = FOLDER / f"{kind.__name__.lower()}.onnx"
    torch.onnx.export(module, tuple(v[:2] for v in data.values()), str(graph), input_names=names, output_names=kind.outputs, dynamo=True,
                      optimize=False, verbose=False, external_data=False, dynamic_shapes=tuple({0: batch} for _ in names), opset_version=18)
    model = onnx.load(graph)
    for node in model.graph.node:
        del node.metadata_props[:]  # where PyTorch's source has each operator
    onnx.save(model, graph)
    train, valid = {k: v[:rows] for k, v in data.items()}, {k: v[rows:] for k, v in data.items()}
    order = json.loads(subprocess.check_output(["node", ORDER, str(SEED), str(EPOCHS), str(rows)]))
    train_losses, valid_losses, final = curve(module, exact(train), exact(valid), order)
    print(name, train_losses[0], train_losses[-1], valid_losses[-1])
    split = lambda values: {k: {"width": v[0].numel(), "data": v.flatten().tolist()} for k, v in values.items()}
    return {"name": name, "graph": graph.name, "splits": {"train": split(train), "valid": split(valid)}, "train": train_losses, "valid": valid_losses, "final": final}


FOLDER.mkdir(parents=True, exist_ok=True)
rounded = lambda x: [rounded(v) for v in x] if isinstance(x, list) else {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else float(f"{x:.9g}") if isinstance(x, float) else x
fixture = {"batch": BATCH, "epochs": EPOCHS, "seed": SEED, "learning_rate": LEARNING_RATE, "weight_decay": DECAY, "cases": [case(name, *of) for name, of in CASES.items()]}
(FOLDER / "training.json").write_text(json.dumps(rounded(fixture), separators=(",", ":")))
