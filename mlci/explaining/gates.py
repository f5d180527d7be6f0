"""How a gate came to its verdict: the rule, who set it, the numbers step by step, and what could be done."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from mlci.core.results import Check, Metric, StageResult
from mlci.core.status import Status
from mlci.explaining.explanation import Explanation, signed, unknown
from mlci.explaining.last_comparison import metric_of, policy_of, read_comparison, top_checks

_MOST_SLICES = 10


def explain_gate(out: Path, asked: str) -> list[Explanation]:
    """Explain the gates that `asked` names: a number (from 0), a whole name, or a metric.

    Raises MlciError `stage.not-run` without a comparison and `usage` for a gate that there is not.
    """
    comparison = read_comparison(out)
    gates = top_checks(comparison)
    wanted = asked.removeprefix("compare-to-baseline.gates.")
    if wanted.isdecimal() and int(wanted) < len(gates):
        chosen = [gates[int(wanted)]]
    else:
        chosen = [check for check in gates if asked in (check.name, metric_of(check))]
    if not chosen:
        raise unknown("gate", asked, list(dict.fromkeys(n for c in gates for n in (c.name, metric_of(c)))))
    decides = _decides(out)
    return [_explanation(check, comparison, decides) for check in chosen]


def _explanation(check: Check, comparison: StageResult, decides: str) -> Explanation:
    slices = [
        other for other in comparison.checks if other.slice and other.name == f"{check.name} [{other.slice}]"
    ]
    rule = [f"{check.name}: {check.limit}", f"set by {check.where or 'a default'}", decides]
    rule += [f"note: {check.note}"] if check.note else []
    steps = _steps(check, comparison)
    following = _following(check, slices)
    facts = {
        "gate": check.name,
        "status": check.status.value,
        "verdict": check.word,
        "rule": {"limit": check.limit, "where": check.where, "decided_by": decides},
        "check": check.model_dump(mode="json"),
        "steps": steps,
        "slices": [other.model_dump(mode="json") for other in slices],
        "next": following,
    }
    title = f"{check.name}: {check.status.value} ({check.word or check.status.value})"
    parts = [
        ("rule", rule),
        ("how the decision came about", steps),
        ("slices", _slice_lines(check, slices, comparison)),
        ("what could be done", following),
    ]
    return Explanation(title, parts, facts)


def _decides(out: Path) -> str:
    policy = policy_of(out)
    if policy is not None and policy.source == "base":
        return f"decided by the rules of the base commit {(policy.commit or '')[:7]}, not by this checkout"
    return "decided by the rules of this checkout"


def _steps(check: Check, comparison: StageResult) -> list[str]:
    metric, observed = check.metric, _observed(check)
    if metric is None or metric.value is None:
        return [check.message]
    steps = []
    if "tested" in observed:
        steps.append(
            f"{observed['tested']} slices were tested, {observed['left_out']} left out as too small or not computable; "
            f"{metric.slice} has most evidence against it"
        )
    if metric.delta is None:
        return [*steps, *_own_steps(check, metric)]
    steps.append(f"on {metric.n:,} rows: baseline {metric.baseline:.6g}, candidate {metric.value:.6g}")
    gain = metric.delta if metric.direction == "higher" else -metric.delta
    steps.append(
        f"change {signed(metric.delta)}; {metric.direction} is better, so the gain is {signed(gain)}"
    )
    bounds = gain_bounds(metric)
    if bounds is None or metric.interval is None:
        return [*steps, f"there is no interval: {check.message}"]
    threshold = threshold_of(check)
    steps.append(
        f"with {metric.interval.confidence:.4g} confidence the gain is between {signed(bounds[0])} and "
        f"{signed(bounds[1])} ({metric.interval.method})"
    )
    steps.append(f"the gate asks for a gain above {signed(threshold)}" + _relative(check))
    if check.p_value is not None:
        alpha = comparison.details.get("alpha", 0.05)
        steps.append(f"p-value of a gain below that: {check.p_value:.3g}; at most {alpha:g} is a failure")
    if "p_equal" in observed:
        steps.append(
            f"p-value that both are equal, two-sided ({observed['equality_test']}): {observed['p_equal']:.3g}; "
            "it says whether they differ, not whether the loss is too large, and decides nothing"
        )
    steps.append(_last_step(check, bounds, threshold))
    return steps


def _own_steps(check: Check, metric: Metric) -> list[str]:
    steps = [f"on {metric.n:,} rows the candidate's value is {metric.value:.6g}"]
    if metric.interval is not None:
        steps.append(
            f"with {metric.interval.confidence:.4g} confidence it is between {metric.interval.low:.6g} and "
            f"{metric.interval.high:.6g} ({metric.interval.method})"
        )
    return [*steps, f"the limit is {check.limit}: {check.word}"]


def _last_step(check: Check, bounds: tuple[float, float], threshold: float) -> str:
    low, high = bounds
    if check.word == "identical":
        return "candidate and baseline are one model, or no row tells them apart"
    if low > threshold:
        return f"the whole interval lies above the limit: {check.word}"
    if high < threshold:
        return f"the whole interval lies below the limit: {check.word}"
    if "tested" in _observed(check) and check.status is Status.PASSED:
        return f"each slice by itself lies above the limit, and nothing more is asked for: {check.word}"
    return f"the limit lies inside the interval: {check.word}"


def gain_bounds(metric: Metric) -> tuple[float, float] | None:
    """Return the interval of the gain, positive for better; None without one."""
    if metric.interval is None:
        return None
    low, high = metric.interval.low, metric.interval.high
    return (low, high) if metric.direction == "higher" else (-high, -low)


def threshold_of(check: Check) -> float:
    """Return what the gain has to lie above, in the metric's unit."""
    kind, limit = next(iter(dict(check.expected or {}).items()), ("no-worse-than", 0.0))
    if " relative" in check.name and check.metric is not None:
        limit = limit * abs(check.metric.baseline or 0.0)
    return limit if kind == "better-by" else -limit


def _relative(check: Check) -> str:
    if " relative" not in check.name or check.metric is None:
        return ""
    return f" (a share of the baseline's {check.metric.baseline or 0.0:.6g})"


def _slice_lines(check: Check, slices: list[Check], comparison: StageResult) -> list[str]:
    summary = next(
        (each.message for each in comparison.checks if each.name == f"{check.name} per slice"), None
    )
    if summary is None:
        return []
    bad = [each for each in slices if each.status not in (Status.PASSED, Status.SKIPPED)]
    more = [f"… and {len(bad) - _MOST_SLICES} more"] if len(bad) > _MOST_SLICES else []
    return [summary, *(f"{each.status.value}: {each.message}" for each in bad[:_MOST_SLICES]), *more]


def _following(check: Check, slices: list[Check]) -> list[str]:
    """Return what one could do about a verdict that is not a pass."""
    bad = next((each for each in slices if each.status not in (Status.PASSED, Status.SKIPPED)), None)
    if check.status is Status.PASSED and bad is None:
        return []
    found = []
    lead = bad if bad is not None and check.status is Status.PASSED else check
    metric, observed = lead.metric, _observed(lead)
    if observed.get("rows_needed"):
        found.append(f"more rows: about {observed['rows_needed']:,} can see a difference of this size")
    elif lead.word == "too few rows":
        found.append("more rows: below minimum-rows or minimum-events nothing is judged")
    bounds = None if metric is None or metric.delta is None else gain_bounds(metric)
    kind = next(iter(dict(lead.expected or {})), "")
    if bounds is not None and kind == "no-worse-than" and bounds[0] < 0:
        found.append(
            f"a larger margin, if such a loss is acceptable: these rows show at most {-bounds[0]:.4g}"
        )
    if metric is not None and metric.slice is not None:
        found.append(f"look at the slice: mlci explain --slice {shlex.quote(metric.slice)}")
    if lead.status in (Status.INCONCLUSIVE, Status.PASSED) or lead.word == "unclear":
        found.append("accept it with a reason that is recorded: mlci deploy --accept-inconclusive REASON")
    if lead.status is Status.FAILED:
        found.append("change the model, or have a maintainer change the rule in the base branch")
    return found


def _observed(check: Check) -> dict[str, Any]:
    return check.observed if isinstance(check.observed, dict) else {}
