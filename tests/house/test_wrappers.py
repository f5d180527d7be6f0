"""Actions and GitLab templates: complete, harmless, and in the shape that their systems accept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from wrapper_files import action, template

from mlci.config.load import variable_name
from mlci.core.inputs import fields_of
from mlci.core.stage import Stage
from mlci.scaffold import github_workflow
from mlci.stages import ordered_stages
from mlci.sync import _stages
from mlci.sync.__main__ import REPOSITORY

ACTIONS = sorted((REPOSITORY / "actions").glob("*/action.yml"))
TEMPLATES = sorted((REPOSITORY / ".gitlab-ci-templates").glob("*.yml"))
COMPONENTS = sorted((REPOSITORY / "templates").glob("*/template.yml"))
STAGES = ordered_stages()
# The keys that the runner's own schema allows in a `run` step of a composite action.
STEP_KEYS = {"name", "id", "if", "run", "env", "continue-on-error", "working-directory", "shell"}


def stage_action(stage: Stage) -> dict[str, Any]:
    return action(REPOSITORY / "actions" / stage.name / "action.yml")


def of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return template(REPOSITORY / ".gitlab-ci-templates" / f"{name}.yml")


# ---- one source for every input ----


def test_every_stage_has_every_wrapper() -> None:
    names = {stage.name for stage in STAGES}
    assert {path.parent.name for path in ACTIONS} == {*names, "run", "setup"}
    assert {path.stem for path in TEMPLATES} == {*names, "run", "pipeline"}
    assert {path.parent.name for path in COMPONENTS} == {*names, "run", "pipeline"}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_field_of_a_stage_is_in_every_face(stage: Stage) -> None:
    described = action(REPOSITORY / "actions" / stage.name / "action.yml")
    step = described["runs"]["steps"][1]
    inputs, jobs = of(stage.name)
    (job,) = jobs.values()
    page = (REPOSITORY / "docs/reference/configuration.md").read_text()
    commands = (REPOSITORY / "docs/reference/cli.md").read_text().split(f"## mlci {stage.name}\n")[1]
    for key in fields_of(stage.inputs):
        variable = variable_name(stage.name, key)
        assert key in described["inputs"]
        assert step["env"][variable] == f"${{{{ inputs.{key} || env.{variable} }}}}"
        assert key in inputs
        assert job["variables"][variable] == f"$[[ inputs.{key} ]]"
        assert f"| `{key}` | " in page
        assert f"| `{variable}` | " in page
        assert f"`--{key}" in commands.split("\n## ")[0]
        assert f"| `{variable}` | " in commands.split("\n## ")[0]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_no_variable_of_a_wrapper_is_unknown_to_mlci(stage: Stage) -> None:
    """A variable with the beginning of a section that is no key of it ends every run with an error."""
    known = {variable_name(stage.name, key) for stage in STAGES for key in fields_of(stage.inputs)}
    known |= {"MLCI_TRACKING_URI"}
    beginnings = tuple(
        variable_name(name, "") for name in ("data", "tracking", *(item.name for item in STAGES))
    )
    (job,) = of(stage.name)[1].values()
    for name in [*stage_action(stage)["runs"]["steps"][1]["env"], *job["variables"]]:
        assert name in known or not name.startswith(beginnings)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_outputs_that_a_stage_writes_are_declared(stage: Stage) -> None:
    """Reads the source: the keys of what is called `outputs` in the stage's file."""
    source = (REPOSITORY / "mlci" / "stages" / f"{stage.name.replace('-', '_')}.py").read_text()
    blocks = re.findall(r"outputs(?: \|?= |=)\{(.*?)\n? *\}(?:,|\n)", source, re.DOTALL)
    written = {key for block in blocks for key in re.findall(r'"([a-z0-9-]+)":', block)}
    assert written == set(_stages.stage_outputs(stage.name))


# ---- GitHub ----


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_an_action_is_one_that_the_runner_accepts(path: Path) -> None:
    found = action(path)
    assert set(found) <= {"name", "description", "inputs", "outputs", "runs"}
    assert set(found["runs"]) == {"using", "steps"}
    assert found["runs"]["using"] == "composite"
    for step in found["runs"]["steps"]:
        assert {"run", "shell"} <= set(step) <= STEP_KEYS
    for item in found["inputs"].values():
        # A default in the action would come before mlci.yaml, and GitHub enforces no `required`.
        assert item["default"] == ""
        assert item["required"] is False
        assert item["description"]


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_an_action_runs_nothing_that_a_caller_wrote(path: Path) -> None:
    for step in action(path)["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert "uses" not in step
        assert re.fullmatch(r'bash "\$GITHUB_ACTION_PATH/(\.\./setup/)?[a-z]+\.sh"( [a-z-]+)?', step["run"])


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_every_input_of_an_action_is_used_and_every_use_is_declared(path: Path) -> None:
    found = action(path)
    values = [text for step in found["runs"]["steps"] for text in step["env"].values()]
    used = {re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \|\| env\.(MLCI_[A-Z_]+) \}\}", text) for text in values}
    assert {match.group(1) for match in used if match} == set(found["inputs"])
    for step in found["runs"]["steps"]:
        for variable, text in step["env"].items():
            assert text.endswith(f"|| env.{variable} }}}}")  # else an input left out would hide the caller's


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_outputs_of_an_action_come_from_its_step(path: Path) -> None:
    found = action(path)
    ids = {step.get("id") for step in found["runs"]["steps"]}
    for name, output in found.get("outputs", {}).items():
        assert output["value"] == f"${{{{ steps.mlci.outputs.{name} }}}}"
        assert "mlci" in ids


def test_variables_that_are_no_keys_are_read_by_the_script() -> None:
    script = (REPOSITORY / "actions/setup/run.sh").read_text() + (
        REPOSITORY / "actions/setup/install.sh"
    ).read_text()
    options = (REPOSITORY / "mlci/cli/options.py").read_text()
    for path in ACTIONS:
        for step in action(path)["runs"]["steps"]:
            for variable in step["env"]:
                section = any(variable.startswith(variable_name(stage.name, "")) for stage in STAGES)
                assert section or variable in script or f'"{variable}"' in options


# ---- schemas and snippets ----


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "examples").glob("*/mlci.yaml")), ids=lambda p: p.parent.name
)
def test_examples_follow_the_published_schema(path: Path) -> None:
    schema = json.loads((REPOSITORY / "docs/reference/mlci.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    config = yaml.safe_load(path.read_text())
    jsonschema.validate(config, schema, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError, match="trian"):
        jsonschema.validate({**config, "trian": {}}, schema, cls=jsonschema.Draft202012Validator)


def test_the_snippet_for_github_uses_what_there_is() -> None:
    text = github_workflow()
    workflow = yaml.safe_load(text)
    called = {
        name: job["uses"].removeprefix("mlci/mlci/").partition("@")[0]
        for name, job in workflow["jobs"].items()
    }
    assert called == {"gate": ".github/workflows/ml-ci.yml", "deliver": ".github/workflows/ml-cd.yml"}
    assert all((REPOSITORY / path).is_file() for path in called.values())
    # Nothing that a change under review brings along runs with the rights of the default branch.
    assert "pull_request_target" not in text
    assert workflow["jobs"]["gate"]["if"] == "github.event_name == 'pull_request'"
    assert workflow["permissions"] == {"contents": "read"}


def test_the_gate_stops_at_the_verdict() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/ml-ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    (step,) = (step for step in job["steps"] if step.get("uses") == "$/actions/run")
    assert step["with"]["until"] == _stages.VERDICT_STAGE
    assert set(step["with"]) <= set(action(REPOSITORY / "actions/run/action.yml")["inputs"])
