"""The reusable workflows of the default branch, called as users call them: delivery, state, retraining, size."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from act_runner import Act, ActRun
from monorepo import Monorepo
from reviews import GATE, WITH, Reviews
from surface_tools import Machine
from surface_tree import export

from mlci.scaffold import github_fork_workflow, github_retrain_workflow, github_workflow

pytestmark = pytest.mark.surfaces

DELIVER = """\
name: ml
on: push
permissions: {}
jobs:
  gate:
    permissions: {contents: read}
    uses: acme/mlci/.github/workflows/ml-cd.yml@v1
"""
RETRAIN = DELIVER.replace("on: push", "on: {repository_dispatch: {types: [ml-retrain]}}").replace(
    "ml-cd", "ml-retrain"
)
OPTIONS = """\
      runner: '["self-hosted", "gpu"]'
      prepare: echo "prepared in $(basename "$PWD")" > prepared.txt
"""
ALL_OPTIONS = """\
    with:
      install: false
      python-version: "3.13"
      requirements: requirements.txt
"""


@dataclass(frozen=True)
class Kept:
    """What GitHub keeps of one repository between runs: caches and artifacts."""

    act: Act
    monorepo: Monorepo
    kept: Path

    def caches(self) -> list[str]:
        """The models whose state is kept."""
        return sorted(path.name.split(".")[1] for path in (self.kept / "caches").glob("mlci-state.*"))

    def report(self, name: str) -> dict[str, Any]:
        """The report in an artifact."""
        path = self.kept / "artifacts" / name / "report.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def kept(act: Act, monorepo: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(act, monorepo, tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def delivered(kept: Kept) -> ActRun:
    """The first run on the default branch: nothing is known yet, and one of the two models is not good enough."""
    pushed = kept.monorepo.push("worse", DELIVER + "    with:\n" + WITH)
    return kept.act.run(pushed.root, payload={}, kept=kept.kept)


def test_a_model_that_is_good_enough_is_delivered_whatever_becomes_of_the_others(
    kept: Kept, delivered: ActRun
) -> None:
    assert delivered.code == 1
    assert delivered.job("evaluate cat") == "failure"
    assert not [job for job in delivered.jobs if "deliver cat" in job]
    assert kept.report("mlci-report-cat")["status"] == "failed"
    assert delivered.job("deliver quickstart") == "success", delivered.log
    judged, delivery = kept.report("mlci-report-quickstart"), kept.report("mlci-delivery-quickstart")
    stages = ["validate-data", "train", "compare-to-baseline", "package", "deploy"]
    assert [stage["stage"] for stage in judged["stages"]] == stages[:3]
    assert [stage["stage"] for stage in delivery["stages"]] == stages[3:]
    assert not any(stage["cached"] for stage in judged["stages"] + delivery["stages"])


def test_only_a_good_run_is_remembered(kept: Kept, delivered: ActRun) -> None:
    assert kept.caches() == ["quickstart"]


def test_the_report_is_uploaded_without_model_and_data(delivered: ActRun) -> None:
    folder = delivered.artifact("mlci-report-quickstart")
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"report.json", "report.md", "junit.xml", "train.json"} <= files
    assert {Path(name).suffix for name in files} == {".json", ".md", ".xml"}


def test_a_pull_request_is_judged_against_the_state_of_main_and_leaves_it_alone(
    kept: Kept, delivered: ActRun
) -> None:
    """Two models are touched: one fails, one comment tells of both. The data, untouched, is not validated again."""
    before = kept.caches()
    reviews = Reviews(kept.act, kept.monorepo)
    options = ALL_OPTIONS + OPTIONS
    pull = kept.monorepo.pull_request("both", GATE + options)
    review = reviews.run(pull, kept=kept.kept)
    assert review.run.code == 1
    report = review.report("quickstart")
    cached = {stage["stage"]: stage["cached"] for stage in report["stages"]}
    assert cached == {"validate-data": True, "train": False, "compare-to-baseline": False}
    compared = report["stages"][-1]
    assert (compared["outputs"]["state"], compared["outputs"]["gates-failed"]) == ("compared", "3")
    errors = {annotation.file for annotation in review.run.annotations if annotation.level == "error"}
    assert errors == {"models/tumour/mlci.yaml"}
    assert "Do not merge" in review.run.summary
    assert "Do not merge" in review.comment
    assert "cat" in review.comment
    assert "quickstart" in review.comment
    assert review.run.outputs("comment")["verdict"] == "failed"
    assert kept.caches() == before
    versions = (kept.kept / "python-versions").read_text("utf-8").split()
    assert versions == ["3.13"] * 4  # plan, two models, report


def test_a_push_of_documentation_delivers_nothing(kept: Kept) -> None:
    pushed = kept.monorepo.push("docs", DELIVER + "    with:\n" + WITH)
    run = kept.act.run(pushed.root, payload=pushed.payload)
    assert run.code == 0, run.log
    assert {job.split("/")[-1].strip() for job in run.jobs} == {"plan"}
    assert "Nothing to evaluate" in run.summary


def test_retraining_says_why_and_runs_what_has_not_changed(kept: Kept, delivered: ActRun) -> None:
    payload = {
        "action": "ml-retrain",
        "client_payload": {"mlci": {"reason": "drift of *x*\n# on monday", "folder": "models/cat"}},
    }
    root = kept.monorepo.main(RETRAIN + "    with:\n" + WITH)
    run = kept.act.run(root, "repository_dispatch", payload=payload, kept=kept.kept)
    assert run.code == 0, run.log
    assert {job.split("/")[-1].strip() for job in run.jobs} == {"plan", "evaluate cat"}
    assert kept.report("mlci-report-cat")["provenance"]["reason"] == "drift of *x*\n# on monday"
    assert r"started for: drift of \*x\* \# on monday" in run.summary
    assert "train: --force" in run.text
    # There is nothing to deliver of this one; what was found out is remembered.
    assert kept.caches() == ["cat", "quickstart"]


def test_the_whole_is_adopted_in_few_lines() -> None:
    assert len(GATE.splitlines()) <= 10
    assert len(github_workflow().splitlines()) <= 14  # the gate, and the delivery of the default branch
    assert len(github_fork_workflow().splitlines()) <= 10
    assert len(github_retrain_workflow().splitlines()) <= 12


def test_the_own_checks_are_the_readmes_command(act: Act, machine: Machine, tmp_path: Path) -> None:
    root = export(tmp_path / "own")
    (root / "scripts/test.sh").write_text('echo "checked with $# options in $(basename "$PWD")"\n', "utf-8")
    machine.must("git", "init", "--quiet", cwd=root)
    machine.must("git", "add", "--all", cwd=root)
    machine.must("git", "commit", "--quiet", "--message", "own", cwd=root)
    run = act.run(root, "pull_request", workflow=".github/workflows/ci.yml", payload={})
    assert run.code == 0, run.log
    assert "checked with 0 options" in run.log
    assert (run.kept / "python-versions").read_text("utf-8").split() == ["3.13", "3.11"]
