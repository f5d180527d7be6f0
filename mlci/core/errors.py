"""One error class: what went wrong, where, and the way out, with a code that never changes."""

from __future__ import annotations

from mlci.core.error_codes import ERROR_CODES
from mlci.core.status import ExitCode


class MlciError(Exception):
    """A problem that mlci understands.

    `code` is a key of `ERROR_CODES`, which fixes the exit code; `message` names the thing and the
    value; `hint` is the way out.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that this error ends the process with."""
        return ERROR_CODES[self.code].exit_code

    def __str__(self) -> str:
        return f"error[{self.code}]: {self.message}"

    def __reduce__(self) -> tuple[type[MlciError], tuple[str, str, str]]:
        return type(self), (self.code, self.message, self.hint)


class NotPostedError(Exception):
    """A comment that is not written, and why: a warning of `mlci comment`, never an exit code.

    `why` is one sentence, `hint` the way out.
    """

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


class UncertainError(NotPostedError):
    """A request without an answer: the forge may or may not have carried it out."""


def first_line(error: BaseException, limit: int = 300) -> str:
    """Return the first non-empty line of an exception's text, cut to `limit` characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:limit]
