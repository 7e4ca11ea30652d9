"""Makes packages/trainer/test/fixtures/positions/: small networks with a label for each position of a row, their data, and how PyTorch trains them.

A tagger (a class for each step; positions and a whole row that do not count, and a last batch that is too short), a U-Net (a class for each pixel, along axis 1), a
language model (the next token), a U-Net of one logit for each pixel, and a network of a value for each step. Each is exported as it begins, and trained for 50 steps of AdamW in float64 on the rows in the order in which a job takes them.

Run in the repository, built, with torch, onnx, onnxscript and scikit-learn: python test/oracles/positions.py
"""

import copy
import json
import math
import pathlib
import subprocess

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, mean_absolute_error, mean_squared_error
from torch import nn

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "packages/trainer/test/fixtures/positions"
LEARNING_RATE, DECAY, SEED = 0.01, 0.01, 1
IGNORED = -100


class Tagger(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.steps = nn.GRU(4, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, outputs)

    def forward(self, x):
        return self.head(self.steps(x)[0])


class Values(Tagger):
    def forward(self, x):
        return super().forward(x).squeeze(-1)


class UNet(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, padding=1)
        self.bottom = nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.head = nn.Conv2d(8, outputs, 3, padding=1)

    def forward(self, x):
        down = torch.relu(self.down(x))
        bottom = torch.relu(self.bottom(nn.functional.max_pool2d(down, 2)))
        return self.head(torch.cat([down, self.up(bottom)], 1))


class LanguageModel(nn.Module):
    def __init__(self, vocabulary=11, steps=7, width=8):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Parameter(torch.randn(steps, width) * 0.1)
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.mix = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.places
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        later = torch.triu(torch.ones(scores.shape[-2:], dtype=torch.bool), 1)
        x = x + torch.softmax(scores.masked_fill(later, -1e9), -1) @ v
        return self.head(x + self.mix(x))


def tagged(rows, random):
    x = random.normal(size=(rows, 6, 4)).astype("float32")
    labels = np.argmax(np.concatenate([x, np.roll(x, 1, 1)[..., :1]], -1), -1)
    labels[random.random(labels.shape) < 0.2] = IGNORED
    labels[1] = IGNORED
    return x, labels


def segmented(rows, random):
    image = random.normal(size=(rows, 1, 8, 8)).astype("float32")
    smooth = (image + np.roll(image, 1, 2) + np.roll(image, 1, 3))[:, 0]
    labels = np.digitize(smooth, [-0.7, 0.7])
    labels[:, 0] = 255
    return image, labels


def masked(rows, random):
    image, labels = segmented(rows, random)
    return image, np.where(labels == 255, 255, labels > 0)


def measured(rows, random):
    x = random.normal(size=(rows, 6, 4)).astype("float32")
    values = np.cumsum(x[..., 0], 1).astype("float32")
    values[random.random(values.shape) < 0.2] = np.nan
    return x, values


def continued(rows, random):
    start, stride = random.integers(0, 11, (rows, 1)), random.integers(1, 4, (rows, 1))
    tokens = (start + stride * np.arange(8)) % 11
    labels = tokens[:, 1:].copy()
    labels[0, 4:] = IGNORED
    return tokens[:, :-1], labels


def orders(rows, epochs):
    script = f"import {{ shuffledOrder }} from './packages/random/dist/index.js'; console.log(JSON.stringify(Array.from({{ length: {epochs} }}, (_, e) => [...shuffledOrder({SEED}, e, {rows})])))"
    return json.loads(subprocess.run(["node", "--input-type=module", "-e", script], cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def class_figures(given, predicted):
    return {
        "accuracy": accuracy_score(given, predicted),
        "macro_f1": f1_score(given, predicted, average="macro"),
        "weighted_f1": f1_score(given, predicted, average="weighted"),
        "mean_iou": jaccard_score(given, predicted, average="macro"),
    }


class Multiclass:
    def __init__(self, ignored, class_axis):
        self.ignored, self.class_axis = ignored, class_axis

    def logits(self, output):
        return output if self.class_axis == 1 else output.transpose(1, -1)

    def loss(self, output, labels):
        return nn.functional.cross_entropy(self.logits(output), labels, ignore_index=self.ignored)

    def figures(self, output, labels):
        counted = labels != self.ignored
        return class_figures(labels[counted], self.logits(output).argmax(1)[counted])

    def task(self, output):
        return {"type": "multiclass", "class_count": self.logits(output).shape[1], "ignore_index": self.ignored}


class Binary:
    ignored = 255

    def counted(self, output, labels):
        counted = labels != self.ignored
        return output.reshape(labels.shape)[counted], labels[counted]

    def loss(self, output, labels):
        logits, labels = self.counted(output, labels)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels.double())

    def figures(self, output, labels):
        logits, labels = self.counted(output, labels)
        return class_figures(labels, logits > 0)

    def task(self, output):
        return {"type": "binary", "ignore_index": self.ignored}


class Regression:
    def counted(self, output, labels):
        counted = ~torch.isnan(labels)
        return output[counted], labels[counted].double()

    def loss(self, output, labels):
        return nn.functional.mse_loss(*self.counted(output, labels))

    def figures(self, output, labels):
        values, labels = self.counted(output, labels)
        return {
            "mae": mean_absolute_error(labels, values),
            "rmse": math.sqrt(mean_squared_error(labels, values)),
            "pearson": np.corrcoef(labels, values)[0, 1],
        }

    def task(self, output):
        return {"type": "regression"}


def case(name, network, make, rows, batch, epochs, kind):
    random = np.random.default_rng(3)
    splits = {split: make(count, random) for split, count in {"train": rows, "valid": 4, "test": 5}.items()}
    free = torch.export.Dim("batch")
    example = torch.as_tensor(splits["train"][0][:2])
    torch.onnx.export(network.eval(), (example,), FOLDER / f"{name}.onnx", input_names=["x"], output_names=["logits"],
                      dynamic_shapes=({0: free},), external_data=False, optimize=False, opset_version=20)
    network = network.double()
    inputs = {split: torch.as_tensor(x) if x.dtype == np.int64 else torch.as_tensor(x).double() for split, (x, _) in splits.items()}
    labels = {split: torch.as_tensor(y) for split, (_, y) in splits.items()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=DECAY)
    train, valid, best = [], [], None
    for order in orders(rows, epochs):
        total = 0
        for start in range(0, rows, batch):
            chosen = order[start:start + batch]
            loss = kind.loss(network(inputs["train"][chosen]), labels["train"][chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        train.append(total / rows)
        with torch.no_grad():
            valid.append(kind.loss(network(inputs["valid"]), labels["valid"]).item())
        if valid[-1] == min(valid):
            best = copy.deepcopy(network)
    with torch.no_grad():
        output = best(inputs["test"])
        metrics = {"loss": kind.loss(output, labels["test"]).item(), **kind.figures(output, labels["test"])}
    return {
        "name": name, "batch": batch, "epochs": epochs, "task": kind.task(output),
        "splits": {split: {"rows": len(x), "shape": list(x.shape[1:]), "positions": list(y.shape[1:]),
                           "x": [round(float(v), 9) for v in x.ravel()], "labels": [None if v != v else v for v in y.ravel().tolist()]} for split, (x, y) in splits.items()},
        "train": train, "valid": valid, "test": metrics,
    }


FOLDER.mkdir(parents=True, exist_ok=True)
torch.manual_seed(5)
cases = [
    case("tagger", Tagger(5), tagged, rows=8, batch=5, epochs=25, kind=Multiclass(IGNORED, -1)),
    case("unet", UNet(3), segmented, rows=6, batch=6, epochs=50, kind=Multiclass(255, 1)),
    case("language-model", LanguageModel(), continued, rows=12, batch=12, epochs=50, kind=Multiclass(IGNORED, -1)),
    case("mask", UNet(1), masked, rows=6, batch=6, epochs=50, kind=Binary()),
    case("values", Values(1), measured, rows=8, batch=5, epochs=25, kind=Regression()),
]
content = {"learning_rate": LEARNING_RATE, "weight_decay": DECAY, "seed": SEED, "cases": cases}
(FOLDER / "training.json").write_text(json.dumps(content) + "\n")
for one in cases:
    print(one["name"], one["train"][0], one["train"][-1], one["valid"][-1], one["test"])
