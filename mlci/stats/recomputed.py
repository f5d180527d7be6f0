"""A metric that only its own function can compute: how it is asked about the rows of a resample."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.class_metrics import all_rows
from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats, Mask

if TYPE_CHECKING:
    import pandas as pd

Ask = Callable[[Floats], float]
"""What a metric says when each row of fixed scores counts so many times."""


class Recomputed:
    """A metric as a function of how often each row counts, where each line of counts is a call."""

    def __init__(self, scores: Scores, ask: Ask) -> None:
        self.support: Mask = all_rows(scores)
        self._scores = scores
        self._ask = ask

    @property
    def marks(self) -> NDArray[Any]:
        """All that is known of each row."""
        scores = self._scores
        own = scores.prediction if scores.classes is None else scores.prediction_codes
        parts = [own] if scores.probability is None else [own, scores.probability]
        return np.column_stack(parts)

    def values(self, counts: Floats) -> Floats:
        """Return what the function says of each line of `counts`; NaN for a line without rows."""
        return np.array([self._ask(line) if line.any() else math.nan for line in counts])


def rows_of(counts: Floats) -> NDArray[np.intp]:
    """Return the positions of rows that count so many times, in order."""
    return np.repeat(np.arange(len(counts)), counts.astype(np.intp))


class Redrawn:
    """A table whose rows are drawn again and again.

    Each drawn table is a copy, so that a function may change it, with rows numbered from 0; the types of
    columns are those of the whole table and not guessed anew.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame.copy()  # columns of one type then lie side by side, and are fetched together

    def of(self, counts: Floats) -> pd.DataFrame:
        """Return the table in which each row stands so many times."""
        import pandas as pd

        drawn = self._frame.take(rows_of(counts))
        drawn.index = pd.RangeIndex(len(drawn))
        return drawn


def same_value(one: float, other: float) -> bool:
    """Return whether two sums of the same numbers in another order may have given these values."""
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))
