"""Two runs in one checkout at the same time: one works, the other waits or says that it may not."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from tiny_project import Project

SLEEPS = "import time\nprint('working', flush=True)\ntime.sleep(600)\n"


@pytest.mark.slow
def test_the_second_run_says_that_another_one_is_at_work(program: Callable[..., Project]) -> None:
    project = program(SLEEPS)
    first = project.start("run")
    try:
        assert first.stderr is not None
        assert any("working" in line for line in first.stderr)
        planned = project.mlci("plan")
        assert planned.code == 0, planned
        assert "train run" in planned.text
        second = project.mlci("run")
        second.refused("run.locked", 4, "another mlci run is at work in 'project'", "git worktree add")
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGTERM)
        out, _ = first.communicate(timeout=60)
    assert first.returncode == 130, out
    project.nothing_half_written()


def test_a_short_run_is_waited_for(finished: Project) -> None:
    both = [finished.start("run"), finished.start("run")]
    for child in both:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, (out, err)
    finished.nothing_half_written()


def test_the_lock_of_a_killed_run_does_not_last(program: Callable[..., Project]) -> None:
    project = program(SLEEPS, timeout=0.5)
    first = project.start("run")
    assert first.stderr is not None
    assert any("working" in line for line in first.stderr)
    first.kill()
    first.communicate()
    project.mlci("run").refused("train.timeout", 3)
    project.nothing_half_written()
