"""Calls the shell scripts of actions/setup as steps of a job do, for the tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlci.sync.__main__ import REPOSITORY

SETUP = REPOSITORY / "actions" / "setup"
BIN = Path(sys.executable).parent
SYSTEM = "/usr/bin:/bin"
PLAIN = f"{Path(sys.base_prefix) / 'bin'}:{SYSTEM}"
"""A PATH with a Python that has no packages of ours."""


def call(
    script: str, *arguments: str, cwd: Path, setup: Path = SETUP, **given: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a job whose temporary folder is `runner`; outputs and PATH are files beside it."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("MLCI_", "MLFLOW_", "GITHUB_", "RUNNER_", "CONDA"))
        and name not in ("VIRTUAL_ENV", "UV_PYTHON")
    }
    job = {
        "RUNNER_TEMP": str(cwd / "runner"),
        "GITHUB_OUTPUT": str(cwd / "output"),
        "GITHUB_PATH": str(cwd / "path"),
    }
    return subprocess.run(
        ["bash", str(setup / script), *arguments],
        cwd=cwd,
        env={**kept, **job, **given},
        capture_output=True,
        text=True,
        check=False,
    )


def later_step(project: Path, *command: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Call a program as a step after actions/setup does: with its PATH, in another folder."""
    added = (project / "path").read_text().split() if (project / "path").exists() else []
    elsewhere = project / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    return subprocess.run(
        command,
        cwd=elsewhere,
        env={"PATH": ":".join([*added, SYSTEM]), "RUNNER_TEMP": str(project / "runner"), **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def program(path: Path, text: str) -> Path:
    """Write a shell program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def outputs(project: Path) -> dict[str, str]:
    """Return what steps wrote as outputs."""
    text = (project / "output").read_text() if (project / "output").exists() else ""
    return dict(line.split("=", 1) for line in text.splitlines())
