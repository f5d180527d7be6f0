"""The parts that GitLab templates are made of: the header with its inputs, and a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlci import __version__
from mlci.results_folder import OUT_FOLDER, STATE_FOLDER
from mlci.sync._stages import Input
from mlci.sync._yaml import Quoted

_REVIEW = '$CI_PIPELINE_SOURCE == "merge_request_event"'
_DEFAULT_BRANCH = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
REVIEW = (_REVIEW,)
PUBLISH = (_DEFAULT_BRANCH,)
EVERYWHERE = (_REVIEW, _DEFAULT_BRANCH)

_PATH = "^[A-Za-z0-9_./@-]*$"
_NAME = "^[A-Za-z0-9_.:/ -]+$"
_NUMBER = "^[-+0-9.eE]*$"
_ONE_LINE = "^[^\\n]*$"
_RESTRICTIONS: Mapping[str, dict[str, Any]] = {
    "text": {"regex": _ONE_LINE},
    "number": {"regex": _NUMBER},
    "flag": {"options": ["", "true", "false"]},
    "lines": {},
    "yaml": {},
}

_SHARED: Mapping[str, dict[str, str]] = {
    "image": {
        "description": "Image with Python 3.11 or newer, or with mlci and the project's packages in it.",
        "default": "python:3.12",
        "regex": "^[A-Za-z0-9_./:@-]+$",
    },
    "mlci-requirement": {
        "description": "What pip installs when the image has no mlci.",
        "default": f"mlci=={__version__}",
        "regex": _ONE_LINE,
    },
    "project-requirements": {
        "description": "Requirements file of the project, installed beside mlci. Default: none.",
        "default": "",
        "regex": _PATH,
    },
    "out": {
        "description": "Output folder, and artifact of the job.",
        "default": OUT_FOLDER,
        "regex": "^[A-Za-z0-9_./-]+$",
    },
}
_VARIABLES = {
    "MLCI_OUT": "out",
    "MLCI_REQUIREMENT": "mlci-requirement",
    "MLCI_PROJECT_REQUIREMENTS": "project-requirements",
}
_PIP = "python -m pip install --quiet --disable-pip-version-check"
_INSTALL = [
    # exit code 4, so that a package server that is down never looks like a bad model
    f'command -v mlci > /dev/null || {_PIP} "$MLCI_REQUIREMENT" || exit 4',
    f'[ -z "$MLCI_PROJECT_REQUIREMENTS" ] || {_PIP} -r "$MLCI_PROJECT_REQUIREMENTS" || exit 4',
]


def named(name: str, description: str, default: str) -> dict[str, dict[str, str]]:
    """Return the declaration of an input that names a job or a stage."""
    return {name: {"description": description, "default": default, "regex": _NAME}}


ENVIRONMENT = {
    "environment": {
        "description": "Environment that is deployed to, one job at a time.",
        "default": "production",
        "regex": "^[A-Za-z0-9_./ -]+$",
    }
}


def header(*places: Mapping[str, Mapping[str, Any]], inputs: Iterable[Input]) -> dict[str, Any]:
    """Return the header of a template: `places` first, then the inputs that all have, then `inputs`.

    Everything is text with "" for unset: GitLab's numbers and booleans cannot be empty.
    """
    declared: dict[str, Any] = {name: spec for place in places for name, spec in place.items()}
    declared |= _SHARED
    for item in inputs:
        if item.name in declared:
            raise ValueError(f"input '{item.name}' of {item.variable} is declared twice")
        declared[item.name] = {"description": item.description, "default": "", **_restriction(item)}
    return {"spec": {"inputs": declared}}


def put(name: str) -> Quoted:
    """Return the place where GitLab puts an input's value."""
    return Quoted(f"$[[ inputs.{name} ]]")


def job(
    script: str,
    inputs: Iterable[Input],
    *,
    stage: str = "stage",
    when: Iterable[str] = EVERYWHERE,
    needs: Iterable[str] | None = None,
    variables: Mapping[str, str] | None = None,
    deploys: bool = False,
) -> dict[str, Any]:
    """Return a job. `stage` is the input that names its stage; `needs` are names of jobs."""
    out = "$[[ inputs.out ]]"
    given = {item.variable: put(item.name) for item in inputs}
    given |= {variable: put(name) for variable, name in _VARIABLES.items()}
    found: dict[str, Any] = {
        "stage": put(stage),
        "image": put("image"),
        "rules": [{"if": condition} for condition in when],
        "variables": {**given, **(variables or {})},
        "before_script": list(_INSTALL),
        "script": [script],
        "interruptible": not deploys,
        "allow_failure": {"exit_codes": [10]},
        "retry": {"max": 1, "exit_codes": [4]},
        "artifacts": {
            "when": "always",
            "paths": [Quoted(f"{out}/"), f"{STATE_FOLDER}/"],
            "reports": {"junit": Quoted(f"{out}/junit.xml"), "dotenv": Quoted(f"{out}/mlci.env")},
        },
    }
    if needs is not None:
        found["needs"] = [Quoted(name) for name in needs]
    if deploys:
        found["environment"] = {"name": put("environment")}
        found["resource_group"] = Quoted("mlci-$[[ inputs.environment ]]")
    return found


def option(name: str, variable: str, *, takes_value: bool = True) -> str:
    """Return the shell text that gives an option when its variable is not empty."""
    value = f' "${variable}"' if takes_value else ""
    return f" ${{{variable}:+{name}{value}}}"


def _restriction(item: Input) -> dict[str, Any]:
    if item.allowed:
        return {"options": ["", *item.allowed]}
    return _RESTRICTIONS[item.kind]
