"""The note under a merge request: written for those who give a token, kept up to date, and never what decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from fake_forge import Account, FakeForge, PullRequest
from gitlab_runner import Gitlab, GitlabRun
from judged import GITLAB, REVIEW
from user_repository import Users

pytestmark = pytest.mark.surfaces

TOKEN = "glpat-of-a-bot"
MARKER = "<!-- mlci:report:mlci -->"


@dataclass
class Review:
    """Pipelines of merge request 7 of a repository whose only stage, the check of the data, ends in a moment."""

    gitlab: Gitlab
    users: Users
    forge: FakeForge

    @cached_property
    def root(self) -> Path:
        base = self.users.base
        files = {
            ".gitlab-ci.yml": GITLAB,
            "mlci.yaml": (base / "mlci.yaml").read_text("utf-8").split("train:\n  est")[0],
            "mlci-out/validate-data.json": (base / "mlci-out/validate-data.json").read_text("utf-8"),
        }
        return self.users.repository("none", files, host="gitlab.com")

    def run(self, **variables: str) -> GitlabRun:
        given = {"CI_API_V4_URL": self.forge.gitlab_url, "CI_PROJECT_ID": "3", **variables}
        return self.gitlab.run(self.root, merge_request=True, variables=given)

    def after_a_page(self, **variables: str) -> GitlabRun:
        must = self.users.machine.must
        base = must("git", "rev-parse", "HEAD", cwd=self.root).strip()
        (self.root / "README.md").write_text("more\n", "utf-8")
        must("git", "commit", "--quiet", "--all", "--message", "page", cwd=self.root)
        return self.run(CI_MERGE_REQUEST_DIFF_BASE_SHA=base, **variables)


@pytest.fixture
def review(gitlab: Gitlab, users: Users, fake_forge: FakeForge) -> Review:
    fake_forge.pulls[7] = PullRequest()
    fake_forge.accounts = {TOKEN: Account("bot", 9)}
    return Review(gitlab, users, fake_forge)


def test_one_note_is_kept_up_to_date_by_those_with_a_token(review: Review) -> None:
    forge = review.forge
    assert review.run().jobs[REVIEW] == "PASS"
    assert forge.requests == []
    assert review.run(MLCI_GITLAB_TOKEN=TOKEN).jobs[REVIEW] == "PASS"
    (body,) = forge.bodies()
    assert body.startswith(MARKER)
    assert "Passed: quickstart" in body
    # A page changes nothing, and what the note said of an earlier commit must not stand.
    assert review.after_a_page(MLCI_GITLAB_TOKEN=TOKEN).jobs[REVIEW] == "PASS"
    (body,) = forge.bodies()
    assert body.startswith(MARKER)
    assert "Nothing to evaluate" in body
    assert forge.invalid == []


def test_a_note_that_is_refused_does_not_decide(review: Review) -> None:
    review.forge.accounts = {TOKEN: Account("reader", 5, may_write=False)}
    run = review.run(MLCI_GITLAB_TOKEN=TOKEN)
    assert run.jobs[REVIEW] == "PASS"
    assert review.forge.bodies() == []
    assert "warning: " in run.log(REVIEW)
    assert "api" in run.log(REVIEW)
    assert TOKEN not in run.text
