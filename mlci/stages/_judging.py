"""Turns gates into checks: asks the statistics, and puts what they say into words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.names import kebab
from mlci.core.results import Check, Interval, Metric
from mlci.core.status import Status
from mlci.predictions import known_classes, scores_of
from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.decision import Decision, at_least, at_most, better_by, no_worse_than
from mlci.stats.multiplicity import SliceFamily, decide_slices, replicates_needed
from mlci.stats.slices import Column

if TYPE_CHECKING:
    import pandas as pd

    from mlci.stages.compare_to_baseline import CompareInputs

Compared = Mapping[tuple[str, str | None], Comparison]


class Judge:
    """Judges all gates of a policy on one pair of models."""

    def __init__(self, inputs: CompareInputs, data: DataInputs, where: Callable[[str], str | None]) -> None:
        self._inputs = inputs
        self._data = data
        self._where = where

    def judge(
        self, candidate: pd.DataFrame, baseline: pd.DataFrame | None, *, identical: bool
    ) -> list[Check]:
        """Return the checks of every gate; both tables hold the same rows in the same order.

        With `identical` both are one and the same model, which needs no statistics to be not worse.
        """
        gates = list(enumerate(self._inputs.gates))
        compared = self._compare(candidate, baseline)
        checks: list[Check] = []
        for number, gate in gates:
            where = self._where(f"compare-to-baseline.gates.{number}")
            if gate.needs_baseline and baseline is None:
                checks.append(_waiting(gate, compared[gate.metric, None], where))
                continue
            checks.append(self._overall(gate, compared[gate.metric, None], where, identical=identical))
            if gate.per_slice and not identical:
                checks += self._slices(gate, compared, where)
        return checks

    def _compare(self, candidate: pd.DataFrame, baseline: pd.DataFrame | None) -> Compared:
        inputs, data = self._inputs, self._data
        classes = known_classes([candidate] if baseline is None else [candidate, baseline], data)
        slices = _slices_of(candidate, data) if any(gate.per_slice for gate in inputs.gates) else []
        number = sum(len(column.names) for column in slices)
        try:
            return compare(
                [gate.metric for gate in inputs.gates],
                None if baseline is None else scores_of(baseline, data, classes),
                scores_of(candidate, data, classes),
                slices=slices,
                groups=candidate[data.group].to_numpy() if data.group else None,
                confidence=1 - 2 * inputs.alpha,
                replicates=replicates_needed(number, inputs.alpha, least=inputs.resamples),
                seed=inputs.seed,
            )
        except ValueError as error:
            raise MlciError(
                "config.invalid", f"compare-to-baseline.gates: {error}", "`mlci list metrics` shows all"
            ) from error

    def _overall(self, gate: Gate, comparison: Comparison, where: str | None, *, identical: bool) -> Check:
        policy = gate.on_inconclusive or self._inputs.on_inconclusive
        if not (identical and gate.needs_baseline):
            return _check(gate, comparison, self._decide(gate, comparison), policy, where)
        decision = _identical(gate)
        check = _check(gate, comparison, decision, policy, where)
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
            return [_no_slices(gate, where)]
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
        checks = [_check(gate, family[name], decision, policy, where) for name, decision in decisions.items()]
        return [_summary(gate, decisions, correction, where), *checks]

    def _family(self, gate: Gate, family: Mapping[str, Comparison]) -> SliceFamily:
        return decide_slices(
            family,
            gate.limit,
            relative=gate.relative,
            alpha=self._inputs.alpha,
            minimum_rows=self._inputs.minimum_rows,
            minimum_events=self._inputs.minimum_events,
        )


def _slices_of(table: pd.DataFrame, data: DataInputs) -> list[Column]:
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


def _check(
    gate: Gate,
    comparison: Comparison,
    decision: Decision,
    policy: Literal["pass", "warn", "fail"],
    where: str | None,
) -> Check:
    metric = _metric(gate, comparison)
    return Check(
        name=_name(gate, comparison.slice),
        status=_status(gate, decision, policy),
        word=decision.word,
        message=_sentence(gate, comparison, decision),
        limit=_limit(gate, comparison.direction),
        slice=comparison.slice,
        metric=metric,
        p_value=decision.p_value,
        observed={"rows_needed": decision.rows_needed, "sees": decision.sees, "method": comparison.method},
        expected={kebab(gate.kind): gate.limit},
        where=where,
    )


def _status(gate: Gate, decision: Decision, policy: Literal["pass", "warn", "fail"]) -> Status:
    match decision.verdict:
        case "passed":
            return Status.PASSED
        case "failed":
            status = Status.FAILED
        case "errored":
            # A slice of one class has no such metric: that is a fact about the slice, not a failure.
            status = Status.ERRORED
        case _ if decision.word == "too few rows" and policy == "pass":
            return Status.SKIPPED
        case _:
            status = {"pass": Status.PASSED, "warn": Status.INCONCLUSIVE, "fail": Status.FAILED}[policy]
    return Status.WARNED if gate.advisory and status in (Status.FAILED, Status.ERRORED) else status


def _metric(gate: Gate, comparison: Comparison) -> Metric:
    paired = comparison.delta is not None
    low, high = (
        (comparison.low, comparison.high)
        if paired and gate.needs_baseline
        else (comparison.own_low, comparison.own_high)
    )
    usable = math.isfinite(low) and math.isfinite(high)
    return Metric(
        name=comparison.metric,
        value=_finite(comparison.candidate),
        direction=comparison.direction,
        n=comparison.n,
        slice=comparison.slice,
        baseline=_finite(comparison.baseline),
        delta=_finite(comparison.delta) if gate.needs_baseline else None,
        interval=Interval(low=low, high=high, confidence=comparison.confidence, method=comparison.method)
        if usable
        else None,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _name(gate: Gate, slice_: str | None) -> str:
    return f"{gate.metric} {kebab(gate.kind)} {gate.limit:g}{'' if not gate.relative else ' relative'}" + (
        f" [{slice_}]" if slice_ else ""
    )


def _limit(gate: Gate, direction: str) -> str:
    share = " of the baseline" if gate.relative else ""
    match gate.kind:
        case "no_worse_than":
            return (f"≥ −{gate.limit:g}" if direction == "higher" else f"≤ +{gate.limit:g}") + share
        case "better_by":
            return (f"> +{gate.limit:g}" if direction == "higher" else f"< −{gate.limit:g}") + share
        case "at_least":
            return f"value ≥ {gate.limit:g}"
        case _:
            return f"value ≤ {gate.limit:g}"


def _sentence(gate: Gate, comparison: Comparison, decision: Decision) -> str:
    place = f" on {comparison.slice}" if comparison.slice else ""
    subject = f"{comparison.metric}{place} is {decision.word}"
    if not gate.needs_baseline or comparison.delta is None:
        return f"{subject}: {comparison.candidate:.4g} ({_limit(gate, comparison.direction)}, {comparison.n:,} rows)"
    if decision.word == "too few rows" or decision.verdict == "errored":
        return f"{comparison.metric}{place} could not be judged: {decision.reason}"
    adjusted = (
        f", adjusted p = {decision.p_value:.3g}" if comparison.slice and decision.p_value is not None else ""
    )
    text = (
        f"{subject}: {comparison.baseline:.4g} → {comparison.candidate:.4g}, change {_signed(comparison.delta)}"
        f" [{_signed(comparison.low)}, {_signed(comparison.high)}], limit {_limit(gate, comparison.direction)}"
        f" ({comparison.n:,} rows{adjusted})"
    )
    if decision.word == "unclear" and decision.sees is not None:
        text += f"; these rows can only see {decision.sees:.3g} or more"
        text += f", about {decision.rows_needed:,} are needed" if decision.rows_needed else ""
    return text


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _summary(gate: Gate, decisions: Mapping[str, Decision], correction: str, where: str | None) -> Check:
    words: dict[str, int] = {}
    for decision in decisions.values():
        words[decision.word] = words.get(decision.word, 0) + 1
    counted = ", ".join(f"{count} {word}" for word, count in sorted(words.items(), key=lambda item: -item[1]))
    return Check(
        name=f"{_name(gate, None)} per slice",
        status=Status.PASSED,
        message=f"{gate.metric} on {len(decisions)} slices{correction}: {counted}",
        observed=words,
        where=where,
    )


def _no_slices(gate: Gate, where: str | None) -> Check:
    return Check(
        name=f"{_name(gate, None)} per slice",
        status=Status.WARNED,
        message=f"{gate.metric} asks for slices, but data.slices names no column",
        where=where,
    )


def _waiting(gate: Gate, comparison: Comparison, where: str | None) -> Check:
    return Check(
        name=_name(gate, None),
        status=Status.SKIPPED,
        word="no baseline yet",
        message=f"{gate.metric} is {comparison.candidate:.4g}; there is no baseline to compare with yet",
        limit=_limit(gate, comparison.direction),
        metric=_metric(gate, comparison),
        where=where,
    )


def _identical(gate: Gate) -> Decision:
    if gate.kind == "better_by" and gate.limit > 0:
        return Decision("failed", "identical", "candidate and baseline are the same model")
    return Decision("passed", "identical", "candidate and baseline are the same model")
