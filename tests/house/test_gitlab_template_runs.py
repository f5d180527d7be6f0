"""GitLab templates, run as GitLab does: inputs first, then the shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from wrapper_files import PLACE, plain_environment, quickstart, template

from mlci.sync import _gitlab_scripts
from mlci.sync.__main__ import REPOSITORY

pytestmark = pytest.mark.slow


def interpolated(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Return a template's jobs with inputs put in place, as GitLab does."""
    path = REPOSITORY / ".gitlab-ci-templates" / f"{name}.yml"
    inputs, _ = template(path)
    assert set(given) <= set(inputs)
    values = {name: given.get(name, item["default"]) for name, item in inputs.items()}
    text = path.read_text().split("\n---\n")[1]
    found: dict[str, Any] = yaml.safe_load(PLACE.sub(lambda match: values[match.group(1)], text))
    return {job: content for job, content in found.items() if not job.startswith(".")}


def run(script: str, work: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the lines of a job in one shell, as GitLab's runner does."""
    return subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=work,
        env={**plain_environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_gitlab_pipeline_runs_in_jobs_that_share_artifacts_only(
    tmp_path: Path, empty_database: Path
) -> None:
    origin = quickstart(tmp_path, empty_database)
    config = origin / "mlci.yaml"
    config.write_text(config.read_text().replace("n_estimators: 200", "n_estimators: 20"))
    shutil.move(origin / ".mlci", tmp_path / "store")
    kept: dict[str, Path] = {}
    results: dict[str, str] = {}
    for name, job in interpolated("pipeline", {}).items():
        if name.endswith("-plan"):
            continue  # not on the default branch
        work = tmp_path / name
        shutil.copytree(origin, work)
        first = job["needs"] == [{"job": "mlci-plan", "optional": True}]
        needed = [tmp_path / "first"] if first else [kept[before] for before in job["needs"]]
        if first:
            shutil.copytree(tmp_path / "store", tmp_path / "first/.mlci")
        for source in needed:
            shutil.copytree(source, work, dirs_exist_ok=True)
        done = run("\n".join(job["script"]), work, CI="true", GITLAB_CI="true", **job["variables"])
        assert done.returncode in (0, *job["allow_failure"]["exit_codes"]), done.stdout + done.stderr
        assert (work / job["artifacts"]["reports"]["junit"]).exists()
        kept[name] = tmp_path / f"{name}-artifacts"
        for pattern in job["artifacts"]["paths"]:
            for found in work.glob(pattern.rstrip("/")):
                shutil.copytree(found, kept[name] / found.relative_to(work))
        _, result = job["artifacts"]["reports"]["dotenv"]
        lines = (work / result).read_text().splitlines()
        results |= dict(line.split("=", 1) for line in lines)
    assert results["MLCI_RESULT_TRAIN_VERDICT"] == "passed"
    assert results["MLCI_RESULT_COMPARE_TO_BASELINE_STATE"] == "no-baseline"
    assert results["MLCI_RESULT_PACKAGE_VERSION"] == "1"
    assert results["MLCI_RESULT_DEPLOY_VERSION"] == "1"
    assert results["MLCI_RESULT_DEPLOY_CHANGED"] == "true"


@pytest.mark.parametrize("name", ["light", "full", "project"])
def test_a_package_server_that_is_down_is_no_verdict(name: str, tmp_path: Path) -> None:
    """Exit code 4, which GitLab tries again, and not pip's 1, which means that the model is bad."""
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (commands / "python").chmod(0o755)
    if name == "project":
        (commands / "mlci").symlink_to("/bin/true")
        (tmp_path / "requirements.txt").write_text("no-such-package-of-acme\n")
    script = _gitlab_scripts.install_light() if name == "light" else _gitlab_scripts.INSTALL
    done = run(
        script,
        tmp_path,
        PATH=f"{commands}:/usr/bin:/bin",
        HOME=str(tmp_path),
        PIP_CONFIG_FILE="/dev/null",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="0",
        MLCI_REQUIREMENT="no-such-package-of-acme==1",
        MLCI_PROJECT_REQUIREMENTS="requirements.txt" if name == "project" else "",
    )
    assert done.returncode == 4, done.stdout + done.stderr
    assert "no-such-package-of-acme" in done.stderr


def test_the_base_of_a_merge_request_is_fetched_where_a_shallow_clone_lacks_it(tmp_path: Path) -> None:
    def git(*arguments: str, cwd: Path) -> str:
        author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", *author, *arguments], cwd=cwd, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    origin = tmp_path / "origin"
    origin.mkdir()
    git("init", "--quiet", cwd=origin)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=origin)
    for number in range(3):
        git("commit", "--quiet", "--allow-empty", "--message", f"{number}", cwd=origin)
    base = git("rev-parse", "HEAD~2", cwd=origin)
    git("clone", "--quiet", "--depth", "1", origin.as_uri(), "clone", cwd=tmp_path)
    clone = tmp_path / "clone"
    gone = "0123456789" * 4
    assert (clone / ".git/shallow").exists()
    done = run(
        _gitlab_scripts.FETCH_BASE,
        clone,
        CI_MERGE_REQUEST_TARGET_BRANCH_SHA=gone,
        CI_MERGE_REQUEST_DIFF_BASE_SHA=base,
    )
    assert done.returncode == 0, done.stderr
    assert git("cat-file", "-t", base, cwd=clone) == "commit"
    assert f"cannot fetch {gone}, which this merge request is based on" in done.stdout
    assert base not in done.stdout
