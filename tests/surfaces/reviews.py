"""Pull requests judged by the reusable workflow under act, with a forge on loopback that receives the comment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from act_runner import Act, ActRun
from fake_forge import ACTIONS, Account, FakeForge, PullRequest, Request
from monorepo import FORK, NUMBER, REPOSITORY, Change, Monorepo

TOKEN = "ghs_a-token-of-a-job"
WITH = "      install: false\n      python-version: ''\n"
GATE = """\
name: ml
on: pull_request
permissions: {}
jobs:
  gate:
    permissions: {contents: read, pull-requests: write}
    uses: acme/mlci/.github/workflows/ml-ci.yml@v1
"""
AFTER = """\
  after:
    needs: gate
    runs-on: ubuntu-24.04
    steps:
      - env:
          SEEN: ${{ toJSON(needs.gate.outputs) }}
        run: echo "a later job sees $(echo "$SEEN" | tr -d '\\n')"
"""
FORKS = """\
name: ml-comment
on:
  workflow_run: {workflows: [ml], types: [completed]} # zizmor: ignore[dangerous-triggers]
permissions: {}
jobs:
  comment:
    permissions: {actions: read, contents: read, pull-requests: write}
    uses: acme/mlci/.github/workflows/ml-comment.yml@v1
"""


@dataclass(frozen=True)
class Review:
    """A pull request, how its run ended, and the forge that was told."""

    pull: Change
    run: ActRun
    forge: FakeForge

    @property
    def comment(self) -> str:
        """The one comment of the pull request."""
        (body,) = self.forge.bodies(NUMBER)
        return body

    def written(self) -> list[Request]:
        """The requests that changed something; a question to GraphQL is a POST too."""
        return [request for request in self.forge.written() if request.path != "/graphql"]

    def outputs(self) -> dict[str, str]:
        """What a later job of the caller sees."""
        line = self.run.log.split("a later job sees ")[1].splitlines()[0]
        found: dict[str, str] = json.loads(line)
        return found

    def report(self, model: str) -> dict[str, Any]:
        path = self.run.artifact(f"mlci-report-{model}") / "report.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found


@dataclass
class Reviews:
    """Runs each pull request once."""

    act: Act
    monorepo: Monorepo
    _made: dict[str, Review] = field(default_factory=dict)

    def of(self, change: str) -> Review:
        """A pull request from a branch of the repository, whose run may comment; `better` is a push after `worse`."""
        if change not in self._made:
            pull = self.monorepo.pull_request(change, workflow())
            forge = forge_after(self.of("worse"), pull) if change == "better" else None
            self._made[change] = self.run(pull, forge=forge)
        return self._made[change]

    def run(self, pull: Change, **given: Any) -> Review:
        """Run the workflow of a pull request."""
        return run_review(self.act, pull, **given)

    def comment_for_fork(self, first: Review, head_repository: str = FORK) -> Review:
        """Run the workflow that follows the run of a fork's pull request, with what that one uploaded."""
        root = self.monorepo.main(f"{FORKS}    with:\n{WITH}")
        return run_fork(self.act, root, first.pull, first.run.kept, head_repository)


def run_review(
    act: Act,
    pull: Change,
    *,
    may_write: bool = True,
    token: str | None = TOKEN,
    payload: Mapping[str, Any] | None = None,
    forge: FakeForge | None = None,
    kept: Path | None = None,
) -> Review:
    """Run the workflow of a pull request; `forge` is one that has comments already."""
    forge = forge or forge_with(pull)
    forge.accounts[TOKEN] = Account(ACTIONS.login, ACTIONS.id, installation=True, may_write=may_write)
    with forge.serving():
        run = act.run(
            pull.root,
            "pull_request",
            payload=pull.payload if payload is None else payload,
            secrets={"GITHUB_TOKEN": token} if token else None,
            variables={"HARNESS_API": forge.url},
            kept=kept,
        )
    assert forge.invalid == [], forge.invalid
    return Review(pull, run, forge)


def run_fork(act: Act, root: Path, pull: Change, kept: Path, head_repository: str = FORK) -> Review:
    """Run the workflow in `root` that follows the run of a pull request, whose artifacts are in `kept`."""
    owner = head_repository.split("/", maxsplit=1)[0]
    event = {
        "action": "completed",
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "workflow_run": {
            "id": 1,
            "event": "pull_request",
            "head_sha": pull.head,
            "head_branch": "change",
            "head_repository": {"full_name": head_repository, "owner": {"login": owner}},
            "html_url": f"https://github.com/{REPOSITORY}/actions/runs/1",
            "run_attempt": 1,
            "pull_requests": [],
        },
    }
    forge = forge_with(pull, head_repository)
    forge.accounts[TOKEN] = ACTIONS
    with forge.serving():
        run = act.run(
            root,
            "workflow_run",
            payload=event,
            secrets={"GITHUB_TOKEN": TOKEN},
            variables={"HARNESS_API": forge.url},
            kept=kept,
        )
    assert forge.invalid == [], forge.invalid
    return Review(pull, run, forge)


def workflow(options: str = "") -> str:
    """The workflow of a user, with a job that shows what later jobs see."""
    return f"{GATE}    with:\n{WITH}{options}{AFTER}"


def forge_with(pull: Change, head_repository: str = REPOSITORY) -> FakeForge:
    """A forge that knows the pull request, and the repository's files at its base."""
    forge = FakeForge()
    forge.pulls[NUMBER] = PullRequest(
        NUMBER, pull.head, pull.base, branch="change", head_repository=head_repository, files=pull.files
    )
    for path, text in pull.at_base.items():
        forge.contents[path, pull.base] = text
    return forge


def forge_after(first: Review, pull: Change) -> FakeForge:
    """A forge that knows a pull request, and the comments that an earlier run of it left."""
    forge = forge_with(pull)
    forge.comments = [replace(comment) for comment in first.forge.comments]
    return forge
