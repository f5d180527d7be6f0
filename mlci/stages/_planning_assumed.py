"""How many rows of each label and slice there are, and what may be assumed from these numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.predictions import task_of
from mlci.predictions.scores import in_order, positive_of
from mlci.slicing import sliced
from mlci.stats import power

if TYPE_CHECKING:
    import pandas as pd


class LabelCounts:
    """The rows of each class, on all rows and on each slice; no classes for numbers."""

    def __init__(self, rows: pd.DataFrame, data: DataInputs) -> None:
        labels = rows[data.label_columns[0]]
        self._rows = rows
        self._labels = labels
        self._entries = sliced(data.slices, rows)
        self._masks = {
            name: each.column.numbers == index
            for each in self._entries
            for index, name in enumerate(each.column.names)
        }
        self.classes: list[object] = []
        if not data.labels and task_of(labels, data, has_probabilities=False) == "classification":
            self.classes = in_order(labels.unique().tolist())
        positive = positive_of(self.classes, data) if len(self.classes) == 2 else None
        self.positive = None if positive is None else self.classes.index(positive)

    def slices(self, gate: Gate) -> list[str]:
        """Return the names of the slices that a gate judges."""
        return [name for each in self._entries if gate.judges(each.label) for name in each.column.names]

    def rows(self, slice_: str | None) -> int:
        """Return the number of rows of a slice; of all without one."""
        return len(self._rows) if slice_ is None else int(self._masks[slice_].sum())

    def labels(self, slice_: str | None) -> list[int]:
        """Return the number of rows of each class."""
        labels = self._labels if slice_ is None else self._labels[self._masks[slice_]]
        counts = labels.value_counts()
        return [int(counts.get(value, 0)) for value in self.classes]

    def support(self, metric: str, slice_: str | None) -> int:
        """Return the rows that a metric rests on: the positives for recall, else all."""
        if metric == "recall" and self.positive is not None:
            return self.labels(slice_)[self.positive]
        return self.rows(slice_)


def assumed_spread(
    gate: Gate, slice_: str | None, counts: LabelCounts, discordant: float, value: float
) -> tuple[power.Spread, str] | str:
    """Return a spread from the number of rows alone, and its formula in words; else why there is none."""
    labels = counts.labels(slice_)
    if not counts.rows(slice_):
        return "no rows"
    if gate.needs_baseline:
        return power.assumed_gain(gate.metric, labels, counts.positive, discordant, value)
    # A limit is missed or kept by models whose value is near it.
    return power.assumed_value(gate.metric, labels, counts.positive, gate.limit)
