"""What each gate of a policy can see on the evaluation rows: the arithmetic behind `mlci power`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlci.core.gates import Gate
from mlci.core.results import StageResult
from mlci.predictions import known_classes, scores_of
from mlci.predictions.scores import PREFIX
from mlci.slicing import sliced
from mlci.stages._gate_checks import name_of
from mlci.stages._judging import Judge
from mlci.stages._planning_assumed import LabelCounts, assumed_spread
from mlci.stats import power as sight
from mlci.stats.law import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

    from mlci.core.inputs import DataInputs
    from mlci.stages._both_models import BothModels
    from mlci.stages.compare_to_baseline import CompareInputs
    from mlci.stats.comparison import Comparison
    from mlci.stats.scores import Scores

_DRAWS = 5
"""Stand-ins that are drawn; their mean variance depends little on the chance in one."""
_RESAMPLES = 400
"""A standard error needs fewer resamples than a bound."""


@dataclass(frozen=True)
class Assumptions:
    """What is taken for true where nothing is known, and the power that is asked for.

    `discordant` is None unless somebody set it: then it comes before what was measured.
    """

    discordant: float | None = None
    value: float = sight.VALUE
    power: float = 0.8


@dataclass(frozen=True)
class GateSight:
    """What one gate can see on all rows or on a slice.

    `sees` is the smallest change that is found with the power asked for, in the metric's unit;
    `needed` how many rows (or groups) the margin needs, `chance` how likely an equally good model
    passes today. `how` says where the standard error comes from; `problem` why there is none.
    """

    gate: str
    metric: str
    slice: str | None
    kind: str
    margin: float | None
    units: int
    support: int
    unit: str
    source: sight.Source
    how: str
    standard_error: float | None = None
    sees: float | None = None
    needed: int | None = None
    chance: float | None = None
    problem: str | None = None


Known = Mapping[tuple[str, str | None], tuple[sight.Spread, sight.Source, str]]


class GatePlan:
    """Says of every gate of a policy what it can see on today's evaluation rows."""

    def __init__(
        self,
        inputs: CompareInputs,
        data: DataInputs,
        models: BothModels,
        last: StageResult | None,
        assumptions: Assumptions,
    ) -> None:
        self._inputs = inputs.model_copy(update={"resamples": _RESAMPLES})
        self._data = data
        self._models = models
        self._last = last
        self._assumptions = assumptions
        self._counts = LabelCounts(models.rows, data)

    def sights(self) -> list[GateSight]:
        """Return what each gate sees, its slices after it; raises MlciError for a metric that does not fit."""
        paired, own = self._of_pair(), self._own()
        single = self._of_stand_in() if self._wants_stand_in(paired) else {}
        found = []
        for gate in self._inputs.gates:
            slices = self._counts.slices(gate)
            known = [paired, single] if gate.needs_baseline else [own]
            found += [
                self._sight(gate, name, self._spread(gate, name, known), max(1, len(slices)))
                for name in (None, *slices)
            ]
        return found

    def _spread(
        self, gate: Gate, slice_: str | None, known: list[Known]
    ) -> tuple[sight.Spread, sight.Source, str] | str:
        """Return the best spread that there is for a gate: measured, of the last result, or assumed."""
        measured, *rest = known
        if (gate.metric, slice_) in measured:
            return measured[gate.metric, slice_]
        if self._assumptions.discordant is None and gate.needs_baseline:
            last = self._of_last_result(gate, slice_)
            if last is not None:
                return last, "last result", "measured by the last comparison"
        for other in rest:
            if (gate.metric, slice_) in other:
                return other[gate.metric, slice_]
        found = assumed_spread(gate, slice_, self._counts, self._discordant, self._assumptions.value)
        return found if isinstance(found, str) else (found[0], "assumed", found[1])

    def _sight(
        self, gate: Gate, slice_: str | None, found: tuple[sight.Spread, sight.Source, str] | str, family: int
    ) -> GateSight:
        name = name_of(gate, slice_)
        if isinstance(found, str):
            rows, support = self._counts.rows(slice_), self._counts.support(gate.metric, slice_)
            return GateSight(
                name,
                gate.metric,
                slice_,
                gate.kind,
                None,
                rows,
                support,
                "rows",
                "none",
                "none",
                problem=found,
            )
        spread, source, how = found
        alpha, power = self._inputs.alpha, self._assumptions.power
        sees, margin, problem = self._smallest(gate, spread, slice_, family), None, self._too_few(spread)
        needed = chance = None
        if gate.kind == "no_worse_than":
            margin, missing = self._margin(gate, spread)
            problem = problem or missing
            if margin:
                needed = sight.units_needed(spread, margin, alpha, power)
                chance = sight.chance_to_pass(spread, margin, alpha)
        return GateSight(
            name, gate.metric, slice_, gate.kind, margin, spread.units, spread.support, spread.unit,
            source, how, spread.standard_error, sees, needed, chance, problem,
        )  # fmt: skip

    def _smallest(self, gate: Gate, spread: sight.Spread, slice_: str | None, family: int) -> float:
        """Return the smallest change that decides a gate with the power that is asked for.

        A slice fails only after Holm's correction, whose first step is at alpha / number of slices.
        """
        alpha, power = self._inputs.alpha, self._assumptions.power
        if not gate.needs_baseline and gate.on == "estimate":
            return normal_quantile(power) * spread.standard_error
        corrected = alpha / family if slice_ and gate.kind == "no_worse_than" else alpha
        smallest = sight.smallest_seen(spread, corrected, power)
        return smallest + gate.limit if gate.kind == "better_by" and not gate.relative else smallest

    def _margin(self, gate: Gate, spread: sight.Spread) -> tuple[float | None, str | None]:
        if not gate.relative:
            return gate.limit, None
        if not spread.value:
            return None, "a relative margin needs the baseline's value, which is not known"
        return gate.limit * abs(spread.value), None

    def _too_few(self, spread: sight.Spread) -> str | None:
        rows, events = self._inputs.minimum_rows, self._inputs.minimum_events
        if spread.units < rows:
            return f"too few {spread.unit} for a verdict: {spread.units}, at least {rows} are asked for"
        if spread.support < events:
            return f"it rests on {spread.support} {spread.unit}, at least {events} are asked for"
        return None

    @property
    def _discordant(self) -> float:
        given = self._assumptions.discordant
        return sight.DISCORDANT if given is None else given

    def _of_pair(self) -> Known:
        """Return what the last candidate and the baseline show, where they differ at all."""
        candidate, baseline = self._models.candidate, self._models.baseline
        if candidate is None or baseline is None or self._assumptions.discordant is not None:
            return {}
        how = f"measured: the last candidate against {self._models.label}"
        return self._usable(candidate, baseline, "measured", how)

    def _wants_stand_in(self, paired: Known) -> bool:
        metrics = {gate.metric for gate in self._inputs.gates if gate.needs_baseline}
        return any((metric, None) not in paired for metric in metrics)

    def _of_stand_in(self) -> Known:
        """Return what one model and a stand-in for the other show."""
        table = self._models.candidate if self._models.baseline is None else self._models.baseline
        if table is None:
            return {}
        scores = scores_of(table, self._data, known_classes([table], self._data))
        others = [
            sight.stand_in(scores, self._discordant, self._inputs.seed + draw) for draw in range(_DRAWS)
        ]
        share = sum(other.discordant for other in others) / _DRAWS
        whose = "the baseline" if self._models.baseline is not None else "the last candidate"
        how = f"{whose} against an equally good model that differs on {share:.2g} of the rows"
        draws = [self._usable(_table_of(table, other.scores), table, "stand-in", how) for other in others]
        shared = set.intersection(*(set(draw) for draw in draws))
        return {key: (sight.pooled([draw[key][0] for draw in draws]), "stand-in", how) for key in shared}

    def _usable(
        self, candidate: pd.DataFrame, baseline: pd.DataFrame, source: sight.Source, how: str
    ) -> Known:
        compared = self._judge(candidate).compared(candidate, baseline)
        return {
            key: (_spread_of(found), source, how)
            for key, found in compared.items()
            if found.problem is None and not found.identical and found.standard_error > 0
        }

    def _judge(self, rows: pd.DataFrame) -> Judge:
        return Judge(self._inputs, self._data, sliced(self._data.slices, rows), lambda _: None)

    def _own(self) -> Known:
        """Return how sure a model's own value is, for limits that need no baseline."""
        table = self._models.candidate if self._models.candidate is not None else self._models.baseline
        if table is None or all(gate.needs_baseline for gate in self._inputs.gates):
            return {}
        compared = self._judge(table).compared(table, None)
        return {
            key: (_spread_of(found), "measured", "measured: the model's own value")
            for key, found in compared.items()
            if found.own_problem is None and found.standard_error > 0
        }

    def _of_last_result(self, gate: Gate, slice_: str | None) -> sight.Spread | None:
        checks = self._last.checks if self._last is not None else []
        name = name_of(gate, slice_)
        for metric in (check.metric for check in checks if check.name == name):
            if metric is None or metric.interval is None or metric.delta is None:
                continue
            interval, rows = metric.interval, self._counts.rows(slice_)
            spread = sight.spread_of_interval(interval.low, interval.high, interval.confidence, metric.n)
            return sight.rescaled(spread, rows, metric.baseline) if rows else None
        return None


def _spread_of(found: Comparison) -> sight.Spread:
    value = found.candidate if found.baseline is None else found.baseline
    known = value if math.isfinite(value) else None
    return sight.Spread(found.standard_error, found.units, found.support, found.unit, known)


def _table_of(table: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    """Return a table of predictions with the answers of other scores."""
    if scores.labels:
        names = [f"prediction_{label}" for label in scores.labels]
        other = table.assign(**dict(zip(names, scores.prediction.T, strict=True)))
    else:
        other = table.assign(prediction=scores.prediction)
    if scores.probability is not None:
        for index, value in enumerate(scores.labels or scores.classes or ()):
            if f"{PREFIX}{value}" in table.columns:
                other[f"{PREFIX}{value}"] = scores.probability[:, index]
    return other
