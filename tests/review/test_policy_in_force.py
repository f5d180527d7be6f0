"""A pull request is judged by the rules of its base, and what it would do to them stands in line one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conftest_review import Forge, Run, git

WEAK = "Weakens the policy (accuracy: at-least 0.9 → 0.1"


def weakened(forge: Forge, value: str = "0.1") -> str:
    return forge.text("models/cat/mlci.yaml").replace("at-least: 0.9", f"at-least: {value}")


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "mlci-out/report.json").read_text("utf-8"))
    return found


def test_a_weakened_gate_does_not_count_and_is_said_first(forge: Forge, mlci: Run, tmp_path: Path) -> None:
    forge.commit({"models/cat/mlci.yaml": weakened(forge)})
    checkout, event = forge.merged(tmp_path)
    # The training fails here; what matters is by which rules the run says it judges.
    done = mlci(checkout / "models/cat", "run", "--from", "train", event=event)
    found = report(checkout / "models/cat")
    assert done.stdout.count(WEAK) == 1
    assert found["headline"].startswith(f"{WEAK}; judged by the rules of the base). Not evaluated")
    assert found["policy"]["source"] == "base"
    assert found["policy"]["commit"] == event["pull_request"]["base"]["sha"]
    (change,) = found["policy"]["changes"]
    assert change == {
        "key": "compare-to-baseline.gates.accuracy",
        "effect": "weaker",
        "message": "at-least 0.9 → 0.1",
    }
    assert found["provenance"]["config"] == "models/cat/mlci.yaml"
    markdown = (checkout / "models/cat/mlci-out/report.md").read_text("utf-8")
    assert WEAK in markdown.splitlines()[1]
    summary = (checkout / "models/cat-event.json.md").read_text("utf-8")
    assert summary.splitlines()[1] == markdown.splitlines()[1]


def test_the_rules_are_those_of_the_base(forge: Forge, mlci: Run) -> None:
    """The digest of the rules in the report is that of the base's file, and not of the change's."""
    from mlci.policy import digest

    base = forge.text("models/cat/mlci.yaml")
    forge.commit({"models/cat/mlci.yaml": weakened(forge)})
    mlci(forge.clone / "models/cat", "run", "--base", "main", "--until", "train")
    assert report(forge.clone / "models/cat")["policy"]["digest"] == digest(base) != digest(weakened(forge))


def test_a_removed_gate_section_still_judges(forge: Forge, mlci: Run) -> None:
    text = forge.text("models/cat/mlci.yaml")
    without = text[: text.index("compare-to-baseline")] + text[text.index("package") :]
    forge.commit({"models/cat/mlci.yaml": without})
    done = mlci(forge.clone / "models/cat", "run", "--as-ci")
    assert "Weakens the policy" in done.stdout
    stages = {stage["stage"]: stage["reason"] for stage in report(forge.clone / "models/cat")["stages"]}
    assert "there is no" not in stages["compare-to-baseline"]


def test_other_evaluation_data_are_said_first(forge: Forge, mlci: Run) -> None:
    forge.commit({"models/cat/evaluate.csv": forge.text("models/cat/evaluate.csv") + "60,1,1\n"})
    done = mlci(forge.clone / "models/cat", "run", "--as-ci")
    assert "Changes the policy (evaluate.csv: the evaluation data are changed" in done.stdout


def test_another_workflow_is_listed(forge: Forge, mlci: Run) -> None:
    forge.commit({".github/workflows/ml.yml": "on: push\n"})
    mlci(forge.clone / "models/cat", "run", "--as-ci")
    found = report(forge.clone / "models/cat")
    assert not found["headline"].startswith(("Weakens", "Changes"))
    assert [change["key"] for change in found["policy"]["changes"]] == [".github/workflows/ml.yml"]


def test_a_first_configuration_brings_its_rules(forge: Forge, mlci: Run) -> None:
    text = forge.text("models/cat/mlci.yaml").replace("project: cat", "project: cow")
    data = {f"models/cow/{name}": forge.text(f"models/cat/{name}") for name in ("train.csv", "evaluate.csv")}
    forge.commit({"models/cow/mlci.yaml": text, **data})
    mlci(forge.clone / "models/cow", "run", "--as-ci")
    policy = report(forge.clone / "models/cow")["policy"]
    assert (policy["source"], policy["changes"]) == ("checkout", [])
    assert "is new in this change" in policy["note"]


def test_a_base_that_is_not_there_is_said(forge: Forge, mlci: Run, tmp_path: Path) -> None:
    forge.commit({"models/cat/mlci.yaml": weakened(forge)})
    checkout, event = forge.merged(tmp_path, depth=1)
    done = mlci(checkout / "models/cat", "run", event=event)
    policy = report(checkout / "models/cat")["policy"]
    assert policy["source"] == "checkout"
    assert "fetch-depth: 2" in policy["note"]
    assert "fetch-depth: 2" in done.stdout
    assert "fetch-depth: 2" in (checkout / "models/cat/mlci-out/report.md").read_text("utf-8")


def test_a_request_stops_at_the_verdict_and_a_push_does_not(forge: Forge, mlci: Run, tmp_path: Path) -> None:
    forge.commit({"models/cat/train.py": "print('better')\n"})
    checkout, event = forge.merged(tmp_path)
    mlci(checkout / "models/cat", "run", event=event)
    judged = [stage["stage"] for stage in report(checkout / "models/cat")["stages"]]
    assert judged == ["validate-data", "train", "compare-to-baseline"]
    mlci(checkout / "models/cat", "run", event={"before": "0" * 40})
    pushed = [stage["stage"] for stage in report(checkout / "models/cat")["stages"]]
    assert pushed == [*judged, "package", "deploy"]


def test_on_a_machine_of_your_own_nothing_is_posted_and_everything_is_written(
    forge: Forge, mlci: Run
) -> None:
    forge.commit({"models/cat/mlci.yaml": weakened(forge)})
    done = mlci(forge.clone / "models/cat", "run", "--as-ci", GITHUB_TOKEN="planted-token")
    out = forge.clone / "models/cat/mlci-out"
    assert (out / "comment.md").read_text("utf-8") == (out / "report.md").read_text("utf-8")
    assert "nothing was posted" in done.stdout
    assert "planted-token" not in done.stdout + done.stderr


def test_gitlab_judges_by_the_targets_rules(forge: Forge, mlci: Run) -> None:
    forge.commit({"models/cat/mlci.yaml": weakened(forge)})
    base = git(forge.clone, "rev-parse", "main")
    request = {"GITLAB_CI": "true", "CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"}
    done = mlci(forge.clone / "models/cat", "run", CI_MERGE_REQUEST_DIFF_BASE_SHA=base, **request)
    assert WEAK in done.stdout
    assert report(forge.clone / "models/cat")["policy"]["commit"] == base
