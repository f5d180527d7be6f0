"""A second run with nothing changed repeats the verdict and imports no machine-learning library."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_project import HOME, STAGES, Project

HEAVY = {
    "pandas",
    "numpy",
    "sklearn",
    "mlflow",
    "great_expectations",
    "dvc",
    "pyarrow",
    "scipy",
    "skops",
    "sqlalchemy",
}
SITE = """\
import atexit, os, sys
def note():
    with open(os.environ["LOADED"], "a") as stream:
        stream.write("\\n".join(sys.modules) + "\\n")
atexit.register(note)
"""


@pytest.fixture
def watching(tmp_path: Path) -> dict[str, str]:
    """Variables with which every Python process writes down the modules that it has loaded."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE)
    return {"PYTHONPATH": f"{folder}:{HOME}", "LOADED": str(tmp_path / "loaded")}


def loaded(watching: dict[str, str]) -> set[str]:
    """Return the packages that were loaded."""
    return {name.partition(".")[0] for name in Path(watching["LOADED"]).read_text().split()}


def test_after_a_passed_run_all_is_skipped_and_nothing_heavy_loaded(
    finished: Project, watching: dict[str, str]
) -> None:
    before = {stage: (finished.out / f"{stage}.json").read_bytes() for stage in STAGES}
    done = finished.mlci("run", **watching)
    assert done.code == 0, done
    for stage in STAGES:
        assert f"{stage}: skipped, nothing it depends on has changed" in done.err
    assert {stage: (finished.out / f"{stage}.json").read_bytes() for stage in STAGES} == before
    assert "mlci" in loaded(watching)
    assert HEAVY & loaded(watching) == set()


def test_after_a_failed_run_it_fails_again_and_says_why(finished: Project, watching: dict[str, str]) -> None:
    finished.configure(compare_to_baseline={"gates": [{"metric": "accuracy", "at-least": 0.999}]})
    first = finished.mlci("run")
    assert first.code == 1, first
    assert "Do not merge" in first.text
    second = finished.mlci("run", **watching)
    assert second.code == 1, second
    assert "compare-to-baseline: failed (unchanged, not run again)" in second.text
    assert "Do not merge" in second.text
    assert "package: skipped" in second.text
    assert HEAVY & loaded(watching) == set()


@pytest.mark.parametrize("command", ["plan", "--help", "list", "report"])
def test_looking_loads_nothing_heavy(finished: Project, watching: dict[str, str], command: str) -> None:
    done = finished.mlci(command, **watching)
    assert done.code == 0, done
    assert HEAVY & loaded(watching) <= ({"numpy"} if command == "list" else set())  # metrics are NumPy's
