"""Every CI system gets text, outputs and annotations in its own form; a machine of your own gets nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mlci.core.results import Check, ErrorRecord, Provenance, Report, StageResult
from mlci.core.status import ExitCode, Status, worst
from mlci.providers import PROVIDERS, detect
from mlci.providers.github import SUMMARY_BYTES, GithubProvider
from mlci.providers.gitlab import GitlabProvider
from mlci.providers.local import LocalProvider

Capture = pytest.CaptureFixture[str]


def check(name: str, status: Status, message: str = "m", where: str | None = "mlci.yaml:14") -> Check:
    return Check(name=name, status=status, message=message, where=where)


def report(*checks: Check, outputs: dict[str, str] | None = None, reason: str = "r") -> Report:
    stage = StageResult(
        stage="validate-data",
        status=worst([Status.PASSED, *(one.status for one in checks)]),
        reason=reason,
        checks=list(checks),
        outputs=outputs or {},
    )
    return Report(
        id="p",
        project="p",
        status=stage.status,
        headline="h",
        stages=[stage],
        provenance=Provenance(),
        created="2026-01-01T00:00:00Z",
        tool="mlci 0",
    )


def outputs_in(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file as the runner does: NAME<<MARK, lines, MARK."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if "<<" in line:
            name, _, mark = line.partition("<<")
            value: list[str] = []
            for inner in lines:
                if inner == mark:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
    return found


@pytest.mark.parametrize(
    ("variables", "name", "ci"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, "github", True),
        ({"GITHUB_ACTIONS": "true"}, "github", True),
        ({"GITLAB_CI": "true", "CI": "true"}, "gitlab", True),
        ({"CI": "true"}, "local", True),
        ({"CI": "1", "JENKINS_URL": "http://j"}, "local", True),
        ({"CI": ""}, "local", False),
        ({}, "local", False),
        ({"GITHUB_ACTIONS": "false"}, "local", True),
    ],
)
def test_detect(variables: dict[str, str], name: str, ci: bool) -> None:
    found = detect(variables)
    assert (found.name, found.ci) == (name, ci)


def test_every_provider_leaves_other_machines_alone() -> None:
    assert set(PROVIDERS.names()) == {"github", "gitlab", "local"}
    assert [make({}) for make in PROVIDERS] == [None, None, None]


def test_github_without_its_files_publishes_annotations_only(tmp_path: Path, capsys: Capture) -> None:
    GithubProvider({}).publish(report(check("c", Status.FAILED)), tmp_path / "mlci-out")
    assert capsys.readouterr().out == "::error file=mlci.yaml,line=14,title=mlci validate-data::m\n"
    assert list(tmp_path.iterdir()) == []


def test_github_outputs_are_verdicts_counts_and_paths(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("before=1\n")
    found = report(
        check("c", Status.FAILED), outputs={"failed": "1", "bad name": "x", "many": "a\nb<<c\nd", "é": "x"}
    )
    GithubProvider({"GITHUB_OUTPUT": str(file)}).publish(found, tmp_path / "mlci-out")
    text = file.read_text()
    assert text.startswith("before=1\n")
    assert outputs_in(text) == {
        "verdict": "failed",
        "exit-code": "1",
        "report": str(tmp_path / "mlci-out" / "report.json"),
        "validate-data-verdict": "failed",
        "failed": "1",
        "many": "a\nb<<c\nd",
    }


def test_github_output_marks_cannot_be_guessed(tmp_path: Path) -> None:
    file = tmp_path / "output"
    provider = GithubProvider({"GITHUB_OUTPUT": str(file)})
    provider.publish(report(), tmp_path)
    provider.publish(report(), tmp_path)
    marks = set(re.findall(r"<<(mlci_[0-9a-f]{16})\n", file.read_text()))
    assert len(marks) == 2


def test_github_annotations_are_the_five_worst_and_escaped(tmp_path: Path, capsys: Capture) -> None:
    bad = [check(f"w{n}", Status.WARNED, f"warning {n}") for n in range(4)]
    bad += [check(f"f{n}", Status.FAILED, f"failure {n}") for n in range(3)]
    bad += [check("x", Status.ERRORED, "100 %\r\n::set-env name=a::b", "a,b:c.yaml:3")]
    GithubProvider({}).publish(report(*bad, check("ok", Status.PASSED)), tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0] == (
        "::error file=a%2Cb,line=c.yaml%3A3,title=mlci validate-data::100 %25%0D%0A::set-env name=a::b"
    )
    assert [line.rpartition("::")[2] for line in lines[1:]] == [
        "failure 0",
        "failure 1",
        "failure 2",
        "warning 0",
    ]
    assert [line.split()[0] for line in lines] == ["::error"] * 4 + ["::warning"]


def test_github_annotation_of_an_error(tmp_path: Path, capsys: Capture) -> None:
    record = ErrorRecord(code="data.missing", message="no\nfile", exit_code=ExitCode.NOT_EVALUATED)
    stage = StageResult(stage="train", status=Status.ERRORED, reason="r", error=record)
    found = report().model_copy(update={"stages": [stage], "status": Status.ERRORED})
    GithubProvider({}).publish(found, tmp_path)
    assert capsys.readouterr().out == "::error title=mlci train::no%0Afile\n"


def test_github_annotation_of_a_project_in_a_subfolder(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "models" / "churn" / "mlci-out"
    variables = {"GITHUB_WORKSPACE": str(tmp_path)}
    GithubProvider(variables).publish(report(check("c", Status.WARNED)), out)
    assert "file=models/churn/mlci.yaml,line=14" in capsys.readouterr().out
    GithubProvider(variables).publish(report(check("c", Status.WARNED)), tmp_path / "mlci-out")
    assert "file=mlci.yaml,line=14" in capsys.readouterr().out


def test_github_summary_is_appended_and_fits(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n")
    provider = GithubProvider({"GITHUB_STEP_SUMMARY": str(file)})
    provider.publish(report(), tmp_path)
    text = file.read_text()
    assert text.startswith("before\n<!-- mlci:report:p -->")
    file.write_bytes(b"x" * (SUMMARY_BYTES - 300))
    provider.publish(report(reason="ß" * 900), tmp_path)
    data = file.read_bytes()
    assert len(data) <= SUMMARY_BYTES
    assert data.decode().endswith("(cut: see report.md)\n")
    file.write_bytes(b"x" * SUMMARY_BYTES)
    provider.publish(report(), tmp_path)
    assert file.stat().st_size == SUMMARY_BYTES


def test_github_groups_cannot_be_left(capsys: Capture) -> None:
    provider = GithubProvider({})
    provider.group("train: a\n::endgroup::")
    provider.end_group()
    assert capsys.readouterr().out == "::group::train: a%0A::endgroup::\n::endgroup::\n"


def test_github_provenance_names_the_commit_of_the_pull_request(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "a" * 40}}}))
    variables = {
        "GITHUB_SHA": "b" * 40,
        "GITHUB_HEAD_REF": "feature",
        "GITHUB_REF_NAME": "7/merge",
        "GITHUB_SERVER_URL": "https://forge.example",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "5",
        "GITHUB_EVENT_PATH": str(event),
    }
    assert GithubProvider(variables).provenance() == {
        "commit": "a" * 40,
        "ref": "feature",
        "run_url": "https://forge.example/o/r/actions/runs/5",
    }
    for content in ("{}", "[]", "no json", '{"pull_request": null}'):
        event.write_text(content)
        assert GithubProvider(variables).provenance()["commit"] == "b" * 40
    assert GithubProvider({"GITHUB_REF_NAME": "main", "GITHUB_SHA": "c"}).provenance() == {
        "commit": "c",
        "ref": "main",
    }
    assert GithubProvider({}).provenance() == {}


def test_gitlab_dotenv_holds_one_valid_line_a_value(tmp_path: Path) -> None:
    outputs = {"run-id": "r1", "bad name": "x", "many": "a\nb", "cr": "a\rb", "sep": "a\u2028b", "é": "x"}
    found = report(check("c", Status.FAILED), outputs=outputs)
    GitlabProvider({}).publish(found, tmp_path)
    assert (tmp_path / "mlci.env").read_text() == (
        "MLCI_RESULT_VERDICT=failed\n"
        "MLCI_RESULT_EXIT_CODE=1\n"
        "MLCI_RESULT_VALIDATE_DATA_VERDICT=failed\n"
        "MLCI_RESULT_VALIDATE_DATA_RUN_ID=r1\n"
    )


def test_gitlab_variables_are_none_that_mlci_reads_as_configuration(tmp_path: Path) -> None:
    from mlci.config import load_config
    from mlci.stages import STAGES

    GitlabProvider({}).publish(report(outputs={"seed": "3"}), tmp_path)
    lines = (tmp_path / "mlci.env").read_text().splitlines()
    (tmp_path / "mlci.yaml").write_text("")
    variables = dict(line.split("=", 1) for line in lines)
    config = load_config(tmp_path / "mlci.yaml", {stage.name: stage.inputs for stage in STAGES}, variables)
    assert config.given == frozenset()


def test_gitlab_sections_are_opened_and_closed_by_the_same_name(capsys: Capture) -> None:
    provider = GitlabProvider({})
    provider.group("validate-data: it has not\nrun \x1b[31myet")
    provider.end_group()
    text = capsys.readouterr().out
    start = re.match(r"\x1b\[0Ksection_start:\d+:([a-z0-9_.-]+)\r\x1b\[0K(.*)\n", text, re.S)
    assert start is not None
    assert start.group(1) == "mlci_validate-data"
    assert re.search(r"\x1b\[0Ksection_end:\d+:mlci_validate-data\r\x1b\[0K\n$", text)
    assert "\x1b[31m" not in text


def test_gitlab_provenance() -> None:
    variables = {
        "CI_COMMIT_SHA": "a",
        "CI_COMMIT_REF_NAME": "main",
        "CI_JOB_URL": "https://g/1",
        "CI": "true",
    }
    assert GitlabProvider(variables).provenance() == {"commit": "a", "ref": "main", "run_url": "https://g/1"}
    assert GitlabProvider({}).provenance() == {}


def test_a_machine_of_your_own_publishes_nothing(tmp_path: Path, capsys: Capture) -> None:
    provider = LocalProvider(ci=False)
    provider.publish(report(check("c", Status.FAILED)), tmp_path)
    provider.group("train: \x1b[31mred")
    provider.end_group()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "• train: \ufffd[31mred\n"
    assert provider.provenance() == {}
    assert list(tmp_path.iterdir()) == []
