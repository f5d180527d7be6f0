"""The quickstart, followed step by step as its README tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_project import EXAMPLES, NewProject, Project, quoted, says

pytestmark = pytest.mark.slow

STAGES = ["validate-data", "train", "compare-to-baseline", "package", "deploy"]


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """All that the runs of this file have printed, for comparison with the README."""
    return []


@pytest.fixture(scope="module")
def deployed(new_project: NewProject, printed: list[str]) -> Project:
    """The example after its first run, which made its model the champion."""
    project = new_project("quickstart", example="quickstart", fresh=True)
    done = project.mlci("run")
    printed.append(done.flat)
    assert project.ran() == STAGES
    assert done.out.startswith("Deployed with warnings: quickstart")
    assert "First evaluation: there is no models:/quickstart@champion yet" in done.flat
    assert project.check("compare-to-baseline", "baseline")["word"] == "no baseline"
    assert project.alias("quickstart") == "1"
    return project


def test_second_run_skips_everything_with_the_same_exit_code(deployed: Project) -> None:
    before = deployed.report()
    done = deployed.mlci("run")
    assert deployed.ran() == []
    assert deployed.report()["status"] == before["status"]
    assert done.out.startswith("Deployed with warnings: quickstart")
    assert deployed.mlci("run", "--warn-exit-code", expect=10).out == done.out


def test_git_sees_nothing_of_what_was_made(deployed: Project) -> None:
    assert deployed.must("git", "status", "--porcelain").out == ""


def test_harmless_change_is_deployed(deployed: Project, tmp_path: Path, printed: list[str]) -> None:
    project = deployed.copy_to(tmp_path / "quickstart")
    project.patch("pass")
    judged = project.mlci("run", "--until", "package")
    assert project.ran() == STAGES[1:4]
    assert project.check("compare-to-baseline", "roc_auc")["word"] == "not worse"
    before = project.tree()
    dry = project.mlci("deploy", "--dry-run")
    assert "would do: models:/quickstart@champion moves from version 1 to version 2" in dry.flat
    assert project.tree() == before
    assert project.alias("quickstart") == "1"
    done = project.mlci("run")
    assert project.ran() == ["deploy"]
    assert project.alias("quickstart") == "2"
    printed += [judged.flat, done.flat]
    project.mlci("run")
    assert project.ran() == []


def test_bad_data_stop_before_training_and_are_mended_by_taking_them_back(
    deployed: Project, tmp_path: Path, printed: list[str]
) -> None:
    project = deployed.copy_to(tmp_path / "quickstart")
    project.patch("fails-data")
    done = project.mlci("run", expect=1)
    printed.append(done.flat)
    assert project.ran() == ["validate-data"]
    assert "mean_radius" in done.out
    assert "3 of 284 rows" in done.flat
    assert project.alias("quickstart") == "1"
    project.patch("fails-data", back=True)
    project.mlci("run")
    assert project.ran() == ["validate-data"]


def test_worse_model_fails_and_the_champion_stays(
    deployed: Project, tmp_path: Path, printed: list[str]
) -> None:
    project = deployed.copy_to(tmp_path / "quickstart")
    project.patch("fails-model")
    done = project.mlci("run", expect=1)
    printed.append(done.flat)
    assert project.ran() == ["train", "compare-to-baseline"]
    assert done.out.startswith("Do not merge: quickstart failed compare-to-baseline")
    assert project.check("compare-to-baseline", "roc_auc")["word"] == "worse"
    assert project.check("compare-to-baseline", "recall")["word"] == "worse"
    assert project.check("compare-to-baseline", "accuracy")["status"] == "failed"
    assert project.alias("quickstart") == "1"
    # Nor can what failed be deployed by asking for it.
    refused = project.mlci("deploy", expect=None)
    assert refused.code in (1, 3)
    assert project.alias("quickstart") == "1"


def test_readme_quotes_what_is_printed(deployed: Project, printed: list[str]) -> None:
    text = "\n".join(printed)
    sentences = quoted(EXAMPLES / "quickstart" / "README.md")
    assert len(sentences) >= 3
    assert [line for line in sentences if not says(text, line)] == []
