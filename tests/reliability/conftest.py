"""Fixtures for a tiny project that is run as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tiny_project import Project, Stopped, alive, make, stop


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A tiny project that has never run."""
    return make(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A tiny project after a whole run; to be copied, never changed."""
    project = make(tmp_path_factory.mktemp("finished") / "project")
    done = project.mlci("run")
    assert done.code == 0, done
    return project


@pytest.fixture
def finished(finished_once: Project, tmp_path: Path) -> Project:
    """A copy of a tiny project after a whole run."""
    return finished_once.copy(tmp_path / "project")


@pytest.fixture
def program(project: Project) -> Callable[..., Project]:
    """Return the project, trained by a program of the given text (plain Python, no library)."""

    def write(text: str, **options: Any) -> Project:
        project.write("train.py", text)
        return project.configure(validate_data=None, train={"command": "python train.py", **options})

    return write


@pytest.fixture
def stopped() -> Iterator[Callable[..., Stopped]]:
    """Return the function that stops a run; whatever it had started is ended after the test."""
    seen: set[int] = set()

    def call(child: subprocess.Popen[str], mark: str, number: signal.Signals, delay: float) -> Stopped:
        found = stop(child, mark, number, delay)
        seen.update(found.children)
        return found

    yield call
    for pid in alive(seen, 0):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def still_alive() -> Callable[[set[int]], set[int]]:
    """Return the function that tells which processes are still there after some seconds."""
    return alive


@pytest.fixture
def holds() -> Callable[[Path, Mapping[str, str]], list[str]]:
    """Return the function that lists the files below a folder in which one of some texts stands."""

    def search(folder: Path, texts: Mapping[str, str]) -> list[str]:
        found = []
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            content = path.read_bytes()
            found += [f"{path.name}: {name}" for name, text in texts.items() if text.encode() in content]
        return found

    return search
