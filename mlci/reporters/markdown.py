"""Markdown for a step summary or a comment: the verdict, the reason, the table, the rest folded."""

from __future__ import annotations

import re

from mlci.core.results import Check, Metric, Report, StageResult
from mlci.core.status import Status
from mlci.reporters._escape import code_span, escape, fenced, printable
from mlci.reporters._marker import marker
from mlci.reporters._room import STEPS, Detail, fit
from mlci.reporters._words import (
    SIGNS,
    change,
    families,
    next_commands,
    number,
    policy_lines,
    reason,
    sentence,
    stage_line,
    table_rows,
    title,
    troubles,
    verdict,
)

_MOST_METRICS = 100
_MOST_CHANGES = 20
_CODE = re.compile(r"[^A-Za-z0-9_.-]")
ADDRESS = re.compile(r"https?://[^\s()<>\[\]\\]{1,500}")


class MarkdownReporter:
    """Writes GitHub- and GitLab-flavoured Markdown."""

    file: str | None = "report.md"

    def render(self, report: Report) -> str:
        """Return the report within 60,000 bytes; its first line is a hidden marker that names it."""
        return fit(f"{marker(report.id)}\n{whole(report, detail)}\n" for detail in STEPS)


def whole(report: Report, detail: Detail, heading: str = "###", label: str = "") -> str:
    """Return the report without its marker. `heading` is of its first line; `label` is added to it."""
    shown = f"{escape(report.headline, 300)}{f' · {escape(label, 120)}' if label else ''}"
    return f"{heading} {SIGNS[report.status]} {shown}\n\n{body(report, detail, heading)}"


def body(report: Report, detail: Detail, heading: str) -> str:
    """Return what stands below the first line; `heading` is that line's."""
    parts = [
        f"**{why}**" if (why := escape(reason(report), detail.text)) else "",
        _policy(report, detail),
        *(_stage(result, detail, heading) for result in report.stages if result.status is not Status.SKIPPED),
        _not_run(report, detail),
        _footer(report),
    ]
    return "\n\n".join(part for part in parts if part)


def _policy(report: Report, detail: Detail) -> str:
    rules, changes = policy_lines(report)
    if not changes and not (report.policy and report.policy.note):
        return ""
    shown = [f"- {escape(line, min(detail.text, 300))}" for line in changes[:_MOST_CHANGES]]
    if len(changes) > len(shown):
        shown.append(f"- … and {len(changes) - len(shown):,} more in report.json")
    return "\n".join([f"**{escape(rules, detail.text)}**", "", *shown])


def _stage(result: StageResult, detail: Detail, heading: str) -> str:
    lines = [f"{heading}# {SIGNS[result.status]} {escape(result.stage)}: {stage_line(result)}"]
    if result.error is not None:
        first, _, rest = result.error.message.partition("\n")
        lines.append(f"`error[{_CODE.sub('', result.error.code)}]` {escape(first, detail.text)}")
        if rest.strip():
            lines.append(fenced(printable(rest, 4 * detail.text)))
        if result.error.hint:
            lines.append(f"**What to do:** {escape(result.error.hint, detail.text)}")
        return "\n\n".join(lines)
    lines.append(escape(result.reason, detail.text))
    judged = table_rows(result)
    if judged:
        lines += _gates(judged, detail)
        lines += [escape(check.message, detail.text) for check in families(result)]
    elif result.metrics:
        lines.append(_metrics(result.metrics))
    lines += _bullets([check for check in troubles(result) if check.metric is None], detail)
    if commands := next_commands(result):
        lines.append(f"**To look closer:** {' · '.join(code_span(command) for command in commands)}")
    shown = {id(check) for check in (*families(result), *judged)}
    passed = [check for check in result.checks if check.status is Status.PASSED and id(check) not in shown]
    if passed:
        lines.append(_folded(passed, detail))
    return "\n\n".join(lines)


def _bullets(checks: list[Check], detail: Detail) -> list[str]:
    shown, rest = detail.split(checks)
    lines = [
        f"- {SIGNS[check.status]} **{check.status.value}** {escape(sentence(check), detail.text)}"
        for check in shown
    ]
    return ["\n".join(lines), *detail.rest(rest)] if checks else []


def _gates(checks: list[Check], detail: Detail) -> list[str]:
    shown, rest = detail.split(checks)
    rows = [
        "| Metric | Baseline | Candidate | Change (interval) | Limit | Verdict |",
        "|:--|--:|--:|:--|:--|:--|",
    ]
    rows += [_gate_row(check, check.metric) for check in shown if check.metric is not None]
    return ["\n".join(rows), *detail.rest(rest)]


def _gate_row(check: Check, metric: Metric) -> str:
    cells = [
        escape(title(metric), 120),
        number(metric.baseline),
        number(metric.value),
        change(metric),
        escape(check.limit or "–", 120),
        f"{SIGNS[check.status]} {escape(verdict(check), 120)}",
    ]
    return "| " + " | ".join(cells) + " |"


def _metrics(metrics: list[Metric]) -> str:
    rows = ["| Metric | Value | Rows |", "|:--|--:|--:|"]
    rows += [
        f"| {escape(title(metric), 120)} | {number(metric.value)} | {metric.n:,} |"
        for metric in metrics[:_MOST_METRICS]
    ]
    if len(metrics) > _MOST_METRICS:
        rows.append(f"\n… and {len(metrics) - _MOST_METRICS:,} more metrics")
    return "\n".join(rows)


def _folded(checks: list[Check], detail: Detail) -> str:
    shown = [f"- {escape(check.name, 120)}" for check in checks[: detail.passed]]
    counted = f"{len(checks):,} check{'s' if len(checks) > 1 else ''} passed"
    if not shown:
        return counted
    if len(checks) > len(shown):
        shown.append(f"- … and {len(checks) - len(shown):,} more")
    body = "\n".join(shown)
    return f"<details><summary>{counted}</summary>\n\n{body}\n\n</details>"


def _not_run(report: Report, detail: Detail) -> str:
    skipped = [result for result in report.stages if result.status is Status.SKIPPED]
    return "\n".join(
        f"- {SIGNS[Status.SKIPPED]} {escape(result.stage)} skipped: {escape(result.reason, detail.text)}"
        for result in skipped
    )


def _footer(report: Report) -> str:
    facts = report.provenance
    parts = ["no commit"]
    if facts.commit:
        parts = [f"commit {escape(facts.commit[:7])}{' + local changes' if facts.dirty else ''}"]
    if report.policy and report.policy.source == "base":
        parts.append(f"rules of base commit {escape((report.policy.commit or '')[:7])}")
    parts += [
        f"{escape(name, 120)} sha256:{escape(digest[:8])}…" for name, digest in list(facts.data.items())[:20]
    ]
    parts += [f"[job]({facts.run_url})"] if ADDRESS.fullmatch(facts.run_url or "") else []
    parts += [f"python {escape(facts.python)}", escape(report.tool), escape(report.created)]
    parts += [f"started for: {escape(facts.reason, 300)}"] if facts.reason else []
    return f"<sub>{' · '.join(parts)}</sub>"


reporter = MarkdownReporter()
