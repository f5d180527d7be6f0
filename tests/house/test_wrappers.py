"""Actions and GitLab templates: complete, harmless, and in the shape that their systems accept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from wrapper_files import action, template, wanted

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
TOKENS = {"MLCI_GITHUB_TOKEN", "GITHUB_TOKEN"}  # read by what speaks to GitHub
# The keys that the runner's own schema allows in a `run` step of a composite action.
STEP_KEYS = {"name", "id", "if", "run", "env", "continue-on-error", "working-directory", "shell"}
USES_KEYS = {"name", "id", "if", "uses", "with"}


def stage_action(stage: Stage) -> dict[str, Any]:
    return action(REPOSITORY / "actions" / stage.name / "action.yml")


def of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return template(REPOSITORY / ".gitlab-ci-templates" / f"{name}.yml")


# ---- one source for every input ----


def test_every_stage_has_every_wrapper() -> None:
    names = {stage.name for stage in STAGES}
    assert {path.parent.name for path in ACTIONS} == {*names, "run", "plan", "comment", "setup"}
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
        assert {"run", "shell"} <= set(step) <= STEP_KEYS or {"uses"} <= set(step) <= USES_KEYS
    for item in found["inputs"].values():
        # A default in the action would come before mlci.yaml, and GitHub enforces no `required`.
        assert item["default"] == ""
        assert item["required"] is False
        assert item["description"]


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_an_action_runs_nothing_that_a_caller_wrote(path: Path) -> None:
    script = re.compile(r'bash "\$GITHUB_ACTION_PATH/(\.\./setup/)?[a-z]+\.sh"( [a-z-]+)?')
    for step in action(path)["runs"]["steps"]:
        if "uses" in step:
            # Nobody else's code but the cache of GitHub itself, and only where an environment is kept.
            assert path.parent.name == "setup"
            assert re.fullmatch(r"actions/cache/(restore|save)@[0-9a-f]{40}", step["uses"])
        else:
            assert script.fullmatch(step["run"])


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_every_input_of_an_action_is_used_and_every_use_is_declared(path: Path) -> None:
    found = action(path)
    used = set()
    for step in found["runs"]["steps"]:
        for variable, text in step.get("env", {}).items():
            if (path.parent.name, variable) == ("comment", "GITHUB_TOKEN"):
                assert text == "${{ github.token }}"
                continue
            # Without the caller's variable, an input left out would hide it.
            match = re.fullmatch(rf"\$\{{\{{ inputs\.([a-z-]+) \|\| env\.{variable} \}}\}}", text)
            assert match
            used.add(match.group(1))
    assert used == set(found["inputs"])


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_outputs_of_an_action_come_from_its_step(path: Path) -> None:
    found = action(path)
    ids = {step.get("id") for step in found["runs"]["steps"]}
    for name, output in found.get("outputs", {}).items():
        match = re.fullmatch(r"\$\{\{ steps\.([a-z]+)\.outputs\.([a-z0-9-]+) \}\}", output["value"])
        assert match
        assert match.group(2) == name
        assert match.group(1) in (ids if path.parent.name == "setup" else {"mlci"} & ids)


def test_variables_that_are_no_keys_are_read_by_the_script() -> None:
    script = "".join(path.read_text() for path in (REPOSITORY / "actions/setup").glob("*.sh"))
    options = (REPOSITORY / "mlci/cli/options.py").read_text()
    for path in ACTIONS:
        for step in action(path)["runs"]["steps"]:
            for variable in step.get("env", {}):
                section = any(variable.startswith(variable_name(stage.name, "")) for stage in STAGES)
                assert section or variable in script or f'"{variable}"' in options or variable in TOKENS


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
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == wanted(REPOSITORY / called[name])
