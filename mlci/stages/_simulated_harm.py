"""Models that are worse by exactly a gate's margin, on all rows or on one slice: how often the gate lets them pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.results import Check
from mlci.core.status import Status
from mlci.predictions import known_classes, scores_of
from mlci.slicing import Sliced
from mlci.stages._judging import Judge
from mlci.stats import audit
from mlci.stats.audit import Rate
from mlci.stats.names import named_columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stages.compare_to_baseline import CompareInputs

UNCLEAR = ("unclear", "too few rows")
MOST_SLICES = 20
"""The slices with most rows are simulated, and no more of one gate than this."""


@dataclass(frozen=True)
class SliceHarm:
    """How often a gate let a slice pass in which the model was worse by exactly the margin; else why nobody knows."""

    slice: str
    rows: int
    false_pass: Rate | None
    problem: str | None = None


class Harm:
    """Makes models worse and asks gates about them."""

    def __init__(
        self,
        inputs: CompareInputs,
        data: DataInputs,
        tables: tuple[pd.DataFrame, pd.DataFrame],
        rounds: Callable[[str], Iterator[int]],
        chance: Callable[[int], np.random.Generator],
    ) -> None:
        """`tables` are candidate and baseline; `rounds` yields numbers of rounds of which it says what they are."""
        self._inputs = inputs
        self._data = data
        self._tables = tables
        self._rounds = rounds
        self._chance = chance

    def on_all(self, gate: Gate) -> tuple[Rate | None, str | None]:
        """Return how often a gate lets pass what is worse by exactly its margin; else why nobody knows."""
        if gate.kind != "no_worse_than":
            return None, None
        return self._passing(gate, self._tables, "all rows")

    def on_slices(self, gate: Gate, slices: Sequence[Sliced]) -> tuple[SliceHarm, ...]:
        """Return the same for harm in one slice only, slice by slice, the largest first.

        The other rows stay as they are. A slice passes by its own interval, so only its own rows have to
        be judged; a worst-slice gate passes only where every slice does, so no more often than this.
        """
        if gate.kind != "no_worse_than" or not gate.sliced:
            return ()
        found = {
            name: _rows_of(each, number)
            for each in slices
            if gate.judges(each.label)
            for number, name in enumerate(each.column.names)
        }
        largest = sorted(found, key=lambda name: -len(found[name]))[:MOST_SLICES]
        harmed = []
        for name in largest:
            rows = found[name]
            if len(rows) < self._inputs.minimum_rows:
                harmed.append(SliceHarm(name, len(rows), None, "too few rows to be judged"))
                continue
            own = (self._tables[0].take(rows), self._tables[1].take(rows))
            harmed.append(SliceHarm(name, len(rows), *self._passing(gate, own, name)))
        return tuple(harmed)

    def _passing(
        self, gate: Gate, tables: tuple[pd.DataFrame, pd.DataFrame], where: str
    ) -> tuple[Rate | None, str | None]:
        unit = self._data.group or self._data.query
        groups = numbered(tables[0][unit]) if unit else None
        population = self._worse(gate, tables, groups)
        if isinstance(population, str):
            return None, population
        alone = self._inputs.model_copy(
            update={"gates": [gate.model_copy(update={"per_slice": False, "worst_slice": False})]}
        )
        passed = []
        for number in self._rounds(f"{gate.metric} worse by {gate.limit:g} on {where}"):
            rows, drawn = audit.drawn(population, groups, self._chance(number))
            pair = [table.take(rows) for table in tables]
            if drawn is not None and unit:
                pair = [table.assign(**{unit: drawn}) for table in pair]
            passed.append(_passes(by_gate(alone, self._data, [], (pair[0], pair[1]))[0]))
        return audit.rate(passed), None

    def _worse(
        self, gate: Gate, tables: tuple[pd.DataFrame, pd.DataFrame], groups: NDArray[np.intp] | None
    ) -> audit.Population | str:
        classes = known_classes(list(self._tables), self._data)
        extra = named_columns([gate.metric])
        candidate, baseline = (scores_of(table, self._data, classes, extra) for table in tables)
        try:
            return audit.worse_by(
                gate.metric, baseline, candidate, gate.limit, relative=gate.relative, groups=groups
            )
        except ValueError as error:  # a slice may have rows of one kind only
            return str(error)


def by_gate(
    inputs: CompareInputs,
    data: DataInputs,
    slices: Sequence[Sliced],
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> list[list[Check]]:
    """Return the checks of each gate; a check tells its gate by the key that it was set with."""
    checks = Judge(inputs, data, slices, lambda key: key).judge(*tables, identical=False)
    keys = [f"compare-to-baseline.gates.{number}" for number in range(len(inputs.gates))]
    return [[check for check in checks if check.where == key] for key in keys]


def overall(checks: list[Check]) -> Check:
    """Return the check on all rows, or what stands in its place."""
    judged = [check for check in checks if check.metric is not None]
    return next((check for check in judged if check.slice is None), judged[0])


def numbered(groups: pd.Series) -> NDArray[np.intp]:
    """Return the number of each row's group, from 0."""
    from mlci.stats.tally import group_numbers

    return group_numbers(groups.to_numpy())[0]


def _passes(checks: list[Check]) -> bool:
    check = overall(checks)
    return check.status is Status.PASSED and check.word not in UNCLEAR


def _rows_of(each: Sliced, number: int) -> NDArray[np.intp]:
    import numpy as np

    return np.flatnonzero(each.column.numbers == number)
