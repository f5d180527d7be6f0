"""The verdict and the exit code come from the same value."""

from __future__ import annotations

import itertools

import pytest
from pydantic import ValidationError

from mlci.core.error_codes import ERROR_CODES
from mlci.core.errors import MlciError, first_line
from mlci.core.results import (
    Check,
    ErrorRecord,
    Provenance,
    Report,
    StageResult,
    leading_check,
    status_of,
)
from mlci.core.status import ExitCode, Status, severity, worst


def result(status: Status, error: ErrorRecord | None = None, stage: str = "train") -> StageResult:
    return StageResult(stage=stage, status=status, reason="because", error=error)


def report(*stages: StageResult) -> Report:
    return Report(
        id="p",
        project="p",
        status=worst(stage.status for stage in stages),
        headline="h",
        stages=list(stages),
        provenance=Provenance(),
        created="2026-01-01T00:00:00Z",
        tool="mlci",
    )


def test_worst_follows_the_documented_order() -> None:
    order = [
        Status.SKIPPED,
        Status.PASSED,
        Status.WARNED,
        Status.INCONCLUSIVE,
        Status.FAILED,
        Status.ERRORED,
    ]
    assert sorted(Status, key=severity) == order
    for first, second in itertools.combinations(order, 2):
        assert worst([first, second]) is worst([second, first]) is second
    assert worst([]) is Status.SKIPPED


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.PASSED, 0),
        (Status.WARNED, 0),
        (Status.INCONCLUSIVE, 0),
        (Status.SKIPPED, 0),
        (Status.FAILED, 1),
        (Status.ERRORED, 3),
    ],
)
def test_exit_code_of_a_stage_says_the_same_as_its_status(status: Status, code: int) -> None:
    assert result(status).exit_code == code
    assert report(result(status)).exit_code == code


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
def test_an_error_leads_to_the_exit_code_of_its_code(code: str) -> None:
    error = MlciError(code, "what", "way out")
    record = ErrorRecord(code=code, message=error.message, exit_code=error.exit_code)
    failed = result(Status.ERRORED, record)
    assert failed.exit_code is ERROR_CODES[code].exit_code is not ExitCode.PASSED
    assert report(failed).exit_code is failed.exit_code


@pytest.mark.parametrize("status", [Status.PASSED, Status.WARNED, Status.INCONCLUSIVE, Status.SKIPPED])
def test_a_stage_with_an_error_cannot_look_well(status: Status) -> None:
    with pytest.raises(ValidationError, match="cannot be"):
        result(status, ErrorRecord(code="bug", message="m", exit_code=ExitCode.BUG))


def test_an_error_cannot_have_the_exit_code_of_success() -> None:
    with pytest.raises(ValidationError, match="exit code of success"):
        result(Status.ERRORED, ErrorRecord(code="bug", message="m", exit_code=ExitCode.PASSED))


def test_an_unknown_exit_code_in_a_file_is_refused_not_a_crash_later() -> None:
    text = (
        result(Status.FAILED)
        .model_dump_json()
        .replace('"error":null', '"error":{"code":"x","message":"m","hint":"","exit_code":99}')
    )
    with pytest.raises(ValidationError, match="exit_code"):
        StageResult.model_validate_json(text)


@pytest.mark.parametrize("pair", list(itertools.permutations(Status, 2)))
def test_verdict_and_exit_code_of_a_run_never_contradict_each_other(pair: tuple[Status, Status]) -> None:
    run = report(*(result(status, stage=status.value) for status in pair))
    codes = {Status.FAILED: ExitCode.FAILED, Status.ERRORED: ExitCode.NOT_EVALUATED}
    assert run.exit_code is codes.get(run.status, ExitCode.PASSED)


def test_a_report_cannot_claim_another_status_than_its_stages() -> None:
    text = report(result(Status.FAILED)).model_dump_json()
    with pytest.raises(ValidationError, match="its stages add up to failed"):
        Report.model_validate_json(text.replace('"status":"failed"', '"status":"passed"', 1))


def test_status_of_checks_and_the_leading_one() -> None:
    checks = [
        Check(name="a", status=Status.WARNED, message=""),
        Check(name="b", status=Status.FAILED, message=""),
        Check(name="c", status=Status.FAILED, message=""),
    ]
    assert status_of(checks) is Status.FAILED
    assert status_of([]) is Status.PASSED
    assert status_of([Check(name="s", status=Status.SKIPPED, message="")]) is Status.PASSED
    leading = leading_check(checks)
    assert leading is not None
    assert leading.name == "b"
    assert leading_check([]) is None


def test_an_error_survives_pickling_since_it_crosses_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(MlciError("data.missing", "what", "hint")))
    assert (error.code, error.message, error.hint) == ("data.missing", "what", "hint")
    assert str(error) == "error[data.missing]: what"


def test_first_line_is_never_empty() -> None:
    assert first_line(ValueError("\n\n  one \ntwo")) == "one"
    assert first_line(ValueError()) == "ValueError"
    assert len(first_line(ValueError("x" * 1000))) == 300
