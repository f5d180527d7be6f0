"""Simulated models whose quality is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mlci.stats.scores import Scores


def _binary(
    seed: int, rows: int = 300, noise: float = 1.0, share: float = 0.4, digits: int | None = None
) -> Scores:
    # The truth depends on the rows only, so that models with different seeds are paired.
    truth = np.random.default_rng(rows).random(rows) < share
    generator = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-(2.0 * truth - 1.0 + noise * generator.normal(size=rows))))
    if digits is not None:
        probability = np.round(probability, digits)
    return Scores(
        truth.astype(int),
        (probability > 0.5).astype(int),
        np.column_stack([1 - probability, probability]),
        (0, 1),
    )


def _multiclass(seed: int, rows: int = 300, noise: float = 1.0) -> Scores:
    names = np.array(["ash", "birch", "cedar"])
    truth = np.random.default_rng(rows).integers(0, 3, rows)
    generator = np.random.default_rng(seed)
    power = np.exp(np.eye(3)[truth] + noise * generator.normal(size=(rows, 3)))
    probability = power / power.sum(axis=1, keepdims=True)
    return Scores(names[truth], names[probability.argmax(axis=1)], probability, tuple(names.tolist()))


def _multilabel(seed: int, rows: int = 300, noise: float = 1.0) -> Scores:
    truth = np.random.default_rng(rows).random((rows, 3)) < [0.2, 0.5, 0.7]
    generator = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-(2.0 * truth - 1.0 + noise * generator.normal(size=(rows, 3)))))
    return Scores(truth, probability > 0.5, probability, labels=("red", "round", "ripe"))


def _regression(seed: int, rows: int = 300, noise: float = 1.0) -> Scores:
    truth = np.random.default_rng(rows).normal(10, 3, rows)
    return Scores(truth, truth + noise * np.random.default_rng(seed).normal(size=rows))


@pytest.fixture
def binary() -> Callable[..., Scores]:
    return _binary


@pytest.fixture
def multiclass() -> Callable[..., Scores]:
    return _multiclass


@pytest.fixture
def multilabel() -> Callable[..., Scores]:
    return _multilabel


@pytest.fixture
def regression() -> Callable[..., Scores]:
    return _regression
