"""The command line as a user has it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Mlci = Callable[..., subprocess.CompletedProcess[str]]
PROJECT = """\
project: fresh
data: {train: train.csv, evaluate: evaluate.csv, label: y}
train: {command: "true", params: {depth: 3}}
compare-to-baseline: {gates: [{metric: accuracy, no-worse-than: 0.01}]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "fresh"
    folder.mkdir()
    (folder / "mlci.yaml").write_text(PROJECT)
    for name in ("train", "evaluate"):
        (folder / f"{name}.csv").write_text("x,y\n1,0\n2,1\n")
    return folder


@pytest.fixture
def mlci(project: Path, tmp_path: Path) -> Mlci:
    """Run the command with these arguments; `variables` are added to a clean environment."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        unwanted = ("MLCI_", "GITHUB_", "GITLAB_", "CI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
        return subprocess.run(
            [sys.executable, "-m", "mlci", *arguments],
            cwd=project,
            env={**kept, "PYTHONPATH": path, "COLUMNS": "200", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
