"""A forge with one pull request, and the variables of jobs that run for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fake_forge import ACTIONS, REPOSITORY, Account, FakeForge, PullRequest

from mlci.core.forge import Forge
from mlci.forges.github import GithubForge
from mlci.forges.gitlab import GitlabForge

TOKEN = "ghs_planted0123456789"
GITLAB_TOKEN = "glpat-planted0123456789"
STRANGER = Account("stranger", 99)
BOT = Account("project_1_bot", 77)
ROOT = Path(__file__).parents[2]

Mlci = Callable[..., subprocess.CompletedProcess[str]]


@dataclass
class Side:
    """One of the two systems: its client, and who it writes as."""

    name: str
    forge: FakeForge
    me: Account
    variables: dict[str, str]

    def client(self, patience: float = 20.0) -> Forge:
        kind: Any = GithubForge if self.name == "github" else GitlabForge
        client: Forge = kind(self.variables, patience)
        return client


@pytest.fixture
def forge(fake_forge: FakeForge) -> FakeForge:
    fake_forge.pulls[7] = PullRequest()
    fake_forge.accounts = {
        TOKEN: ACTIONS,
        GITLAB_TOKEN: BOT,
        "read-only": Account("reader", 5, may_write=False),
    }
    return fake_forge


def event_file(folder: Path, event: Mapping[str, Any]) -> str:
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    return str(path)


def pull_event(head: str | None = REPOSITORY) -> dict[str, Any]:
    return {
        "pull_request": {
            "number": 7,
            "head": {"sha": "a" * 40, "repo": head and {"full_name": head}},
            "base": {"sha": "b" * 40, "repo": {"full_name": REPOSITORY}},
        }
    }


@pytest.fixture
def github_variables(forge: FakeForge, tmp_path: Path) -> dict[str, str]:
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": forge.url,
        "GITHUB_SERVER_URL": "https://forge.example.org",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": event_file(tmp_path, pull_event()),
        "GITHUB_RUN_ID": "42",
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_TOKEN": TOKEN,
    }


@pytest.fixture
def gitlab_variables(forge: FakeForge) -> dict[str, str]:
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_API_V4_URL": forge.gitlab_url,
        "CI_PROJECT_ID": "3",
        "CI_PROJECT_URL": "https://forge.example.org/acme/churn",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_JOB_URL": "https://forge.example.org/acme/churn/-/jobs/42",
        "MLCI_GITLAB_TOKEN": GITLAB_TOKEN,
    }


@pytest.fixture(params=["github", "gitlab"])
def side(request: pytest.FixtureRequest, forge: FakeForge) -> Side:
    """Each of the two systems in turn."""
    variables = request.getfixturevalue(f"{request.param}_variables")
    return Side(request.param, forge, ACTIONS if request.param == "github" else BOT, variables)


@pytest.fixture
def mlci(tmp_path: Path) -> Mlci:
    """Run the command in an empty folder, with these variables and none of this process's CI."""
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        unwanted = ("MLCI_", "GITHUB_", "GITLAB_", "CI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        return subprocess.run(
            [sys.executable, "-m", "mlci", *arguments],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
