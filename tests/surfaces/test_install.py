"""The one test that lets an action really install mlci, from the toolkit as a runner downloads it."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from act_runner import Act
from surface_tools import make_machine
from surface_tree import export
from test_hostile import repository

from mlci import __version__

pytestmark = [pytest.mark.surfaces, pytest.mark.slow]

WORKFLOW = """\
name: ml
on: push
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: |
          python3 -m venv .venv
          echo "$PACKAGES" > "$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/packages.pth"
      - uses: acme/mlci/actions/setup@v1
        with: {mlci-python: .venv/bin/python}
      - run: |
          mlci --version
          .venv/bin/python -P -c 'import mlci; print(f"it is in {mlci.__file__}")'
          command -v mlci
      - id: ml
        uses: acme/mlci/actions/train@v1
        with: {mlci-python: .venv/bin/python}
"""


def test_mlci_is_installed_into_the_projects_environment(tmp_path: Path) -> None:
    """The environment has what mlci depends on, as a project's may; the checkout of the action has no .git."""
    machine = make_machine(tmp_path / "home")
    (machine.commands / "mlci").unlink()
    root = repository(machine, tmp_path / "user", {".github/workflows/ml.yml": WORKFLOW})
    toolkit = export(tmp_path / "toolkit")
    packages = {"PACKAGES": sysconfig.get_path("purelib")}
    run = Act(machine, toolkit, tmp_path / "act").run(root, variables=packages)
    assert f"mlci {__version__}" in run.log
    assert "/.venv/lib/" in run.log.split("it is in ")[1].splitlines()[0]
    assert "/command/mlci" in run.log
    # The tiny project trains nothing: that mlci says so shows that it runs.
    assert "error[" in run.step_log("ml")
    assert run.job("gate") == "failure"
