"""`mlci comment` as a job calls it: what is posted, handed on and printed, and that its exit code stays 0."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from fake_forge import ACTIONS, FakeForge
from forge_jobs import GITLAB_TOKEN, ROOT, TOKEN, Mlci, Side, event_file

from mlci.core.names import kebab
from mlci.core.results import Check, Policy, PolicyChange, Provenance, Report, StageResult
from mlci.core.status import Status, worst


def make_report(project: str = "churn", status: Status = Status.FAILED, **more: Any) -> Report:
    stage = StageResult(
        stage="compare-to-baseline",
        status=status,
        reason=f"reason of {project}",
        checks=[] if status is Status.SKIPPED else [Check(name="recall", status=status, message="m")],
    )
    config = more.pop("config", None)
    values = {
        "id": project,
        "project": project,
        "status": worst([status]),
        "headline": f"headline of {project}",
        "stages": [stage],
        "provenance": Provenance(commit="a" * 40, config=config),
        "created": "2026-01-01T00:00:00Z",
        "tool": "mlci 0",
    }
    return Report(**values | more)


def write_report(folder: Path, report: Report) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_text(report.model_dump_json())
    return path


def write_plan(folder: Path, *projects: str, untouched: tuple[str, ...] = ()) -> Path:
    rows = [
        {
            "project": name, "name": name, "folder": f"models/{name}", "config": f"models/{name}/mlci.yaml",
            "evaluate": name not in untouched, "why": "w", "stages": [],
        }
        for name in (*projects, *untouched)
    ]  # fmt: skip
    plan = {
        "schema_version": "1.1",
        "base": None,
        "evaluate": bool(projects),
        "why": "only docs",
        "projects": rows,
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(plan))
    return path


def outputs(variables: dict[str, str]) -> dict[str, str]:
    text = Path(variables["GITHUB_OUTPUT"]).read_text()
    return dict(re.findall(r"^([\w-]+)<<(?:\w+)\n(.*?)\nmlci_", text, re.M))


def test_a_verdict_is_posted_and_handed_on(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    path = write_report(tmp_path / "work" / "mlci-out", make_report())
    done = mlci("comment", **github_variables)
    assert (done.returncode, done.stderr) == (0, "")
    (comment,) = forge.comments
    assert comment.body.startswith("<!-- mlci:report:churn -->\n### ❌ headline of churn\n")
    url = f"https://forge.example.org/acme/churn/pull/7#issuecomment-{comment.id}"
    assert done.stdout == f"comment added: the first one {url}\n"
    assert outputs(github_variables) == {
        "verdict": "failed", "exit-code": "1", "posted": "true", "comment-url": url,
    }  # fmt: skip
    assert (path.parent / "comment.md").read_text() == comment.body
    write_report(path.parent, make_report(status=Status.PASSED))
    again = mlci("comment", str(path.parent), **github_variables)
    assert again.stdout == f"comment updated: in place {url}\n"
    assert len(forge.comments) == 1


def test_gitlab_needs_no_token_and_says_that_nothing_was_posted(
    forge: FakeForge, mlci: Mlci, gitlab_variables: dict[str, str], tmp_path: Path
) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report())
    done = mlci("comment", **gitlab_variables)
    assert done.returncode == 0
    assert (
        "comment added: the first one https://forge.example.org/acme/churn/-/merge_requests/7#note_"
        in done.stdout
    )
    del gitlab_variables["MLCI_GITLAB_TOKEN"]
    without = mlci("comment", CI_JOB_TOKEN="job-token", **gitlab_variables)
    assert (without.returncode, without.stdout) == (0, "")
    assert without.stderr == (
        "warning: comment not posted: there is no token for merge request notes; let MLCI_GITLAB_TOKEN hold a "
        "token of the project with scope `api`; the job's own cannot write notes\n"
    )
    assert len(forge.comments) == 1
    branch = mlci("comment", **{**gitlab_variables, "CI_MERGE_REQUEST_IID": ""})
    assert branch.stderr == "warning: comment not posted: this pipeline is not for a merge request\n"


def test_a_merge_request_from_a_fork_is_discussed_where_it_goes(side: Side) -> None:
    if side.name == "github":
        side = Side("github", side.forge, ACTIONS, side.variables)
    side.variables |= {"CI_MERGE_REQUEST_PROJECT_ID": "55"}
    side.client().comments(7)
    paths = {request.path for request in side.forge.requests}
    assert paths <= {"/api/v4/projects/55/merge_requests/7/notes", "/repos/acme/churn/issues/7/comments"}


def test_on_a_machine_of_your_own_the_text_is_written(mlci: Mlci, tmp_path: Path) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report())
    done = mlci("comment", "--id", "mine")
    assert done.returncode == 0
    assert done.stderr == "warning: comment not posted: this is no job of GitHub or GitLab\n"
    text = (tmp_path / "work" / "mlci-out" / "comment.md").read_text()
    assert text.startswith("<!-- mlci:report:mine -->\n")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"GITHUB_TOKEN": ""},
            "the step has no GITHUB_TOKEN; pass it on in the step's env: `GITHUB_TOKEN: ${{",
        ),
        ({"GITHUB_EVENT_PATH": "/nowhere"}, "the event of this run cannot be read"),
        ({"GITHUB_API_URL": ""}, "GITHUB_API_URL and GITHUB_REPOSITORY are not set"),
        ({"GITHUB_TOKEN": "wrong"}, "the token is not valid, 401"),
        (
            {"GITHUB_TOKEN": "read-only"},
            "(Resource not accessible by integration); add `permissions: {pull-requests",
        ),
    ],
)
def test_a_comment_that_cannot_be_posted_is_one_warning(
    forge: FakeForge,
    mlci: Mlci,
    github_variables: dict[str, str],
    tmp_path: Path,
    change: dict[str, str],
    why: str,
) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report())
    done = mlci("comment", **github_variables | change)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith("::warning title=mlci::comment not posted: ")
    assert why in line
    assert done.stderr == ""
    assert outputs(github_variables)["posted"] == "false"
    assert outputs(github_variables)["verdict"] == "failed"
    assert (tmp_path / "work" / "mlci-out" / "comment.md").exists()


def test_a_run_without_a_pull_request_says_so(
    mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report())
    event = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": event_file(tmp_path, {"ref": "refs/heads/main"}),
    }
    done = mlci("comment", **github_variables | event)
    assert "this run is not for a pull request (event push)" in done.stdout
    assert done.returncode == 0


def test_a_planted_token_appears_nowhere(forge: FakeForge, mlci: Mlci, side: Side, tmp_path: Path) -> None:
    """Not even when the report or the forge itself says it."""
    token = TOKEN if side.name == "github" else GITLAB_TOKEN
    report = make_report().model_copy(update={"headline": f"{'x' * 280} leaks {token}"})
    write_report(tmp_path / "work" / "mlci-out" / "a", report)
    write_report(tmp_path / "work" / "mlci-out" / "b", make_report(token, Status.PASSED))
    plan = write_plan(tmp_path, untouched=(token,))
    said = ""
    for message in (None, f"bad token {token}\n::error::{token}"):
        if message:
            forge.fail_next(403, message=message, times=9)
        done = mlci("comment", "mlci-out", "--plan", str(plan), "--debug", **side.variables)
        assert done.returncode == 0
        said += done.stdout + done.stderr
    assert "bad token ***" in said
    assert "\n::error" not in said
    files = [path for path in tmp_path.rglob("*") if path.name in ("comment.md", "outputs")]
    everything = "".join([said, *(path.read_text() for path in files), *forge.bodies()])
    for part in (token, token[:12], token.replace("_", "\\_")):
        assert part not in everything
    assert "leaks \\*\\*\\*" in forge.bodies()[0]
    assert "not touched by this change: \\*\\*\\*" in forge.bodies()[0] or "change: ***" in forge.bodies()[0]


def test_several_models_make_one_comment(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    policy = Policy(
        source="base",
        digest="d",
        changes=[PolicyChange(key="deploy.target", effect="weaker", message="a → b")],
    )
    write_report(work / "in" / "a" / "mlci-out", make_report("a", Status.PASSED, policy=policy))
    write_report(work / "in" / "b" / "mlci-out", make_report("b", Status.PASSED))
    plan = write_plan(work, "a", "b", "c", untouched=("d",))
    done = mlci("comment", "in", "--plan", str(plan), **github_variables)
    assert done.returncode == 0, done.stderr
    (body,) = forge.bodies()
    lines = body.split("\n")
    assert lines[0] == "<!-- mlci:report:models -->"
    assert lines[1] == (
        "### 🛑 a: Weakens the policy (deploy.target: a → b; judged by the rules of the base). "
        "Not evaluated: 1 of 3 models could not be evaluated"
    )
    assert "| c | 🛑 not evaluated |" in body
    assert "not touched by this change: d" in body
    assert body.rstrip().endswith("<sub>[run](https://forge.example.org/acme/churn/actions/runs/42)</sub>")
    assert outputs(github_variables)["verdict"] == "errored"
    assert outputs(github_variables)["exit-code"] == "3"


def test_the_comment_of_a_repository_keeps_its_name_when_one_model_is_left(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    """Else the comment about two models would stand beside a new one about one of them."""
    work = tmp_path / "work"
    write_report(work / "in" / "a", make_report("a", Status.PASSED))
    mlci("comment", "in", "--plan", str(write_plan(work, "a", "b")), **github_variables)
    mlci("comment", "in", "--plan", str(write_plan(work, "a", untouched=("b",))), **github_variables)
    (body,) = forge.bodies()
    assert body.startswith("<!-- mlci:report:models -->\n### ✅ headline of a\n")


def test_models_of_one_name_are_told_apart_by_their_folder(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    for folder in ("x", "y"):
        write_report(work / folder, make_report("a", Status.PASSED, config=f"models/{folder}/mlci.yaml"))
    assert mlci("comment", "x", "y", **github_variables).returncode == 0
    assert "| a (models/x) |" in forge.bodies()[0]
    assert "| a (models/y) |" in forge.bodies()[0]


def test_nothing_to_evaluate_updates_and_never_adds(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    plan = str(write_plan(tmp_path / "work", untouched=("churn",)))
    done = mlci("comment", "--plan", plan, "--id", "churn", **github_variables)
    assert done.stdout.startswith("no comment: nothing was evaluated")
    assert (done.returncode, forge.comments) == (0, [])
    assert outputs(github_variables) == {
        "verdict": "skipped", "exit-code": "0", "posted": "false", "comment-url": "",
    }  # fmt: skip
    forge.add(7, ACTIONS, "<!-- mlci:report:churn -->\n### ✅ Passed: churn")
    mlci("comment", "--plan", plan, "--id", "churn", **github_variables)
    assert "### ⏭️ Nothing to evaluate\n\nonly docs" in forge.bodies()[0]
    write_report(tmp_path / "work" / "mlci-out", make_report(status=Status.SKIPPED))
    forge.comments[0].body = "<!-- mlci:report:churn -->\n### ✅ Passed: churn"
    mlci("comment", **github_variables)
    assert "### ⏭️ headline of churn" in forge.bodies()[0]


def test_modes_are_options(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report(status=Status.PASSED))
    quiet = mlci("comment", "--mode", "only-on-change", **github_variables)
    assert quiet.stdout.startswith("no comment: all is well")
    for _ in range(2):
        mlci("comment", "--mode", "new", **github_variables)
    assert len(forge.comments) == 2
    wrong = mlci("comment", "--mode", "sometimes", **github_variables)
    assert wrong.returncode == 2
    assert (
        "error[usage]: there is no mode 'sometimes'\nhint: one of: update, only-on-change, new"
        in wrong.stderr
    )


def test_empty_options_count_as_not_given(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report())
    done = mlci("comment", "", "--plan", "", "--id", "", "--mode", "", **github_variables)
    assert done.returncode == 0, done.stderr
    assert forge.bodies()[0].startswith("<!-- mlci:report:churn -->")


def test_report_and_lines_of_reports(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_report(tmp_path / "work" / f"{name} 1", make_report(name))
    assert mlci("comment", "a 1\nb 1/report.json\n", **github_variables).returncode == 0
    assert "2 of 2 models failed" in forge.bodies()[0]


def test_a_report_that_cannot_be_read_is_an_error_and_never_a_pass(
    forge: FakeForge, mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    missing = mlci("comment", **github_variables)
    assert missing.returncode == 3
    assert "error[report.unreadable]" in missing.stderr
    empty = tmp_path / "work" / "empty"
    empty.mkdir()
    assert "there is no report.json in 'empty'" in mlci("comment", "empty", **github_variables).stderr
    assert forge.comments == []
    write_report(tmp_path / "work" / "in" / "good", make_report("good", Status.PASSED))
    (tmp_path / "work" / "in" / "bad").mkdir()
    (tmp_path / "work" / "in" / "bad" / "report.json").write_text("{")
    done = mlci("comment", "in", **github_variables)
    assert done.returncode == 3
    assert "error[report.unreadable]: 'report.json' is damaged" in done.stderr
    assert "### 🛑 Not evaluated: 1 of 2 models could not be evaluated" in forge.bodies()[0]
    assert outputs(github_variables)["verdict"] == "errored"


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": "9.0"}', '{"schema_version": "1.1"}'])
def test_a_plan_that_cannot_be_read(
    mlci: Mlci, github_variables: dict[str, str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "work" / "plan.json").write_text(text)
    done = mlci("comment", "--plan", "plan.json", **github_variables)
    assert done.returncode == 3
    assert "error[report.unreadable]: the plan 'plan.json' cannot be read" in done.stderr
    assert mlci("comment", "--plan", "none.json", **github_variables).returncode == 3


def test_untrusted_is_for_the_event_that_it_is_for(
    mlci: Mlci, github_variables: dict[str, str], tmp_path: Path
) -> None:
    write_report(tmp_path / "work" / "mlci-out", make_report())
    done = mlci("comment", "--untrusted", **github_variables)
    assert done.returncode == 2
    assert "error[usage]: --untrusted is for GitHub jobs of the event workflow_run" in done.stderr


LIST_MODULES = """\
import atexit, json, sys
from pathlib import Path
out = sys.argv.pop(1)
atexit.register(lambda: Path(out).write_text(json.dumps(sorted({name.partition(".")[0] for name in sys.modules}))))
from mlci.cli import main
main()
"""


@pytest.mark.parametrize("event", ["pull_request", "workflow_run"])
def test_a_comment_needs_nothing_but_the_light_lock(
    forge: FakeForge, github_variables: dict[str, str], tmp_path: Path, event: str
) -> None:
    """Jobs that comment install requirements/plan.txt and nothing else."""
    work = tmp_path / "work"
    write_report(work / "mlci-out", make_report())
    if event == "workflow_run":
        run = {"head_sha": "a" * 40, "event": "pull_request", "head_branch": "feature"}
        run["head_repository"] = {"owner": {"login": "acme"}, "full_name": "acme/churn"}
        github_variables["GITHUB_EVENT_PATH"] = event_file(tmp_path, {"workflow_run": run})
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, str(tmp_path / "modules.json"), "comment"],
        cwd=work,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **github_variables,
            "GITHUB_EVENT_NAME": event,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "comment added" in done.stdout, done.stdout + done.stderr
    loaded = set(json.loads((tmp_path / "modules.json").read_text())) - set(sys.stdlib_module_names)
    owners = packages_distributions()
    # setuptools puts a module of its own into every process that it is installed for
    needed = {kebab(name).lower() for module in loaded for name in owners.get(module, ())} - {
        "mlci",
        "setuptools",
    }
    lock = (ROOT / "requirements" / "plan.txt").read_text()
    assert "requests" in needed
    assert needed <= set(re.findall(r"^([a-z0-9-]+)==", lock, re.M))
