"""What a change costs on GitLab: nothing for a page, no second check of the same data; the baseline is in the cache."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from gitlab_runner import Gitlab, GitlabRun
from judged import REVIEW
from user_repository import Users

pytestmark = pytest.mark.surfaces

INCLUDE = """\
include:
  - project: acme/mlci
    ref: v1
    file: /.gitlab-ci-templates/run.yml
"""
HEAVY = re.compile(
    r"\| +((numpy|pandas|sklearn|scipy|pyarrow|mlflow|great_expectations|skops|dvc)\b.*)$", re.MULTILINE
)


@dataclass
class Story:
    """One repository without a server: a first pipeline on main, then merge requests, each on a fresh machine."""

    gitlab: Gitlab
    users: Users
    _kept: list[Path] = field(default_factory=list)

    @cached_property
    def root(self) -> Path:
        """A repository that holds no state: no model, no results."""
        root = self.users.repository("none", {".gitlab-ci.yml": INCLUDE}, host="gitlab.com")
        (root / ".git/info/exclude").write_text(".gitlab-ci-local\n", "utf-8")
        self._git(root, "rm", "--quiet", "-r", ".mlci", "mlci-out")
        self._git(root, "commit", "--quiet", "--message", "no state")
        return root

    @cached_property
    def main(self) -> GitlabRun:
        """The first pipeline of the default branch: no baseline yet, so its model becomes the champion."""
        return self._fresh(self.gitlab.run(self.root))

    @cached_property
    def page(self) -> GitlabRun:
        """The pipeline of a merge request that changes a page; the interpreter tells what it imports."""
        return self._merge_request({"docs/index.md": "more\n"}, PYTHONPROFILEIMPORTTIME="1")

    @cached_property
    def code(self) -> GitlabRun:
        """The pipeline of a merge request that changes code."""
        return self._merge_request({"features.py": "MORE = 1\n"})

    def _merge_request(self, files: Mapping[str, str], **variables: str) -> GitlabRun:
        assert self.main.jobs
        base = self._git(self.root, "rev-parse", "HEAD")
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, "utf-8")
        self._git(self.root, "add", "--all")
        self._git(self.root, "commit", "--quiet", "--message", "change")
        given = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, **variables}
        try:
            return self._fresh(self.gitlab.run(self.root, merge_request=True, variables=given))
        finally:
            self._git(self.root, "reset", "--quiet", "--hard", base)

    def _fresh(self, run: GitlabRun) -> GitlabRun:
        """Return a run whose folders were moved aside: all that is left for the next one is the cache."""
        kept = self.root.with_name(f"{self.root.name}-run-{len(self._kept)}")
        self._kept.append(kept)
        kept.mkdir()
        for name in ("artifacts", "builds", "output"):
            shutil.move(run.folder / name, kept / name)
        return GitlabRun(run.text, kept)

    def _git(self, root: Path, *arguments: str) -> str:
        return self.users.machine.must("git", *arguments, cwd=root).strip()


@pytest.fixture(scope="module")
def story(gitlab: Gitlab, users: Users) -> Story:
    return Story(gitlab, users)


def test_the_first_pipeline_fills_both_caches_although_it_is_orange(story: Story) -> None:
    assert story.main.jobs == {"mlci": "WARN"}
    assert story.main.code("mlci") == 10
    assert story.main.dotenv("mlci")["MLCI_RESULT_COMPARE_TO_BASELINE_STATE"] == "no-baseline"
    assert story.main.dotenv("mlci")["MLCI_RESULT_DEPLOY_CHANGED"] == "true"
    for name in ("mlci-main-mlci", "mlci-review-mlci"):
        cache = story.root / ".gitlab-ci-local/cache" / name
        assert (cache / ".mlci/mlflow/mlflow.db").is_file()
        assert [path.name for path in (cache / "mlci-out").iterdir()] == ["validate-data.json"]


def test_a_page_is_nothing_to_evaluate(story: Story) -> None:
    run = story.page
    assert run.jobs == {REVIEW: "PASS"}
    log = run.log(REVIEW)
    assert "Nothing to evaluate" in log
    assert "| mlci.repository" in re.sub(" +", " ", log)  # it did tell what is imported
    assert HEAVY.findall(log) == []
    assert "mlci run" not in log
    assert run.dotenv(REVIEW) == {"MLCI_PLAN_EVALUATE": "false", "MLCI_PLAN_MODELS": "0"}


def test_code_is_judged_against_the_baseline_of_the_cache(story: Story) -> None:
    run = story.code
    assert run.jobs == {REVIEW: "PASS"}, run.text
    found = run.dotenv(REVIEW)
    assert found["MLCI_PLAN_EVALUATE"] == "true"
    assert found["MLCI_RESULT_VERDICT"] == "passed"
    assert found["MLCI_RESULT_COMPARE_TO_BASELINE_STATE"] in ("compared", "identical")
    assert "models:/quickstart@champion → version 1" in run.log(REVIEW)


def test_code_does_not_check_the_data_again(story: Story) -> None:
    stages = {stage["stage"]: stage for stage in story.code.report(REVIEW)["stages"]}
    assert stages["validate-data"]["cached"]
    assert not stages["train"].get("cached", False)
    assert "check data/train.csv" in story.main.log("mlci")
    assert "check data/train.csv" not in story.code.log(REVIEW)


def test_code_is_judged_by_the_rules_of_the_base(story: Story) -> None:
    policy = story.code.report(REVIEW)["policy"]
    assert policy["source"] == "base"
    assert len(policy["commit"]) == 40


def test_what_gitlab_collects_is_there(story: Story) -> None:
    for name in ("junit.xml", "metrics.txt", "gl-annotations.json", "report.md"):
        assert story.code.artifact(REVIEW, f"mlci-out/{name}").is_file(), name
    metrics = story.code.artifact(REVIEW, "mlci-out/metrics.txt").read_text("utf-8")
    assert 'mlci_baseline_recall_ratio{model="quickstart"}' in metrics
    assert metrics.endswith("# EOF\n")
