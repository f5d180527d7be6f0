"""How numbers, limits and verdicts are written in every face of a report."""

from __future__ import annotations

import shlex

from mlci.core.results import Check, Metric, Report, StageResult
from mlci.core.status import Status, severity
from mlci.reporters._escape import one_line

SIGNS = {
    Status.PASSED: "✅",
    Status.WARNED: "⚠️",
    Status.INCONCLUSIVE: "❔",
    Status.FAILED: "❌",
    Status.SKIPPED: "⏭️",
    Status.ERRORED: "🛑",
}


_FINEST = 5e-4
"""Differences of which none reaches this are written with significant digits, not with decimals."""


def number(value: float | None) -> str:
    """Return a number with four decimals, or with four significant digits where it is large or tiny."""
    if value is None:
        return "–"
    decimals = value == 0 or 1e-3 <= abs(value) < 1e3
    return (f"{value:.4f}" if decimals else f"{value:.4g}").replace("-", "−")


def change(metric: Metric) -> str:
    """Return the difference to the baseline with its interval, or the interval of the value alone."""
    interval = metric.interval
    if metric.delta is None:
        return "–" if interval is None else f"[{number(interval.low)}, {number(interval.high)}]"
    bounds = [] if interval is None else [interval.low, interval.high]
    largest = max(abs(value) for value in (metric.delta, *bounds))
    style = "+.4f" if largest == 0 or _FINEST <= largest < 1e3 else "+.3g"
    shown, *span = (f"{value:{style}}".replace("-", "−") for value in (metric.delta, *bounds))
    return f"{shown} [{', '.join(span)}]" if span else shown


def title(metric: Metric) -> str:
    """Return a metric's name with the arrow that says which way is better, and its slice."""
    arrow = "↑" if metric.direction == "higher" else "↓"
    return f"{metric.name} {arrow}" + (f" · {metric.slice}" if metric.slice else "")


def verdict(check: Check) -> str:
    """Return a check's verdict in words: what was found, and what that means where it is not well.

    An advisory gate and a blocking one find the same, and a sign alone must not tell them apart.
    """
    if check.word is None or check.status in (Status.PASSED, Status.SKIPPED):
        return check.word or check.status.value
    return f"{check.word} ({check.status.value})"


def sentence(check: Check) -> str:
    """Return what a check found, with the note of whoever wrote the rule and the line that set it."""
    note = f" — {check.note}" if check.note else ""
    return check.message + note + (f" ({check.where})" if check.where else "")


def stage_line(result: StageResult) -> str:
    """Return one line about a stage: its status, and whether it was taken over unchanged."""
    cached = " (unchanged, not run again)" if result.cached else ""
    return f"{result.status.value}{cached}"


def troubles(result: StageResult) -> list[Check]:
    """Return the checks that did not pass, worst first."""
    bad = [check for check in result.checks if check.status not in (Status.PASSED, Status.SKIPPED)]
    return sorted(bad, key=lambda check: -severity(check.status))


def table_rows(result: StageResult) -> list[Check]:
    """Return the checks that make the table of gates: all but the slices in which nothing is wrong."""
    return [
        check
        for check in result.checks
        if check.metric is not None
        and (check.slice is None or severity(check.status) > severity(Status.PASSED))
    ]


def families(result: StageResult) -> list[Check]:
    """Return the checks that sum up a gate's slices, when all is well with them."""
    return [
        check
        for check in result.checks
        if check.name.endswith(" per slice") and check.status is Status.PASSED
    ]


def next_commands(result: StageResult) -> list[str]:
    """Return the commands that explain the worst gate and slice of a comparison; none when all is well."""
    if result.stage != "compare-to-baseline":
        return []
    judged = [
        check
        for check in troubles(result)
        if check.metric is not None and check.limit is not None and check.status is not Status.ERRORED
    ]
    slices = [check.metric.slice for check in judged if check.metric is not None and check.metric.slice]
    gates = [_gate_of(check) for check in judged]
    commands = [f"mlci explain --slice {_quoted(slices[0])}"] if slices else []
    return [*commands, f"mlci explain --gate {_quoted(gates[0])}"] if gates else commands


def _gate_of(check: Check) -> str:
    """Return the name of the gate that a check belongs to: that of a slice's check has the slice behind it."""
    return check.name.removesuffix(f" [{check.slice}]") if check.slice else check.name


def _quoted(text: str) -> str:
    return shlex.quote(one_line(text, 200))


_EFFECTS = {"weaker": "⚠️ weaker", "changed": "changed", "stronger": "stronger"}


def policy_lines(report: Report) -> tuple[str, list[str]]:
    """Return by which rules the run was judged, and a line for each change of them; "" where that is no question."""
    policy = report.policy
    if policy is None or (policy.source == "checkout" and not policy.note):
        return "", []
    source = f"judged by the rules of the base commit {(policy.commit or '')[:7]}"
    if policy.source == "checkout":
        source = policy.note
    lines = [f"{_EFFECTS[change.effect]}: {change.key}: {change.message}" for change in policy.changes]
    after = "; this change would alter them" if policy.source == "base" and lines else ""
    return f"Policy: {source}{after}", lines


def reason(report: Report) -> str:
    """Return the one sentence that explains the headline."""
    stages = [result for result in report.stages if result.status is not Status.SKIPPED]
    if not stages:
        return report.stages[0].reason if report.stages else ""
    lead = max(stages, key=lambda result: severity(result.status))
    if lead.status is Status.PASSED:
        judged = next((result for result in stages if result.stage == "compare-to-baseline"), stages[-1])
        return judged.reason
    return lead.reason
