"""A disk that fills up, and folders that cannot be written: said in words, and nothing is half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import PREDICTS, Done, Project, environment

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
LEAVES_NO_ROOM = """
import shutil
with open("ballast", "wb", buffering=0) as stream:
    while shutil.disk_usage(".").free:
        stream.write(bytes(min(shutil.disk_usage(".").free, 4096)))
"""


def on_small_disk(project: Project, kilobytes: int, script: str, keep: Path) -> Done:
    """Run a shell script in a copy of the project on a disk of this size; what is left is copied to `keep`."""
    whole = f"""
        mkdir -p "$DISK" && mount -t tmpfs -o size={kilobytes}k tmpfs "$DISK"
        cp -a "$PROJECT/." "$DISK" && cd "$DISK" || exit 99
        {script}
        code=$?
        cp -a "$DISK" "$KEEP"
        exit $code
    """
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", whole],
        env=environment(project.root)
        | {"DISK": str(project.root.parent / "disk"), "PROJECT": str(project.root), "KEEP": str(keep)}
        | {"MLCI": f"{sys.executable} -m mlci"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def limited(project: Project, largest: int, *arguments: str) -> Done:
    """Run `mlci` where no file may grow beyond so many bytes."""
    program = (
        f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, {largest}))\n"
    )
    program += f"sys.argv = ['mlci', *{list(arguments)!r}]; runpy.run_module('mlci', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.root, env=environment(project.root),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@AS_ROOT
def test_a_disk_that_is_full_before_the_run_is_said_so(project: Project, tmp_path: Path) -> None:
    project.write("fill.py", LEAVES_NO_ROOM)
    done = on_small_disk(project, 400, "python fill.py; $MLCI run", tmp_path / "kept")
    done.refused("disk.full", 4, "no room left", "free some space")
    Project(tmp_path / "kept").nothing_half_written()


@AS_ROOT
def test_a_disk_that_fills_up_during_the_training_keeps_earlier_results(
    project: Project, tmp_path: Path
) -> None:
    project.configure(
        train={"command": "python train.py", "predictions": "predictions.csv"}, validate_data={}
    )
    project.write("train.py", PREDICTS + LEAVES_NO_ROOM + "print('x' * 9999)\n")
    script = "$MLCI validate-data && cp mlci-out/validate-data.json before && $MLCI run"
    done = on_small_disk(project, 2000, script, tmp_path / "kept")
    done.refused("disk.full", 4, "no room left", "free some space")
    kept = Project(tmp_path / "kept")
    assert (kept.out / "validate-data.json").read_bytes() == (kept.root / "before").read_bytes()
    assert not kept.passed("train")
    kept.nothing_half_written()


@AS_ROOT
def test_a_training_program_that_finds_the_disk_full_is_not_a_bad_program(
    project: Project, tmp_path: Path
) -> None:
    project.write("train.py", PREDICTS + "\nopen('big', 'wb').write(bytes(9_000_000))\n")
    project.configure(
        train={"command": "python train.py", "predictions": "predictions.csv"}, validate_data=None
    )
    done = on_small_disk(project, 2000, "$MLCI run", tmp_path / "kept")
    done.refused("disk.full", 4, "No space left on device", "free some space")
    Project(tmp_path / "kept").nothing_half_written()


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["train", "package"])
def test_a_limit_on_the_size_of_files_is_said_so(finished: Project, stage: str) -> None:
    before = {
        name: (finished.out / f"{name}.json").read_bytes()
        for name in ("validate-data", "compare-to-baseline")
    }
    largest = {"train": 1200, "package": 5000}[stage]
    done = limited(finished, largest, stage, "--force")
    done.refused("disk.full", 4, "no room left", "free some space")
    assert not finished.passed(stage)
    assert {name: (finished.out / f"{name}.json").read_bytes() for name in before} == before
    finished.nothing_half_written()


@pytest.mark.parametrize("name", ["mlci-out", ".mlci", "mlci-out/train"])
def test_a_file_where_a_folder_is_needed_is_named(program: Callable[..., Project], name: str) -> None:
    project = program(PREDICTS, predictions="predictions.csv")
    blocked = project.write(name, "in the way")
    done = project.mlci("run")
    done.refused("files.denied", 4, name, "in the way")
    assert blocked.read_text() == "in the way"


@AS_ROOT
@pytest.mark.parametrize(
    "script",
    [
        "mount -o remount,ro . && $MLCI run",
        "mkdir mlci-out && mount --bind mlci-out mlci-out && mount -o remount,bind,ro mlci-out && $MLCI run",
        "mkdir .mlci && mount --bind .mlci .mlci && mount -o remount,bind,ro .mlci && $MLCI run",
    ],
    ids=["the whole project", "mlci-out", ".mlci"],
)
def test_a_folder_that_is_read_only_is_named(project: Project, tmp_path: Path, script: str) -> None:
    project.configure(
        train={"command": "python train.py", "predictions": "predictions.csv"}, validate_data={}
    )
    project.write("train.py", PREDICTS)
    on_small_disk(project, 2000, script, tmp_path / "kept").refused(
        "files.denied", 4, "may not be read or written"
    )
