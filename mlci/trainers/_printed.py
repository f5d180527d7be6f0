"""Hands on what a user's code prints inside this process: line by line, without secrets, marked as its own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from mlci.process import redact


class _Lines(io.TextIOBase):
    """A text stream that gives each whole line to a function."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take
        self._rest = ""

    def writable(self) -> bool:
        """Return True: this is for writing."""
        return True

    def write(self, text: str) -> int:
        """Give away the lines that are complete, and remember the rest."""
        *lines, self._rest = (self._rest + text).replace("\r", "\n").split("\n")
        for line in lines:
            self._take(line)
        return len(text)

    def end(self) -> None:
        """Give away a last line that was not completed."""
        if self._rest:
            self.write("\n")


@contextmanager
def printed_to(say: Callable[[str], None], variables: Mapping[str, str]) -> Iterator[None]:
    """Give `say` all that Python code prints in the block; what compiled code prints goes its own way."""
    lines = _Lines(lambda line: say(redact(line, variables)))
    try:
        with redirect_stdout(lines), redirect_stderr(lines):
            yield
    finally:
        lines.end()
