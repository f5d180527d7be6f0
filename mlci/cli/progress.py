"""Shows what is going on: a moving line on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class Progress:
    """Receives one line of progress at a time, on standard error."""

    def __init__(self) -> None:
        self._status: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("")
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
            # The bar keeps a program's output from being read as a command by the CI system.
            sys.stderr.write(f"  | {text}\n")
            sys.stderr.flush()
