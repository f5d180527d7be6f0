"""What a process has to know to work on metrics that others wrote, and how the work is done."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlci.stats.bootstrap import Entry, Piece, Values, evaluated, values_of_all
from mlci.stats.metrics import metric_kind
from mlci.stats.resampling import Sample
from mlci.stats.scores import Scores
from mlci.stats.statistic import Battery
from mlci.stats.tally import Positions


@dataclass(frozen=True, eq=False)
class Question:
    """Metrics by name, both models, the rows of each part (None for all), and how rows are drawn."""

    metrics: Sequence[str]
    candidate: Scores
    baseline: Scores | None
    parts: Sequence[Positions | None]
    sample: Sample
    seed: int
    chunk_bytes: int


class Answers:
    """Answers a question piece by piece."""

    def __init__(self, question: Question) -> None:
        """Raises ValueError when a metric cannot be found or asked here."""
        kinds = [metric_kind(name) for name in question.metrics]

        def battery(scores: Scores, rows: Positions | None) -> Battery:
            own = scores if rows is None else scores.take(rows)
            return Battery([kind.build(own) for kind in kinds])

        before = question.baseline
        self._question = question
        self._entries = [
            Entry(
                [],
                rows,
                battery(question.candidate, rows),
                None if before is None else battery(before, rows),
            )
            for rows in question.parts
        ]

    def points(self) -> Values:
        """Return the values on all rows."""
        return values_of_all(self._entries, self._question.sample)

    def of(self, piece: Piece) -> Values:
        """Return the values of one piece."""
        question = self._question
        return evaluated(self._entries, question.sample, question.seed, question.chunk_bytes, piece)


def unpacked(message: bytes) -> Any:
    """Return what a process of the crew sent; it runs the same code for the same user."""
    return pickle.loads(message)  # noqa: S301 both ends are this program


def same_values(found: object, expected: Values) -> bool:
    """Return whether an answer is, to the last digit, what is expected."""
    return (
        isinstance(found, list)
        and len(found) == len(expected)
        and all(
            np.array_equal(one, other, equal_nan=True) for one, other in zip(found, expected, strict=True)
        )
    )
