"""What a shell sees: exit codes, error texts, and no traceback lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Mlci = Callable[..., subprocess.CompletedProcess[str]]

BROKEN_STAGE = """\
from mlci.core.inputs import Inputs
from mlci.core.stage import Stage


class BrokenInputs(Inputs):
    \"\"\"Nothing.\"\"\"


def parts(inputs, context):
    if (context.root / "break-parts").exists():
        raise ZeroDivisionError("in parts", "hidden-value")
    return {}


def run(inputs, context):
    if (context.root / "interrupt").exists():
        exec("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    raise ZeroDivisionError("the planted mistake, token=hidden-value")


stage = Stage("broken", "Break.", BrokenInputs, parts, run)
"""


@pytest.fixture
def broken_stage(tmp_path: Path, project: Path) -> Path:
    """A stage of a third party that raises what nobody expects."""
    (tmp_path / "acme_broken.py").write_text(BROKEN_STAGE)
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mlci.stages]\nbroken = acme_broken:stage\n")
    return project


def test_an_error_has_a_code_a_way_out_and_a_page(mlci: Mlci) -> None:
    done = mlci("explain", "data.lable")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error[config.unknown-key]: there is no key 'data.lable'\n"
        "hint: did you mean 'label'?\n"
        "more: mlci explain config.unknown-key\n"
    )


def test_debug_shows_the_traceback(mlci: Mlci) -> None:
    for done in (mlci("plan", "--set", "a", "--debug"), mlci("plan", "--set", "a", MLCI_DEBUG="1")):
        assert done.returncode == 2
        assert "Traceback (most recent call last)" in done.stderr
        assert "error[usage]: --set a: write KEY=VALUE" in done.stderr
    assert "Traceback" not in mlci("plan", "--set", "a").stderr


def test_usage_errors_end_with_2(mlci: Mlci) -> None:
    assert mlci("nothing").returncode == 2
    assert mlci("plan", "--nothing").returncode == 2


def test_a_third_partys_stage_is_a_command(mlci: Mlci, broken_stage: Path) -> None:
    done = mlci("list", "stages")
    assert done.returncode == 0
    assert "broken" in done.stdout.split()
    assert mlci("broken", "--help").returncode == 0


def test_a_mistake_in_a_stage_is_a_bug_with_its_whole_traceback(mlci: Mlci, broken_stage: Path) -> None:
    done = mlci("broken", MY_TOKEN="hidden-value")
    assert done.returncode == 70
    assert "error[bug]: ZeroDivisionError: the planted mistake" in done.stdout
    assert "please report this" in done.stdout
    text = (broken_stage / ".mlci" / "bug.txt").read_text()
    assert "acme_broken.py" in text
    assert "the planted mistake" in text
    assert "hidden-value" not in text + done.stdout + done.stderr
    assert (broken_stage / "mlci-out" / "broken.json").exists()


def test_a_mistake_outside_a_stage_prints_a_text_to_report(mlci: Mlci, broken_stage: Path) -> None:
    (broken_stage / "break-parts").touch()
    (broken_stage / "mlci.yaml").write_text("broken: {}\n")
    done = mlci("plan", MY_TOKEN="hidden-value")
    assert done.returncode == 70
    assert "error[bug]: ZeroDivisionError: ('in parts', '***')" in done.stderr
    assert "Please report this" in done.stderr
    assert "acme_broken.py" in done.stderr
    assert "Traceback (most recent call last)" in done.stderr
    assert "hidden-value" not in done.stderr


def test_a_plug_in_that_cannot_be_loaded_is_named(mlci: Mlci, broken_stage: Path, tmp_path: Path) -> None:
    (tmp_path / "acme_broken.py").write_text("import no_such_module_anywhere\n")
    done = mlci("plan")
    assert done.returncode == 3
    assert "error[package.missing]: stage 'broken' of package 'acme' cannot be loaded" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_text_cannot_be_a_command_of_the_ci_system(mlci: Mlci, project: Path) -> None:
    done = mlci("explain", "data.label", "--set", "data.label\n::add-mask::x=1")
    assert done.returncode == 2
    assert not [line for line in done.stderr.splitlines() if line.lstrip().startswith("::")]


def test_no_arguments_show_help(mlci: Mlci) -> None:
    done = mlci()
    assert done.returncode in (0, 2)
    assert "Usage" in done.stdout + done.stderr


def test_variables_stand_for_options(mlci: Mlci, project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mlci.yaml").write_text("project: other\n")
    assert 'project = "other"' in mlci("explain", "project", MLCI_CONFIG=str(other)).stdout
    assert 'project = "fresh"' in mlci("explain", "project", "-c", ".", MLCI_CONFIG=str(other)).stdout
    done = mlci("explain", "train.seed", MLCI_TRAIN_SEED="5")
    assert done.stdout.startswith("train.seed = 5\nfrom: variable MLCI_TRAIN_SEED\n")


def test_an_interrupt_inside_executed_text_ends_with_our_code(mlci: Mlci, broken_stage: Path) -> None:
    (broken_stage / "interrupt").touch()  # as when Ctrl-C meets an import that makes a dataclass
    done = mlci("broken")
    assert done.returncode == 130, done.stderr
    assert "error[interrupted]" in done.stderr
