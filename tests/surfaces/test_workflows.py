"""The reusable workflows, called as users call them: the state, the environment's job, the outputs, the size."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from act_runner import Act, ActRun
from surface_tools import Machine
from surface_tree import export
from user_repository import Users

from mlci.scaffold import github_workflow
from mlci.sync.__main__ import REPOSITORY

pytestmark = pytest.mark.surfaces

GATE = """\
name: ml
on: pull_request
permissions: {}
jobs:
  gate:
    permissions: {contents: read}
    uses: acme/mlci/.github/workflows/ml-ci.yml@v1
"""
WITH_OPTIONS = """\
    with:
      folder: models/tumour
      name: tumour
      runner: {runner}
      install: false
      requirements: requirements.txt
      prepare: echo "prepared in $(basename "$PWD")" > prepared.txt
  after:
    needs: gate
    if: always()
    runs-on: ubuntu-24.04
    steps:
      - env:
          VERDICT: ${{{{ needs.gate.outputs.verdict }}}}
          ARTIFACT: ${{{{ needs.gate.outputs.artifact }}}}
          DELIVERY: ${{{{ needs.gate.outputs.delivery }}}}
          VERSION: ${{{{ needs.gate.outputs.version }}}}
        run: echo "a later job sees [$VERDICT] [$ARTIFACT] [$DELIVERY] [$VERSION]"
"""
DELIVER = GATE.replace("pull_request", "push").replace("ml-ci", "ml-cd")


def pull_request(number: int = 7) -> dict[str, Any]:
    return {
        "action": "opened",
        "number": number,
        "pull_request": {
            "number": number,
            "head": {"ref": "change", "sha": "0" * 40},
            "base": {"ref": "main"},
        },
    }


@dataclass(frozen=True)
class Forge:
    """What GitHub keeps of one repository between runs: caches and artifacts."""

    act: Act
    users: Users
    kept: Path

    def repository(self, change: str, workflow: str, runner: str = "ubuntu-24.04") -> Path:
        """A repository with the project in a folder of its own, and without any state in git."""
        files = {".github/workflows/ml.yml": workflow + WITH_OPTIONS.format(runner=runner)}
        root = self.users.repository(change)
        for path in [*root.iterdir()]:
            if path.name in (".mlci", "mlci-out"):
                shutil.rmtree(path)
            elif path.name != ".git":
                (root / "models" / "tumour").mkdir(parents=True, exist_ok=True)
                path.rename(root / "models" / "tumour" / path.name)
        for name, text in {**files, "requirements.txt": ""}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, "utf-8")
        return root

    def caches(self) -> list[str]:
        """The keys of what is kept."""
        return [path.name for path in (self.kept / "caches").glob("*")]


@pytest.fixture(scope="module")
def forge(act: Act, users: Users, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(act, users, tmp_path_factory.mktemp("forge"))


@pytest.fixture(scope="module")
def delivered(forge: Forge) -> ActRun:
    """The first push to main: nothing is known yet."""
    return forge.act.run(forge.repository("none", DELIVER), kept=forge.kept)


def test_main_is_judged_then_delivered(delivered: ActRun) -> None:
    assert delivered.code == 0, delivered.log
    assert (delivered.job("evaluate tumour"), delivered.job("deliver tumour")) == ("success", "success")
    assert "a later job sees [warned] [mlci-report-tumour] [passed] [1]" in delivered.log
    judged, delivery = (
        json.loads((delivered.artifact(f"mlci-{name}-tumour") / "report.json").read_text("utf-8"))
        for name in ("report", "delivery")
    )
    assert [stage["stage"] for stage in judged["stages"]] == [
        "validate-data",
        "train",
        "compare-to-baseline",
    ]
    assert [stage["stage"] for stage in delivery["stages"]] == ["package", "deploy"]
    assert not any(stage["cached"] for stage in judged["stages"] + delivery["stages"])


def test_the_report_is_uploaded_without_model_and_data(delivered: ActRun) -> None:
    files = {path.name for path in delivered.artifact("mlci-report-tumour").rglob("*") if path.is_file()}
    assert {"report.json", "report.md", "junit.xml", "train.json"} <= files
    assert {Path(name).suffix for name in files} == {".json", ".md", ".xml"}


def test_a_pull_request_is_judged_against_the_state_of_main_and_leaves_it_alone(
    forge: Forge, delivered: ActRun
) -> None:
    kept = forge.caches()
    assert len(kept) == 1
    assert kept[0].startswith("mlci-tumour-Linux-")
    repository = forge.repository("fail", GATE, runner="""'["self-hosted", "gpu"]'""")
    run = forge.act.run(repository, "pull_request", payload=pull_request(), kept=forge.kept)
    assert run.code == 1
    assert run.job("evaluate tumour") == "failure"
    report = json.loads((run.artifact("mlci-report-tumour") / "report.json").read_text("utf-8"))
    assert [stage["stage"] for stage in report["stages"]] == ["validate-data", "train", "compare-to-baseline"]
    compared = report["stages"][-1]
    assert compared["outputs"]["state"] == "compared"
    assert compared["outputs"]["gates-failed"] == "3"
    assert {annotation.file for annotation in run.annotations} == {"models/tumour/mlci.yaml"}
    assert "Do not merge" in run.summary
    assert forge.caches() == kept
    assert (forge.kept / "python-versions").read_text("utf-8").split() == ["3.12"] * 3


def test_every_grant_is_least_and_no_credential_stays() -> None:
    for path in sorted((REPOSITORY / ".github/workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["permissions"] == {"contents": "read"}
            assert job["timeout-minutes"]
            (checkout,) = (step for step in job["steps"] if "checkout" in step.get("uses", ""))
            assert checkout["with"]["persist-credentials"] is False


def test_the_gate_is_adopted_in_ten_lines() -> None:
    assert len(GATE.splitlines()) <= 10
    assert len(github_workflow().splitlines()) <= 12  # the gate, and the delivery of the default branch


def test_the_own_checks_are_the_readmes_command(act: Act, machine: Machine, tmp_path: Path) -> None:
    root = export(tmp_path / "own")
    (root / "scripts/test.sh").write_text('echo "checked with $# options in $(basename "$PWD")"\n', "utf-8")
    machine.must("git", "init", "--quiet", cwd=root)
    machine.must("git", "add", "--all", cwd=root)
    machine.must("git", "commit", "--quiet", "--message", "own", cwd=root)
    run = act.run(root, "pull_request", workflow=".github/workflows/ci.yml", payload=pull_request())
    assert run.code == 0, run.log
    assert "checked with 0 options" in run.log
    assert (run.kept / "python-versions").read_text("utf-8").split() == ["3.13", "3.11"]
