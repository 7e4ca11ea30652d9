"""Logistic regression on the sample dataset, clean and with one modality swapped between messages in 30% of the rows.

    python test/sample/baselines.py [services/cli/sample/spam-mail.zip] [modality to swap]

Needs numpy and scikit-learn. Standardisation and the strength of regularisation (by validation log loss) come from train and valid.
"""

import io
import sys
import warnings
import zipfile

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler

MODALITIES = ["subject", "body", "routing", "format"]
SPLITS = ["train", "valid", "test"]


def load(path):
    with zipfile.ZipFile(path) as archive:
        read = lambda name: np.load(io.BytesIO(archive.read(f"{name}.npy")))
        return {s: {m: read(f"{s}_{m}").astype(np.float64) for m in [*MODALITIES, "labels"]} for s in SPLITS}


def swapped(data, modality, share, seed):
    """Gives `share` of the rows of each split the modality of another of these rows, so that it no longer belongs to its label."""
    random = np.random.default_rng(seed)
    result = {s: dict(data[s]) for s in SPLITS}
    for split in SPLITS:
        rows = random.permutation(len(data[split]["labels"]))[: round(share * len(data[split]["labels"]))]
        values = data[split][modality].copy()
        values[rows] = values[np.roll(rows, 1)]
        result[split][modality] = values
    return result


def fit(data, modalities):
    x = {s: np.hstack([data[s][m] for m in modalities]) for s in SPLITS}
    y = {s: data[s]["labels"].astype(int) for s in SPLITS}
    scaler = StandardScaler().fit(x["train"])
    x = {s: scaler.transform(x[s]) for s in SPLITS}
    models = [LogisticRegression(C=c, max_iter=3000).fit(x["train"], y["train"]) for c in (1e-4, 1e-3, 1e-2, 1e-1, 1)]
    best = min(models, key=lambda model: log_loss(y["valid"], model.predict_proba(x["valid"])))
    p = best.predict_proba(x["test"])[:, 1]
    return accuracy_score(y["test"], p > 0.5), roc_auc_score(y["test"], p)


def table(title, data):
    print(title)
    for modalities in [*([m] for m in MODALITIES), MODALITIES]:
        accuracy, auroc = fit(data, modalities)
        print(f"  {modalities[0] if len(modalities) == 1 else 'all':8} accuracy {accuracy:.3f}  AUROC {auroc:.3f}")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    path = sys.argv[1] if len(sys.argv) > 1 else "services/cli/sample/spam-mail.zip"
    modality = sys.argv[2] if len(sys.argv) > 2 else "body"
    data = load(path)
    for split in SPLITS:
        values = data[split]
        assert all(np.isfinite(v).all() and len(v) == len(values["labels"]) for v in values.values()), split
        print(split, len(values["labels"]), "rows,", f"{values['labels'].mean():.3f} spam")
    print({m: data["train"][m].shape[1] for m in MODALITIES}, "largest |value|", max(abs(data[s][m]).max() for s in SPLITS for m in MODALITIES))
    table("clean", data)
    table(f"{modality} swapped between messages in 30% of the rows of every split", swapped(data, modality, 0.3, 1))
