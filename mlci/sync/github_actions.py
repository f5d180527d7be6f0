"""actions/<stage>, actions/run, actions/plan and actions/comment: composite actions without any logic."""

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
PLAN: Mapping[str, Any] = {
    "command": "plan",
    "summary": "Say which models a change touches and which stages would run; installs no machine-learning library.",
    "inputs": (
        _stages.CONFIG,
        Input(
            "all",
            "MLCI_PLAN_ALL",
            "Every mlci.yaml of the repository. true or false. Default: false.",
            "flag",
        ),
        Input(
            "base", "MLCI_PLAN_BASE", "Commit to compare with. Default: the base of the pull request or push."
        ),
        _stages.SET,
        _stages.FROM,
        _stages.UNTIL,
        _stages.FORCE,
        Input("out", "MLCI_OUT", "Folder of plan.json. Default: mlci-out at the top of the repository."),
        *INSTALL,
    ),
    "outputs": {
        "evaluate": "Whether any model has to be evaluated: true or false.",
        "matrix": "Matrix with name and folder of each model to evaluate, for strategy.matrix.",
        "models": "Number of models to evaluate.",
        "plan": "Path of plan.json.",
    },
    "light": True,
}
COMMENT: Mapping[str, Any] = {
    "command": "comment",
    "summary": "Write or update the one comment on a pull request; installs no machine-learning library.",
    "inputs": (
        Input(
            "reports",
            "MLCI_COMMENT_REPORTS",
            "Files report.json, or folders to look for them in, one a line. Default: mlci-out/report.json.",
            "lines",
        ),
        Input("plan", "MLCI_COMMENT_PLAN", "The plan.json that says which reports there should be."),
        Input(
            "id",
            "MLCI_COMMENT_ID",
            "Names the comment to update. Default: that of the one report, or models.",
        ),
        Input("mode", "MLCI_COMMENT_MODE", "update, only-on-change or new. Default: update."),
        Input(
            "untrusted",
            "MLCI_COMMENT_UNTRUSTED",
            "Whether the reports come from a fork, in a workflow_run job. true or false. Default: false.",
            "flag",
        ),
        Input("out", "MLCI_OUT", "Folder of comment.md. Default: mlci-out."),
        Input(
            "token",
            "MLCI_GITHUB_TOKEN",
            "Token that may write comments, when the job's own may not. Default: the job's own.",
        ),
        *INSTALL,
    ),
    "outputs": {
        "verdict": "The worst verdict of all reports; skipped when nothing was evaluated.",
        "exit-code": "Exit code that says the same as the verdict.",
        "posted": "Whether the comment is there: true or false.",
        "comment-url": "Address of the comment.",
    },
    "light": True,
    "more": {"GITHUB_TOKEN": Quoted("${{ github.token }}")},
}


def files() -> dict[str, str]:
    """Return the text of every action by path."""
    stages = _stages.own_stages()
    described = [*(_of_stage(stage) for stage in stages), _of_run(stages), PLAN, COMMENT]
    return {f"actions/{item['command']}/action.yml": _text(**item) for item in described}


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


def _text(
    command: str,
    summary: str,
    inputs: Iterable[Input],
    outputs: Mapping[str, str],
    *,
    light: bool = False,
    more: Mapping[str, str] | None = None,
) -> str:
    """Return an action that installs mlci and calls a command.

    `light`: one that needs few packages. `more`: variables that no input stands for.
    """
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
                    "run": f'bash "$GITHUB_ACTION_PATH/../setup/install.sh"{" light" if light else ""}',
                },
                {
                    "name": f"mlci {command}",
                    "id": "mlci",
                    "shell": "bash",
                    "env": {**_environment(inputs), **(more or {})},
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
