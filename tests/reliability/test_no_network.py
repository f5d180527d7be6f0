"""A default run talks to nobody: no connection, no look-up of a name, in no process that it starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import HOME, Project, environment

QUICKSTART = HOME / "examples" / "quickstart"
SITE = """\
import json, os, sys
def note(event, arguments):
    if event == "socket.connect":
        where = arguments[1]
    elif event == "socket.getaddrinfo":
        where = list(arguments[:2])
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        where = [arguments[0]]
    else:
        return
    with open(os.environ["NETWORK"], "a") as stream:
        stream.write(json.dumps([event, where if isinstance(where, str) else list(map(str, where))]) + "\\n")
sys.addaudithook(note)
with open(os.environ["NETWORK"], "a") as stream:
    stream.write(json.dumps(["started", sys.argv[:1]]) + "\\n")
"""
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "1"}


def beyond_this_machine(events: list[list[object]]) -> list[list[object]]:
    """Return the events that are neither a local socket nor the loopback address."""
    near = ("127.0.0.1", "::1", "localhost", "None", "")
    return [
        [event, where]
        for event, where in events
        if event != "started" and not isinstance(where, str) and str(where[0]) not in near  # type: ignore[index] # lists
    ]


@pytest.mark.slow
def test_a_whole_run_makes_no_attempt_to_reach_anything(tmp_path: Path) -> None:
    shutil.copytree(QUICKSTART, tmp_path / "project", ignore=shutil.ignore_patterns("mlci-out", ".mlci"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE)
    project = Project(tmp_path / "project")
    fewer = ["--set", "train.params.n_estimators=10", "--set", "train.cross-validation=2"]
    done = project.mlci("run", *fewer, PYTHONPATH=f"{site}:{HOME}", NETWORK=str(tmp_path / "network"))
    assert done.code == 0, done
    events = [json.loads(line) for line in (tmp_path / "network").read_text().splitlines()]
    assert sum(event == "started" for event, _ in events) >= 3  # mlci itself and two that score
    assert beyond_this_machine(events) == []


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
def test_a_whole_run_passes_without_any_network(project: Project) -> None:
    done = subprocess.run(
        ["unshare", "--net", "/bin/sh", "-c", f"ip link set lo up 2>/dev/null; exec {sys.executable} -m mlci run"],
        cwd=project.root, env=environment(project.root), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert "Deployed" in done.stdout


def test_the_tools_that_are_called_are_told_not_to_report_home(program: Callable[..., Project]) -> None:
    names = sorted(QUIET)
    project = program(f"import os\nfor name in {names!r}:\n    print(name, os.environ.get(name))\n")
    done = project.mlci("train")
    assert [
        line.removeprefix("  | ")
        for line in done.err.splitlines()
        if line.removeprefix("  | ").startswith(tuple(names))
    ] == [f"{name} {QUIET[name]}" for name in names]
