"""Turns gates into checks: asks the statistics about each gate and slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.names import nearest
from mlci.core.results import Check
from mlci.core.slice_rules import label_of
from mlci.predictions import known_classes, scores_of
from mlci.slicing import Sliced
from mlci.stages._crew import crew, stop_of
from mlci.stages._gate_checks import check_of, identical_decision, waiting
from mlci.stages._slice_checks import no_slices, summary_of, worst_check, worst_first
from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.decision import Decision, at_least, at_most, better_by, no_worse_than
from mlci.stats.multiplicity import judged_together, replicates_needed
from mlci.stats.names import named_columns
from mlci.stats.outside import OutsideError
from mlci.stats.seeds import with_seeds
from mlci.stats.worst import WorstSlice, beyond_together, worst_gain, worst_value

if TYPE_CHECKING:
    import pandas as pd

    from mlci.stages.compare_to_baseline import CompareInputs
    from mlci.stats.scores import Scores

Compared = Mapping[tuple[str, str | None], Comparison]
Family = Mapping[str, Comparison]


class Judge:
    """Judges all gates of a policy on one pair of models."""

    def __init__(
        self,
        inputs: CompareInputs,
        data: DataInputs,
        slices: Sequence[Sliced],
        where: Callable[[str], str | None],
        seeds: Mapping[tuple[str, str | None], list[float]] | None = None,
    ) -> None:
        """`seeds` are the values of each metric and slice over several seeds of the candidate's training.

        Raises MlciError `config.unknown-key` for a gate that names slices which there are not.
        """
        self._inputs = inputs
        self._slices = slices
        for number, gate in enumerate(inputs.gates):
            refuse_unknown_slices(gate, data, where(f"compare-to-baseline.gates.{number}"))
        self._data = data
        self._where = where
        self._seeds = seeds or {}
        self.scores: dict[str, Scores] = {}
        """The answers that were compared last, by whose they are; made once, for whoever needs them after."""

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
            unlike = not (identical and gate.needs_baseline)
            if not (gate.worst_slice and unlike):
                checks.append(self._overall(gate, compared[gate.metric, None], where, identical=identical))
            if gate.sliced and unlike:
                checks += self._on_slices(gate, compared, where)
        return checks

    def compared(self, candidate: pd.DataFrame, baseline: pd.DataFrame | None) -> Compared:
        """Return what is found of every metric and slice that the gates ask about."""
        inputs, data = self._inputs, self._data
        classes = known_classes([candidate] if baseline is None else [candidate, baseline], data)
        slices = [
            each.column
            for each in self._slices
            if any(gate.judges(each.label) for gate in inputs.gates) and len(each.column.names)
        ]
        number = sum(len(column.names) for column in slices)
        metrics = [gate.metric for gate in inputs.gates if not gate.is_budget]
        extra = named_columns(metrics)
        tables = (
            {"candidate": candidate} if baseline is None else {"baseline": baseline, "candidate": candidate}
        )
        try:
            self.scores = {name: scores_of(table, data, classes, extra) for name, table in tables.items()}
            found = compare(
                metrics,
                self.scores.get("baseline"),
                self.scores["candidate"],
                slices=slices,
                groups=candidate[unit].to_numpy() if (unit := data.group or data.query) else None,
                confidence=1 - 2 * inputs.alpha,
                replicates=replicates_needed(number, inputs.alpha, least=inputs.resamples),
                seed=inputs.seed,
                crew=crew(),
                stop=None if self._seeds else stop_of(inputs.gates, number, inputs.alpha),
            )
            return {
                key: with_seeds(one, self._seeds[key]) if key in self._seeds else one
                for key, one in found.items()
            }
        except OutsideError as error:
            raise MlciError(
                "metric.failed",
                str(error),
                "call the function by hand on a table of label, prediction and probability_<class>",
            ) from error
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

    def _on_slices(self, gate: Gate, compared: Compared, where: str | None) -> list[Check]:
        names = [name for each in self._slices if gate.judges(each.label) for name in each.column.names]
        family = {name: compared[gate.metric, name] for name in names}
        if not family:
            return [no_slices(gate, where)]
        decisions = {name: self._decide(gate, comparison) for name, comparison in family.items()}
        if gate.worst_slice:
            policy = gate.on_inconclusive or self._inputs.on_inconclusive
            return [worst_check(gate, family, self._worst(gate, family, decisions), policy, where)]
        # An unclear slice is counted and shown; most slices are too small to be proven harmless.
        policy = gate.on_inconclusive or "pass"
        judged, correction = self._together(gate, family, decisions)
        checks = [check_of(gate, family[name], decision, policy, where) for name, decision in judged.items()]
        return [summary_of(gate, judged, correction, where), *worst_first(checks)]

    def _together(
        self, gate: Gate, family: Family, decisions: Mapping[str, Decision]
    ) -> tuple[Mapping[str, Decision], str]:
        """Return decisions that hold for all slices at once, and how they were made so."""
        alpha = self._inputs.alpha
        if gate.needs_baseline:
            judged = judged_together(family, decisions, correction=gate.correction, alpha=alpha)
            word = {"holm": "Holm", "benjamini-hochberg": "Benjamini–Hochberg"}[gate.correction]
            return judged.decisions, f", {word} over {judged.tested}" if judged.tested else ""
        if gate.on == "estimate":
            return decisions, ""
        return beyond_together(family, decisions, gate.limit, alpha, side=_side(gate)), ", Bonferroni"

    def _worst(self, gate: Gate, family: Family, decisions: Mapping[str, Decision]) -> WorstSlice | None:
        alpha = self._inputs.alpha
        if gate.needs_baseline:
            return worst_gain(family, decisions, alpha)
        return worst_value(family, decisions, gate.limit, alpha, side=_side(gate), on=gate.on)


def _side(gate: Gate) -> Literal["at_least", "at_most"]:
    return "at_least" if gate.kind == "at_least" else "at_most"


def refuse_unknown_slices(gate: Gate, data: DataInputs, where: str | None) -> None:
    """Raise MlciError `config.unknown-key` when a gate is restricted to slices that data.slices has not."""
    labels = [label_of(entry) for entry in data.slices]
    for key, chosen in (("per-slice", gate.per_slice), ("worst-slice", gate.worst_slice)):
        unknown = [] if isinstance(chosen, bool) else [name for name in chosen if name not in labels]
        if unknown:
            raise MlciError(
                "config.unknown-key",
                f"{key} of {gate.metric} names '{unknown[0]}', which is no entry of data.slices"
                + (f" ({where})" if where else ""),
                nearest(unknown[0], labels),
            )
