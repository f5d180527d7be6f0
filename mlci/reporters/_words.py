"""How numbers, limits and verdicts are written in every face of a report."""

from __future__ import annotations

from mlci.core.results import Check, Metric, Report, StageResult
from mlci.core.status import Status, severity

SIGNS = {
    Status.PASSED: "✅",
    Status.WARNED: "⚠️",
    Status.INCONCLUSIVE: "❔",
    Status.FAILED: "❌",
    Status.SKIPPED: "⏭️",
    Status.ERRORED: "🛑",
}


def number(value: float | None) -> str:
    """Return a number with four significant digits."""
    if value is None:
        return "–"
    return (
        f"{value:.4f}".replace("-", "−")
        if 1e-3 <= abs(value) < 1e3 or value == 0
        else f"{value:.4g}".replace("-", "−")
    )


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    if value is None:
        return "–"
    return number(value) if value < 0 else f"+{number(value)}"


def change(metric: Metric) -> str:
    """Return the difference to the baseline with its interval, or the interval of the value alone."""
    interval = metric.interval
    if metric.delta is None:
        return "–" if interval is None else f"[{number(interval.low)}, {number(interval.high)}]"
    span = f" [{signed(interval.low)}, {signed(interval.high)}]" if interval else ""
    return signed(metric.delta) + span


def title(metric: Metric) -> str:
    """Return a metric's name with the arrow that says which way is better, and its slice."""
    arrow = "↑" if metric.direction == "higher" else "↓"
    return f"{metric.name} {arrow}" + (f" · {metric.slice}" if metric.slice else "")


def verdict(check: Check) -> str:
    """Return a check's verdict as a word: never a sign alone."""
    return check.word or check.status.value


def stage_line(result: StageResult) -> str:
    """Return one line about a stage: its status, and whether it was taken over unchanged."""
    cached = " (unchanged, not run again)" if result.cached else ""
    return f"{result.status.value}{cached}"


def troubles(result: StageResult) -> list[Check]:
    """Return the checks that did not pass, worst first."""
    bad = [check for check in result.checks if check.status not in (Status.PASSED, Status.SKIPPED)]
    return sorted(bad, key=lambda check: -severity(check.status))


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
