"""Actions and GitLab templates, run as their systems do: expressions first, then the shell."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from wrapper_files import action, plain_environment, quickstart

from mlci.sync.__main__ import REPOSITORY

pytestmark = pytest.mark.slow


def outputs_in(path: Path) -> dict[str, str]:
    blocks = re.findall(r"^(\S+)<<(\S+)\n(.*?)\n\2$", path.read_text(), re.DOTALL | re.MULTILINE)
    return {name: value for name, _, value in blocks}


class Runner:
    """Runs a composite action's steps as the runner of GitHub does: expressions first, then bash."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.project = project
        self.output = folder / "output"
        self.summary = folder / "summary.md"
        self.output.touch()
        self.summary.touch()
        (folder / "runner").mkdir()
        self.environment = plain_environment(
            GITHUB_ACTIONS="true",
            GITHUB_OUTPUT=str(self.output),
            GITHUB_STEP_SUMMARY=str(self.summary),
            RUNNER_TEMP=str(folder / "runner"),
        )

    def use(self, name: str, given: Mapping[str, str], **job: str) -> tuple[int, str]:
        """Return exit code and log; `given` is the caller's `with`, `job` the variables of the job."""
        folder = REPOSITORY / "actions" / name
        text = ""
        described = action(folder / "action.yml")
        assert set(given) <= set(described["inputs"])
        for step in described["runs"]["steps"]:
            variables = {key: self._value(value, given, job) for key, value in step["env"].items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.project,
                env={**self.environment, **job, **variables, "GITHUB_ACTION_PATH": str(folder)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            text += done.stdout
            if done.returncode:
                return done.returncode, text
        return 0, text

    @staticmethod
    def _value(expression: str, given: Mapping[str, str], job: Mapping[str, str]) -> str:
        match = re.fullmatch(r"\$\{\{ inputs\.(\S+) \|\| env\.(\S+) \}\}", expression)
        assert match
        return given.get(match.group(1), "") or job.get(match.group(2), "")


@pytest.fixture
def runner(tmp_path: Path, empty_database: Path) -> Runner:
    return Runner(tmp_path, quickstart(tmp_path, empty_database))


def test_the_run_action_runs(runner: Runner) -> None:
    code, log = runner.use(
        "run",
        {
            "install": "false",
            "until": "compare-to-baseline",
            "set": "train.params.n_estimators=20\n\n  train.seed=3",
        },
    )
    assert code == 0, log
    outputs = outputs_in(runner.output)
    declared = set(action(REPOSITORY / "actions/run/action.yml")["outputs"])
    assert set(outputs) <= declared
    assert outputs["verdict"] == "warned"  # there is no champion yet
    assert outputs["exit-code"] == "0"
    assert outputs["train-verdict"] == "passed"
    assert outputs["state"] == "no-baseline"
    assert "deploy-verdict" not in outputs
    report = json.loads(Path(outputs["report"]).read_text())
    trained = next(stage for stage in report["stages"] if stage["stage"] == "train")
    assert trained["details"]["params"]["n_estimators"] == 20
    assert "quickstart" in runner.summary.read_text()
    assert "::group::train" in log


def test_an_input_comes_before_the_variable_of_the_job_and_that_before_the_file(runner: Runner) -> None:
    job = {"MLCI_VALIDATE_DATA_FILES": "data/train.csv", "MLCI_WARN_EXIT_CODE": "true"}
    code, log = runner.use("validate-data", {"install": "false"}, **job)
    assert code == 0, log
    assert "check data/train.csv" in log
    assert "check data/evaluate.csv" not in log
    given = {"install": "false", "files": "data/evaluate.csv\n"}
    code, log = runner.use("validate-data", given, **job)
    assert code == 0, log
    assert "check data/evaluate.csv" in log
    assert "check data/train.csv" not in log
    assert set(outputs_in(runner.output)) - {"validate-data-verdict"} == set(
        action(REPOSITORY / "actions/validate-data/action.yml")["outputs"]
    )
