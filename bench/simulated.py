"""Models whose true difference is known, for bench/coverage.py and the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.metrics import metric_kind, statistic
from mlci.stats.scores import Scores

Pair = tuple[Scores, Scores]
CELLS = np.arange(8)
LABEL, AFTER, BEFORE = CELLS >> 2, (CELLS >> 1) & 1, CELLS & 1


@dataclass(frozen=True)
class Case:
    """A metric under a law of rows; `draw` gives baseline, candidate and groups (or None)."""

    name: str
    metric: str
    draw: Callable[[np.random.Generator, int], tuple[Pair, np.ndarray | None]]
    replicates: int = 0

    def compare(self, generator: np.random.Generator, rows: int) -> Comparison:
        """Draw rows and compare the two models on them."""
        (before, after), groups = self.draw(generator, rows)
        found = compare(
            [self.metric], before, after, groups=groups, replicates=self.replicates or 999, threads=1
        )
        return found[self.metric, None]


def shares(positives: float) -> np.ndarray:
    """Return how likely each cell of label, candidate and baseline is; the candidate finds fewer positives."""
    positive = positives * np.array([0.14, 0.09, 0.05, 0.72])  # label 1: both miss, one finds, both find
    negative = (1 - positives) * np.array([0.875, 0.015, 0.025, 0.085])
    return np.concatenate([negative, positive])


def classes(generator: np.random.Generator, rows: int, positives: float = 0.3) -> tuple[Pair, None]:
    """Two classifiers that are right on other rows."""
    cell = generator.choice(8, rows, p=shares(positives))
    return tuple(Scores(LABEL[cell], side[cell], None, (0, 1)) for side in (BEFORE, AFTER)), None


def rare(generator: np.random.Generator, rows: int) -> tuple[Pair, None]:
    """The same with one positive row in ten."""
    return classes(generator, rows, 0.1)


def weighted(generator: np.random.Generator, rows: int) -> tuple[Pair, None]:
    """The same with weights."""
    (before, after), _ = classes(generator, rows)
    weight = generator.gamma(4.0, 0.25, rows)
    return tuple(
        Scores(model.label, model.prediction, None, (0, 1), weight=weight) for model in (before, after)
    ), None


def probabilities(
    generator: np.random.Generator, rows: int, group: np.ndarray | None = None
) -> tuple[Pair, np.ndarray | None]:
    """Two calibrated-looking scorers with shared luck; the candidate is a little noisier."""
    label = (generator.random(rows) < 0.3).astype(int)
    shared = generator.normal(size=rows)
    if group is not None:
        shared = 0.7 * shared + 0.7 * generator.normal(size=rows)[group]
    models = []
    for noise in (1.0, 1.15):
        own = generator.normal(size=rows)
        logit = 2.2 * label - 1.6 + noise * (0.8 * shared + 0.6 * own)
        p = 1 / (1 + np.exp(-logit))
        models.append(Scores(label, (p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1)))
    return (models[0], models[1]), group


def numbers(
    generator: np.random.Generator, rows: int, group: np.ndarray | None = None
) -> tuple[Pair, np.ndarray | None]:
    """Two regressors with shared errors; the candidate's are a little larger."""
    label = generator.normal(0, 2, rows)
    shared = generator.normal(size=rows)
    effects = np.zeros((2, rows)) if group is None else 0.6 * generator.normal(size=(2, rows))[:, group]
    models = [
        Scores(label, label + size * (0.6 * shared + 0.8 * generator.normal(size=rows) + effect))
        for size, effect in zip((1.0, 1.05), effects, strict=True)
    ]
    return (models[0], models[1]), group


def grouped(
    draw: Callable[..., tuple[Pair, np.ndarray | None]],
) -> Callable[..., tuple[Pair, np.ndarray | None]]:
    """Return the same law with groups of five rows that share luck."""
    return lambda generator, rows: draw(generator, rows, np.arange(rows) // 5)


CASES = (
    Case("accuracy", "accuracy", classes),
    Case("accuracy, weighted", "accuracy", weighted),
    Case("recall", "recall", classes),
    Case("recall, 10 % positive", "recall", rare),
    Case("precision", "precision", classes),
    Case("precision, 10 % positive", "precision", rare),
    Case("F1", "f1", classes),
    Case("F1, 10 % positive", "f1", rare),
    Case("balanced accuracy", "balanced_accuracy", classes),
    Case("MCC", "mcc", classes),
    Case("log loss", "log_loss", probabilities),
    Case("Brier", "brier", probabilities),
    Case("ROC AUC", "roc_auc", probabilities),
    Case("ROC AUC, groups of 5", "roc_auc", grouped(probabilities)),
    Case("MAE", "mae", numbers),
    Case("MAE, groups of 5", "mae", grouped(numbers)),
    Case("RMSE", "rmse", numbers),
    Case("R²", "r2", numbers),
    Case("calibration error", "calibration_error", probabilities, replicates=499),
    Case("PR AUC", "average_precision", probabilities, replicates=499),
)


@cache
def true_gain(case: Case, sets: int = 300) -> float:
    """Return the gain: of a table from its law, else the mean over many sets of 100,000 rows."""
    kind = metric_kind(case.metric)
    sign = 1.0 if kind.direction == "higher" else -1.0
    if case.draw in (classes, rare, weighted):
        weights = shares(0.1 if case.draw is rare else 0.3)[None, :]
        values = [
            statistic(case.metric, Scores(LABEL, side, None, (0, 1))).values(weights)
            for side in (BEFORE, AFTER)
        ]
        return sign * float(values[1][0] - values[0][0])
    generator, ones = np.random.default_rng(0), np.ones((1, 100_000))
    found = []
    for _ in range(sets):
        pair, _ = case.draw(generator, 100_000)
        before, after = (float(statistic(case.metric, model).values(ones)[0]) for model in pair)
        found.append(after - before)
    return sign * float(np.mean(found))
