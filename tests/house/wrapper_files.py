"""Reads actions, workflows and GitLab templates for the tests of this folder."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mlci.sync.__main__ import REPOSITORY

PLACE = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")


def action(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def template(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs of a GitLab template and what it holds but for hidden jobs."""
    header, body = yaml.safe_load_all(path.read_text())
    return header["spec"]["inputs"], {name: job for name, job in body.items() if not name.startswith(".")}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*strings(key), *strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def plain_environment(**given: str) -> dict[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("MLCI_", "MLFLOW_", "GITHUB_", "GITLAB_", "CI", "RUNNER_"))
    }
    # The mlci beside the interpreter that runs the tests, whose folder need not be on PATH.
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return {**kept, "NO_COLOR": "1", **given}


def quickstart(folder: Path, database: Path) -> Path:
    """Return a copy of the example, with an empty store in it, which costs seconds to make."""
    project = folder / "project"
    shutil.copytree(
        REPOSITORY / "examples/quickstart",
        project,
        ignore=shutil.ignore_patterns("mlci-out", ".mlci", ".venv"),
    )
    (project / ".mlci/mlflow").mkdir(parents=True)
    shutil.copy(database, project / ".mlci/mlflow/mlflow.db")
    return project


def workflow(path: Path) -> dict[str, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {**found, "on": found[True]}  # YAML takes the word `on` for true


def called_file(job: dict[str, Any]) -> Path | None:
    """Return the workflow of this repository that a job calls."""
    uses = str(job.get("uses", ""))
    return REPOSITORY / uses.removeprefix("$/") if uses.startswith("$/") else None


def wanted(path: Path) -> dict[str, str]:
    """Return the permissions that the jobs of a workflow ask for, with those of the workflows that they call."""
    found: dict[str, str] = {}
    for job in workflow(path)["jobs"].values():
        nested = called_file(job)
        found |= job["permissions"] if nested is None else wanted(nested)
    return dict(sorted(found.items()))
