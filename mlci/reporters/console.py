"""Text for a terminal or a log: the verdict first, then the reason, then the tables."""

from __future__ import annotations

import io
from dataclasses import dataclass

from mlci.core.results import Check, Report, StageResult
from mlci.core.status import Status, severity
from mlci.reporters._escape import no_command, one_line, printable
from mlci.reporters._words import (
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

_COLOURS = {
    Status.PASSED: "green",
    Status.WARNED: "yellow",
    Status.INCONCLUSIVE: "yellow",
    Status.FAILED: "red",
    Status.SKIPPED: "dim",
    Status.ERRORED: "red",
}
_MOST_TROUBLES = 12
_MOST_ROWS = 60


@dataclass(frozen=True)
class ConsoleReporter:
    """Writes plain text, or coloured text for a terminal. `width` is in characters."""

    colour: bool = False
    width: int = 110
    file: str | None = None

    def render(self, report: Report) -> str:
        """Return the whole report."""
        from rich.console import Console
        from rich.padding import Padding
        from rich.text import Text

        buffer = io.StringIO()
        console = Console(
            file=buffer, width=self.width, force_terminal=self.colour, no_color=not self.colour, highlight=False,
            color_system="standard" if self.colour else None, emoji=False, markup=False, legacy_windows=False,
        )  # fmt: skip
        console.print(Text(one_line(report.headline), style=f"bold {_COLOURS[report.status]}"))
        console.print(Text(one_line(reason(report))))
        rules, changes = policy_lines(report)
        if changes or (rules and report.policy and report.policy.note):
            console.print(Text(one_line(rules)))
            for line in changes[:_MOST_TROUBLES]:
                console.print(Padding(Text(one_line(line, 300)), (0, 0, 0, 2)))
        for result in report.stages:
            console.print()
            console.print(
                Text(one_line(f"{result.stage}: {stage_line(result)}"), style=_COLOURS[result.status])
            )
            for part in self._body(result):
                console.print(part)
        # Padding fills lines up to the width, which only makes logs longer.
        lines = [line.rstrip() for line in buffer.getvalue().split("\n")]
        return no_command("\n".join(lines).rstrip("\n")) + "\n"

    def _body(self, result: StageResult) -> list[object]:
        from rich.padding import Padding
        from rich.text import Text

        parts: list[object] = []
        if result.error is not None:
            parts.append(Text(printable(f"error[{result.error.code}]: {result.error.message}")))
            if result.error.hint:
                parts.append(Text(printable(f"hint: {result.error.hint}")))
            return [Padding(part, (0, 0, 0, 2)) for part in parts]  # type: ignore[arg-type] # only Text above
        parts.append(Text(one_line(result.reason)))
        judged = table_rows(result)
        if judged:
            worst_first = sorted(judged, key=lambda check: -severity(check.status))
            shown = judged if len(judged) <= _MOST_ROWS else worst_first[:_MOST_ROWS]
            parts.append(_gates(shown))
            if len(judged) > _MOST_ROWS:
                parts.append(Text(f"… and {len(judged) - _MOST_ROWS:,} more in report.json"))
            parts += [Text(one_line(check.message)) for check in families(result)]
        plain = [check for check in troubles(result) if check.metric is None]
        parts += [
            Text(one_line(f"{check.status.value}: {sentence(check)}"), style=_COLOURS[check.status])
            for check in plain[:_MOST_TROUBLES]
        ]
        if len(plain) > _MOST_TROUBLES:
            parts.append(Text(f"… and {len(plain) - _MOST_TROUBLES} more in report.md"))
        if commands := next_commands(result):
            parts.append(Text(f"to look closer: {' · '.join(commands)}"))
        return [Padding(part, (0, 0, 0, 2)) for part in parts]  # type: ignore[arg-type] # renderables


def _gates(checks: list[Check]) -> object:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("metric", "baseline", "candidate", "change [interval]", "limit", "verdict"):
        table.add_column(
            name, justify="left" if name in ("metric", "limit", "verdict") else "right", overflow="fold"
        )
    for check in checks:
        metric = check.metric
        if metric is None:
            continue
        table.add_row(
            Text(one_line(title(metric), 120)),
            number(metric.baseline),
            number(metric.value),
            change(metric),
            Text(one_line(check.limit or "–", 120)),
            Text(one_line(verdict(check), 120), style=_COLOURS[check.status]),
        )
    return table


reporter = ConsoleReporter()
