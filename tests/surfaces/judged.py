"""One change judged by the three faces: the command line, an action under act, a template under gitlab-ci-local."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from act_runner import Act, ActRun
from gitlab_runner import Gitlab, GitlabRun
from surface_tools import Ended, Machine
from user_repository import Users

GITHUB = """\
name: ml
on: [push, pull_request]
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    outputs:
      verdict: ${{ steps.ml.outputs.verdict }}
    steps:
      - uses: actions/checkout@v7
      - id: ml
        uses: acme/mlci/actions/run@v1
        with:
          install: "false"
          until: compare-to-baseline
      - if: always()
        uses: actions/upload-artifact@v7
        with:
          name: report
          path: mlci-out/
  after:
    needs: gate
    if: always()
    runs-on: ubuntu-24.04
    steps:
      - env:
          VERDICT: ${{ needs.gate.outputs.verdict }}
          RESULT: ${{ needs.gate.result }}
        run: echo "a later job sees $VERDICT and $RESULT"
"""
GITLAB = """\
include:
  - project: acme/mlci
    ref: v1
    file: /.gitlab-ci-templates/run.yml
after:
  stage: .post
  when: always
  rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event", when: always}]
  script: echo "a later job sees $MLCI_RESULT_VERDICT"
"""
REVIEW = "mlci-review"


@dataclass
class Judged:
    """Runs each change once by each face, on one commit of one repository."""

    machine: Machine
    act: Act
    gitlab: Gitlab
    users: Users
    _repositories: dict[str, Path] = field(default_factory=dict)
    _runs: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def by_cli(self, change: str) -> tuple[Ended, Path]:
        """How `mlci run` ended, and its output folder."""

        def run(repository: Path) -> tuple[Ended, Path]:
            ended = self.machine.run(["mlci", "run", "--until", "compare-to-baseline"], repository)
            return ended, repository / "mlci-out"

        found: tuple[Ended, Path] = self._once("cli", change, run)
        return found

    def by_act(self, change: str) -> ActRun:
        """How the workflow ended."""
        found: ActRun = self._once("act", change, self.act.run)
        return found

    def by_gitlab(self, change: str) -> GitlabRun:
        """How the pipeline of a merge request ended."""

        def run(repository: Path) -> GitlabRun:
            self.machine.must(
                "git", "remote", "set-url", "origin", "https://gitlab.com/acme/user", cwd=repository
            )
            return self.gitlab.run(repository, merge_request=True)

        found: GitlabRun = self._once("gitlab", change, run)
        return found

    def reports(self, change: str) -> Mapping[str, dict[str, Any]]:
        """The report.json of each face."""
        faces = (self.by_cli, self.by_act, self.by_gitlab)
        with ThreadPoolExecutor(len(faces)) as pool:
            list(pool.map(lambda face: face(change), faces))
        return {
            "cli": json.loads((self.by_cli(change)[1] / "report.json").read_text("utf-8")),
            "act": json.loads((self.by_act(change).artifact("report") / "report.json").read_text("utf-8")),
            "gitlab": self.by_gitlab(change).report(REVIEW),
        }

    def _once(self, face: str, change: str, run: Callable[[Path], Any]) -> Any:
        if (face, change) not in self._runs:
            origin = self._repository(change)
            copy = origin.with_name(f"{origin.name}-{face}")
            shutil.copytree(origin, copy, symlinks=True)
            self._runs[face, change] = run(copy)
        return self._runs[face, change]

    def _repository(self, change: str) -> Path:
        with self._lock:
            if change not in self._repositories:
                files = {".github/workflows/ml.yml": GITHUB, ".gitlab-ci.yml": GITLAB}
                self._repositories[change] = self.users.repository(change, files)
            return self._repositories[change]
