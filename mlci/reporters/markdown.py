"""Markdown for a step summary or a comment: the verdict, the reason, the table, the rest folded."""

from __future__ import annotations

import html
import re

from mlci.core.results import Check, Metric, Report, StageResult
from mlci.core.status import Status
from mlci.reporters._words import (
    SIGNS,
    change,
    families,
    number,
    reason,
    sentence,
    stage_line,
    table_rows,
    title,
    troubles,
    verdict,
)

_ESCAPED = re.compile(r"([\\`*_{}\[\]|#@~$])")
_MOST_PASSED = 40


def escape(text: object) -> str:
    """Return text from data or configuration so that it can neither format nor mention anybody."""
    flat = " ".join(str(text).split())
    return (
        _ESCAPED.sub(r"\\\1", html.escape(flat, quote=False)).replace("\\@", "&#64;").replace("\\#", "&#35;")
    )


class MarkdownReporter:
    """Writes GitHub- and GitLab-flavoured Markdown."""

    file: str | None = "report.md"

    def render(self, report: Report) -> str:
        """Return the whole report; its first line is a hidden marker that names the report."""
        marker = re.sub(r"[^A-Za-z0-9_.-]", "-", report.id)
        parts = [
            f"<!-- mlci:report:{marker} -->",
            f"### {SIGNS[report.status]} {escape(report.headline)}",
            f"**{escape(reason(report))}**",
            *(_stage(result) for result in report.stages if result.status is not Status.SKIPPED),
            _not_run(report),
            _footer(report),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"


def _stage(result: StageResult) -> str:
    lines = [f"#### {SIGNS[result.status]} {result.stage}: {stage_line(result)}"]
    if result.error is not None:
        lines.append(f"`error[{result.error.code}]` {escape(result.error.message)}")
        if result.error.hint:
            lines.append(f"**What to do:** {escape(result.error.hint)}")
        return "\n\n".join(lines)
    lines.append(escape(result.reason))
    judged = table_rows(result)
    if judged:
        lines.append(_gates(judged))
        lines += [escape(check.message) for check in families(result)]
    elif result.metrics:
        lines.append(_metrics(result.metrics))
    plain = [check for check in troubles(result) if check.metric is None]
    if plain:
        lines.append(
            "\n".join(
                f"- {SIGNS[check.status]} **{check.status.value}** {escape(sentence(check))}"
                for check in plain
            )
        )
    shown = [*families(result), *judged]
    passed = [check for check in result.checks if check.status is Status.PASSED and check not in shown]
    if passed:
        lines.append(_folded(passed))
    return "\n\n".join(lines)


def _gates(checks: list[Check]) -> str:
    rows = [
        "| Metric | Baseline | Candidate | Change (interval) | Limit | Verdict |",
        "|:--|--:|--:|:--|:--|:--|",
    ]
    rows += [_gate_row(check, check.metric) for check in checks if check.metric is not None]
    return "\n".join(rows)


def _gate_row(check: Check, metric: Metric) -> str:
    cells = [
        escape(title(metric)),
        number(metric.baseline),
        number(metric.value),
        change(metric),
        escape(check.limit or "–"),
        f"{SIGNS[check.status]} {escape(verdict(check))}",
    ]
    return "| " + " | ".join(cells) + " |"


def _metrics(metrics: list[Metric]) -> str:
    rows = ["| Metric | Value | Rows |", "|:--|--:|--:|"]
    rows += [f"| {escape(title(metric))} | {number(metric.value)} | {metric.n:,} |" for metric in metrics]
    return "\n".join(rows)


def _folded(checks: list[Check]) -> str:
    shown = [f"- {escape(check.name)}" for check in checks[:_MOST_PASSED]]
    if len(checks) > _MOST_PASSED:
        shown.append(f"- … and {len(checks) - _MOST_PASSED} more")
    body = "\n".join(shown)
    return f"<details><summary>{len(checks)} checks passed</summary>\n\n{body}\n\n</details>"


def _not_run(report: Report) -> str:
    skipped = [result for result in report.stages if result.status is Status.SKIPPED]
    return "\n".join(
        f"- {SIGNS[Status.SKIPPED]} {result.stage}: {escape(result.reason)}" for result in skipped
    )


def _footer(report: Report) -> str:
    facts = report.provenance
    parts = [
        f"commit {facts.commit[:7]}{' + local changes' if facts.dirty else ''}"
        if facts.commit
        else "no commit"
    ]
    parts += [f"{escape(name)} sha256:{digest[:8]}…" for name, digest in facts.data.items()]
    parts += [f"[job]({facts.run_url})"] if facts.run_url else []
    parts += [f"python {facts.python}", report.tool, report.created]
    return f"<sub>{' · '.join(parts)}</sub>"


reporter = MarkdownReporter()
