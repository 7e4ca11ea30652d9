"""Makes test/fixtures/uploaded/fusion.onnx: a network that a user could upload, for the modalities a [6] and b [3, 2] of the tests' small dataset.

A GELU MLP and a bidirectional LSTM, concatenated; one logit. Exported by torch.onnx.export with a free batch dimension.

Run with torch, onnx and onnxscript: python test/oracles/uploaded.py
"""

import pathlib

import torch
from torch import nn


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 8))
        self.b = nn.LSTM(2, 4, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 1))

    def forward(self, a, b):
        return self.head(torch.cat([self.a(a), self.b(b)[0].mean(1)], 1))


torch.manual_seed(3)
path = pathlib.Path(__file__).parents[1] / "fixtures/uploaded/fusion.onnx"
path.parent.mkdir(parents=True, exist_ok=True)
batch = torch.export.Dim("batch")
torch.onnx.export(
    Fusion().eval(), (torch.zeros(2, 6), torch.zeros(2, 3, 2)), path, input_names=["a", "b"], output_names=["logits"],
    dynamic_shapes=({0: batch}, {0: batch}), external_data=False, opset_version=20,
)
