"""Shows what is going on: a moving line on a terminal, plain lines in a log, and never a command to CI."""

from __future__ import annotations

import re
import sys
from types import TracebackType
from typing import Any, Self

# What CI systems take for a command: `::` at the beginning of a line (blanks do not count), and in
# GitHub's older form, which is still read, `##[name]` anywhere in a line.
_COMMAND = re.compile(r"^(\s*:)(?=:)|(#)(?=#\w*\[)", re.MULTILINE)


def harmless(text: str) -> str:
    """Return text in which no line is a command to the CI system that reads the log."""
    return _COMMAND.sub(lambda found: found[0] + " ", "\n".join(text.splitlines()))


class Progress:
    """Receives one line of progress at a time, on standard error."""

    def __init__(self, *, moving: bool = True) -> None:
        self._status: Any = None
        # A CI job may have a terminal too; a moving line there breaks up annotations and folds.
        self._moving = moving
        self._stream = sys.stderr  # kept, since a trainer may lead sys.stderr to `say`

    def __enter__(self) -> Self:
        if self._moving and self._stream.isatty():
            from rich.console import Console

            self._status = Console(file=self._stream).status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        """Show a line; on a terminal it takes the place of the one before."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(text[:200]))
        else:
            # The bar tells a program's output from mlci's own.
            lines = harmless(text).splitlines() or [""]
            self._stream.write("".join(f"  | {line}\n" for line in lines))
            self._stream.flush()
