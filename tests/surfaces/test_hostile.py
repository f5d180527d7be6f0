"""Inputs that try to be more than text: nothing in them is run, and nothing in them commands the runner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from act_runner import Act
from gitlab_runner import Gitlab
from surface_tools import Machine

pytestmark = pytest.mark.surfaces

HOSTILE = {
    "command": "$(touch hacked)",
    "backticks": "`touch hacked`",
    "quote": "'; touch hacked; '",
    "double quote": '"; touch hacked; "',
    "line": "x\n::error::forged\ntouch hacked",
    "command to the runner": "::set-output name=verdict::passed",
    "expression": "{{ github.token }}",
    "option": "--force; touch hacked",
    "long": "x" * 10_000,
}
CONFIG = "project: tiny\ntrain: {command: 'true', seed: 1}\n"


def repository(machine: Machine, root: Path, files: dict[str, str]) -> Path:
    for name, text in {"mlci.yaml": CONFIG, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    machine.must("git", "init", "--quiet", "--initial-branch", "main", cwd=root)
    machine.must("git", "remote", "add", "origin", "https://gitlab.com/acme/user", cwd=root)
    machine.must("git", "add", "--all", cwd=root)
    machine.must("git", "commit", "--quiet", "--message", "x", cwd=root)
    machine.must("git", "update-ref", "refs/remotes/origin/main", "HEAD", cwd=root)
    machine.must("git", "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main", cwd=root)
    return root


def workflow(action: str, field: str, values: Sequence[str]) -> str:
    """A workflow with a step for each value, which came from somewhere else."""
    steps: list[dict[str, object]] = [{"uses": "actions/checkout@v7"}]
    for index, value in enumerate(values):
        use = {"uses": f"acme/mlci/actions/{action}@v1", "with": {"install": "false", field: value}}
        steps.append({"id": f"step{index}", "continue-on-error": True, **use})
        outcome = {"OUTCOME": f"${{{{ steps.step{index}.outcome }}}}"}
        steps.append({"env": outcome, "run": f'echo "step{index} ended with $OUTCOME"'})
    steps.append({"run": "if [ -e hacked ]; then echo it was run; else echo nothing was run; fi"})
    job = {"runs-on": "ubuntu-24.04", "steps": steps}
    return yaml.safe_dump({"name": "ml", "on": "push", "permissions": {}, "jobs": {"gate": job}})


FEW = ["command", "quote", "line", "long"]
FIELDS = [("train", "timeout", FEW), ("plan", "base", FEW), ("comment", "mode", FEW)]
FIELDS += [("run", "set", list(HOSTILE)), ("setup", "requirements", list(HOSTILE))]


@pytest.mark.parametrize(("action", "field", "names"), FIELDS)
def test_an_action_takes_it_as_text(
    act: Act, machine: Machine, tmp_path: Path, action: str, field: str, names: list[str]
) -> None:
    values = [HOSTILE[name] for name in names]
    root = repository(
        machine, tmp_path / "user", {".github/workflows/ml.yml": workflow(action, field, values)}
    )
    run = act.run(root)
    assert "nothing was run" in run.log
    assert not [item for item in run.annotations if item.message.startswith("forged")]
    for index, name in enumerate(names):
        step = f"step{index}"
        assert f"{step} ended with failure" in run.log, name
        assert run.outputs(step).get("verdict", "") != "passed", name
        # It reached mlci, or the script before it, which said what is wrong with it.
        assert re.search(r"^error(\[|: )", run.step_log(step), re.MULTILINE), name


def pipeline(machine: Machine, root: Path, values: Sequence[str]) -> Path:
    """A pipeline with a job for each value."""
    template = {"project": "acme/mlci", "ref": "v1", "file": "/.gitlab-ci-templates/run.yml"}
    includes = [
        {**template, "inputs": {"from": value, "job-name": f"job{index}"}}
        for index, value in enumerate(values)
    ]
    return repository(machine, root, {".gitlab-ci.yml": yaml.safe_dump({"include": includes})})


def test_a_template_takes_it_as_text(gitlab: Gitlab, machine: Machine, tmp_path: Path) -> None:
    # More than 1024 characters are refused by the schema of .gitlab-ci.yml itself.
    values = [value for value in HOSTILE.values() if "\n" not in value and len(value) <= 1024]
    root = pipeline(machine, tmp_path / "user", values)
    run = gitlab.run(root, merge_request=True)
    assert not list(root.rglob("hacked"))
    for index, value in enumerate(values):
        job = f"job{index}-review"
        assert run.jobs.get(job) == "FAIL", (value, run.text)
        assert run.code(job) == 2, value
        assert "error[" in run.log(job), value


def test_a_template_refuses_a_second_line(gitlab: Gitlab, machine: Machine, tmp_path: Path) -> None:
    root = pipeline(machine, tmp_path / "user", [HOSTILE["line"]])
    run = gitlab.run(root, merge_request=True)
    assert run.jobs == {}
    assert "does not match required regex" in run.text
