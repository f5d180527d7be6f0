"""An unclear verdict lets a change pass with a warning and a deployment only with a reason, which is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_project import PREDICTS, Project, make

from mlci.core.status import Status
from mlci.trackers import open_tracker

REASON = "the new rows come in March"


def with_gate(project: Project, **options: str) -> Project:
    gates = [{"metric": "accuracy", "no-worse-than": 0.02}]
    return project.configure(
        validate_data=None, compare_to_baseline={"baseline": "baseline.csv", "gates": gates, **options}
    )


@pytest.fixture(scope="module")
def judged_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose candidate is packaged although the comparison was unclear, as on a pull request."""
    project = make(tmp_path_factory.mktemp("unclear") / "project")
    project.write("other.py", PREDICTS.replace("predictions.csv", "baseline.csv"))
    project.run_program("other.py", MLCI_DATA_EVALUATE="data/evaluate.csv")
    done = with_gate(project).mlci("run", "--until", "package")
    assert done.code == 0, done
    return project


@pytest.fixture
def judged(judged_once: Project, tmp_path: Path) -> Project:
    """A copy of it."""
    return judged_once.copy(tmp_path / "project")


def champion(project: Project) -> dict[str, str] | None:
    """Return the tags of the deployed version; None without one."""
    found = open_tracker(None, "tiny", project.root, {}).find("models:/tiny@champion")
    return None if found is None else dict(found.tags)


def test_a_change_is_warned_of_and_not_blocked(judged: Project) -> None:
    found = judged.result("compare-to-baseline")
    assert found is not None
    assert found.status is Status.INCONCLUSIVE
    (check,) = [check for check in found.checks if check.metric]
    assert (check.status, check.word) == (Status.INCONCLUSIVE, "unclear")
    assert check.observed["rows_needed"] > 120
    report = judged.mlci("report")
    assert "these rows can only see" in report.text


def test_a_deployment_is_blocked(judged: Project) -> None:
    for options in ([], ["--accept-inconclusive", "  "]):
        done = judged.mlci("deploy", *options)
        assert done.code == 1, done
        assert "the comparison was unclear" in done.text
        assert "--accept-inconclusive" in done.text
        assert champion(judged) is None


def test_a_reason_is_recorded_in_the_report_and_on_the_version(judged: Project) -> None:
    done = judged.mlci("deploy", "--accept-inconclusive", REASON)
    assert done.code == 0, done
    found = judged.result("deploy")
    assert found is not None
    assert found.status is Status.WARNED
    assert f"unclear comparison accepted: {REASON}" in [check.message for check in found.checks]
    assert REASON in (judged.out / "report.json").read_text()
    tags = champion(judged)
    assert tags is not None
    assert (tags["mlci.verdict"], tags["mlci.accepted"]) == ("inconclusive", REASON)
    assert tags["mlci.evaluation.uses"] == "1"


def test_a_policy_that_fails_what_is_unclear_blocks_before_the_package(judged: Project) -> None:
    done = with_gate(judged, **{"on-inconclusive": "fail"}).mlci("run")
    assert done.code == 1, done
    found = judged.result("compare-to-baseline")
    assert found is not None
    assert found.status is Status.FAILED
    assert "package: skipped" in done.text
    assert champion(judged) is None
