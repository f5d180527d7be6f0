"""Rates of groups (selection rate, true and false positive rate) and how far apart they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.class_metrics import all_rows
from mlci.stats.scores import Scores, binary_view
from mlci.stats.statistic import Floats, Mask, Statistic, Sums, ratio

MOST_GROUPS = 30
"""A column with more values than this names no groups that one would compare."""


def disparity(name: str) -> Callable[[Scores], Statistic]:
    """Return the metric of a name such as tpr_difference@sex: the gap between the groups farthest apart.

    As fairlearn's `MetricFrame.difference` and `.ratio` between groups: the largest rate less the
    smallest, or the smallest over the largest. NaN where a group has no row that the rate is among,
    and for a ratio where no group has a hit. It rests on the rows that the rate is among.
    """
    family, _, column = name.partition("@")
    rate, _, form = family.rpartition("_")
    combine = _difference if form == "difference" else _ratio

    def built(scores: Scores) -> Statistic:
        numbers, names = groups_of(scores, column)
        asked = among(rate, scores)
        hit = asked & binary_view(scores).called
        here = np.flatnonzero(np.bincount(numbers, minlength=len(names)))
        member = numbers[:, None] == here
        columns = np.hstack([member & hit[:, None], member & asked[:, None]]) * scores.weights[:, None]
        return Sums(columns, combine, asked & all_rows(scores), smooth=False)

    return built


def among(rate: str, scores: Scores) -> Mask:
    """Return the rows that a rate is among: all, the positive or the negative ones."""
    truth = binary_view(scores).truth
    return {"selection_rate": np.ones_like(truth), "tpr": truth, "fpr": ~truth}[rate]


def groups_of(scores: Scores, column: str) -> tuple[NDArray[np.integer[Any]], list[str]]:
    """Return the number of each row's group, and the groups' names.

    Raises ValueError when the scores do not have the column, or it has one value or too many.
    """
    found = scores.columns.get(column)
    if found is None:
        raise ValueError(f"there is no column '{column}' beside the predictions")
    names = list(found.names)
    if len(names) < 2:
        raise ValueError(f"column '{column}' has one value in all rows, so there are no groups to compare")
    if len(names) > MOST_GROUPS:
        raise ValueError(
            f"column '{column}' has {len(names)} values, and at most {MOST_GROUPS} groups are compared; "
            "name a column of few values"
        )
    return found.numbers, names


def _difference(sums: Floats) -> Floats:
    rates = _rates(sums)
    return np.asarray(rates.max(axis=1) - rates.min(axis=1))


def _ratio(sums: Floats) -> Floats:
    rates = _rates(sums)
    return ratio(rates.min(axis=1), rates.max(axis=1))


def _rates(sums: Floats) -> Floats:
    """Return replicates × groups rates; NaN for a group without rows, which makes its gap NaN."""
    hits, asked = np.split(sums, 2, axis=1)
    if asked.shape[1] < 2:
        return np.full_like(asked, np.nan)
    return ratio(hits, asked)
