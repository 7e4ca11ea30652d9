"""Makes the reference trainings: `generate.py [--jobs | --small] OUT [name …]`. For each a folder OUT/<name> with

  model.onnx          outputs `loss` and, where labels are apart from it, `logits`; free batch dimension; its numbers are where training begins
  data.safetensors    the rows of every input
  curve.json          optimizer, learning rate, the rows of each of 50 steps, and PyTorch's loss before each step in float32 and in float64

The rows come in the order in which a job of seed 1 takes them (order.js). Needs node besides the zoo's Python.

With --jobs (or --small: fewer rows, and no more metadata in the file than training reads), what a user would bring for a job, and has no loss in the graph:

  model.onnx          outputs `logits`
  dataset.zip         train and valid, which are the same rows, and the manifest
  job.json            the fields of the job, its loss before each of 50 steps of all rows by PyTorch, and the furthest that float64 is from it
"""

import argparse
import copy
import inspect
import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import architectures
from job_files import write_dataset, write_job, without_stack_traces

SEED, STEPS, ROWS, BATCH = 1, 50, 40, 8
warnings.filterwarnings("ignore")
torch.set_num_threads(1)


class Bert(nn.Module):
    """BERT with a classifier of three classes; the class is that of the most frequent of three tokens."""

    def __init__(self):
        super().__init__()
        from transformers import BertConfig, BertForSequenceClassification

        config = BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=16,
                            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=3)
        self.net = BertForSequenceClassification._from_config(config, attn_implementation="eager")

    def predict(self, input_ids, attention_mask):
        return self.net(input_ids=input_ids, attention_mask=attention_mask).logits

    def forward(self, input_ids, attention_mask, label):
        logits = self.predict(input_ids, attention_mask)
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def data():
        ids = torch.randint(1, 30, (ROWS, 10))
        mask = (torch.arange(10)[None] < torch.randint(6, 11, (ROWS, 1))).long()
        counts = torch.stack([((ids % 3 == k) * mask).sum(1) for k in range(3)], 1)
        return {"input_ids": ids * mask, "attention_mask": mask, "label": counts.argmax(1)}


class Llama(nn.Module):
    """A Llama that predicts the next token; -100 marks what is not predicted."""

    def __init__(self):
        super().__init__()
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=32, max_position_embeddings=16,
                             use_cache=False)
        self.net = LlamaForCausalLM._from_config(config, attn_implementation="eager")

    def predict(self, input_ids):
        return self.net(input_ids=input_ids, use_cache=False).logits

    def forward(self, input_ids, labels):
        logits = self.predict(input_ids)
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100), logits

    @staticmethod
    def data():
        ids = (torch.randint(0, 20, (ROWS, 1)) + torch.randint(1, 4, (ROWS, 1)) * torch.arange(10)[None]) % 20
        labels = torch.where(torch.arange(10)[None] < torch.randint(5, 11, (ROWS, 1)), ids, -100)
        return {"input_ids": ids, "labels": labels}


class UNet(nn.Module):
    """A class for each pixel; 255 marks pixels without one."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(2, o), nn.SiLU(), nn.Conv2d(o, o, 3, padding=1), nn.SiLU())
        self.first, self.second, self.last = block(3, 6), block(6, 12), block(12, 6)
        self.rise, self.head = nn.ConvTranspose2d(12, 6, 2, 2), nn.Conv2d(6, 3, 1)

    def predict(self, image):
        a = self.first(image)
        b = self.rise(self.second(F.max_pool2d(a, 2)))
        return self.head(self.last(torch.cat([a, b], 1)))

    def forward(self, image, label):
        logits = self.predict(image)
        return F.cross_entropy(logits, label, ignore_index=255), logits

    @staticmethod
    def data():
        image = (16 * torch.randn(ROWS, 3, 16, 16)).round() / 16  # half precision holds these, and a zip makes them small
        label = F.avg_pool2d(image, 3, 1, 1).argmax(1)
        label[:, 0] = 255
        return {"image": image, "label": label}


class Clip(nn.Module):
    """Two towers; the loss is InfoNCE in both directions with a learned temperature."""

    def __init__(self):
        super().__init__()
        self.image, self.text = nn.Sequential(nn.Linear(12, 24), nn.GELU(), nn.Linear(24, 8)), nn.Sequential(nn.Linear(10, 24), nn.GELU(), nn.Linear(24, 8))
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, image, text):
        a, b = F.normalize(self.image(image), dim=1), F.normalize(self.text(text), dim=1)
        logits = self.logit_scale.exp() * a @ b.T
        return -(logits.log_softmax(1).diagonal().mean() + logits.log_softmax(0).diagonal().mean()) / 2, a, b

    @staticmethod
    def data():
        shared = torch.randn(ROWS, 4)
        return {"image": shared @ torch.randn(4, 12) + 0.1 * torch.randn(ROWS, 12), "text": shared @ torch.randn(4, 10) + 0.1 * torch.randn(ROWS, 10)}


class ResNet(nn.Module):
    """Two residual blocks on pixels of 0 to 255, which the graph itself scales. A buffer named `mean` would take the name of the mean below in the export."""

    def __init__(self):
        super().__init__()
        self.register_buffer("pixel_mean", torch.tensor([120.0, 115.0, 100.0]).view(1, 3, 1, 1))
        self.register_buffer("pixel_std", torch.tensor([58.0, 57.0, 57.0]).view(1, 3, 1, 1))
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        part = lambda: nn.Sequential(nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.a, self.b, self.head = part(), part(), nn.Linear(8, 4)

    def predict(self, image):
        h = self.stem((image.to(self.pixel_mean.dtype) - self.pixel_mean) / self.pixel_std)
        h = F.avg_pool2d(h + self.a(h), 2)
        return self.head((h + self.b(h)).mean((2, 3)))

    def forward(self, image, label):
        logits = self.predict(image)
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def data():
        label = torch.randint(0, 4, (ROWS,))
        level = 60 + 40 * label.float()
        return {"image": (level.view(-1, 1, 1, 1) + 40 * torch.randn(ROWS, 3, 12, 12)).clamp(0, 255).to(torch.uint8), "label": label}


class Gcn(nn.Module):
    """Graphs of six nodes with their normalised adjacency; a class for each graph."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 12), nn.Linear(12, 12), nn.Linear(12, 2)

    def predict(self, x, adjacency):
        h = F.relu(adjacency @ self.first(x))
        return self.head(F.relu(adjacency @ self.second(h)).mean(1))

    def forward(self, x, adjacency, label):
        logits = self.predict(x, adjacency)
        return F.cross_entropy(logits, label), logits

    @staticmethod
    def data():
        near = (torch.rand(ROWS, 6, 6) < 0.4).float()
        near = ((near + near.transpose(1, 2) + torch.eye(6)) > 0).float()
        scale = near.sum(2).rsqrt()
        return {"x": torch.randn(ROWS, 6, 5), "adjacency": scale[:, :, None] * near * scale[:, None], "label": (near.sum((1, 2)) > 24).long()}


class Vit(nn.Module):
    """A vision transformer; its weights are float16 in the file, and the optimizer keeps them in float32."""

    def __init__(self):
        super().__init__()
        self.patch, self.position = nn.Conv2d(3, 16, 4, 4), nn.Parameter(0.02 * torch.randn(1, 16, 16))
        self.norms = nn.ModuleList(nn.LayerNorm(16) for _ in range(3))
        self.project, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.up, self.down, self.head = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 3)

    def predict(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2) + self.position
        q, k, v = self.project(self.norms[0](x)).unflatten(2, (3, 2, 8)).permute(2, 0, 3, 1, 4)
        x = x + self.out(((q @ k.transpose(2, 3)) * 8**-0.5).softmax(3).matmul(v).transpose(1, 2).flatten(2))
        x = x + self.down(F.gelu(self.up(self.norms[1](x))))
        return self.head(self.norms[2](x).mean(1))

    def forward(self, image, label):
        logits = self.predict(image)
        return F.cross_entropy(logits.float(), label), logits

    @staticmethod
    def data():
        image = (16 * torch.randn(ROWS, 3, 16, 16)).round() / 16  # half precision holds these, and a zip makes them small
        return {"image": image, "label": image.mean((2, 3)).argmax(1)}


class Outputs(nn.Module):
    """A class, and four further outputs with a loss each: the class by an earlier layer, another class, a number that some rows lack, and the input again."""

    # what a job says of the outputs behind the first one
    outputs = {
        "early": {"labels": "labels", "loss": {"name": "cross_entropy", "label_smoothing": 0.1}, "weight": 0.3},
        "stage": {"labels": "stage"},
        "age": {"labels": "age", "loss": {"name": "huber", "delta": 0.7}, "weight": 2},
        "rebuilt": {"labels": "x", "weight": 0.1},
    }

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 12), nn.Linear(12, 8)
        self.heads = nn.ModuleList(nn.Linear(i, o) for i, o in [(8, 3), (12, 3), (8, 4), (8, 1), (8, 6)])

    def predict(self, x):
        a = F.gelu(self.first(x))
        b = F.gelu(self.second(a))
        return tuple(head(a if k == 1 else b) for k, head in enumerate(self.heads))

    def forward(self, x, stage, age, age_mask, label):
        logits, early, stages, ages, rebuilt = self.predict(x)
        smoothed = 0.9 * F.cross_entropy(early, label) - 0.1 * early.log_softmax(1).mean()  # the exporter would leave label_smoothing out
        loss = F.cross_entropy(logits, label) + 0.3 * smoothed + F.cross_entropy(stages, stage.flatten())
        of_ages = (F.huber_loss(ages, age, delta=0.7, reduction="none")[:, 0] * age_mask).sum() / age_mask.sum()
        return loss + 2 * of_ages + 0.1 * F.mse_loss(rebuilt, x), logits

    @staticmethod
    def data():
        x = torch.randn(ROWS, 6)
        age, there = 2 * x[:, :1] * x[:, 1:2], torch.rand(ROWS) < 0.7
        return {"x": x, "stage": x[:, 2:].argmax(1, keepdim=True), "age": age * there[:, None], "age_mask": there, "label": x[:, :3].argmax(1)}


# name: (module, optimizer, learning rate, weight decay, dtype of the file)
TRAININGS = {
    "bert": (Bert, "adamw", 2e-3, 0.01, torch.float32),
    "llama": (Llama, "adamw", 3e-3, 0.01, torch.float32),
    "unet": (UNet, "adamw", 3e-3, 0.01, torch.float32),
    "clip": (Clip, "adamw", 3e-3, 0.01, torch.float32),
    "resnet-uint8": (ResNet, "sgd", 0.05, 0.0, torch.float32),
    "gcn": (Gcn, "sgd", 0.1, 0.0, torch.float32),
    "outputs": (Outputs, "adamw", 3e-3, 0.01, torch.float32),
    "vit-float16": (Vit, "adamw", 3e-3, 0.01, torch.float16),
}

# what the manifest of the job's dataset says of the labels
PER_POSITION = {"llama": {"type": "multiclass", "per": "position", "class_count": 20},
                "unet": {"type": "multiclass", "per": "position", "class_count": 3, "ignore_index": 255}}
MASKS = {"attention_mask": "input_ids"}


def cast(inputs, dtype):
    return [v.to(dtype) if v.is_floating_point() else v for v in inputs]


def curve(module, data, batches, settings, dtype):
    """The loss before each step. In float16 the optimizer's own copy of the parameters is float32, and each step rounds it anew."""
    _, kind, rate, decay, _ = settings
    master = copy.deepcopy(module).float() if dtype == torch.float16 else copy.deepcopy(module).to(dtype)
    kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    optimizer = kinds[kind](master.parameters(), rate, weight_decay=decay)
    losses = []
    for rows in batches:
        inputs = [value[rows] for value in data.values()]
        working = copy.deepcopy(master).to(dtype) if dtype == torch.float16 else master
        working.zero_grad()
        loss = working(*cast(inputs, dtype))[0]
        loss.backward()
        for kept, used in zip(master.parameters(), working.parameters()):
            kept.grad = None if used.grad is None else used.grad.to(kept.dtype)
        optimizer.step()
        losses.append(loss.item())
    return losses


def export(module, data, path, dtype):
    rows = torch.export.Dim("batch", min=2, max=64)
    outputs = ["loss", "logits"] if len(module(*cast([v[:BATCH] for v in data.values()], dtype))) == 2 else ["loss", "image_embedding", "text_embedding"]
    torch.onnx.export(
        module, tuple(cast([v[:BATCH] for v in data.values()], dtype)), path, input_names=list(data), output_names=outputs, dynamo=True, optimize=False, verbose=False,
        external_data=False, dynamic_shapes=tuple({0: rows} for _ in data), opset_version=18,
    )


def make_training(name, folder, batches):
    settings = TRAININGS[name]
    kind, optimizer, rate, decay, dtype = settings
    data, module = beginning(kind, dtype)
    curves = {"losses": curve(module, data, batches, settings, dtype), "exactLosses": curve(module, data, batches, settings, torch.float64)}
    export(copy.deepcopy(module).to(dtype), data, str(folder / "model.onnx"), dtype)
    save_file({k: v.contiguous().numpy() for k, v in data.items()}, folder / "data.safetensors")
    (folder / "curve.json").write_text(json.dumps({"optimizer": optimizer, "learningRate": rate, "weightDecay": decay, "seed": SEED, "batch": BATCH, "batches": batches, **curves}))
    return curves


def beginning(kind, dtype):
    """Data, and the module in float32, of numbers that a file of dtype can hold."""
    torch.manual_seed(SEED)
    data, module = kind.data(), kind().eval()
    return data, module.to(dtype).to(torch.float32)


def make_job(name, folder, small):
    """A job trains 16-bit parameters in float32, so that is what PyTorch does here."""
    kind, _, _, decay, dtype = TRAININGS[name]
    rate = 3e-3
    settings = (kind, "adamw", rate, decay, torch.float32)
    data, module = beginning(kind, dtype)
    rows = len(next(iter(data.values())))
    curves = {k: curve(module, data, [list(range(rows))] * STEPS, settings, d) for k, d in {"losses": torch.float32, "exactLosses": torch.float64}.items()}
    *arrays, target = data
    inputs = list(inspect.signature(kind.predict).parameters)[1:]
    outputs = getattr(kind, "outputs", {})
    predictor = type(kind.__name__, (kind,), {"forward": kind.predict})
    module = copy.deepcopy(module).to(dtype)
    module.__class__ = predictor
    values = tuple(cast([data[k][:BATCH] for k in inputs], dtype))
    dim = torch.export.Dim("batch", min=2, max=64)
    path = folder / "model.onnx"
    torch.onnx.export(module, values, str(path), input_names=inputs, output_names=["logits", *outputs], dynamo=True, optimize=False, verbose=False, external_data=False,
                      dynamic_shapes=tuple({0: dim} for _ in inputs), opset_version=18)
    if small:
        without_stack_traces(path)
    labels = data[target]
    if name == "llama":
        labels = torch.cat([labels[:, 1:], torch.full((rows, 1), -100)], 1)
    task = PER_POSITION.get(name) or {"type": "multiclass", "classes": [f"class {k}" for k in range(int(labels.max()) + 1)]}
    masks = {MASKS[k]: k for k in inputs if k in MASKS}
    files = {f"{MASKS[k]}_mask" if k in MASKS else k: v.numpy() for k, v in zip(arrays, cast([data[k] for k in arrays], dtype))}
    modalities = [k for k in files if not k.endswith("_mask")]
    write_dataset(folder / "dataset.zip", {**files, "labels": labels.numpy()}, {"task": task, "modalities": {k: {} for k in modalities}})
    model = {"inputs": {k: k for k in modalities if k in inputs}, "output": "logits", **({"masks": masks} if masks else {}), **({"outputs": outputs} if outputs else {})}
    write_job(folder / "job.json", model, rows, rate, decay, curves)
    return curves


def main():
    global ROWS
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", action="store_true")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    architectures.load()
    jobs = options.jobs or options.small
    if options.small:
        ROWS = 16
    if not jobs:
        epochs = STEPS * BATCH // ROWS
        order = json.loads(subprocess.check_output(["node", HERE / "order.js", str(SEED), str(epochs), str(ROWS)]))
        batches = [rows[at : at + BATCH] for rows in order for at in range(0, ROWS, BATCH)]
    for name in options.names or [name for name in TRAININGS if not jobs or hasattr(TRAININGS[name][0], "predict")]:
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        curves = make_job(name, folder, options.small) if jobs else make_training(name, folder, batches)
        print(f"{name}: {curves['losses'][0]:.4f} → {curves['losses'][-1]:.4f} in {STEPS} steps, {max(abs(a - b) for a, b in zip(curves['losses'], curves['exactLosses'])):.1e} from float64", flush=True)


main()
