"""The inputs of GitLab templates: those of mlci, and those that say where a job runs and what it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlci import __version__
from mlci.results_folder import OUT_FOLDER
from mlci.sync._stages import Input
from mlci.sync._yaml import Quoted

RUNNER = ".mlci-runner"
"""The hidden job that all jobs extend unless an input names another."""

_PATH = "^[A-Za-z0-9_./@-]*$"
_NAME = "^[A-Za-z0-9_.:/ -]+$"
_WORD = "^[A-Za-z0-9_-]+$"
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
        "description": "Image with Python 3.11 or newer, as python:3.13, or with mlci and the project's packages.",
        "default": "python:3.12",
        "regex": "^[A-Za-z0-9_./:@-]+$",
    },
    # An array of tags cannot be an input: GitLab wants at least one tag, so it would have no default.
    "runner": {
        "description": "Hidden job of yours that all jobs extend: its tags choose the machine. Default: any runner.",
        "default": RUNNER,
        "regex": "^\\.[A-Za-z0-9_.-]+$",
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
SHARED_VARIABLES = {
    "MLCI_OUT": "out",
    "MLCI_REQUIREMENT": "mlci-requirement",
    "MLCI_PROJECT_REQUIREMENTS": "project-requirements",
}
"""The variables that every job gets, with the input that each comes from."""

ENVIRONMENT = {
    "environment": {
        "description": "Environment that is deployed to, one job of a model at a time.",
        "default": "production",
        "regex": "^[A-Za-z0-9_./ -]+$",
    }
}


def named(name: str, description: str, default: str) -> dict[str, dict[str, str]]:
    """Return the declaration of an input that names a job or a stage."""
    return {name: {"description": description, "default": default, "regex": _NAME}}


def distinct(name: str, description: str, default: str) -> dict[str, dict[str, str]]:
    """Return the declaration of an input that tells one model of a repository from the others.

    It becomes part of a cache key and of a resource group, which take fewer characters than a job's name.
    """
    return {name: {"description": description, "default": default, "regex": _WORD}}


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


def option(name: str, variable: str, *, takes_value: bool = True) -> str:
    """Return the shell text that gives an option when its variable is not empty."""
    value = f' "${variable}"' if takes_value else ""
    return f" ${{{variable}:+{name}{value}}}"


def _restriction(item: Input) -> dict[str, Any]:
    if item.allowed:
        return {"options": ["", *item.allowed]}
    return _RESTRICTIONS[item.kind]
