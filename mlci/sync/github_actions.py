"""actions/<stage>/action.yml and actions/run/action.yml: composite actions without any logic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlci.core.stage import Stage
from mlci.sync import _stages
from mlci.sync._stages import Input
from mlci.sync._tree import Kind
from mlci.sync._yaml import Quoted, document

INSTALL = (
    Input(
        "install",
        "MLCI_INSTALL",
        "Whether to install mlci; false takes the one on PATH, or that of mlci-python. Default: true.",
        "flag",
    ),
    Input(
        "mlci-python",
        "MLCI_PYTHON",
        "Interpreter of the environment that mlci is installed into and runs in, such as .venv/bin/python: "
        "the project's own, when its models need its packages. Default: an environment apart.",
    ),
)
TOKEN = Input(
    "tracking-token",
    "MLCI_MLFLOW_TOKEN",
    "Token for the MLflow tracking server. Default: MLFLOW_TRACKING_TOKEN.",
)
TRACKING = (_stages.TRACKING_URI, TOKEN)


def files() -> dict[str, str]:
    """Return the text of every action by path."""
    stages = _stages.own_stages()
    found = {f"actions/{stage.name}/action.yml": _text(**_of_stage(stage)) for stage in stages}
    return {**found, "actions/run/action.yml": _text(**_of_run(stages))}


def _of_stage(stage: Stage) -> dict[str, Any]:
    shared = [_stages.CONFIG, _stages.SET, _stages.OUT, _stages.FORCE, _stages.WARN]
    shared += [_stages.DRY_RUN] if stage.can_dry_run else []
    shared += [*TRACKING] if "tracking" in stage.sections else []
    return {
        "command": stage.name,
        "summary": stage.summary,
        "inputs": [*_stages.own_inputs(stage), *shared, *INSTALL],
        "outputs": {**_stages.RESULT_OUTPUTS, **_stages.stage_outputs(stage.name)},
    }


def _of_run(stages: Iterable[Stage]) -> dict[str, Any]:
    shared = (_stages.CONFIG, _stages.SET, _stages.FROM, _stages.UNTIL, _stages.OUT, _stages.FORCE)
    outputs = {f"{stage.name}-verdict": f"Verdict of {stage.name}." for stage in stages}
    for stage in stages:
        outputs |= _stages.stage_outputs(stage.name)
    return {
        "command": "run",
        "summary": "Run every stage that mlci.yaml describes, skipping those whose inputs have not changed.",
        "inputs": [*shared, _stages.WARN, *TRACKING, *INSTALL],
        "outputs": {**_stages.RESULT_OUTPUTS, **outputs},
    }


def _text(command: str, summary: str, inputs: Iterable[Input], outputs: Mapping[str, str]) -> str:
    inputs = _stages.unique(inputs)
    setup = [item for item in inputs if item in INSTALL]
    action = {
        "name": f"mlci {command}",
        "description": summary,
        "inputs": {
            item.name: {"description": item.description, "required": False, "default": ""} for item in inputs
        },
        "outputs": {
            name: {"description": text, "value": f"${{{{ steps.mlci.outputs.{name} }}}}"}
            for name, text in outputs.items()
        },
        "runs": {
            "using": "composite",
            "steps": [
                {
                    "name": "Install mlci",
                    "shell": "bash",
                    "env": _environment(setup),
                    "run": 'bash "$GITHUB_ACTION_PATH/../setup/install.sh"',
                },
                {
                    "name": f"mlci {command}",
                    "id": "mlci",
                    "shell": "bash",
                    "env": _environment(inputs),
                    "run": f'bash "$GITHUB_ACTION_PATH/../setup/run.sh" {command}',
                },
            ],
        },
    }
    return document(action)


def _environment(inputs: Iterable[Input]) -> dict[str, str]:
    """Return the variables of a step. An input that is not given must not hide the caller's variable."""
    return {item.variable: Quoted(f"${{{{ inputs.{item.name} || env.{item.variable} }}}}") for item in inputs}


kind = Kind(files, ("actions/*/action.yml",))
