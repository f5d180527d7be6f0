"""Runs pipelines by gitlab-ci-local in shells of this machine, and reads what the jobs left."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from surface_tools import Machine, system_tool, tool
from surface_tree import REF

_HOST = "gitlab.com"
_RESULT = re.compile(r"^ (PASS|FAIL|WARN)  (\S+) *(?:pre_script)? *$", re.MULTILINE)
_CODE = re.compile(r"^(\S+) +finished in .* (?:FAIL|WARN) (\d+)", re.MULTILINE)
# Before after_script, gitlab-ci-local fetches the repository, caches and artifacts again and deletes what the
# job has made, reports among it. GitLab's runner does nothing of the kind.
_ONCE = {
    r"(!\w+&&this\.argv\.shellIsolation)(\)await \w+\.rsyncTrackedFiles\()": r'\1&&t.CI_JOB_STATUS==="running"\2',
    r"(?=await this\.copyCacheIn\(\w+,t\),await this\.copyArtifactsIn\()": 'if(t.CI_JOB_STATUS==="running")',
}
# The checkout does not hold this target, so everything is evaluated; who wants a base names its commit.
# Two includes of one project are fetched at the same time into one folder, and may get into each other's way; no
# job has run by then.
_RACED = re.compile(r"cp: cannot create directory '[^']*/\.gitlab-ci-local/includes/[^']*': File exists")
_TRIES = 4
_MERGE_REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release",
}


@dataclass(frozen=True)
class GitlabRun:
    """What one pipeline left: results of jobs, logs, artifacts.

    The exit code of gitlab-ci-local itself says nothing: it is 0 after a failed job that allows the failure
    of other exit codes, which GitLab would show red.
    """

    text: str = field(repr=False)
    folder: Path

    @cached_property
    def jobs(self) -> dict[str, str]:
        """PASS, WARN or FAIL by job."""
        return {name: result for result, name in _RESULT.findall(self.text)}

    def code(self, job: str) -> int:
        """The exit code of a job."""
        codes = {name: int(code) for name, code in _CODE.findall(self.text)}
        return codes.get(job, 0) if self.jobs[job] == "PASS" else codes[job]

    def log(self, job: str) -> str:
        """What a job printed."""
        return (self.folder / "output" / f"{_folder_name(job)}.log").read_text("utf-8")

    def artifact(self, job: str, path: str) -> Path:
        """Where an artifact of a job is."""
        return self.folder / "artifacts" / _folder_name(job) / path

    def report(self, job: str) -> dict[str, Any]:
        """The report.json of a job."""
        found: dict[str, Any] = json.loads(self.artifact(job, "mlci-out/report.json").read_text("utf-8"))
        return found

    def dotenv(self, job: str) -> dict[str, str]:
        """The variables that a job hands to later ones."""
        folder = self.artifact(job, ".gitlab-ci-reports/dotenv")
        paths = [path for path in folder.rglob("*") if path.is_file()]
        assert paths, folder
        lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
        return dict(line.split("=", 1) for line in lines)


@dataclass
class Gitlab:
    """Runs pipelines of user repositories; the toolkit is the project acme/mlci of a forge on this disk."""

    machine: Machine
    toolkit: Path
    folder: Path

    def __post_init__(self) -> None:
        system_tool("rsync")
        self._make_runner()
        forge = self.folder / "forge" / "acme" / "mlci.git"
        source = self.folder / "source"
        shutil.copytree(self.toolkit, source)
        git = system_tool("git")
        self.machine.must(git, "init", "--quiet", "--initial-branch", "main", cwd=source)
        self.machine.must(git, "add", "--all", cwd=source)
        self.machine.must(git, "commit", "--quiet", "--message", "toolkit", cwd=source)
        for tag in (REF, "1.0.0"):
            self.machine.must(git, "tag", tag, cwd=source)
        self.machine.must(git, "clone", "--quiet", "--bare", source, forge, cwd=self.folder)
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            self.machine.must(git, "config", name, "true", cwd=forge)
        # Only the toolkit's address: the user's own remote must stay what it is.
        self._config.write_text(
            f'[url "file://{forge.with_suffix("")}"]\n'
            f"  insteadOf = https://{_HOST}/acme/mlci\n  insteadOf = https://{_HOST}:443/acme/mlci\n",
            "utf-8",
        )

    def _make_runner(self) -> None:
        package = tool("surfaces/node_modules/gitlab-ci-local")
        shutil.copytree(package, self.folder / "runner", ignore=shutil.ignore_patterns("*.map"))
        program = self.folder / "runner/dist/index.js"
        text = program.read_text("utf-8")
        for pattern, replacement in _ONCE.items():
            text, found = re.subn(pattern, replacement, text)
            assert found == 1, f"another gitlab-ci-local: {pattern}"
        program.write_text(text, "utf-8")

    @property
    def _config(self) -> Path:
        return self.folder / "gitconfig"

    def run(
        self,
        repository: Path,
        *arguments: str,
        merge_request: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> GitlabRun:
        """Run the pipeline of a repository, on its default branch or in a merge request."""
        done = self._call(repository, *arguments, merge_request=merge_request, variables=variables)
        return GitlabRun(done.text + done.err, repository / ".gitlab-ci-local")

    def listed(self, repository: Path, *, merge_request: bool = False) -> set[str]:
        """Return the names of the jobs that a pipeline would have."""
        done = self._call(repository, "--list-json", merge_request=merge_request)
        assert done.code == 0, done.text + done.err
        begin = re.search(r"^\[\s*[{\]]", done.text, re.MULTILINE)  # warnings come before it
        assert begin is not None, done.text
        jobs = json.loads(done.text[begin.start() :])
        return {job["name"] for job in jobs if job["when"] != "never"}

    def merged(self, repository: Path, *, merge_request: bool = False) -> dict[str, Any]:
        """Return the configuration with all includes and inputs in it, by job."""
        done = self._call(repository, "--preview", merge_request=merge_request)
        assert done.code == 0, done.text + done.err
        found: dict[str, Any] = yaml.safe_load(done.text)
        return found

    def _call(
        self,
        repository: Path,
        *arguments: str,
        merge_request: bool,
        variables: Mapping[str, str] | None = None,
    ) -> Any:
        given = {"GITLAB_CI": "true", "CI_PROJECT_DIR": ".", **(variables or {})}
        command: list[str | Path] = [
            tool("bin/node"),
            self.folder / "runner/dist/index.js",
            "--force-shell-executor",
            "--shell-isolation",
            "--no-artifacts-to-source",
        ]
        if merge_request:
            given |= _MERGE_REQUEST
            command += ["--unset-variable", "CI_COMMIT_BRANCH"]
        command += ["--ignore-predefined-vars", ",".join(given)]
        for name, value in given.items():
            command += ["--variable", f"{name}={value}"]
        settings = {"GIT_CONFIG_GLOBAL": str(self._config)}
        for _ in range(_TRIES - 1):
            done = self.machine.run([*command, *arguments], repository, settings)
            if not _RACED.search(done.text + done.err):
                return done
            shutil.rmtree(repository / ".gitlab-ci-local" / "includes", ignore_errors=True)
        return self.machine.run([*command, *arguments], repository, settings)


def _folder_name(job: str) -> str:
    """Return the name that gitlab-ci-local gives a job's folder: odd characters as base64."""
    return re.sub(
        r"[^\w-]+", lambda match: base64.urlsafe_b64encode(match[0].encode()).decode().rstrip("="), job
    )
