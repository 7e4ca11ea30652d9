"""A refresh of the BTW weights as its authors write one, in pandas, SciPy and scikit-learn: `refresh_peer.py FOLDER MODALITIES`, on the predictions that lie in
the folder. A loop over the rows of a DataFrame asks scipy.stats.entropy for the divergence of each modality; mutual_info_regression gives the weight of
the modality. What needs no loop has none: softmax, normalisation and product go over whole columns. Each line read from standard input runs it once and
prints milliseconds and the mean weight of each modality."""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.feature_selection import mutual_info_regression

folder, names = Path(sys.argv[1]), [f"unimodal{m}" for m in range(int(sys.argv[2]))]
logits = {name: np.load(folder / f"{name}.npy").astype(np.float64) for name in ["fused", *names]}


def refresh():
    probabilities = {name: softmax(values, axis=1) for name, values in logits.items()}
    fused = probabilities["fused"]
    frame = pd.DataFrame(0.0, index=range(len(fused)), columns=names)
    for row in frame.index:
        for name in names:
            frame.at[row, name] = entropy(probabilities[name][row], fused[row])
    scaled = (frame - frame.min()) / (frame.max() - frame.min())
    information = [mutual_info_regression(probabilities[name].max(1)[:, None], fused.max(1), random_state=0)[0] for name in names]
    weights = np.exp(-scaled) * information
    return weights.div(weights.mean(axis=1), axis=0)


print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    weights = refresh()
    print((time.perf_counter() - started) * 1e3, *weights.mean(), flush=True)
