#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digits example's network and writes its weights and the held-out scans as .npy.

    python3 examples/digits/train.py                    # rewrites weights/ and heldout/
    python3 examples/digits/train.py --cross-validate   # accuracy over folds of the training part alone; writes nothing

The network: logits = relu(X W1 + b1) W2 + b2, with 64 -> 128 -> 10 units. NumPy only, fixed seed. The weights that
are committed came from this script; another NumPy or BLAS may change their last bits, not what they are worth.

Split: within each class, every fourth scan in file order is held out (445 of 1,797). Held-out scans are used once, to
print the accuracy at the end: every setting below was chosen by --cross-validate, which never sees them.
"""
import argparse
import gzip
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = 10
HIDDEN = 128
EPOCHS = 200
BATCH = 32
STEP = 2e-3  # Adam's, falling to zero along a cosine
DECAY = 1e-4  # of weights, decoupled
SEED = 20240607
HELD_OUT_EVERY = 4


def load(path):
    with gzip.open(path, "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64)
    if table.ndim != 2 or table.shape[1] != 65 or table[:, :64].min() < 0 or table[:, :64].max() > 16:
        sys.exit(f"{path}: expected lines of 64 values in 0..16 and a label, found a table of shape {table.shape}")
    return table[:, :64].astype(np.float32), table[:, 64]


def split(labels):
    """True for each scan that is held out."""
    held_out = np.zeros(labels.size, dtype=bool)
    for digit in range(CLASSES):
        held_out[np.flatnonzero(labels == digit)[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]] = True
    return held_out


def shifted(scans, rng):
    """Each scan moved by at most one pixel in each direction: handwriting is not centred."""
    images = np.pad(scans.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    moves = rng.choice(3, size=(len(scans), 2), p=[0.1, 0.8, 0.1])
    rows = moves[:, 0, None, None] + np.arange(8)[None, :, None]
    cols = moves[:, 1, None, None] + np.arange(8)[None, None, :]
    return images[np.arange(len(scans))[:, None, None], rows, cols].reshape(-1, 64)


def forward(weights, x):
    w1, b1, w2, b2 = weights
    hidden = np.maximum(x @ w1 + b1, 0)
    return hidden, hidden @ w2 + b2


def gradients(weights, x, labels):
    """Of the mean cross-entropy of softmax(logits)."""
    hidden, logits = forward(weights, x)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    d_logits = e / e.sum(axis=1, keepdims=True)
    d_logits[np.arange(labels.size), labels] -= 1
    d_logits /= labels.size
    d_hidden = (d_logits @ weights[2].T) * (hidden > 0)
    return [x.T @ d_hidden, d_hidden.sum(axis=0), hidden.T @ d_logits, d_logits.sum(axis=0)]


def train(scans, labels):
    """Weights for scans in 0..16: inside, scans are divided by 16, which is folded into W1 exactly."""
    rng = np.random.default_rng(SEED)
    weights = [
        rng.normal(0, np.sqrt(2 / 64), (64, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, CLASSES)),
        np.zeros(CLASSES),
    ]
    first = [np.zeros_like(w) for w in weights]
    second = [np.zeros_like(w) for w in weights]
    per_epoch = -(-labels.size // BATCH)
    t = 0
    for _ in range(EPOCHS):
        order = rng.permutation(labels.size)
        x_all = shifted(scans, rng) / 16.0
        for chosen in np.array_split(order, per_epoch):
            t += 1
            step = STEP * 0.5 * (1 + np.cos(np.pi * t / (EPOCHS * per_epoch)))
            for w, g, m, v in zip(weights, gradients(weights, x_all[chosen], labels[chosen]), first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                w -= step * (m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) + DECAY * w)
    weights[0] /= 16.0
    return [w.astype(np.float32) for w in weights]


def accuracy(weights, scans, labels):
    return float(np.mean(forward(weights, scans)[1].argmax(axis=1) == labels))


def cross_validate(scans, labels, folds=5):
    scores = []
    for fold in range(folds):
        out = np.arange(labels.size) % folds == fold
        scores.append(accuracy(train(scans[~out], labels[~out]), scans[out], labels[out]))
        print(f"fold {fold}: {scores[-1]:.4f}")
    print(f"mean of {folds} folds of the training part: {np.mean(scores):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cross-validate", action="store_true", help="only report accuracy over training folds")
    args = parser.parse_args()
    scans, labels = load(HERE / "data" / "digits.csv.gz")
    held_out = split(labels)
    if args.cross_validate:
        cross_validate(scans[~held_out], labels[~held_out])
        return
    weights = train(scans[~held_out], labels[~held_out])
    for folder in ("weights", "heldout"):
        (HERE / folder).mkdir(exist_ok=True)
    for name, array in zip(("w1", "b1", "w2", "b2"), weights):
        np.save(HERE / "weights" / f"{name}.npy", array)
    np.save(HERE / "heldout" / "scans.npy", scans[held_out])
    np.save(HERE / "heldout" / "labels.npy", labels[held_out])
    print(f"trained on {np.sum(~held_out)} scans: {accuracy(weights, scans[~held_out], labels[~held_out]):.4f}")
    print(f"held-out {np.sum(held_out)} scans: {accuracy(weights, scans[held_out], labels[held_out]):.4f}")


if __name__ == "__main__":
    main()
