"""The referee of src/report/accuracy.rs: scikit-learn and statsmodels on seeded cases. Prints one JSON array.

    python3 -m venv v && v/bin/pip install statsmodels==0.15.0 scikit-learn==1.9.1
    v/bin/python tests/fast/statistics/accuracy.py 2010 >tests/fast/statistics/accuracy.json
"""
import json
import random
import sys

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, f1_score, precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint


def wilson(hits, of):
    if of == 0:
        return None
    low, high = proportion_confint(hits, of, alpha=0.05, method="wilson")
    return [float(low), float(high)]


def score(truth, found):
    truth, found = np.asarray(truth), np.asarray(found)
    both, of_found, of_truth = int((truth & found).sum()), int(found.sum()), int(truth.sum())
    return {
        "precision": float(precision_score(truth, found)) if of_found else None,
        "precision_interval": wilson(both, of_found),
        "recall": float(recall_score(truth, found)) if of_truth else None,
        "recall_interval": wilson(both, of_truth),
        "f1": float(f1_score(truth, found)) if of_found + of_truth else None,
    }


def reliability(confidences, right):
    if not confidences:
        return None
    shares, means = calibration_curve(right, confidences, n_bins=10)
    at = np.searchsorted(np.linspace(0, 1, 11)[1:-1], confidences)
    sizes = np.bincount(at, minlength=10)
    sizes = sizes[sizes > 0]
    return {
        "brier": float(brier_score_loss(right, confidences, pos_label=1)),
        "ece": float(np.sum(sizes / len(right) * np.abs(shares - means))),
        "bins": [[float(mean), float(share), int(size)] for mean, share, size in zip(means, shares, sizes)],
    }


def cases(dice):
    for number in range(60):
        n, levels = dice.choice([1, 2, 5, 30, 200]), dice.choice([2, 3, 5])
        truth = [dice.randrange(levels) for _ in range(n)]
        found = [t if dice.random() < 0.7 else dice.randrange(levels) for t in truth]
        # Confidences at the borders of bins, too.
        sure = [dice.choice([0.0, 0.1, 0.3, 0.7, 1.0, dice.random(), dice.random() ** 0.2]) for _ in range(n)]
        sure = [s if number % 3 else None for s in sure]
        right = [int(t == f) for t, f in zip(truth, found)]
        known = [(s, r) for s, r in zip(sure, right) if s is not None]
        yield {
            "name": f"case {number}",
            "levels": levels,
            "rows": [list(row) for row in zip(truth, found, sure)],
            "confusion": confusion_matrix(truth, found, labels=range(levels)).tolist(),
            "right": float(accuracy_score(truth, found)),
            "right_interval": wilson(sum(right), n),
            "each": [score([t == k for t in truth], [f == k for f in found]) for k in range(levels)],
            "at_or_above": [score([t >= k for t in truth], [f >= k for f in found]) for k in range(1, levels)],
            "reliability": reliability([s for s, _ in known], [r for _, r in known]),
        }


if __name__ == "__main__":
    print(json.dumps(list(cases(random.Random(int(sys.argv[1]))))))
