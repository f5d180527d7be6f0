"""Measures intervals side by side with scipy.stats.bootstrap on the same rows, and how cost grows with rows.

    python bench/intervals.py [--rows 100000] [--largest 1000000]

scipy runs few resamples (its default method, BCa, without the jackknife that costs n² would never end) and
its time is scaled to the 2,000 that mlci draws where it draws any.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics as sk

from mlci.stats.compare import compare
from mlci.stats.scores import Scores
from mlci.stats.slices import Column

RESAMPLES = 2000
FEW = 10
TWELVE = [
    *("accuracy", "balanced_accuracy", "precision", "recall", "f1", "f_beta@2", "mcc", "kappa"),
    *("roc_auc", "log_loss", "brier", "f_beta@0.5"),
]


def pair(rows: int) -> tuple[Scores, Scores]:
    """Return a baseline and a candidate that is a little better, on the same rows."""
    generator = np.random.default_rng(rows)
    label = (generator.random(rows) < 0.2).astype(np.int64)
    shared = generator.normal(size=rows)
    models = []
    for noise in (1.05, 1.0):
        own = generator.normal(size=rows)
        p = 1 / (1 + np.exp(-(2.5 * label - 1.8 + noise * (0.8 * shared + 0.6 * own))))
        models.append(Scores(label, (p > 0.5).astype(np.int64), np.column_stack([1 - p, p]), (0, 1)))
    return models[0], models[1]


def timed(work: Callable[[], object], least: int = 3) -> float:
    """Return the shortest of a few times, in seconds."""
    times = []
    for _ in range(least):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def by_scipy(metric: str, before: Scores, after: Scores) -> float:
    """Return how long scipy's paired bootstrap takes for 2,000 resamples, in seconds."""
    score = {
        "accuracy": (sk.accuracy_score, "prediction"),
        "f1": (sk.f1_score, "prediction"),
        "log_loss": (sk.log_loss, "probability"),
        "roc_auc": (sk.roc_auc_score, "probability"),
        "average_precision": (sk.average_precision_score, "probability"),
    }[metric]
    function, what = score
    sides = [
        model.prediction if what == "prediction" else model.probability[:, 1] for model in (after, before)
    ]

    def once() -> object:
        return stats.bootstrap(
            (after.label, *sides),
            lambda y, a, b: function(y, a) - function(y, b),
            paired=True,
            vectorized=False,
            n_resamples=FEW,
            confidence_level=0.9,
            method="percentile",
            rng=np.random.default_rng(0),
        )

    return timed(once, 1) * RESAMPLES / FEW


def ratios(rows: int) -> None:
    """Print both times for one metric of each kind."""
    before, after = pair(rows)
    print(f"\n## {rows:,} rows: one metric, {RESAMPLES:,} resamples where there are any\n")
    print("| metric | method | mlci s | scipy.stats.bootstrap s | times faster |\n|:--|:--|--:|--:|--:|")
    for metric in ("accuracy", "f1", "log_loss", "roc_auc", "average_precision"):
        found = compare([metric], before, after)[metric, None]
        own = timed(partial(compare, [metric], before, after))
        other = by_scipy(metric, before, after)
        print(f"| {metric} | {found.method} | {own:.4f} | {other:,.1f} | {other / own:,.0f} |", flush=True)


def growth(largest: int) -> None:
    """Print the cost of each kind from 10⁴ rows on."""
    print("\n## Cost by rows, in seconds\n")
    print("| rows | counts (accuracy, F1) | means (log loss) | ranks (ROC AUC) | memory MB |")
    print("|--:|--:|--:|--:|--:|")
    rows = 10_000
    while rows <= largest:
        models, least = pair(rows), 1 if rows > 2_000_000 else 3
        times = [
            timed(partial(compare, names, *models), least)
            for names in (["accuracy", "f1"], ["log_loss"], ["roc_auc"])
        ]
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"| {rows:,} | " + " | ".join(f"{value:.4f}" for value in times) + f" | {most:,.0f} |", flush=True
        )
        rows *= 10


def battery(rows: int) -> None:
    """Print twelve metrics on fifty slices against reading both files and one sort for each model."""
    before, after = pair(rows)
    generator = np.random.default_rng(1)
    columns = [
        Column(generator.integers(0, 10, rows), [f"{name}={value}" for value in range(10)])
        for name in "abcde"
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.parquet" for name in ("before", "after")]
        for model, path in zip((before, after), paths, strict=True):
            table = pd.DataFrame(
                {
                    "key": np.arange(rows),
                    "label": model.label,
                    "prediction": model.prediction,
                    "probability_0": model.probability[:, 0],
                    "probability_1": model.probability[:, 1],
                }
            )
            table.to_parquet(path)
        read = timed(lambda: [pd.read_parquet(path) for path in paths])
    sort = timed(lambda: [np.argsort(model.probability[:, 1], kind="stable") for model in (before, after)])

    def all_of_them() -> object:
        fresh = [Scores(m.label, m.prediction, m.probability, m.classes) for m in (before, after)]
        return compare(TWELVE, *fresh, slices=columns)

    own = timed(all_of_them)
    print(f"\n## {rows:,} rows, {len(TWELVE)} metrics, 50 slices\n")
    print(
        f"reading both files {read:.2f} s, sorting once a model {sort:.2f} s, all intervals {own:.2f} s: ",
        end="",
    )
    print(f"{own / (read + sort):.1f} times reading and sorting")


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--largest", type=int, default=1_000_000)
    asked = parser.parse_args()
    ratios(asked.rows)
    battery(1_000_000)
    growth(asked.largest)


if __name__ == "__main__":
    main()
