"""What a fork's run left behind is data: hostile files do nothing, and what counts is asked of the forge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from fake_forge import ACTIONS, FakeForge, PullRequest
from forge_jobs import Mlci, event_file
from test_comment_command import make_report, outputs, write_plan, write_report

from mlci.core.results import Check, Policy, PolicyChange, Provenance, Report, StageResult
from mlci.core.status import Status
from mlci.policy import digest

HEAD, BASE = "a" * 40, "b" * 40
GATES = "compare-to-baseline: {{gates: [{{metric: recall, no-worse-than: {limit}}}]}}\n"
CONFIG = "project: churn\ndata: {train: t.csv, evaluate: e.csv, label: y}\n" + GATES.format(limit=0.02)
WEAKER = CONFIG.replace("0.02", "0.2")
Ended = subprocess.CompletedProcess[str]


def run_event(**changes: Any) -> dict[str, Any]:
    run = {
        "head_sha": HEAD,
        "head_branch": "feature",
        "event": "pull_request",
        "html_url": "https://forge.example.org/acme/churn/actions/runs/41",
        "head_repository": {"full_name": "stranger/churn", "owner": {"login": "stranger"}},
        "pull_requests": [],
    }
    return {"workflow_run": run | changes}


@pytest.fixture
def mlci(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Mlci:
    """The command in this process: there are many hostile things, and each would need a start of its own."""
    from mlci.cli.app import run_app

    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments: str, **given: str) -> Ended:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        before = signal.getsignal(signal.SIGTERM)
        capfd.readouterr()
        try:
            with patch.dict(os.environ, kept | given, clear=True), patch("sys.argv", ["mlci", *arguments]):
                run_app()
        except SystemExit as ended:
            text = capfd.readouterr()
            return Ended(arguments, int(ended.code or 0), text.out, text.err)
        finally:
            signal.signal(signal.SIGTERM, before)
        raise AssertionError("the command did not end")

    return run


@pytest.fixture
def fork(forge: FakeForge) -> FakeForge:
    """A pull request from a fork that changes no rules."""
    forge.pulls[7] = PullRequest(head_repository="stranger/churn")
    for commit in (HEAD, BASE, "main"):
        forge.contents["mlci.yaml", commit] = CONFIG
    return forge


@pytest.fixture
def variables(fork: FakeForge, github_variables: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return github_variables | {
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": event_file(tmp_path, run_event()),
    }


def judged(status: Status = Status.PASSED, text: str = CONFIG, **more: Any) -> Report:
    policy = Policy(source="base", commit=BASE, digest=digest(text))
    return make_report(status=status, policy=policy, config="mlci.yaml", **more)


def artifact(tmp_path: Path, report: Report | None = None) -> Path:
    return write_report(tmp_path / "work" / "artifact", report or judged())


def test_a_fork_gets_its_comment(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    artifact(tmp_path)
    done = mlci("comment", "artifact", "--untrusted", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    (body,) = fork.bodies()
    assert body.startswith("<!-- mlci:report:churn -->\n### ✅ Passed: churn\n")
    assert "rules of base commit bbbbbbb" in body
    assert outputs(variables)["posted"] == "true"


def test_a_job_for_the_event_trusts_nothing_even_when_not_told(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    artifact(tmp_path, judged(headline="✅ forged", text=CONFIG))
    assert mlci("comment", "artifact", **variables).returncode == 0
    assert "forged" not in fork.bodies()[0]


def test_verdict_links_and_origin_are_made_anew(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    check = Check(name="recall", status=Status.FAILED, message="worse", url="https://evil.example.org/x")
    stage = StageResult(
        stage="compare-to-baseline", status=Status.PASSED, reason="all is well", checks=[check]
    )
    forged = judged(
        headline="Passed: everything",
        stages=[stage],
        provenance=Provenance(
            commit="e" * 40, ref="main", run_url="https://evil.example.org/run", config="mlci.yaml"
        ),
    )
    artifact(tmp_path, forged)
    mlci("comment", "artifact", "--untrusted", **variables)
    (body,) = fork.bodies()
    assert "### ❌ Do not merge: churn failed compare-to-baseline" in body
    assert "Passed: everything" not in body
    assert "evil.example.org" not in body
    assert "commit aaaaaaa" in body
    assert "[job](https://forge.example.org/acme/churn/actions/runs/41)" in body
    assert outputs(variables)["verdict"] == "failed"
    assert outputs(variables)["exit-code"] == "1"


def posted(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, report: Report | None = None
) -> str:
    artifact(tmp_path, report)
    done = mlci("comment", "artifact", "--untrusted", **variables)
    assert done.returncode == 0, done.stderr
    assert len(fork.comments) == 1, done.stdout
    return fork.bodies()[0]


def first_line(body: str) -> str:
    return body.split("\n")[1]


def test_a_weakened_policy_is_said_in_line_one(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.contents["mlci.yaml", HEAD] = WEAKER
    fork.pulls[7].files = [{"filename": "mlci.yaml", "status": "modified"}]
    body = posted(fork, mlci, variables, tmp_path)
    assert first_line(body) == (
        "### ✅ Weakens the policy (recall: no-worse-than 0.02 → 0.2; judged by the rules of the base). Passed: churn"
    )


def test_a_report_that_names_no_change_is_not_believed(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    """Nor one that invents changes, or judges by the weakened rules."""
    fork.contents["mlci.yaml", HEAD] = WEAKER
    fork.pulls[7].files = [{"filename": "mlci.yaml", "status": "modified"}]
    policy = Policy(
        source="base",
        digest=digest(WEAKER),
        changes=[PolicyChange(key="x", effect="stronger", message="invented")],
    )
    body = posted(
        fork, mlci, variables, tmp_path, make_report(status=Status.PASSED, policy=policy, config="mlci.yaml")
    )
    line = first_line(body)
    assert line.startswith(
        "### ✅ Judged by other rules than those of the base. Weakens the policy (recall: "
    )
    assert "judged by the rules of the base)" not in line
    assert "invented" not in body


@pytest.mark.parametrize(
    "policy", [None, Policy(source="base", digest=""), Policy(source="base", digest="0" * 64)]
)
def test_a_report_without_the_bases_digest_was_judged_by_other_rules(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, policy: Policy | None
) -> None:
    body = posted(fork, mlci, variables, tmp_path, make_report(status=Status.PASSED, policy=policy))
    assert first_line(body) == "### ✅ Judged by other rules than those of the base. Passed: churn"


def test_rules_of_another_project_are_not_those_of_this_one(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    lenient = CONFIG.replace("project: churn", "project: example").replace("0.02", "0.9")
    fork.contents["examples/mlci.yaml", BASE] = lenient
    policy = Policy(source="base", digest=digest(lenient))
    report = make_report(status=Status.PASSED, policy=policy, config="examples/mlci.yaml")
    assert "Judged by other rules" in first_line(posted(fork, mlci, variables, tmp_path, report))


@pytest.mark.parametrize("path", ["new/mlci.yaml", "../../../user", "/etc/passwd", "a/./b", "x" * 2000])
def test_a_configuration_that_the_base_does_not_have(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, path: str
) -> None:
    report = judged().model_copy(update={"provenance": Provenance(config=path)})
    line = first_line(posted(fork, mlci, variables, tmp_path, report))
    assert line == "### ✅ Judged by rules that the base does not have. Passed: churn"
    assert {request.path.split("/contents/")[0] for request in fork.requests} <= {
        "/repos/acme/churn", "/repos/acme/churn/pulls", "/repos/acme/churn/pulls/7/files", "/user",
        "/repos/acme/churn/issues/7/comments",
    }  # fmt: skip


def test_rules_of_the_branch_that_is_ahead_of_the_base_count_too(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    stronger = CONFIG.replace("0.02", "0.01")
    fork.contents["mlci.yaml", "main"] = stronger
    body = posted(fork, mlci, variables, tmp_path, judged(text=stronger))
    assert first_line(body) == "### ✅ Passed: churn"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"filename": "mlci.yaml", "status": "removed"}, "the file is removed"),
        (
            {"filename": "old.yaml", "previous_filename": "mlci.yaml", "status": "renamed"},
            "the file is removed",
        ),
        ({"filename": "m/mlci.yaml", "previous_filename": "mlci.yaml", "status": "renamed"}, "0.02 → 0.2"),
    ],
)
def test_a_removed_or_moved_configuration_is_seen(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, file: dict[str, Any], said: str
) -> None:
    fork.contents["m/mlci.yaml", HEAD] = WEAKER
    fork.pulls[7].files = [file]
    assert said in first_line(posted(fork, mlci, variables, tmp_path))


def test_a_configuration_in_a_folder_is_seen_without_a_report_of_it(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    other = CONFIG.replace("project: churn", "project: fraud")
    fork.contents["models/fraud/mlci.yaml", BASE] = other
    fork.contents["models/fraud/mlci.yaml", HEAD] = other.replace("0.02", "0.2")
    fork.pulls[7].files = [{"filename": f"f{number}", "status": "added"} for number in range(250)] + [
        {"filename": "models/fraud/mlci.yaml", "status": "modified"}
    ]
    line = first_line(posted(fork, mlci, variables, tmp_path))
    assert (
        "Weakens the policy (models/fraud: compare-to-baseline.gates.recall: no-worse-than 0.02 → 0.2" in line
    )
    fork.comments.clear()
    write_report(tmp_path / "work" / "artifact" / "b", judged(project="b"))
    mlci("comment", "artifact", "--untrusted", **variables)
    assert "Weakens the policy (models/fraud: " in first_line(fork.bodies()[0])


def test_line_one_of_several_models_says_by_which_rules_each_was_judged(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    artifact(tmp_path)
    for number, name in enumerate(("b", "c", "d", "e")):
        report = make_report(name, Status.PASSED, config=f"{name}/mlci.yaml" if number else "mlci.yaml")
        write_report(tmp_path / "work" / "artifact" / name, report)
    mlci("comment", "artifact", "--untrusted", **variables)
    assert first_line(fork.bodies()[0]) == (
        "### ✅ b: judged by other rules than those of the base. c, d, e: judged by rules that the base does "
        "not have. Passed: 5 models"
    )


@pytest.mark.parametrize("reports", [1, 2])
def test_more_changes_than_can_be_compared_are_said(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, reports: int
) -> None:
    """They keep no comment away: an old verdict would be left standing."""
    fork.pulls[7].files = [{"filename": f"m{number}/mlci.yaml", "status": "modified"} for number in range(51)]
    for number in range(51):
        for commit in (HEAD, BASE):
            fork.contents[f"m{number}/mlci.yaml", commit] = CONFIG
    artifact(tmp_path)
    if reports == 2:
        write_report(tmp_path / "work" / "artifact" / "again", judged())
    mlci("comment", "artifact", "--untrusted", **variables)
    assert "More files are changed than can be compared" in first_line(fork.bodies()[0])


def test_a_linked_configuration_whose_target_is_weakened_is_seen(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.contents["mlci.yaml", HEAD] = WEAKER
    fork.pulls[7].files = [{"filename": "rules.yaml", "status": "modified"}]
    assert "Weakens the policy (recall" in first_line(posted(fork, mlci, variables, tmp_path))


@pytest.mark.parametrize("text", ["\x00", "gates: [", "x" * 10, "compare-to-baseline: 3"])
def test_a_configuration_that_cannot_be_read_any_more_is_said(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, text: str
) -> None:
    fork.contents["mlci.yaml", HEAD] = text
    fork.pulls[7].files = [{"filename": "mlci.yaml", "status": "modified"}]
    assert "Weakens the policy (mlci.yaml: it cannot be read any more" in first_line(
        posted(fork, mlci, variables, tmp_path)
    )


def test_changed_data_and_workflows_are_listed(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.pulls[7].files = [
        {"filename": "e.csv.dvc", "status": "modified"},
        {"filename": ".github/workflows/ml.yml", "status": "modified"},
    ]
    body = posted(fork, mlci, variables, tmp_path)
    assert "the evaluation data are changed" in first_line(body)
    assert ".github/workflows/ml.yml: the workflow that runs the gates is changed" in body


def not_posted(fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path) -> str:
    artifact(tmp_path)
    done = mlci("comment", "artifact", "--untrusted", **variables)
    assert done.returncode == 0
    assert fork.written() == []
    assert outputs(variables)["posted"] == "false"
    assert (tmp_path / "work" / "mlci-out" / "comment.md").exists()
    return done.stdout


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"event": "push"}, "the run was not for a pull request (event push)"),
        ({"head_sha": "c" * 40}, "commit ccccccc is outdated: the pull request has a newer one"),
        ({"head_sha": "../../x"}, "the event names no run of another workflow"),
        (
            {"head_sha": "c" * 40, "head_branch": "gone"},
            "no open pull request has commit ccccccc as its head",
        ),
    ],
)
def test_a_run_without_its_pull_request_gets_no_comment(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    variables["GITHUB_EVENT_PATH"] = event_file(tmp_path, run_event(**changes))
    assert why in not_posted(fork, mlci, variables, tmp_path)


def test_a_closed_pull_request_gets_no_comment(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.pulls[7].state = "closed"
    assert "no open pull request" in not_posted(fork, mlci, variables, tmp_path)


def test_a_commit_of_two_pull_requests_gets_no_comment(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.pulls[8] = PullRequest(number=8, head_repository="stranger/churn")
    assert "is the head of several pull requests (#7, #8)" in not_posted(fork, mlci, variables, tmp_path)


def test_a_deleted_fork_is_found_by_its_commit(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.pulls[7].head_repository = None
    variables["GITHUB_EVENT_PATH"] = event_file(tmp_path, run_event(head_repository=None))
    assert first_line(posted(fork, mlci, variables, tmp_path)) == "### ✅ Passed: churn"


def test_an_older_commit_of_the_branch_is_outdated(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.pulls[7] = PullRequest(head="d" * 40, older_heads=[HEAD], head_repository="stranger/churn")
    assert "commit aaaaaaa is outdated" in not_posted(fork, mlci, variables, tmp_path)


def test_rules_that_cannot_be_asked_for_mean_no_comment(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    fork.pulls[7].files = [{"filename": "mlci.yaml", "status": "modified"}]
    fork.fail_next(403, path="contents")
    assert "add `permissions: {contents: read}` to the job" in not_posted(fork, mlci, variables, tmp_path)
    del fork.contents["mlci.yaml", BASE]  # what a token without the right to read is told
    assert "mlci.yaml at bbbbbbb cannot be read" in not_posted(fork, mlci, variables, tmp_path)


def damaged(text: str | bytes) -> Any:
    def write(path: Path) -> None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def linked(path: Path) -> None:
    target = path.parent.parent / "secret.json"
    target.write_text(judged().model_dump_json())
    path.symlink_to(target)


def deep(path: Path) -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    tree = json.loads(judged().model_dump_json())
    tree["stages"][0]["details"] = {"x": value}
    path.write_text(json.dumps(tree))


def with_stages(path: Path) -> None:
    stage = judged().stages[0]
    report = judged().model_copy(update={"stages": [stage] * 51})
    path.write_text(report.model_dump_json())


HOSTILE = {
    "a link": (linked, "is a link, or may not be read"),
    "a pipe": (os.mkfifo, "is not a plain file"),
    "too large": (damaged('{"a": "' + "x" * (4 << 20) + '"}'), "is larger than 4 MB"),
    "half": (damaged('{"schema_version": "1.1", '), "is not JSON"),
    "very deep": (damaged("[" * 200_000), "is not JSON, or nested too deep"),
    "deep": (deep, "is nested more than 40 times"),
    "a list": (damaged("[]"), "is not a JSON object"),
    "no text": (damaged(b"\xff\xfe{}"), "is not JSON"),
    "another major": (damaged('{"schema_version": "2.0"}'), "has schema version 2.0, this mlci reads 1.1"),
    "a version of 1 MB": (damaged(json.dumps({"schema_version": "9" * 100_000})), "has schema version 9999"),
    "unknown fields": (damaged(judged().model_dump_json()[:-1] + ', "more": 1}'), "is no report of schema"),
    "a verdict that its stages do not have": (
        damaged(judged(Status.FAILED).model_dump_json().replace('"failed","headline"', '"passed","headline"')),
        "is no report of schema",
    ),
    "many stages": (with_stages, "has more than 50 stages"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path, name: str
) -> None:
    make, why = HOSTILE[name]
    folder = tmp_path / "work" / "artifact"
    folder.mkdir(parents=True)
    make(folder / "report.json")
    done = mlci("comment", "artifact", "--untrusted", **variables)
    assert done.returncode == 3
    assert f"error[report.unreadable]: 'report.json' {why}" in done.stderr
    assert len(done.stderr) < 1000
    assert fork.written() == []


def test_one_hostile_file_does_not_hide_the_rest(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    artifact(tmp_path)
    bad = tmp_path / "work" / "artifact" / "bad"
    bad.mkdir()
    (bad / "report.json").symlink_to("/etc/passwd")
    done = mlci("comment", "artifact", "--untrusted", **variables)
    assert done.returncode == 3
    assert "Not evaluated: 1 of 2 models could not be evaluated" in first_line(fork.bodies()[0])


def test_linked_folders_are_not_entered(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    artifact(tmp_path)
    outside = tmp_path / "outside"
    write_report(outside, judged(Status.FAILED, project="other"))
    (tmp_path / "work" / "artifact" / "link").symlink_to(outside)
    (tmp_path / "work" / "artifact" / "circle").symlink_to(tmp_path / "work")
    mlci("comment", "artifact", "--untrusted", **variables)
    assert first_line(fork.bodies()[0]) == "### ✅ Passed: churn"


def test_more_than_anybody_needs_is_refused(tmp_path: Path) -> None:
    from mlci.comments.untrusted import MOST_CHECKS, MOST_REPORTS, read_untrusted
    from mlci.core.errors import MlciError

    for number in range(MOST_REPORTS + 1):
        write_report(tmp_path / "many" / f"{number}", make_report())
    with pytest.raises(MlciError, match="more than 256 reports"):
        read_untrusted([tmp_path / "many"])
    (tmp_path / "entries").mkdir()
    check = Check(name="c", status=Status.PASSED, message="m")
    stage = StageResult(stage="s", status=Status.PASSED, reason="r", checks=[check] * 12_000)
    for number in range(MOST_CHECKS // 12_000 + 1):
        write_report(tmp_path / "checks" / f"{number}", judged(stages=[stage]))
    with pytest.raises(MlciError, match="too large together"):
        read_untrusted([tmp_path / "checks"])


def test_a_hostile_plan_is_refused(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    artifact(tmp_path)
    plan = write_plan(tmp_path / "work", *(f"p{number}" for number in range(300)))
    assert "plans more than 256 projects" in mlci("comment", "--plan", str(plan), **variables).stderr
    link = tmp_path / "work" / "link.json"
    link.symlink_to(write_plan(tmp_path, "churn"))
    done = mlci("comment", "--plan", "link.json", "artifact", **variables)
    assert done.returncode == 3
    assert "is a link" in done.stderr
    assert fork.comments == []


def test_a_planned_model_without_a_report_is_not_evaluated(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    plan = write_plan(tmp_path / "work", "churn")
    done = mlci("comment", "artifact", "--plan", str(plan), **variables)
    assert done.returncode == 0, done.stderr
    assert first_line(fork.bodies()[0]) == "### 🛑 Not evaluated: 1 of 1 models could not be evaluated"


def test_hostile_text_stays_text(
    fork: FakeForge, mlci: Mlci, variables: dict[str, str], tmp_path: Path
) -> None:
    name = "x --> <script>alert(1)</script> @team\n::error::x\n[a](https://evil.example.org) ![b](https://evil.example.org)"
    stage = StageResult(stage=name, status=Status.FAILED, reason=name)
    artifact(tmp_path, judged(Status.FAILED, id=name, project=name, headline=name, stages=[stage]))
    done = mlci("comment", "artifact", "--untrusted", **variables)
    (body,) = fork.bodies()
    assert "<script" not in body
    assert "https://evil" not in body
    assert "@team" not in body
    assert body.count("-->") == 1
    assert "\n::" not in body + done.stdout + done.stderr
    assert fork.comments[0].author == ACTIONS
