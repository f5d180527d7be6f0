"""Puts the commands together, and turns every error into its text and its exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from mlci import __version__
from mlci.cli import (
    audit_gate,
    comment,
    doctor,
    explain,
    init,
    listing,
    pipeline_commands,
    plan,
    power,
    schema,
)
from mlci.cli.front import PROJECT_PANEL, STAGE_PANEL, empty_app
from mlci.cli.stage_commands import stage_command
from mlci.core import interruption
from mlci.core.errors import MlciError
from mlci.core.status import ExitCode
from mlci.stages import ordered_stages


def build_app() -> typer.Typer:
    """Return the whole command line."""
    app = empty_app()
    commands: list[Callable[..., Any]] = [
        init.init,
        doctor.doctor,
        plan.plan,
        *pipeline_commands.COMMANDS,
        comment.comment,
    ]
    for command in commands:
        app.command(rich_help_panel=PROJECT_PANEL)(command)
    for stage in ordered_stages():
        app.command(name=stage.name, help=stage.summary, rich_help_panel=STAGE_PANEL)(stage_command(stage))
    questions = (explain.explain, power.power, audit_gate.audit_gate, listing.list_, schema.schema)
    for command in questions:
        app.command(name=command.__name__.rstrip("_").replace("_", "-"), rich_help_panel=PROJECT_PANEL)(
            command
        )
    return app


def run_app() -> NoReturn:
    """Run the command line and exit with the code that says what happened."""
    for number in (signal.SIGTERM, signal.SIGINT):  # a CI system cancels by SIGTERM; end as after Ctrl-C
        signal.signal(number, _interrupt)
    try:
        build_app()()
    except MlciError as error:
        _leave_with(error)
    except KeyboardInterrupt:
        _leave_with(MlciError("interrupted", "interrupted"))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - `| head` closed it; exit without a traceback
        sys.exit(int(ExitCode.PASSED))
    except Exception as error:  # the last line of defence: a bug has an exit code of its own
        if interruption.asked.is_set() and isinstance(error, ImportError | SystemError):
            _leave_with(MlciError("interrupted", "interrupted"))
        _print_bug(error)
        sys.exit(int(ExitCode.BUG))
    sys.exit(int(ExitCode.PASSED))


def _leave_with(error: MlciError) -> NoReturn:
    print_error(error)
    # An interrupt that passed through exec() of a text, as in the making of a dataclass during an import, leaves
    # a mark by which `python -m` kills itself at the very end in place of returning our code; another exec() clears it.
    exec("")  # noqa: S102 - a constant, and empty
    sys.exit(int(error.exit_code))


def print_error(error: MlciError) -> None:
    """Print an error, its way out, and where to read more; with the traceback if asked for."""
    lines = traceback.format_exception(error) if os.environ.get("MLCI_DEBUG") else []
    lines.append(f"{error}\n")
    if error.hint:
        lines.append(f"hint: {error.hint}\n")
    lines.append(f"more: mlci explain {error.code}\n")
    _write("".join(lines))


def _print_bug(error: Exception) -> None:
    about = f"mlci {__version__}, Python {sys.version.split()[0]}, {sys.platform}"
    trace = "".join(traceback.format_exception(error))
    _write(f"error[bug]: {type(error).__name__}: {error}\nPlease report this:\n\n{about}\n```\n{trace}```\n")


def _write(text: str) -> None:
    """Write what went wrong, without secrets and without lines that a CI system obeys."""
    from mlci.process import redact
    from mlci.reporters._escape import no_command

    sys.stderr.write(no_command(redact(text, os.environ)))


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal handler
    interruption.asked.set()
    raise KeyboardInterrupt
