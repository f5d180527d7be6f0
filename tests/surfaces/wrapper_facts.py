"""Facts about each kind of wrapper that hold when it is whole: what a user sees of one small run."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from act_runner import Act, ActRun
from gitlab_runner import Gitlab, GitlabRun
from monorepo import NUMBER, Change
from reviews import FORKS, WITH, Review, run_fork, run_review, workflow
from test_workflows import DELIVER, RETRAIN
from user_repository import Users

from mlci.core.results import SCHEMA_VERSION, Provenance, Report, StageResult
from mlci.core.status import Status

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
SETUP = """\
name: ml
on: push
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - id: setup
        uses: acme/mlci/actions/setup@v1
        with: {install: "false", mlci-python: PYTHON}
      - run: command -v mlci && mlci --version
"""
PLAN = {"schema_version": SCHEMA_VERSION, "base": None, "evaluate": True, "why": "", "projects": []}
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


class Setup(Wrapper):
    @cached_property
    def good(self) -> ActRun:
        act = Act(self.users.machine, self.toolkit, self.folder)
        text = SETUP.replace("PYTHON", sys.executable)
        return act.run(self.data_only({".github/workflows/ml.yml": text}))

    def job(self) -> bool:
        return self.good.job("gate") == "success"

    def command(self) -> bool:
        return "/command/mlci\n" in self.good.log

    def output(self) -> bool:
        return self.good.outputs("setup").get("project-python") == sys.executable


class Gate(Wrapper):
    """The pull request's workflow, with its comment."""

    @cached_property
    def good(self) -> Review:
        root = self.data_only({".github/workflows/ml.yml": workflow()})
        head = self.users.machine.must("git", "rev-parse", "HEAD", cwd=root).strip()
        pull = {"number": NUMBER, "head": {"sha": head}, "base": {"sha": "0" * 40}}
        change = Change(root, {"pull_request": pull}, [], {})
        act = Act(self.users.machine, self.toolkit, self.folder)
        return run_review(act, change)

    def job(self) -> bool:
        return self.good.run.jobs.get("gate/ml-ci/evaluate quickstart") == "success"

    def verdict(self) -> bool:
        return '"verdict": "passed"' in self.good.run.log

    def report(self) -> bool:
        return (self.good.run.artifact("mlci-report-quickstart") / "report.json").exists()

    def comment(self) -> bool:
        return [body for body in self.good.forge.bodies(NUMBER) if "Passed" in body] != []


class Forked(Wrapper):
    """The half that comments for a fork, on a report that is there."""

    @cached_property
    def good(self) -> Review:
        artifacts = self.folder / "kept" / "artifacts"
        for name, text in {
            "mlci-plan/plan.json": json.dumps(PLAN),
            "mlci-report-churn/report.json": _passed().model_dump_json(),
        }.items():
            (artifacts / name).parent.mkdir(parents=True)
            (artifacts / name).write_text(text, "utf-8")
        act = Act(self.users.machine, self.toolkit, self.folder)
        root = self.data_only({".github/workflows/ml.yml": f"{FORKS}    with:\n{WITH}"})
        pull = Change(root, {"pull_request": {"head": {"sha": "a" * 40}, "base": {"sha": "b" * 40}}}, [], {})
        return run_fork(act, root, pull, self.folder / "kept")

    def job(self) -> bool:
        return self.good.run.code == 0

    def comment(self) -> bool:
        return self.good.forge.bodies(NUMBER) != []


def _passed() -> Report:
    stage = StageResult(stage="validate-data", status=Status.PASSED, reason="3 checks passed")
    return Report(
        id="churn",
        project="churn",
        status=Status.PASSED,
        headline="Passed: churn",
        stages=[stage],
        provenance=Provenance(config="mlci.yaml"),
        created="2026-01-02T03:04:05Z",
        tool="mlci",
    )


class Delivery(Wrapper):
    """The default branch's workflow: what it found out is there for the next run."""

    @cached_property
    def runs(self) -> list[ActRun]:
        act = Act(self.users.machine, self.toolkit, self.folder)
        text = f"{DELIVER}    with:\n{WITH}"
        runs = []
        for known in (True, False):
            root = self.data_only({".github/workflows/ml.yml": text})
            if not known:
                (root / "mlci-out/validate-data.json").unlink()
            runs.append(act.run(root, payload={}, kept=self.folder / "kept"))
        return runs

    def job(self) -> bool:
        return [run.code for run in self.runs] == [0, 0]

    def state(self) -> bool:
        return "validate-data: skipped, nothing it depends on has changed" in self.runs[1].log


class Retraining(Wrapper):
    @cached_property
    def good(self) -> ActRun:
        act = Act(self.users.machine, self.toolkit, self.folder)
        options = (
            f"    with:\n{WITH}      reason: it is monday\n      set: validate-data.suite=nowhere.json\n"
        )
        root = self.data_only({".github/workflows/ml.yml": RETRAIN + options})
        return act.run(root, "repository_dispatch", payload={})

    def reason(self) -> bool:
        path = self.good.artifact("mlci-report-quickstart") / "report.json"
        return json.loads(path.read_text("utf-8"))["provenance"]["reason"] == "it is monday"


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
