"""Writes packages/trainer/test/fixtures/gradient-modulation.json: OGM-GE for several modalities in PyTorch float64.

The coefficients follow the released code of Peng et al. 2022 (score of a modality: the summed softmax probability of the true class under that modality
alone; ratio to the others; coefficient 1 - tanh(alpha * ratio) where the ratio is above 1), with the mean over the other modalities for more than two.
Run: python test/oracles/gradient_modulation.py (PyTorch 2.13.0)
"""
import json
from pathlib import Path
import torch

torch.manual_seed(5)
ROWS = 8
cases = []
for loss, outputs in [('cross_entropy', 3), ('binary_cross_entropy', 1), ('mse', 1), ('mae', 1)]:
    for modalities in (2, 3):
        for alpha in (0.1, 0.8):
            logits = [torch.randn(ROWS, outputs, dtype=torch.float64) * (m + 1) for m in range(modalities)]
            if loss == 'cross_entropy':
                label = torch.randint(0, outputs, (ROWS,))
                target = torch.nn.functional.one_hot(label, outputs).double()
                p = [torch.softmax(z, 1)[torch.arange(ROWS), label] for z in logits]
            elif loss == 'binary_cross_entropy':
                target = torch.randint(0, 2, (ROWS, 1)).double()
                p = [torch.where(target == 1, torch.sigmoid(z), torch.sigmoid(-z))[:, 0] for z in logits]
            else:
                target = torch.randn(ROWS, 1, dtype=torch.float64)
                p = [torch.exp(-((z - target) ** 2 if loss == 'mse' else (z - target).abs()))[:, 0] for z in logits]
            score = torch.stack([one.mean() for one in p])
            factors = []
            for m in range(modalities):
                others = torch.cat([score[:m], score[m + 1:]]).mean()
                ratio = score[m] / others
                factors.append(float(1 - torch.tanh(alpha * ratio)) if ratio > 1 else 1.0)
            cases.append({'loss': loss, 'alpha': alpha, 'logits': [z.flatten().tolist() for z in logits], 'target': target.flatten().tolist(),
                          'outputs': outputs, 'factors': factors})
gradient, noise = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
# quantiles of one value: the score is exp(-loss), as of any regression, and the loss the mean over the quantiles of the pinball loss
quantiles = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
for modalities in (2, 3):
    logits = [torch.randn(ROWS, 3, dtype=torch.float64) * (m + 1) for m in range(modalities)]
    target = torch.randn(ROWS, 1, dtype=torch.float64)
    score = torch.stack([torch.exp(-torch.maximum(quantiles * (target - z), (quantiles - 1) * (target - z)).mean(1)).mean() for z in logits])
    factors = []
    for m in range(modalities):
        others = torch.cat([score[:m], score[m + 1:]]).mean()
        ratio = score[m] / others
        factors.append(float(1 - torch.tanh(0.8 * ratio)) if ratio > 1 else 1.0)
    cases.append({'loss': {'name': 'quantile', 'quantiles': quantiles.tolist()}, 'alpha': 0.8, 'logits': [z.flatten().tolist() for z in logits],
                  'target': target.flatten().tolist(), 'outputs': 3, 'factors': factors})
out = {'rows': ROWS, 'cases': cases,
       'noise': {'gradient': gradient.flatten().tolist(), 'noise': noise.flatten().tolist(), 'factor': 0.4,
                 'modulated': (gradient * 0.4 + noise * gradient.std(unbiased=False)).flatten().tolist()}}
path = Path(__file__).parents[2] / 'packages/trainer/test/fixtures/gradient-modulation.json'
path.write_text(json.dumps(out, default=float) + '\n')
