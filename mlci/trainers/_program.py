"""Runs a user's program: with the user's Python, and with an error that shows its last lines."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.ports import TrainRequest
from mlci.process import Completed, run_quiet

_NOT_FOUND = 127
"""What a shell ends with when there is no such program."""


LIST_PACKAGES = """\
import importlib.metadata, platform
print(f"# {platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
found = {f"{item.name}=={item.version}" for item in importlib.metadata.distributions() if item.name}
print(*sorted(found, key=str.lower), sep=chr(10))
"""
"""A program for any Python from 3.10 on that lists what is installed beside it."""


def environment(request: TrainRequest) -> dict[str, str]:
    """Return the PATH with which a user's program is run, so that `python` is the project's own.

    An activated environment is left as it is; else the one of `train.python`, else the project's
    `.venv`, else the one that mlci runs in.
    """
    chosen = request.options.python
    if chosen is None and request.variables.get("VIRTUAL_ENV"):
        return {}
    folder = Path(sys.executable).parent
    if chosen is not None:
        path = request.root / chosen
        folder = path / "bin" if path.is_dir() else path.parent
        if not (folder / "python").exists() and not path.is_file():
            raise MlciError(
                "config.invalid",
                f"'train.python': there is no Python in '{chosen}'",
                "name a folder made by venv",
            )
    elif (request.root / ".venv" / "bin" / "python").exists():
        folder = request.root / ".venv" / "bin"
    return {"PATH": f"{folder}:{request.variables.get('PATH', '')}"}


def installed_packages(request: TrainRequest) -> list[str]:
    """Return the interpreter and the packages of the environment that a user's program runs in.

    Empty when there is no `python` in it: the program may be written in another language.
    """
    return packages_of("python", request, {**request.variables, **environment(request)})


def packages_of(python: str, request: TrainRequest, variables: Mapping[str, str]) -> list[str]:
    """Return a line about an interpreter, and one (name==version) for each package beside it."""
    done = run_quiet([python, "-c", LIST_PACKAGES], cwd=request.root, env=variables, timeout=60)
    return done.stdout.splitlines() if done.returncode == 0 else []


def refuse_failure(done: Completed, what: str, timeout: float | None) -> None:
    """Raise MlciError when a program did not end well; its last lines are part of the message."""
    tail = "\n".join(f"  | {line}" for line in done.stdout.splitlines()[-10:])
    if done.timed_out:
        raise MlciError(
            "train.timeout",
            f"{what} was stopped after {timeout:g} s (train.timeout)\n{tail}".rstrip(),
            "raise train.timeout",
        )
    if done.returncode:
        cause = (
            f"by signal {-done.returncode}" if done.returncode < 0 else f"with exit code {done.returncode}"
        )
        hint = "its whole output is in mlci-out/train.log; run the command by hand to see more"
        if done.returncode == _NOT_FOUND:
            hint = "a program in it was not found: activate its environment, or set train.python"
        raise MlciError(
            "train.command-failed", f"{what} ended {cause}\n{tail or '  | ' + done.stderr}".rstrip(), hint
        )
