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


TUMOUR = """\
project: tumour
data: {train: data/train.csv, evaluate: data/evaluate.csv, label: malignant, key: patient}
train:
  estimator: sklearn.linear_model.LogisticRegression
  params: {C: 1.0}
  cross-validation: 0
compare-to-baseline:
  gates:
    - {metric: accuracy, no-worse-than: 0.05}
    - {metric: log_loss, at-most: 0.5}
"""


@pytest.fixture(scope="session")
def new_tumour(new_project: NewProject) -> NewProject:
    """Makes a project whose model is trained in a moment, on the quickstart's data, not yet committed.

    `more` is appended to its mlci.yaml.
    """

    def make(name: str, more: str = "") -> Project:
        project = new_project(name)
        shutil.copytree(EXAMPLES / "quickstart" / "data", project.root / "data")
        project.write("mlci.yaml", TUMOUR + more)
        project.write(".gitignore", "/mlci-out\n/.mlci\n")
        return project

    return make
