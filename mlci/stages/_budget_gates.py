"""Budgets as checks: what the models cost, measured once for all gates that ask, and judged one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci import budgets
from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.ports import Baseline
from mlci.core.quantities import BUDGETS, in_words
from mlci.core.results import Check, Interval, Metric
from mlci.core.stage import Context
from mlci.core.status import Status
from mlci.stages._gate_checks import name_of, status_of_decision
from mlci.stages.train import roles

if TYPE_CHECKING:
    from mlci.stages.compare_to_baseline import CompareInputs
    from mlci.stats.comparison import Comparison

_SHARES = {"predict_latency_p50": 0.5, "predict_latency_p95": 0.95}
_FEWEST = 50


def budget_checks(
    inputs: CompareInputs, context: Context, baseline: Baseline | None, *, identical: bool
) -> list[Check]:
    """Return a check for each gate on what the model costs; nothing is measured that no gate asks for."""
    asked = [(number, gate) for number, gate in enumerate(inputs.gates) if gate.is_budget]
    if not asked:
        return []
    costs = _Costs(inputs, context, baseline, [gate for _, gate in asked])
    checks = []
    for number, gate in asked:
        where = context.where(f"compare-to-baseline.gates.{number}")
        if gate.needs_baseline and baseline is None:
            checks.append(
                _check(gate, Status.SKIPPED, "no baseline yet", "there is no baseline yet", where=where)
            )
            continue
        if gate.needs_baseline and identical:
            checks.append(_check(gate, Status.PASSED, "identical", "both are the same model", where=where))
            continue
        try:
            checks.append(_judged(gate, costs, inputs, where))
        except MlciError as error:
            status = Status.WARNED if gate.advisory else Status.ERRORED
            checks.append(_check(gate, status, "not measured", error.message, where=where))
    return checks


class _Costs:
    """What both models cost, each quantity measured when it is first asked for."""

    def __init__(
        self, inputs: CompareInputs, context: Context, baseline: Baseline | None, gates: list[Gate]
    ) -> None:
        self._inputs, self._context, self._baseline = inputs, context, baseline
        self._relative = {gate.metric for gate in gates if gate.needs_baseline}
        self._models: dict[str, Path] = {}
        self._known: dict[str, Any] = {}

    def size(self, whose: str) -> int:
        """Return the bytes of a model on disk."""
        return budgets.size_of(self._model(whose))

    def memory(self, whose: str) -> int:
        """Return the bytes that a model's answers need."""
        with self._context.step(f"measure the memory of the {whose}'s answers"):
            measured = self._once(
                f"memory {whose}", lambda: budgets.peak_memory(self._model(whose), self._settings())
            )
        return int(measured)

    def times(self, *, paired: bool) -> budgets.Measured:
        """Return the seconds of the calls, of both models side by side when `paired`.

        Where one gate needs both, the others are judged by the same calls, if the baseline can be had.
        """
        if paired:
            return self._times(["candidate", "baseline"])
        if self._baseline is not None and self._relative & set(_SHARES):
            try:
                return self._times(["candidate", "baseline"])
            except MlciError:  # told by the gate that needs it
                pass
        return self._times(["candidate"])

    def _times(self, names: list[str]) -> budgets.Measured:
        def measured() -> budgets.Measured:
            with self._context.step(f"time calls of predict: {' and '.join(names)}"):
                return budgets.latencies({name: self._model(name) for name in names}, self._settings())

        found: budgets.Measured = self._once(f"times {len(names)}", measured)
        return found

    def _once(self, name: str, measure: Callable[[], Any]) -> Any:
        if name not in self._known:
            try:
                self._known[name] = measure()
            except MlciError as error:
                self._known[name] = error
        if isinstance(self._known[name], MlciError):
            raise self._known[name]
        return self._known[name]

    def _model(self, whose: str) -> Path:
        if whose not in self._models:
            found = self._context.artifact("train", "model") if whose == "candidate" else None
            if whose == "baseline" and self._baseline is not None and self._baseline.model is not None:
                found = self._baseline.model()
            if found is None:
                raise MlciError("train.no-model", f"the {whose} has no model to measure", "keep its model")
            self._models[whose] = found
        return self._models[whose]

    def _settings(self) -> budgets.Settings:
        context, inputs = self._context, self._inputs
        return budgets.Settings(
            data=context.path(context.data.evaluate or ""),
            drop=roles(context),
            trusted=inputs.trusted_types,
            batch=inputs.latency_batch,
            seed=inputs.seed,
            root=context.root,
            work=context.work,
            variables=context.variables,
        )


def _judged(gate: Gate, costs: _Costs, inputs: CompareInputs, where: str | None) -> Check:
    if gate.metric in _SHARES:
        return _judged_times(gate, costs, inputs, where)
    measure = costs.size if gate.metric == "model_size" else costs.memory
    value = measure("candidate")
    once = "" if gate.metric == "model_size" else ", measured once"
    if not gate.needs_baseline:
        kept = value <= gate.limit
        text = f"{_words(gate, value)} (limit {gate.limit_text}{once})"
        return _check(
            gate,
            _status(gate, kept),
            "within limit" if kept else "beyond limit",
            text,
            where=where,
            value=value,
        )
    before = measure("baseline")
    allowed = gate.limit * before if gate.relative else gate.limit
    kept = value - before <= allowed
    word = ("better" if value < before else "not worse") if kept else "worse"
    text = f"{_words(gate, before)} → {_words(gate, value)} (limit +{_words(gate, allowed)}{once})"
    return _check(gate, _status(gate, kept), word, text, where=where, value=value, baseline=before)


def _judged_times(gate: Gate, costs: _Costs, inputs: CompareInputs, where: str | None) -> Check:
    import numpy as np

    from mlci.stats.decision import at_most, no_worse_than
    from mlci.stats.latency import latency_comparison

    times = {name: np.array(found) for name, found in costs.times(paired=gate.needs_baseline).items()}
    comparison = latency_comparison(
        gate.metric,
        _SHARES[gate.metric],
        times["candidate"],
        times["baseline"] if gate.needs_baseline else None,
        confidence=1 - 2 * inputs.alpha,
        seed=inputs.seed,
    )
    least = {"minimum_rows": _FEWEST, "minimum_events": 1}
    decision = (
        no_worse_than(comparison, gate.limit, relative=gate.relative, **least)
        if gate.needs_baseline
        else at_most(comparison, gate.limit, on=gate.on, **least)
    )
    status = status_of_decision(gate, decision, gate.on_inconclusive or inputs.on_inconclusive)
    text = f"{_times_in_words(gate, comparison)}; calls of {inputs.latency_batch} rows, one thread, "
    text += f"{comparison.n} rounds; the interval holds this machine's noise in these rounds"
    check = _check(
        gate,
        status,
        decision.word,
        text,
        where=where,
        value=comparison.candidate,
        baseline=comparison.baseline,
    )
    low, high = comparison.low, comparison.high
    interval = Interval(low=low, high=high, confidence=comparison.confidence, method=comparison.method)
    metric = (
        check.metric.model_copy(update={"interval": interval, "n": comparison.n}) if check.metric else None
    )
    return check.model_copy(update={"metric": metric, "p_value": decision.p_value})


def _times_in_words(gate: Gate, found: Comparison) -> str:
    low, high = _words(gate, found.low), _words(gate, found.high)
    if found.baseline is None:
        return f"{_words(gate, found.candidate)} [{low}, {high}] (limit {gate.limit_text})"
    allowed = _words(gate, gate.limit * found.baseline if gate.relative else gate.limit)
    change = _words(gate, found.delta or 0.0)
    return (
        f"{_words(gate, found.baseline)} → {_words(gate, found.candidate)}, change {change} [{low}, {high}] "
        f"(limit +{allowed})"
    )


def _words(gate: Gate, value: float) -> str:
    return in_words(value, BUDGETS[gate.metric])


def _status(gate: Gate, kept: bool) -> Status:
    if kept:
        return Status.PASSED
    return Status.WARNED if gate.advisory else Status.FAILED


def _check(
    gate: Gate,
    status: Status,
    word: str,
    text: str,
    *,
    where: str | None,
    value: float | None = None,
    baseline: float | None = None,
) -> Check:
    """Return the check of a budget; its metric has the unit of the quantity."""
    share = " of the baseline" if gate.relative else ""
    limit = f"≤ +{gate.limit_text}{share}" if gate.needs_baseline else f"value ≤ {gate.limit_text}"
    return Check(
        name=name_of(gate, None),
        status=status,
        word=word,
        message=f"{gate.metric} is {word}: {text}",
        limit=limit,
        metric=Metric(
            name=gate.metric,
            value=value,
            direction="lower",
            n=1,
            unit=BUDGETS[gate.metric],
            baseline=baseline,
            delta=None if value is None or baseline is None else value - baseline,
        ),
        where=where,
    )
