"""Actions and GitLab templates: complete, harmless, and in the shape that their systems accept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from wrapper_files import PLACE, action, template

from mlci.config.load import variable_name
from mlci.core.inputs import fields_of
from mlci.core.stage import Stage
from mlci.scaffold import github_workflow, gitlab_pipeline
from mlci.stages import ordered_stages
from mlci.sync import _stages
from mlci.sync.__main__ import REPOSITORY

ACTIONS = sorted((REPOSITORY / "actions").glob("*/action.yml"))
TEMPLATES = sorted((REPOSITORY / ".gitlab-ci-templates").glob("*.yml"))
COMPONENTS = sorted((REPOSITORY / "templates").glob("*/template.yml"))
STAGES = ordered_stages()
# The keys that the runner's own schema allows in a `run` step of a composite action.
STEP_KEYS = {"name", "id", "if", "run", "env", "continue-on-error", "working-directory", "shell"}
JOB_KEYS = {
    "stage", "image", "rules", "variables", "before_script", "script", "interruptible", "allow_failure", "retry",
    "artifacts", "needs", "environment", "resource_group",
}  # fmt: skip


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*strings(key), *strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


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


# ---- GitLab ----


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_has_the_shape_that_gitlab_accepts(path: Path) -> None:
    inputs, jobs = template(path)
    for item in inputs.values():
        assert set(item) <= {"description", "default", "options", "regex"}
        assert isinstance(item["default"], str)
        if "options" in item:
            assert item["default"] in item["options"]
            assert all(isinstance(option, str) for option in item["options"])
        if "regex" in item:
            assert re.search(item["regex"], item["default"])
    for job in jobs.values():
        assert set(job) <= JOB_KEYS
        assert job["allow_failure"] == {"exit_codes": [10]}
        assert job["retry"] == {"max": 1, "exit_codes": [4]}
        assert job["artifacts"]["when"] == "always"
        assert set(job["artifacts"]["reports"]) == {"junit", "dotenv"}
        assert all(isinstance(value, str) for value in job["variables"].values())
        assert ("resource_group" in job) == ("environment" in job) == (not job["interruptible"])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_an_input_never_reaches_a_script(path: Path) -> None:
    _, jobs = template(path)
    for job in jobs.values():
        assert not PLACE.search("\n".join([*job["before_script"], *job["script"]]))
        # Unquoted, an empty value would turn text into nothing.
        assert '"$[[' in path.read_text()
        assert not re.search(r"[:-] \$\[\[", path.read_text())


@pytest.mark.parametrize(
    "path", [*TEMPLATES, *COMPONENTS], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_input_of_a_template_is_used_and_every_use_is_declared(path: Path) -> None:
    inputs, body = template(path)
    assert {name for text in strings(body) for name in PLACE.findall(text)} == set(inputs)


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.parent.name)
def test_a_component_hands_all_inputs_to_its_template(path: Path) -> None:
    inputs, body = template(path)
    (include,) = body["include"]
    assert set(include) == {"local", "inputs"}
    wanted, _ = template(REPOSITORY / include["local"].lstrip("/"))
    assert inputs == wanted
    assert include["inputs"] == {name: f"$[[ inputs.{name} ]]" for name in wanted}


def test_a_merge_request_never_reaches_a_stage_that_publishes() -> None:
    _, jobs = of("pipeline")
    for name, job in jobs.items():
        reviewed = any("merge_request_event" in rule["if"] for rule in job["rules"])
        assert reviewed == name.endswith(("-validate-data", "-train", "-compare-to-baseline"))
    inputs, runs = of("run")
    assert inputs["review-until"]["default"] == "compare-to-baseline"
    for job in runs.values():
        (rule,) = job["rules"]
        reviewed = "merge_request_event" in rule["if"]
        assert job["variables"]["MLCI_UNTIL"] == f"$[[ inputs.{'review-until' if reviewed else 'until'} ]]"
        assert ("environment" in job) == (not reviewed)


def test_jobs_of_the_pipeline_form_a_chain() -> None:
    """Artifacts add up along it; two ways to one job could bring an older copy of a file."""
    _, jobs = of("pipeline")
    before: list[str] = []
    for name, job in jobs.items():
        assert job["needs"] == before[-1:]
        before.append(name)


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


def test_the_snippet_for_gitlab_uses_what_there_is() -> None:
    (include,) = yaml.safe_load(gitlab_pipeline())["include"]
    inputs, _ = template(REPOSITORY / include["file"].lstrip("/"))
    for name, value in include["inputs"].items():
        assert value in inputs[name]["options"]
