"""Pull requests as users see them: what is evaluated, the verdict in every place, one comment, forks, no token."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from act_runner import Act
from monorepo import Monorepo
from reviews import Review, Reviews, forge_after, workflow

pytestmark = pytest.mark.surfaces


@pytest.fixture(scope="module")
def reviews(act: Act, monorepo: Monorepo) -> Reviews:
    return Reviews(act, monorepo)


# ---- what is evaluated ----


def test_documentation_is_nothing_to_evaluate(reviews: Reviews) -> None:
    review = reviews.of("docs")
    assert review.run.code == 0, review.run.log
    assert {job.split("/")[-1].strip() for job in review.run.jobs} == {"plan", "report", "after"}
    assert "Nothing to evaluate" in review.run.summary
    found = review.outputs()
    assert (found["evaluate"], found["models"], found["verdict"], found["exit-code"]) == (
        "false",
        "0",
        "skipped",
        "0",
    )
    assert json.loads(found["matrix"]) == {"include": []}
    assert review.forge.bodies() == []  # a comment that is not there is not made to say nothing


def test_a_comment_that_stands_is_told_that_there_is_nothing_to_evaluate_any_more(reviews: Reviews) -> None:
    """A verdict on commits that have been taken back must not be left standing."""
    assert "Do not merge" in reviews.of("worse").comment
    pull = reviews.of("docs").pull
    review = reviews.run(pull, forge=forge_after(reviews.of("worse"), pull))
    assert "Nothing to evaluate" in review.comment
    assert "Do not merge" not in review.comment


def test_only_the_model_that_is_touched_is_evaluated(reviews: Reviews) -> None:
    review = reviews.of("better")
    assert review.run.code == 0, review.run.log
    assert review.run.job("evaluate cat") == "success"
    found = review.outputs()
    assert (
        json.loads(found["matrix"])["include"][0].items() >= {"name": "cat", "folder": "models/cat"}.items()
    )
    assert (found["evaluate"], found["models"], found["artifacts"]) == ("true", "1", "mlci-report-*")
    assert sorted(path.name for path in review.run.artifact("").iterdir()) == ["mlci-plan", "mlci-report-cat"]


# ---- the verdict, in every place ----


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ("better", "warned", 0, "Passed with warnings"),
        ("worse", "failed", 1, "Do not merge"),
        ("unclear", "inconclusive", 0, "unclear"),
    ],
)
def test_the_verdict_is_the_same_in_report_summary_comment_and_outputs(
    reviews: Reviews, change: str, status: str, code: int, words: str
) -> None:
    review = reviews.of(change)
    assert review.report("cat")["status"] == status
    assert review.run.code == code
    assert review.run.job("evaluate cat") == ("failure" if code else "success")
    assert review.run.job("report") == "success"
    assert words.lower() in review.run.summary.lower()
    assert words.lower() in review.comment.lower()
    assert review.comment.startswith("<!-- mlci:report:mlci -->\n")
    commented = review.run.outputs("comment")
    assert (commented["verdict"], commented["exit-code"], commented["posted"]) == (status, str(code), "true")
    assert commented["comment-url"].startswith("http")
    if not code:  # act runs no job of the caller after a workflow that failed
        found = review.outputs()
        assert (found["verdict"], found["exit-code"]) == (status, str(code))
        assert found["comment-url"] == commented["comment-url"]


def test_weaker_rules_are_told_first_and_do_not_count(reviews: Reviews) -> None:
    review = reviews.of("worse")
    line = next(line for line in review.comment.splitlines() if line.startswith("#"))
    assert "Weakens the policy" in line
    assert "no-worse-than 0.02 → 0.05" in review.run.summary
    policy = review.report("cat")["policy"]
    assert (policy["source"], policy["commit"]) == ("base", review.pull.base)


def test_the_next_push_updates_the_comment(reviews: Reviews) -> None:
    review = reviews.of("better")  # as the push after `worse`
    assert reviews.of("worse").comment != review.comment
    assert "Do not merge" not in review.comment
    assert [request.method for request in review.written()] == ["PATCH"]
    assert [request.method for request in reviews.of("worse").written()] == ["POST"]


# ---- what goes wrong ----


def test_without_event_and_token_everything_is_evaluated_and_nothing_breaks(reviews: Reviews) -> None:
    pull = reviews.monorepo.pull_request("better", workflow("      folder: models/cat\n"))
    review = reviews.run(pull, payload={}, token=None)
    assert review.run.code == 0, review.run.log
    assert review.run.job("evaluate cat") == "success"
    assert any("comment not posted" in item.message for item in review.run.annotations)
    assert "everything is evaluated" in review.run.summary


def test_a_server_that_is_down_does_not_look_like_a_bad_model(reviews: Reviews) -> None:
    pull = reviews.monorepo.pull_request("better", workflow("      tracking-uri: http://127.0.0.1:9\n"))
    review = reviews.run(pull)
    assert review.run.job("evaluate cat") == "failure"
    assert review.run.outputs("mlci")["exit-code"] == "4"
    assert "Not evaluated" in review.comment
    assert "Do not merge" not in review.comment
    assert review.run.outputs("comment")["exit-code"] == "4"


@pytest.mark.parametrize(
    ("option", "job", "message"),
    [
        ("folder: models/dog", "plan", "models/dog"),
        ("mlci-environment: projct", "evaluate cat", "MLCI_SETUP_ENVIRONMENT is 'projct', not one of"),
        ("set: train.tiemout=3", "evaluate cat", "did you mean 'timeout'?"),
        ("prepare: exit 3", "evaluate cat", ""),
    ],
)
def test_a_wrong_input_is_named_and_red(reviews: Reviews, option: str, job: str, message: str) -> None:
    pull = reviews.monorepo.pull_request("better", workflow(f"      {option}\n"))
    review = reviews.run(pull)
    assert review.run.code == 1
    assert review.run.job(job) == "failure"
    assert message in review.run.log
    assert not any("Passed" in body for body in review.forge.bodies())


# ---- forks ----


@pytest.fixture(scope="module")
def forked(reviews: Reviews) -> Review:
    """The run of a fork's pull request, whose token reads only."""
    pull = reviews.monorepo.pull_request("better", workflow(), fork=True)
    return reviews.run(pull, may_write=False)


def test_a_fork_is_judged_and_told_who_comments(forked: Review) -> None:
    assert forked.run.code == 0, forked.run.log
    assert forked.forge.bodies() == []
    warning = next(item for item in forked.run.annotations if "comment not posted" in item.message)
    assert warning.level == "warning"
    assert "workflow_run" in warning.message
    commented = forked.run.outputs("comment")
    assert (commented["verdict"], commented["posted"]) == ("warned", "false")
    assert "Passed with warnings" in forked.run.summary


def test_the_second_half_comments_for_a_fork(reviews: Reviews, forked: Review) -> None:
    review = reviews.comment_for_fork(forked)
    assert review.run.code == 0, review.run.log
    assert review.comment.startswith("<!-- mlci:report:mlci -->\n")
    assert "Passed with warnings" in review.comment
    assert review.run.outputs("comment")["verdict"] == "warned"


def test_a_forged_report_does_not_become_a_good_verdict(reviews: Reviews, forked: Review) -> None:
    """The fork's own run may have written anything: neither its words nor its links are taken over."""
    kept = forked.run.kept.with_name("forged")
    shutil.copytree(forked.run.kept, kept)
    forged = reviews.of("worse").report("cat")
    forged["headline"] = "Passed: everything is fine [click](https://evil.example) @everyone"
    forged["provenance"] |= {"run_url": "https://evil.example/run", "commit": "f" * 40, "reason": "the board"}
    (kept / "artifacts/mlci-report-cat/report.json").write_text(json.dumps(forged), "utf-8")
    review = reviews.comment_for_fork(replace(forked, run=replace(forked.run, kept=kept)))
    assert "Do not merge" in review.comment
    for text in ("everything is fine", "evil.example", "ffffff", "@everyone", "the board"):
        assert text not in review.comment


def test_the_second_half_leaves_pull_requests_of_the_repository_alone(reviews: Reviews) -> None:
    review = reviews.comment_for_fork(reviews.of("worse"), head_repository="acme/churn")
    assert "comment" not in " ".join(job for job, result in review.run.jobs.items() if result == "success")
    assert review.forge.requests == []
