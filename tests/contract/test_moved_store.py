"""An embedded store goes on working when its project's folder is copied or moved, and leaves the old place alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlci.core.ports import RunRecord
from mlci.trackers import TRACKERS

pytestmark = pytest.mark.slow


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path: Path, empty_database: Path) -> Path:
    """A project with one run, one registered model and an alias, in a folder of its own."""
    root = tmp_path / "before"
    store = root / ".mlci" / "mlflow"
    store.mkdir(parents=True)
    shutil.copyfile(empty_database, store / "mlflow.db")
    model = tmp_path / "model"
    model.mkdir()
    (model / "MLmodel").write_text("flavors: {}\n")
    notes = tmp_path / "notes.txt"
    notes.write_text("kept")
    tracker = TRACKERS.get("mlflow")(None, "moved", root, {})
    run = tracker.record(RunRecord("first", {}, {"accuracy": 1.0}, {}, artifacts=[(notes, "notes")]))
    version = tracker.register("churn", model, run, {})
    tracker.set_alias("churn", "champion", version.version)
    return root


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_store_follows_its_folder(project: Path, tmp_path: Path, how: str) -> None:
    after = tmp_path / "some where" / "after"
    after.parent.mkdir()
    if how == "moved":
        project.rename(after)
    else:
        shutil.copytree(project, after)
    old_files = files_below(project)
    tracker = TRACKERS.get("mlflow")(None, "moved", after, {})
    found = tracker.find("models:/churn@champion")
    assert found is not None
    assert found.run_id is not None
    assert (tracker.fetch_model(found, tmp_path / "fetched") / "MLmodel").read_text() == "flavors: {}\n"
    kept = tracker.fetch_artifact(found.run_id, "notes/notes.txt", tmp_path / "fetched")
    assert kept is not None
    assert kept.read_text() == "kept"
    notes = tmp_path / "second.txt"
    notes.write_text("new")
    tracker.record(RunRecord("second", {}, {}, {}, artifacts=[(notes, "notes")]))
    assert files_below(project) == old_files
    assert any(name.endswith("second.txt") for name in files_below(after))


def test_a_store_that_stays_is_not_touched(project: Path) -> None:
    database = project / ".mlci" / "mlflow" / "mlflow.db"
    tracker = TRACKERS.get("mlflow")(None, "moved", project, {})
    assert tracker.find("models:/churn@champion") is not None
    before = database.read_bytes()
    again = TRACKERS.get("mlflow")(None, "moved", project, {})
    assert again.find("models:/churn@champion") is not None
    assert database.read_bytes() == before
