"""Turns gates into checks: asks the statistics about each gate and slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.results import Check
from mlci.predictions import known_classes, scores_of
from mlci.stages._gate_checks import check_of, identical_decision, no_slices, summary_of, waiting
from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.decision import Decision, at_least, at_most, better_by, no_worse_than
from mlci.stats.multiplicity import SliceFamily, decide_slices, replicates_needed
from mlci.stats.seeds import with_seeds
from mlci.stats.slices import Column

if TYPE_CHECKING:
    import pandas as pd

    from mlci.stages.compare_to_baseline import CompareInputs

Compared = Mapping[tuple[str, str | None], Comparison]


class Judge:
    """Judges all gates of a policy on one pair of models."""

    def __init__(
        self,
        inputs: CompareInputs,
        data: DataInputs,
        where: Callable[[str], str | None],
        seeds: Mapping[tuple[str, str | None], list[float]] | None = None,
    ) -> None:
        """`seeds` are the values of each metric and slice over several seeds of the candidate's training."""
        self._inputs = inputs
        self._data = data
        self._where = where
        self._seeds = seeds or {}

    def judge(
        self, candidate: pd.DataFrame, baseline: pd.DataFrame | None, *, identical: bool
    ) -> list[Check]:
        """Return the checks of every gate; both tables hold the same rows in the same order.

        With `identical` both are one and the same model, which needs no statistics to be not worse.
        """
        gates = [(number, gate) for number, gate in enumerate(self._inputs.gates) if not gate.is_budget]
        compared = self.compared(candidate, baseline)
        checks: list[Check] = []
        for number, gate in gates:
            where = self._where(f"compare-to-baseline.gates.{number}")
            if gate.needs_baseline and baseline is None:
                checks.append(waiting(gate, compared[gate.metric, None], where))
                continue
            checks.append(self._overall(gate, compared[gate.metric, None], where, identical=identical))
            if gate.per_slice and not identical:
                checks += self._slices(gate, compared, where)
        return checks

    def compared(self, candidate: pd.DataFrame, baseline: pd.DataFrame | None) -> Compared:
        """Return what is found of every metric and slice that the gates ask about."""
        inputs, data = self._inputs, self._data
        classes = known_classes([candidate] if baseline is None else [candidate, baseline], data)
        slices = slices_of(candidate, data) if any(gate.per_slice for gate in inputs.gates) else []
        number = sum(len(column.names) for column in slices)
        try:
            found = compare(
                [gate.metric for gate in inputs.gates if not gate.is_budget],
                None if baseline is None else scores_of(baseline, data, classes),
                scores_of(candidate, data, classes),
                slices=slices,
                groups=candidate[data.group].to_numpy() if data.group else None,
                confidence=1 - 2 * inputs.alpha,
                replicates=replicates_needed(number, inputs.alpha, least=inputs.resamples),
                seed=inputs.seed,
            )
            return {
                key: with_seeds(one, self._seeds[key]) if key in self._seeds else one
                for key, one in found.items()
            }
        except ValueError as error:
            raise MlciError(
                "config.invalid", f"compare-to-baseline.gates: {error}", "`mlci list metrics` shows all"
            ) from error

    def _overall(self, gate: Gate, comparison: Comparison, where: str | None, *, identical: bool) -> Check:
        policy = gate.on_inconclusive or self._inputs.on_inconclusive
        if not (identical and gate.needs_baseline):
            return check_of(gate, comparison, self._decide(gate, comparison), policy, where)
        decision = identical_decision(gate)
        check = check_of(gate, comparison, decision, policy, where)
        metric = check.metric.model_copy(update={"interval": None}) if check.metric else None
        message = f"{gate.metric} is identical: {comparison.candidate:.4g}; {decision.reason}"
        return check.model_copy(update={"metric": metric, "message": message})

    def _decide(self, gate: Gate, comparison: Comparison) -> Decision:
        least = {"minimum_rows": self._inputs.minimum_rows, "minimum_events": self._inputs.minimum_events}
        match gate.kind:
            case "no_worse_than":
                return no_worse_than(comparison, gate.limit, relative=gate.relative, **least)
            case "better_by":
                return better_by(comparison, gate.limit, relative=gate.relative, **least)
            case "at_least":
                return at_least(comparison, gate.limit, on=gate.on, **least)
            case _:
                return at_most(comparison, gate.limit, on=gate.on, **least)

    def _slices(self, gate: Gate, compared: Compared, where: str | None) -> list[Check]:
        family = {name: found for (metric, name), found in compared.items() if metric == gate.metric and name}
        if not family:
            return [no_slices(gate, where)]
        # An unclear slice is counted and shown; most slices are too small to be proven harmless.
        policy = gate.on_inconclusive or "pass"
        decisions: Mapping[str, Decision]
        correction = ""
        if gate.kind == "no_worse_than":
            judged = self._family(gate, family)
            decisions = judged.decisions
            correction = f", Holm over {judged.tested}" if judged.tested else ""
        else:
            decisions = {name: self._decide(gate, comparison) for name, comparison in family.items()}
        checks = [
            check_of(gate, family[name], decision, policy, where) for name, decision in decisions.items()
        ]
        return [summary_of(gate, decisions, correction, where), *checks]

    def _family(self, gate: Gate, family: Mapping[str, Comparison]) -> SliceFamily:
        return decide_slices(
            family,
            gate.limit,
            relative=gate.relative,
            alpha=self._inputs.alpha,
            minimum_rows=self._inputs.minimum_rows,
            minimum_events=self._inputs.minimum_events,
        )


def slices_of(table: pd.DataFrame, data: DataInputs) -> list[Column]:
    """Return the slice columns as numbers: a slice for each value, and one for rows without a value."""
    import numpy as np
    import pandas as pd

    columns = []
    for column in data.slices:
        values = table[column]
        distinct = sorted(values.dropna().unique().tolist(), key=str)
        numbers = np.asarray(pd.Categorical(values, categories=distinct).codes, dtype=np.int32)
        names = [f"{column}={value}" for value in distinct]
        if values.isna().any():
            numbers = np.where(values.isna().to_numpy(dtype=bool), len(names), numbers)
            names.append(f"{column}=(empty)")
        columns.append(Column(numbers, names))
    return columns
