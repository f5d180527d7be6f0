"""Projects for the tests of this folder: the shipped examples and small ones made on the spot."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from example_project import EXAMPLES, NewProject, Project


@pytest.fixture(scope="session")
def new_project(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> NewProject:
    """Makes a project in git: a copy of an example, or an empty one.

    Unless `fresh`, it has an MLflow database without runs already, which takes seconds to make.
    """

    def make(name: str, *, example: str | None = None, fresh: bool = False) -> Project:
        root = tmp_path_factory.mktemp("projects") / name
        if example is None:
            root.mkdir()
        else:
            made_by_runs = shutil.ignore_patterns(
                "mlci-out", ".mlci", "cache", "tmp", "prepared", "__pycache__"
            )
            shutil.copytree(EXAMPLES / example, root, ignore=made_by_runs)
        if not fresh:
            store = root / ".mlci" / "mlflow"
            store.mkdir(parents=True)
            shutil.copy(empty_database, store / "mlflow.db")
            (root / ".mlci" / ".gitignore").write_text("*\n")
        project = Project(root)
        project.must("git", "init", "--quiet", "--initial-branch", "main")
        project.commit("first")
        return project

    return make
