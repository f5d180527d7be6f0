"""The command line, the action and the template say the same about one change, and say it where users look."""

from __future__ import annotations

from typing import Any

import pytest
from act_runner import Annotation
from judged import REVIEW, Judged

pytestmark = pytest.mark.surfaces

VERDICTS = [("pass", "passed", 0), ("fail", "failed", 1), ("unclear", "inconclusive", 0)]
# What tells one run from another: when, where, how long, the identifiers that stores give, and the bytes of
# the model's file, in which skops writes times and addresses. The digest of its predictions must agree.
_OF_A_RUN = {"created", "started", "seconds", "steps", "run_url", "run-id", "run_id"}
_OF_A_FILE = {"candidate_model", "train/model"}


def same(value: Any) -> Any:
    """Return a report without what differs from run to run."""
    if isinstance(value, dict):
        ignored = _OF_A_RUN | _OF_A_FILE | ({"sha256"} if value.get("role") == "model" else set())
        if {"digest", "changes"} <= set(value):  # the rules: where they were read depends on the pipeline
            ignored |= {"source", "commit", "note"}
        return {key: same(item) for key, item in value.items() if key not in ignored}
    return [same(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("change", "verdict", "code"), VERDICTS)
def test_the_three_faces_agree(judged: Judged, change: str, verdict: str, code: int) -> None:
    reports = judged.reports(change)
    assert reports["cli"]["status"] == verdict
    assert judged.by_cli(change)[0].code == code
    assert same(reports["act"]) == same(reports["cli"])
    assert same(reports["gitlab"]) == same(reports["cli"])


@pytest.mark.parametrize(("change", "verdict", "code"), VERDICTS)
def test_an_action_hands_its_verdict_to_step_job_and_summary(
    judged: Judged, change: str, verdict: str, code: int
) -> None:
    run = judged.by_act(change)
    result = "failure" if code else "success"
    assert run.job("gate") == result
    assert run.code == code
    outputs = run.outputs("ml")
    assert (outputs["verdict"], outputs["exit-code"]) == (verdict, str(code))
    assert (outputs["train-verdict"], outputs["compare-to-baseline-verdict"]) == ("passed", verdict)
    assert outputs["state"] == "compared"
    assert outputs["deploy-verdict"] == ""
    # Also of a red job: a later one may want to say why.
    assert f"a later job sees {verdict} and {result}" in run.log
    headline = judged.reports(change)["cli"]["headline"]
    assert run.summary.count("<!-- mlci:report:quickstart -->") == 1
    assert headline.split(":")[0] in run.summary
    assert "::group::train" in "".join(event["msg"] for event in run.events if "msg" in event)


def test_a_failed_gate_is_shown_at_its_line_of_the_configuration(judged: Judged) -> None:
    errors = {annotation.line: annotation for annotation in judged.by_act("fail").annotations}
    checks = next(
        stage for stage in judged.reports("fail")["act"]["stages"] if stage["stage"] == "compare-to-baseline"
    )["checks"]
    config = (judged.by_cli("fail")[1].parent / "mlci.yaml").read_text("utf-8").splitlines()
    for line, metric in (("21", "roc_auc"), ("22", "recall"), ("23", "accuracy")):
        assert f"metric: {metric}" in config[int(line) - 1]
        message = next(check["message"] for check in checks if check["name"].startswith(metric))
        assert errors[line] == Annotation("error", message, "mlci.yaml", line, "mlci compare-to-baseline")
    assert len(errors) == 3


def test_an_unclear_gate_is_a_warning_and_a_good_one_is_silent(judged: Judged) -> None:
    (warning,) = judged.by_act("unclear").annotations
    assert (warning.level, warning.file, warning.line) == ("warning", "mlci.yaml", "22")
    assert warning.message.startswith("recall is unclear")
    assert judged.by_act("pass").annotations == []


@pytest.mark.parametrize(
    ("change", "verdict", "result", "code"),
    [("pass", "passed", "PASS", 0), ("fail", "failed", "FAIL", 1), ("unclear", "inconclusive", "WARN", 10)],
)
def test_a_template_hands_its_verdict_to_the_pipeline(
    judged: Judged, change: str, verdict: str, result: str, code: int
) -> None:
    run = judged.by_gitlab(change)
    assert run.jobs[REVIEW] == result
    assert run.code(REVIEW) == code
    variables = run.dotenv(REVIEW)
    assert variables["MLCI_RESULT_VERDICT"] == verdict
    assert variables["MLCI_RESULT_COMPARE_TO_BASELINE_STATE"] == "compared"
    assert f"a later job sees {verdict}" in run.log("after")
    junit = run.artifact(REVIEW, "mlci-out/junit.xml").read_text("utf-8")
    assert 'name="roc_auc' in junit
    assert ("<failure" in junit) == (change == "fail")


def test_a_wrong_configuration_is_the_same_error_everywhere(judged: Judged) -> None:
    ended, _ = judged.by_cli("typo")
    assert ended.code == 2
    message = "error[config.unknown-key]: unknown key 'tiemout' in 'train' of mlci.yaml:18"
    run = judged.by_act("typo")
    pipeline = judged.by_gitlab("typo")
    for text in (ended.text + ended.err, run.log, pipeline.log(REVIEW)):
        assert message in text
        assert "did you mean 'timeout'?" in text
    assert run.job("gate") == "failure"
    assert "a later job sees  and failure" in run.log
    assert (pipeline.jobs[REVIEW], pipeline.code(REVIEW)) == ("FAIL", 2)
