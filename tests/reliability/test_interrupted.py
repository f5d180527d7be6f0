"""Ctrl-C, SIGTERM and SIGKILL at any moment: nothing half-written, nothing left running, and a rerun that ends well."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import PREDICTS, STAGES, Project, Stopped, alive, make

Stop = Callable[..., Stopped]

SLEEPS = """\
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("working", flush=True)
time.sleep(600)
"""


def from_stage(project: Project, stage: str) -> Project:
    """Forget the results of a stage and of those after it."""
    for name in STAGES[STAGES.index(stage) :]:
        (project.out / f"{name}.json").unlink()
    return project


def results(project: Project) -> dict[str, object]:
    """Return what a run found, without times, run ids and the bytes of files."""
    found: dict[str, object] = {}
    for stage in STAGES:
        result = project.result(stage)
        assert result is not None, stage
        checks = [(check.name, check.status, check.word) for check in result.checks]
        found[stage] = (result.status, checks, [(metric.name, metric.value) for metric in result.metrics])
    return found


def size(file: Path) -> int:
    """Return the size of a file that comes and goes."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def was_interrupted(project: Project, stop: Stopped) -> None:
    """Assert that a run ended as an interrupted one does."""
    assert stop.done.code == 130, stop.done
    assert "error[interrupted]" in stop.done.text
    assert "Traceback" not in stop.done.text
    assert alive(stop.children) == set()
    project.nothing_half_written()
    assert not (project.out / "report.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "number"),
    [(stage, [signal.SIGINT, signal.SIGTERM][at % 2]) for at, stage in enumerate(STAGES)],
    ids=lambda value: getattr(value, "name", value),
)
def test_an_interrupted_stage_leaves_nothing_and_the_next_run_goes_on(
    finished: Project, stopped: Stop, stage: str, number: signal.Signals
) -> None:
    from_stage(finished, stage)
    moment = random.uniform(0.02, 0.35)
    stop = stopped(finished.start("run", "--until", stage), f"• {stage}:", number, moment)
    was_interrupted(finished, stop)
    broken = finished.result(stage)
    assert broken is not None, moment
    assert broken.error is not None, moment
    assert broken.error.code == "interrupted"
    again = finished.mlci("run", "--until", stage)
    assert again.code == 0, again
    for before in STAGES[: STAGES.index(stage)]:
        assert f"{before}: skipped, nothing it depends on has changed" in again.err
    assert finished.passed(stage)
    finished.nothing_half_written()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_command_is_ended_with_all_that_it_started(
    program: Callable[..., Project], stopped: Stop, number: signal.Signals
) -> None:
    project = program(SLEEPS)
    stop = stopped(project.start("run"), "working", number, random.uniform(0, 0.3))
    assert len(stop.children) >= 3  # the shell, the program, the program's child
    was_interrupted(project, stop)
    assert (project.out / "train.log").read_text() == "working\n"


def test_a_second_interruption_does_not_leave_a_stubborn_program_behind(
    program: Callable[..., Project], stopped: Stop
) -> None:
    project = program("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPS)
    child = project.start("run")
    again = threading.Timer(
        3.0, child.send_signal, [signal.SIGINT]
    )  # while the first one waits for the program
    again.start()
    start = time.monotonic()
    stop = stopped(child, "working", signal.SIGINT, 0.1)
    again.join()
    assert 2.5 < time.monotonic() - start < 5
    assert stop.done.code == 130, stop.done
    assert alive(stop.children) == set()


@pytest.mark.slow
def test_a_run_interrupted_again_and_again_ends_like_an_undisturbed_one(
    finished_once: Project, tmp_path: Path, stopped: Stop
) -> None:
    project = make(tmp_path / "project")
    codes = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        stop = stopped(project.start("run"), ":", number, random.uniform(0, 4))
        codes.append(stop.done.code)
        assert stop.done.code in (0, 130), stop.done
        assert "Traceback" not in stop.done.text, stop.done
        assert alive(stop.children) == set()
        project.nothing_half_written()
    assert project.mlci("run").code == 0
    assert results(project) == results(finished_once), codes
    project.nothing_half_written()


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_that_the_next_one_trips_over(
    finished_once: Project, tmp_path: Path, stopped: Stop
) -> None:
    project = make(tmp_path / "project")
    left: list[str] = []
    for mark in ("| record the run", "• package:", "| fetch the registered"):
        stop = stopped(project.start("run"), mark, signal.SIGKILL, random.uniform(0, 0.6))
        assert stop.done.code == -signal.SIGKILL, (mark, stop.done)
        left += [path.name for path in project.out.glob(".*") if path.name != ".gitignore"]
    assert left != [], "no moment was inside a stage, so this proves nothing"
    done = project.mlci("run")
    assert done.code == 0, done
    assert results(project) == results(finished_once)
    project.nothing_half_written()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_store_that_was_only_half_made_is_made_again(
    program: Callable[..., Project], number: signal.Signals
) -> None:
    """MLflow cannot go on with some of its tables: the first run makes them all, or none that count."""
    project = program(PREDICTS, predictions="predictions.csv")
    child = project.start("train")
    files = [project.root / ".mlci" / "mlflow" / name for name in ("mlflow.db", ".mlflow.db.part")]
    while child.poll() is None and not any(size(file) > 120_000 for file in files):
        time.sleep(0.005)
    child.send_signal(number)
    child.communicate(timeout=60)
    assert child.returncode in (130, -number)
    again = project.mlci("train")
    assert again.code == 0, again


def test_leftovers_are_told_from_files_of_the_user(finished: Project) -> None:
    """A killed process cannot tidy up; the next run does, and touches nothing that is not mlci's own."""
    leftovers = [
        ".train.ab12cd_9/model/model.skops",
        ".train.ab12cd_9~/x",
        ".report.json.zzzzzzzz",
        ".deploy.json.12345678",
    ]
    kept = [".notes.whatever", ".train.mine", "notes.txt", ".train.ab12cd_9.bak"]
    for name in [*leftovers, *kept]:
        finished.write(f"mlci-out/{name}", "left")
    assert finished.mlci("run").code == 0
    assert [name for name in leftovers if (finished.out / name).exists()] == []
    assert [name for name in kept if not (finished.out / name).exists()] == []


def test_no_old_verdict_stands_while_a_new_one_is_made(finished: Project, stopped: Stop) -> None:
    assert json.loads((finished.out / "report.json").read_text())["status"] == "warned"
    finished.write("train.py", SLEEPS)
    finished.configure(train={"command": "python train.py"})
    stop = stopped(finished.start("run"), "working", signal.SIGKILL, 0)
    assert stop.done.code == -signal.SIGKILL
    assert finished.result("train") is None
    assert [
        name for name in ("report.json", "report.md", "junit.xml") if (finished.out / name).exists()
    ] == []
