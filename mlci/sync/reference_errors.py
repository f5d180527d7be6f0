"""docs/reference/errors.md: the exit codes and every error code with what it means."""

from __future__ import annotations

from mlci.core.error_codes import ERROR_CODES
from mlci.core.status import ExitCode
from mlci.sync._markdown import code, page, table
from mlci.sync._tree import Kind

EXIT_CODES: dict[ExitCode, tuple[str, str]] = {
    ExitCode.PASSED: ("Passed; warnings are allowed.", "go on"),
    ExitCode.FAILED: ("The stage worked, and a blocking gate said no.", "stop"),
    ExitCode.USAGE: ("An option, an input or the configuration is wrong.", "fix the workflow"),
    ExitCode.NOT_EVALUATED: (
        "Nothing could be judged: no data, no baseline where one is needed, nothing to deploy.",
        "fix the project",
    ),
    ExitCode.SERVICE: ("A server, a store, a target or the machine failed.", "try again"),
    ExitCode.WARNED: (
        "Warned or unclear; only with `--warn-exit-code`.",
        "show it, as `allow_failure: {exit_codes: [10]}` does in GitLab",
    ),
    ExitCode.BUG: ("A mistake in mlci itself; the text of a report is printed.", "report it"),
    ExitCode.INTERRUPTED: ("Interrupted.", ""),
}
_INTRODUCTION = (
    "An error is printed as `error[code]: what is wrong`, with a hint that is the way out; `mlci explain CODE` says "
    "what a code means, and `--debug` shows the traceback. A crash never looks like a bad model, and never like a "
    "good one."
)


def files() -> dict[str, str]:
    """Return the page by path."""
    exits = [(code(str(int(item))), *EXIT_CODES[item]) for item in ExitCode]
    errors = [
        (code(name), code(str(int(error.exit_code))), error.meaning)
        for name, error in sorted(ERROR_CODES.items())
    ]
    return {
        "docs/reference/errors.md": page(
            "Errors and exit codes",
            "## Exit codes",
            table(("Code", "Meaning", "What CI may do"), exits),
            "## Errors",
            _INTRODUCTION,
            table(("Error", "Exit code", "Meaning"), errors),
        )
    }


kind = Kind(files, ("docs/reference/*.md",))
