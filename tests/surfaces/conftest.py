"""The runners, the toolkit as its users get it, and users' repositories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from act_runner import Act
from filelock import FileLock
from gitlab_runner import Gitlab
from judged import Judged
from monorepo import Monorepo
from surface_tools import Machine, make_machine
from surface_tree import export
from user_repository import Users, make_base


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with mlci on PATH."""
    return make_machine(tmp_path_factory.mktemp("machine") / "home")


@pytest.fixture(scope="session")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toolkit as a runner downloads it."""
    return export(tmp_path_factory.mktemp("toolkit"))


@pytest.fixture(scope="session")
def act(machine: Machine, toolkit: Path, tmp_path_factory: pytest.TempPathFactory) -> Act:
    """Runs GitHub's workflows."""
    return Act(machine, toolkit, tmp_path_factory.mktemp("act"))


@pytest.fixture(scope="session")
def gitlab(machine: Machine, toolkit: Path, tmp_path_factory: pytest.TempPathFactory) -> Gitlab:
    """Runs GitLab's pipelines."""
    return Gitlab(machine, toolkit, tmp_path_factory.mktemp("gitlab"))


@pytest.fixture(scope="session")
def users(machine: Machine, empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Users:
    """Makes users' repositories; what they begin with is made once, also when several processes test."""
    temporary = tmp_path_factory.getbasetemp()
    shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    # It stays where it was made: MLflow's store holds absolute paths.
    place = shared / "surfaces"
    with FileLock(shared / "surfaces.lock"):
        if not (place / "made").exists():
            place.mkdir()
            make_base(machine, place, empty_database)
            (place / "made").touch()
    return Users(machine, place / "base", tmp_path_factory.mktemp("users"))


@pytest.fixture(scope="session")
def monorepo(
    machine: Machine, users: Users, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Monorepo:
    """Makes repositories with two models."""
    return Monorepo(machine, users.base, empty_database, tmp_path_factory.mktemp("monorepo"))


@pytest.fixture(scope="session")
def judged(machine: Machine, act: Act, gitlab: Gitlab, users: Users) -> Judged:
    """Runs of the three faces on the same changes, each made once."""
    return Judged(machine, act, gitlab, users)
