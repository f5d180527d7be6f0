"""The DVC example: an existing pipeline adopted as it is, and what DVC does when it cannot go on."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import pytest
from example_project import EXAMPLES, NewProject, Project, quoted, says

pytestmark = pytest.mark.slow

STAGES = ["validate-data", "train", "compare-to-baseline", "package", "deploy"]
UP_TO_DATE = "Data and pipelines are up to date."


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """All that the runs of this file have printed, for comparison with the README."""
    return []


@pytest.fixture(scope="module")
def deployed(new_project: NewProject, printed: list[str]) -> Project:
    """The example after its first run, which made its model the champion."""
    project = new_project("newark", example="dvc-pipeline")
    done = project.mlci("run")
    printed.append(done.flat)
    assert project.ran() == STAGES
    assert "Running stage 'train'" in done.err
    assert project.alias("newark-weather") == "1"
    return project


def test_model_is_deployed_with_a_feature_that_also_groups_rows(deployed: Project) -> None:
    """day_of_year is data.group and a feature: the smoke test has to give it to the model."""
    import pandas as pd

    example = pd.read_parquet(deployed.root / "mlci-out" / "package" / "example.parquet")
    assert "day_of_year" in example.columns
    assert "temp_later" not in example.columns
    assert deployed.result("deploy")["status"] == "passed"


def test_skipping_all_is_faster_than_dvc_saying_up_to_date(deployed: Project) -> None:
    deployed.mlci("run")
    assert deployed.ran() == []
    ours, theirs = [], []
    for _ in range(3):
        ours.append(_seconds(deployed, "mlci", "run"))
        theirs.append(_seconds(deployed, "dvc", "repro"))
    assert statistics.median(ours) < statistics.median(theirs), (ours, theirs)


def test_dvc_skips_when_only_our_own_results_are_gone(deployed: Project, tmp_path: Path) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    (project.root / "mlci-out" / "train.json").unlink()
    done = project.mlci("train")
    assert UP_TO_DATE in done.err
    assert "Running stage" not in done.err


def test_new_clone_pulls_what_the_remote_has(deployed: Project, tmp_path: Path) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    project.dvc("remote", "add", "--default", "store", str(tmp_path / "remote"))
    project.dvc("push")
    project.commit("with a remote")
    project.must("git", "clone", "--quiet", str(project.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    assert not (clone.root / "models" / "model.joblib").exists()
    done = clone.mlci("train")
    assert "Running stage" not in done.err
    assert "Pulling data for stage" in done.err
    assert _digest_of_model(clone) == _digest_of_model(project)


def test_outputs_that_dvc_checkout_brings_are_noticed(deployed: Project, tmp_path: Path) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    (project.root / "models" / "model.joblib").unlink()
    plan = project.mlci("plan").out
    assert "models/model.joblib" in plan
    project.dvc("checkout")
    assert "models/model.joblib" not in project.mlci("plan").out


def test_harmless_change_is_deployed(deployed: Project, tmp_path: Path, printed: list[str]) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    project.patch("pass")
    done = project.mlci("run")
    printed.append(done.flat)
    assert project.ran() == STAGES[1:]
    assert "Stage 'prepare' didn't change, skipping" in done.err
    assert project.alias("newark-weather") == "2"
    # The commit before the change as baseline: its worktree finds all outputs in this checkout's cache.
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=git:HEAD")
    assert project.result("compare-to-baseline")["outputs"]["state"] == "compared"
    assert project.check("compare-to-baseline", "rmse")["metric"]["baseline"] == pytest.approx(3.96, abs=0.1)
    logs = list((project.root / ".mlci" / "cache" / "baselines").glob("*/train/dvc.log"))
    assert len(logs) == 1
    assert "Running stage" not in logs[0].read_text()


def test_bad_data_stop_before_the_pipeline_runs(
    deployed: Project, tmp_path: Path, printed: list[str]
) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    project.patch("fails-data")
    done = project.mlci("run", expect=1)
    printed.append(done.flat)
    assert project.ran() == ["validate-data"]
    assert "-9999" in done.flat
    assert project.alias("newark-weather") == "1"


def test_worse_model_fails_and_the_champion_stays(
    deployed: Project, tmp_path: Path, printed: list[str]
) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    project.patch("fails-model")
    done = project.mlci("run", expect=1)
    printed.append(done.flat)
    assert project.ran() == ["train", "compare-to-baseline"]
    failed = {c["slice"] for c in project.result("compare-to-baseline")["checks"] if c["status"] == "failed"}
    assert failed == {None, *(f"season={name}" for name in ("winter", "spring", "summer", "autumn"))}
    assert project.alias("newark-weather") == "1"


def test_failing_stage_shows_its_last_lines(deployed: Project, tmp_path: Path) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    project.replace(
        "src/train.py", "model.fit(", "raise SystemExit('the disk of the lab is away')\nmodel.fit("
    )
    done = project.mlci("train", expect=3)
    assert project.result("train")["error"]["code"] == "train.command-failed"
    assert "the disk of the lab is away" in done.out
    assert "failed to reproduce 'train'" in done.flat
    assert "the disk of the lab is away" in (project.root / "mlci-out" / "train.log").read_text()


@pytest.mark.parametrize(
    ("missing", "way_out"), [(".git", "git init"), (".dvc", "dvc init")], ids=["no git", "no DVC"]
)
def test_folder_without_a_repository(deployed: Project, tmp_path: Path, missing: str, way_out: str) -> None:
    import shutil

    project = deployed.copy_to(tmp_path / "newark")
    shutil.rmtree(project.root / missing)
    project.mlci("train", "--force", expect=3)
    error = project.result("train")["error"]
    assert error["code"] == "dvc.missing"
    assert way_out in error["hint"]


def test_pipeline_that_dvc_cannot_read(deployed: Project, tmp_path: Path) -> None:
    project = deployed.copy_to(tmp_path / "newark")
    project.replace("dvc.yaml", "outs: [data/prepared]", "outs: [data/prepared]\n    no-such-key: 1")
    done = project.mlci("train", expect=3)
    assert project.result("train")["error"]["code"] == "dvc.failed"
    assert "no-such-key" in done.out


def test_readme_quotes_what_is_printed(deployed: Project, printed: list[str]) -> None:
    text = "\n".join(printed)
    sentences = quoted(EXAMPLES / "dvc-pipeline" / "README.md")
    assert len(sentences) >= 3
    assert [line for line in sentences if not says(text, line)] == []


def _seconds(project: Project, module: str, *arguments: str) -> float:
    start = time.perf_counter()
    project.must(sys.executable, "-m", module, *arguments)
    return time.perf_counter() - start


def _digest_of_model(project: Project) -> str:
    found = [a["sha256"] for a in project.result("train")["artifacts"] if a["role"] == "model"]
    return str(found[0])
