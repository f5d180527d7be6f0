"""Each kind of wrapper is broken on purpose: the facts that hold for it must not hold for what is broken."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from act_runner import Act, ActRun
from gitlab_runner import Gitlab, GitlabRun
from user_repository import Users

pytestmark = pytest.mark.surfaces

ACTION = """\
name: ml
on: push
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - id: ml
        uses: acme/mlci/actions/run@v1
        with: {install: "false", out: results}
"""
WORKFLOW = """\
name: ml
on: push
permissions: {}
jobs:
  gate:
    permissions: {contents: read}
    uses: acme/mlci/.github/workflows/ml-ci.yml@v1
    with: {install: false, name: data, python-version: ""}
  after:
    needs: gate
    runs-on: ubuntu-24.04
    steps:
      - env:
          VERDICT: ${{ needs.gate.outputs.verdict }}
        run: echo "a later job sees [$VERDICT]"
"""
COMPONENT = """\
include:
  - component: $CI_SERVER_FQDN/acme/mlci/run@1.0.0
    inputs: {out: results}
"""


@dataclass
class Wrapper:
    """Facts about one kind of wrapper, each found out when it is asked for."""

    users: Users
    toolkit: Path
    folder: Path

    def data_only(self, files: dict[str, str], *, host: str = "github.com") -> Path:
        """A repository whose only stage is the check of the data, which has been made: it ends in a moment."""
        base = self.users.base
        config = (base / "mlci.yaml").read_text("utf-8").split("train:\n  est")[0]
        checked = (base / "mlci-out/validate-data.json").read_text("utf-8")
        given = {"mlci.yaml": config, "results/validate-data.json": checked, **files}
        return self.users.repository("none", given, host=host)


class Action(Wrapper):
    @cached_property
    def act(self) -> Act:
        return Act(self.users.machine, self.toolkit, self.folder)

    @cached_property
    def good(self) -> ActRun:
        return self.act.run(self.data_only({".github/workflows/ml.yml": ACTION}))

    def job(self) -> bool:
        return self.good.job("gate") == "success"

    def verdict(self) -> bool:
        return self.good.outputs("ml").get("verdict") == "passed"

    def place(self) -> bool:
        return self.good.outputs("ml").get("report", "").endswith("/results/report.json")

    def summary(self) -> bool:
        return "Passed" in self.good.summary

    def red(self) -> bool:
        repository = self.users.repository("typo", {".github/workflows/ml.yml": ACTION})
        return self.act.run(repository).job("gate") == "failure"


class Workflow(Wrapper):
    @cached_property
    def good(self) -> ActRun:
        act = Act(self.users.machine, self.toolkit, self.folder)
        return act.run(self.data_only({".github/workflows/ml.yml": WORKFLOW}))

    def job(self) -> bool:
        return self.good.job("evaluate data") == "success"

    def verdict(self) -> bool:
        return "a later job sees [passed]" in self.good.log

    def report(self) -> bool:
        return (self.good.artifact("mlci-report-data") / "report.json").exists()


class Template(Wrapper):
    @cached_property
    def gitlab(self) -> Gitlab:
        return Gitlab(self.users.machine, self.toolkit, self.folder)

    @cached_property
    def repository(self) -> Path:
        return self.data_only({".gitlab-ci.yml": COMPONENT}, host="gitlab.com")

    @cached_property
    def good(self) -> GitlabRun:
        return self.gitlab.run(self.repository, merge_request=True)

    def job(self) -> bool:
        return self.good.jobs == {"mlci-review": "PASS"}

    def verdict(self) -> bool:
        return self.good.artifact("mlci-review", ".gitlab-ci-reports/dotenv/results/mlci.env").exists()

    def place(self) -> bool:
        return self.good.artifact("mlci-review", "results/report.json").exists()

    def main(self) -> bool:
        return self.gitlab.listed(self.repository) == {"mlci"}

    def collected(self) -> bool:
        reports = self.gitlab.merged(self.repository, merge_request=True)["mlci-review"]["artifacts"][
            "reports"
        ]
        paths = [reports["junit"], reports["metrics"], *reports["dotenv"], reports["annotations"]]
        return all(self.good.artifact("mlci-review", path).is_file() for path in paths)

    def kept(self) -> bool:
        assert self.gitlab.run(self.repository).jobs == {"mlci": "PASS"}
        caches = self.repository / ".gitlab-ci-local/cache"
        names = ("mlci-main-mlci", "mlci-review-mlci")
        return all((caches / name / "results/validate-data.json").is_file() for name in names)

    def nothing(self) -> bool:
        (self.repository / "README.md").write_text("more\n", "utf-8")
        base = self.users.machine.must("git", "rev-parse", "HEAD", cwd=self.repository).strip()
        self.users.machine.must("git", "commit", "--quiet", "-am", "page", cwd=self.repository)
        given = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
        log = self.gitlab.run(self.repository, merge_request=True, variables=given).log("mlci-review")
        return "Nothing to evaluate" in log and "Passed" not in log

    def red(self) -> bool:
        repository = self.users.repository("typo", {".gitlab-ci.yml": COMPONENT}, host="gitlab.com")
        return self.gitlab.run(repository, merge_request=True).jobs == {"mlci-review": "FAIL"}


WRAPPERS: dict[type[Wrapper], tuple[str, ...]] = {
    Action: ("job", "verdict", "place", "summary", "red"),
    Workflow: ("job", "verdict", "report"),
    Template: ("job", "verdict", "place", "main", "collected", "kept", "nothing", "red"),
}
RUN = "actions/run/action.yml"
GATE = ".github/workflows/ml-ci.yml"
TEMPLATE = ".gitlab-ci-templates/run.yml"
MUTATIONS = [
    (Action, RUN, "steps.mlci.outputs.verdict", "steps.mlci.outputs.vredict", "verdict"),
    (Action, RUN, "MLCI_OUT: ", "MLCI_OTU: ", "place"),
    (Action, RUN, 'run.sh" run', 'run.sh" run || true', "red"),
    (Action, RUN, "../setup/run.sh", "setup/run.sh", "job"),
    (Workflow, GATE, "steps.mlci.outputs.verdict", "steps.mlci.outputs.vredict", "verdict"),
    (Workflow, GATE, "/mlci-out/*.json", "/mlci-otu/*.json", "report"),
    (Workflow, GATE, "uses: acme/mlci/actions/run@v1", "uses: ./actions/run", "job"),
    (Template, TEMPLATE, "dotenv:", "terraform:", "verdict"),
    (Template, TEMPLATE, "- 10\n", "- 2\n", "red"),
    (Template, TEMPLATE, "$CI_COMMIT_BRANCH ==", "$CI_COMMIT_BRANCH !=", "main"),
    (Template, TEMPLATE, "/metrics.txt", "/metric.txt", "collected"),
    (Template, TEMPLATE, "/gl-annotations.json", "/annotations.json", "collected"),
    (Template, TEMPLATE, "policy: push\n", "policy: pull\n", "kept"),
    (Template, TEMPLATE, "PLAN_EVALUATE=false", "PLAN_EVALUATES=false", "nothing"),
    (Template, "templates/run/template.yml", '      out: "$[[ inputs.out ]]"\n', "", "place"),
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_whole_wrapper_has_every_fact(
    wrapper: type[Wrapper], users: Users, toolkit: Path, tmp_path: Path
) -> None:
    whole = wrapper(users, toolkit, tmp_path)
    assert [fact for fact in WRAPPERS[wrapper] if not getattr(whole, fact)()] == []


@pytest.mark.parametrize(("wrapper", "path", "old", "new", "fact"), MUTATIONS)
def test_a_broken_wrapper_is_noticed(
    wrapper: type[Wrapper],
    path: str,
    old: str,
    new: str,
    fact: str,
    users: Users,
    toolkit: Path,
    tmp_path: Path,
) -> None:
    broken = tmp_path / "toolkit"
    shutil.copytree(toolkit, broken)
    text = (broken / path).read_text("utf-8")
    assert old in text
    (broken / path).write_text(text.replace(old, new), "utf-8")
    assert fact in WRAPPERS[wrapper]
    assert not getattr(wrapper(users, broken, tmp_path), fact)()
