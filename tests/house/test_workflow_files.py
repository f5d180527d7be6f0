"""The reusable workflows: one meaning for each input, least grants, nothing unpinned, a gate that only judges."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from wrapper_files import action, called_file, wanted, workflow

from mlci.scaffold import github_fork_workflow, github_retrain_workflow, github_workflow
from mlci.stages import VERDICT_STAGE
from mlci.sync.__main__ import REPOSITORY

FOLDER = REPOSITORY / ".github/workflows"
REUSABLE = sorted(FOLDER.glob("ml-*.yml"))
CALLED_BY_USERS = ("ml-ci", "ml-cd", "ml-comment", "ml-retrain")
# What a workflow decides itself for the one that it calls.
DECIDED = {
    "ml-model": {"folder", "model", "until", "deliver", "environment", "force", "reason"},
    "ml-plan": {"folder"},
}


def steps(path: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    jobs = workflow(path)["jobs"].values()
    return [(job, step) for job in jobs for step in job.get("steps", [])]


def inputs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = workflow(path)["on"]["workflow_call"]["inputs"]
    return found


def test_an_input_means_the_same_everywhere() -> None:
    known: dict[str, Any] = {}
    for path in REUSABLE:
        for name, item in inputs(path).items():
            if (path.stem, name) in {("ml-model", "folder"), ("ml-model", "reason")}:
                continue  # one project here
            assert known.setdefault(name, item) == item, f"{name} in {path.name}"


@pytest.mark.parametrize("path", REUSABLE, ids=lambda path: path.stem)
def test_a_nested_workflow_gets_every_input(path: Path) -> None:
    for job in workflow(path)["jobs"].values():
        nested = called_file(job)
        if nested is None:
            continue
        declared = set(inputs(nested))
        handed = {name for name in job["with"] if job["with"][name] == f"${{{{ inputs.{name} }}}}"}
        assert declared - handed <= DECIDED[nested.stem], job["name"]
        assert set(job["with"]) <= declared


@pytest.mark.parametrize("path", REUSABLE, ids=lambda path: path.stem)
def test_every_input_is_used(path: Path) -> None:
    text = path.read_text()
    for name in inputs(path):
        assert re.search(rf"\binputs\.{name}\b", text), name


@pytest.mark.parametrize("path", REUSABLE, ids=lambda path: path.stem)
def test_grants_are_least_and_explained(path: Path) -> None:
    found = workflow(path)
    assert found["permissions"] == {}
    for job in found["jobs"].values():
        nested = called_file(job)
        if nested is not None:
            assert job["permissions"] == wanted(nested)
        else:
            assert job["timeout-minutes"]
    for line in re.findall(r"^ +[a-z-]+: (?:read|write)\b.*$", path.read_text(), re.MULTILINE):
        assert " # to " in line


def test_who_may_write_what() -> None:
    grants = {path.stem: wanted(path) for path in REUSABLE}
    read = {"contents": "read"}
    assert grants == {
        "ml-ci": {**read, "pull-requests": "write"},
        "ml-cd": read,
        "ml-comment": {"actions": "read", **read, "pull-requests": "write"},
        "ml-model": read,
        "ml-plan": read,
        "ml-retrain": read,
    }


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_steps_run_nothing_that_a_caller_wrote_and_leave_no_credential(path: Path) -> None:
    for _, step in steps(path):
        assert "${{" not in step.get("run", "")
        if "uses" in step and not step["uses"].startswith("$/"):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"])
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", REUSABLE, ids=lambda path: path.stem)
def test_steps_use_our_actions_as_they_are_declared(path: Path) -> None:
    for _, step in steps(path):
        if step.get("uses", "").startswith("$/"):
            described = action(REPOSITORY / step["uses"].removeprefix("$/") / "action.yml")
            assert set(step["with"]) <= set(described["inputs"])


def test_a_change_under_review_stops_at_the_verdict_and_keeps_nothing() -> None:
    model = workflow(FOLDER / "ml-model.yml")
    evaluate, deliver = model["jobs"]["evaluate"], model["jobs"]["deliver"]
    (judges,) = (step for step in evaluate["steps"] if step.get("uses") == "$/actions/run")
    later = """contains(fromJSON('["package", "deploy"]'), inputs.until)"""
    last = f"(inputs.until == '' || {later}) && '{VERDICT_STAGE}' || inputs.until"
    assert judges["with"]["until"] == f"${{{{ {last} }}}}"
    saves = [step for step in evaluate["steps"] if "cache/save" in step.get("uses", "")]
    assert [step["if"] for step in saves] == [f"inputs.deliver && !{later}"]
    assert deliver["if"] == f"inputs.deliver && {later}"
    assert inputs(FOLDER / "ml-model.yml")["deliver"]["default"] is False
    gate = workflow(FOLDER / "ml-ci.yml")
    assert "deliver" not in gate["jobs"]
    assert not any("environment" in job for job in (evaluate, *gate["jobs"].values()))


def test_a_change_is_judged_as_the_default_branch_is() -> None:
    """The gate has these steps itself, so that a model's job stands directly below it; they must not drift apart."""
    model = workflow(FOLDER / "ml-model.yml")["jobs"]["evaluate"]
    gate = workflow(FOLDER / "ml-ci.yml")["jobs"]["evaluate"]
    names = {"inputs.folder": "matrix.folder", "inputs.model": "matrix.name", "inputs.until": "matrix.until"}
    text = json.dumps([step for step in model["steps"] if "inputs.deliver" not in str(step.get("if"))])
    for old, new in names.items():
        text = text.replace(old, new)
    judged = json.loads(text)
    (run,) = (step for step in judged if step.get("uses") == "$/actions/run")
    del run["env"], run["with"]["force"]  # a change says itself why it is judged
    assert gate["steps"] == judged
    for key in ("runs-on", "timeout-minutes", "permissions"):
        assert gate[key] == model[key]


def test_the_half_for_forks_runs_nothing_of_them() -> None:
    (job,) = workflow(FOLDER / "ml-comment.yml")["jobs"].values()
    assert not any("checkout" in step.get("uses", "") or "run" in step for step in job["steps"])
    assert "head_repository.full_name != github.repository" in job["if"]
    (comment,) = (step for step in job["steps"] if step.get("uses") == "$/actions/comment")
    assert comment["with"]["untrusted"] == "true"


@pytest.mark.parametrize("path", REUSABLE, ids=lambda path: path.stem)
def test_a_group_cannot_cancel_the_caller(path: Path) -> None:
    """A group with the caller's own name would; ours begin with the name of the file."""
    assert workflow(path)["concurrency"]["group"].startswith(f"{path.stem}-")


@pytest.mark.parametrize("text", [github_workflow(), github_fork_workflow(), github_retrain_workflow()])
def test_a_snippet_grants_what_is_asked_for_and_calls_what_there_is(text: str) -> None:
    import yaml

    found = yaml.safe_load(text)
    assert found["permissions"] == {}
    for job in found["jobs"].values():
        path = REPOSITORY / job["uses"].removeprefix("mlci/mlci/").partition("@")[0]
        assert path.stem in CALLED_BY_USERS
        assert dict(sorted(job["permissions"].items())) == wanted(path)
        assert set(job.get("with", {})) <= set(inputs(path))
