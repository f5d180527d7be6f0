"""Finds the runners and checkers of this folder, and says how to install them when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlci.sync.__main__ import REPOSITORY

TOOLS = Path(os.environ.get("SURFACES_TOOLS") or REPOSITORY / ".venv-surfaces")
_SYSTEM = "/usr/local/bin:/usr/bin:/bin"
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "A Tester", "EMAIL": "tester@example.org"}.items()
}

# act gives a step a terminal, which no real runner does, and jobs of called workflows its own idea of the API.
_PROGRAM = """\
#!/bin/bash
export PYTHONPATH="{root}"
[ -z "${{HARNESS_API:-}}" ] || export GITHUB_API_URL="$HARNESS_API" GITHUB_GRAPHQL_URL="$HARNESS_API/graphql"
[ -t 1 ] || exec "{python}" -P -m mlci "$@"
set -o pipefail
"{python}" -P -m mlci "$@" 2>&1 | cat
"""


def tool(name: str) -> Path:
    """Return a program or folder below the tools; the test fails with the way out when it is missing."""
    path = TOOLS / name
    if not path.exists():
        pytest.fail(
            f"'{name}' is missing in {TOOLS.name}: run `bash scripts/setup_surfaces.sh {TOOLS}`",
            pytrace=False,
        )
    return path


def system_tool(name: str) -> Path:
    """Return a program of the machine; the test fails with the way out when it is missing."""
    path = shutil.which(name, path=_SYSTEM)
    if path is None:
        pytest.fail(f"'{name}' is missing: run `bash scripts/setup_surfaces.sh {TOOLS}`", pytrace=False)
    return Path(path)


@dataclass(frozen=True)
class Ended:
    """How a program ended; `text` is its standard output, `err` its standard error."""

    code: int
    text: str
    err: str = ""


@dataclass(frozen=True)
class Machine:
    """A runner's machine: a home, and a PATH with mlci on it. Nothing of this process's variables is on it.

    `programs` is where its Python is.
    """

    folder: Path
    programs: Path = Path(sys.executable).parent

    @property
    def commands(self) -> Path:
        return self.folder / "commands"

    def variables(self, **given: str) -> dict[str, str]:
        """The variables that every program here is started with."""
        return {
            "PATH": os.pathsep.join([str(self.commands), str(self.programs), _SYSTEM]),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            **_AUTHOR,
            **given,
        }

    def run(
        self, command: Sequence[str | Path], cwd: Path, variables: Mapping[str, str] | None = None
    ) -> Ended:
        """Run a program to its end."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=self.variables(**(variables or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def must(self, *command: str | Path, cwd: Path) -> str:
        """Run a program that may not fail, and return what it printed."""
        done = self.run(command, cwd)
        assert done.code == 0, f"{command}\n{done.text}{done.err}"
        return done.text


def make_bare_machine(folder: Path) -> Machine:
    """Make a machine with a plain Python and without mlci, which reaches the package index as this one does."""
    machine = Machine(folder, Path(sys.base_prefix) / "bin")
    machine.commands.mkdir(parents=True)
    (machine.commands / "node").symlink_to(tool("bin/node"))
    return machine


def index_settings() -> dict[str, str]:
    """Return the variables that say how packages are reached from here."""
    beginnings = ("PIP_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_")
    return {name: value for name, value in os.environ.items() if name.upper().startswith(beginnings)}


def make_machine(folder: Path) -> Machine:
    """Make a machine on which `mlci` is the one of this checkout, and `node` the one of the tools."""
    machine = Machine(folder)
    machine.commands.mkdir(parents=True)
    program = machine.commands / "mlci"
    program.write_text(_PROGRAM.format(root=REPOSITORY, python=sys.executable), "utf-8")
    program.chmod(0o755)
    (machine.commands / "node").symlink_to(tool("bin/node"))
    return machine
