"""Fits a report into the room that a comment has: failures first, the rest summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mlci.core.results import Check
from mlci.core.status import Status
from mlci.reporters._escape import escape

MOST_BYTES = 60_000
"""Size of a whole report. GitHub refuses comments above 65,536 characters."""

_BLOCKING = (Status.FAILED, Status.ERRORED)
_CUT = "\n\n… the rest did not fit; the whole report is in report.json\n"


@dataclass(frozen=True)
class Detail:
    """How much of each list is shown. `failed` and `others` are numbers of lines; `names` is in characters."""

    failed: int
    others: int
    passed: int
    text: int = 1000
    names: int = 15_000

    def shared(self, parts: int) -> Detail:
        """Return what each of several parts may show, so that together they show about as much."""
        failed = self.failed if self.failed == _EVERYTHING else max(3, self.failed // parts)
        return replace(self, failed=failed, names=max(200, self.names // parts))

    def split(self, checks: Sequence[Check]) -> tuple[list[Check], list[Check]]:
        """Return those that get a line of their own, in their order, and those that are summed up."""
        blocking = [check for check in checks if check.status in _BLOCKING][: self.failed]
        others = [check for check in checks if check.status not in _BLOCKING][: self.others]
        kept = {id(check) for check in (*blocking, *others)}
        return (
            [check for check in checks if id(check) in kept],
            [check for check in checks if id(check) not in kept],
        )

    def rest(self, checks: Sequence[Check]) -> list[str]:
        """Return the lines that stand for checks without one; failures are named as far as there is room."""
        others = Counter(check.status.value for check in checks if check.status not in _BLOCKING)
        blocking = [escape(check.name, 120) for check in checks if check.status in _BLOCKING]
        lines: list[str] = []
        if blocking:
            named = self._named(blocking)
            more = len(blocking) - len(named)
            lines.append(
                f"**{len(blocking):,} more failed:** {', '.join(named)}"
                + (f" … and {more:,} more in report.json" if more else "")
            )
        if others:
            counted = ", ".join(f"{count:,} {status}" for status, count in others.items())
            lines.append(f"… and {others.total():,} more: {counted}")
        return lines

    def _named(self, names: Sequence[str]) -> list[str]:
        shown: list[str] = []
        room = self.names
        for name in names:
            room -= len(name) + 2
            if room < 0:
                break
            shown.append(name)
        return shown


_EVERYTHING = 1_000_000
STEPS = (
    Detail(failed=_EVERYTHING, others=_EVERYTHING, passed=40),
    Detail(failed=_EVERYTHING, others=100, passed=40),
    Detail(failed=_EVERYTHING, others=20, passed=0),
    Detail(failed=_EVERYTHING, others=5, passed=0, text=300),
    Detail(failed=250, others=5, passed=0, text=300, names=20_000),
    Detail(failed=100, others=0, passed=0, text=300, names=20_000),
    Detail(failed=20, others=0, passed=0, text=200),
    Detail(failed=3, others=0, passed=0, text=200, names=5_000),
)


def fit(texts: Iterable[str]) -> str:
    """Return the first text that fits; the last, cut after a whole line, where none does.

    `texts` come from the most detailed to the shortest; none is made that is not needed.
    """
    text = ""
    for text in texts:
        if len(text.encode()) <= MOST_BYTES:
            return text
    room = MOST_BYTES - len(_CUT.encode())
    return text.encode()[:room].decode(errors="ignore").rpartition("\n")[0].rstrip() + _CUT
