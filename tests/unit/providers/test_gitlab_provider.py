"""What GitLab takes from a job: a dotenv report within its limits, links that lead somewhere, a commit that exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlci.core.results import Provenance, Report, StageResult
from mlci.core.status import Status, worst
from mlci.providers.gitlab import MOST_BYTES, MOST_VARIABLES, GitlabProvider

OUTPUTS = {
    "validate-data": ("checks", "failed", "warned"),
    "train": ("run-id",),
    "compare-to-baseline": ("gates-failed", "gates-unclear", "state"),
    "package": ("name", "model-sha256", "version", "model-uri"),
    "deploy": ("target", "version", "previous-version", "changed"),
}


def stage(name: str, status: Status = Status.PASSED, **more: Any) -> StageResult:
    return StageResult(stage=name, status=status, reason="r", **more)


def report(*stages: StageResult, project: str = "churn") -> Report:
    return Report(
        id=project,
        project=project,
        status=worst(one.status for one in stages),
        headline="h",
        stages=list(stages),
        provenance=Provenance(),
        created="2026-01-01T00:00:00Z",
        tool="mlci 0",
    )


def dotenv(found: Report, out: Path) -> dict[str, str]:
    GitlabProvider({}).publish(found, out)
    data = (out / "mlci.env").read_bytes()
    assert len(data) <= MOST_BYTES < 5 * 1024 - 100
    lines = data.decode().splitlines()
    assert len(lines) <= MOST_VARIABLES == 20 - 2
    return dict(line.split("=", 1) for line in lines)


def test_a_whole_run_fits_and_the_important_values_come_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = [stage(name, outputs=dict.fromkeys(names, "1")) for name, names in OUTPUTS.items()]
    found = dotenv(report(*stages), tmp_path)
    assert list(found)[:2] == ["MLCI_RESULT_VERDICT", "MLCI_RESULT_EXIT_CODE"]
    assert {f"MLCI_RESULT_{name.upper().replace('-', '_')}_VERDICT" for name in OUTPUTS} <= set(found)
    assert {"MLCI_RESULT_DEPLOY_VERSION", "MLCI_RESULT_PACKAGE_MODEL_URI"} <= set(found)
    assert found["MLCI_RESULT_COMPARE_TO_BASELINE_STATE"] == "1"
    assert "MLCI_RESULT_VALIDATE_DATA_CHECKS" not in found
    assert "4 values did not fit into" in capsys.readouterr().out


def test_one_large_value_leaves_room_for_the_others(tmp_path: Path) -> None:
    outputs = {"run-id": "r", "large": "ß" * 3000, "name": "n"}
    found = dotenv(report(stage("train", outputs=outputs)), tmp_path)
    assert (found["MLCI_RESULT_TRAIN_RUN_ID"], found["MLCI_RESULT_TRAIN_NAME"]) == ("r", "n")
    assert "MLCI_RESULT_TRAIN_LARGE" not in found


def test_a_value_that_gitlab_cannot_hold_is_none(tmp_path: Path) -> None:
    outputs = {"blank": "a b", "tab": "a\tb", "bell": "a\x07b", "line": "a\u2028b", "empty": "", "good": "x"}
    found = dotenv(report(stage("train", outputs=outputs)), tmp_path)
    assert set(found) == {
        "MLCI_RESULT_VERDICT",
        "MLCI_RESULT_EXIT_CODE",
        "MLCI_RESULT_TRAIN_VERDICT",
        "MLCI_RESULT_TRAIN_EMPTY",
        "MLCI_RESULT_TRAIN_GOOD",
    }


def test_the_page_of_the_job_links_report_and_run(tmp_path: Path) -> None:
    out = tmp_path / "models" / "a b" / "mlci-out"
    out.mkdir(parents=True)
    job = "https://gitlab.example/acme/user/-/jobs/5"
    provider = GitlabProvider({"CI_JOB_URL": job, "CI_PROJECT_DIR": str(tmp_path)})
    page = "https://mlflow.example/#/runs/r1"
    provider.publish(report(stage("train", details={"run_url": page})), out)
    assert json.loads((out / "gl-annotations.json").read_text()) == {
        "mlci churn": [
            {
                "external_link": {
                    "label": "Report of churn",
                    "url": f"{job}/artifacts/file/models/a%20b/mlci-out/report.md",
                }
            },
            {"external_link": {"label": "Run in MLflow", "url": page}},
        ]
    }


def test_there_is_no_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "gl-annotations.json").write_text("{}")  # of an earlier run
    hostile = stage("train", details={"run_url": "javascript:alert(1)"})
    GitlabProvider({}).publish(report(hostile), tmp_path)
    assert not (tmp_path / "gl-annotations.json").exists()
    elsewhere = {"CI_JOB_URL": "https://g/1", "CI_PROJECT_DIR": str(tmp_path / "other")}
    GitlabProvider(elsewhere).publish(report(hostile), tmp_path)
    assert not (tmp_path / "gl-annotations.json").exists()


def test_a_merged_results_pipeline_names_the_commit_that_somebody_made() -> None:
    variables = {
        "CI_COMMIT_SHA": "m",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "s",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
        "CI_COMMIT_REF_NAME": "refs/merge-requests/7/merge",
    }
    assert GitlabProvider(variables).provenance() == {"commit": "s", "ref": "feature"}
    # In an ordinary one of a merge request GitLab leaves it empty.
    variables["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"] = ""
    assert GitlabProvider(variables).provenance()["commit"] == "m"
