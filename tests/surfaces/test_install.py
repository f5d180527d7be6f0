"""Actions that really install mlci, from the toolkit as a runner downloads it, on a machine with nothing but Python."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
from act_runner import Act
from surface_tools import index_settings, make_bare_machine
from surface_tree import export
from test_hostile import repository

from mlci import __version__

pytestmark = [pytest.mark.surfaces, pytest.mark.slow]

HEAD = """\
name: ml
on: push
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
"""
PROJECT = (
    HEAD
    + """\
      - run: |
          python3 -m venv .venv
          echo "$PACKAGES" > "$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/packages.pth"
      - uses: acme/mlci/actions/setup@v1
        with: {environment: project}
      - run: |
          mlci --version
          .venv/bin/python -P -c 'import mlci; print(f"it is in {mlci.__file__}")'
          command -v mlci
          env | grep -c ^MLCI || echo no variable of ours is left behind
      - id: ml
        uses: acme/mlci/actions/train@v1
"""
)
APART = (
    HEAD
    + """\
      - id: plan
        uses: acme/mlci/actions/plan@v1
      - run: |
          python=$(echo "$RUNNER_TEMP"/mlci-*/light/bin/python)
          "$python" -c 'import importlib.metadata as m; [print(f"has=={i.name}") for i in m.distributions()]'
          command -v mlci || echo no command is left behind
      - id: setup
        uses: acme/mlci/actions/setup@v1
      - run: echo "$(mlci --version) from $(command -v mlci)"
      - id: ml
        uses: acme/mlci/actions/train@v1
"""
)
HEAVY = ("mlflow", "scikit-learn", "great-expectations", "pandas", "numpy", "dvc", "scipy", "pyarrow")


def test_mlci_is_installed_into_the_projects_environment(tmp_path: Path) -> None:
    """The environment has what mlci depends on, as a project's may; the checkout of the action has no .git."""
    machine = make_bare_machine(tmp_path / "home")
    root = repository(machine, tmp_path / "user", {".github/workflows/ml.yml": PROJECT})
    toolkit = export(tmp_path / "toolkit")
    packages = {"PACKAGES": sysconfig.get_path("purelib")}
    run = Act(machine, toolkit, tmp_path / "act").run(root, variables={**packages, **index_settings()})
    assert f"mlci {__version__}" in run.log, run.log
    assert "/.venv/lib/" in run.log.split("it is in ")[1].splitlines()[0]
    assert "/command/mlci" in run.log
    assert "no variable of ours is left behind" in run.log
    # The tiny project trains nothing: that mlci says so shows that it runs, in what setup chose.
    assert "error[" in run.step_log("ml")
    assert "Install mlci" not in run.step_log("ml")
    assert run.job("gate") == "failure"


def test_light_and_isolated_environments_are_apart_and_packages_are_kept(tmp_path: Path) -> None:
    """The locked packages of a whole mlci are those of a light one here: the way is the same and the wait is not."""
    machine = make_bare_machine(tmp_path / "home")
    (machine.commands / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    root = repository(machine, tmp_path / "user", {".github/workflows/ml.yml": APART})
    toolkit = export(tmp_path / "toolkit")
    shutil.copy(toolkit / "requirements/plan.txt", toolkit / "requirements/main.txt")
    act = Act(machine, toolkit, tmp_path / "act")
    first = act.run(root, payload={}, variables=index_settings(), kept=tmp_path / "kept")
    assert first.outputs("plan")["evaluate"] == "true", first.log
    packages = {line.split("==")[1] for line in first.log.splitlines() if line.startswith("has==")}
    assert {"pydantic", "typer"} <= packages
    assert not packages & set(HEAVY)
    assert "no command is left behind" in first.log
    assert f"mlci {__version__} from " in first.log
    assert "/command/mlci" in first.log
    assert "error[" in first.step_log("ml")
    (kept,) = (tmp_path / "kept/caches").glob("mlci-packages-*")
    assert (kept / "0/bin/python").exists()
    assert not list(kept.rglob("mlci-*.dist-info"))
    second = act.run(root, payload={}, variables=index_settings(), kept=tmp_path / "kept")
    assert second.outputs("setup")["cache-hit"] == "true"
    assert "Install what mlci needs" in first.text
    assert "Install what mlci needs" not in second.text
    assert f"mlci {__version__} from " in second.log
