"""Measures `mlci run` side by side with the same work written by hand, and a run with nothing to do with DVC's.

Cases on a copy of examples/quickstart, interleaved, medians over the rounds: cold (nothing there yet), warm
(a champion is there, a parameter has changed), unchanged. By hand the comparison is a paired bootstrap by
scipy, or (point) bare values without any interval, which is less work than mlci does. Unchanged is
measured against `dvc repro` saying that the same stages are up to date.
Usage: python bench/overhead.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "quickstart"
PIPELINE = """
stages:
  validate: {cmd: "true", deps: [data/train.csv, data/evaluate.csv]}
  train: {cmd: "echo 1 > model", deps: [data/train.csv], outs: [model]}
  compare: {cmd: "echo 1 > verdict", deps: [model, data/evaluate.csv], outs: [verdict]}
  package: {cmd: "echo 1 > package", deps: [model, verdict], outs: [package]}
  deploy: {cmd: "echo 1 > deployed", deps: [package], outs: [deployed]}
"""


def timed(command: list[str], folder: Path) -> float:
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**variables, "DVC_NO_ANALYTICS": "1", "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return seconds


def fresh(parent: Path, name: str) -> Path:
    folder = parent / name
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".mlci", "mlci-out"))
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "b"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def change_a_parameter(folder: Path) -> None:
    file = folder / "mlci.yaml"
    text = file.read_text()
    patched = subprocess.run(["patch", "-p1", "-s", "-i", "changes/pass.patch"], cwd=folder, check=False)
    if patched.returncode or file.read_text() == text:
        sys.exit("changes/pass.patch does not apply to mlci.yaml")


def dvc_project(parent: Path, name: str) -> Path:
    folder = fresh(parent, name)
    (folder / "dvc.yaml").write_text(PIPELINE)
    timed([sys.executable, "-m", "dvc", "init", "-q"], folder)
    timed([sys.executable, "-m", "dvc", "repro", "-q"], folder)
    return folder


def round_(parent: Path, number: int) -> dict[str, tuple[float, float]]:
    mlci = [sys.executable, "-m", "mlci", "run"]
    script = str(ROOT / "bench" / "direct.py")
    folders = {name: fresh(parent, f"{name}-{number}") for name in ("mlci", "interval", "point")}
    commands = {
        "mlci": mlci,
        "interval": [sys.executable, script, str(folders["interval"])],
        "point": [sys.executable, script, str(folders["point"]), "--point"],
    }
    order = list(commands)[number % 3 :] + list(commands)[: number % 3]
    found = {}
    for case in ("cold", "warm"):
        seconds = {name: timed(commands[name], folders[name]) for name in order}
        found[case] = (seconds["mlci"], seconds["interval"])
        found[f"{case}, point"] = (seconds["mlci"], seconds["point"])
        if case == "cold":
            for folder in folders.values():
                shutil.rmtree(folder / "direct-model", ignore_errors=True)
                change_a_parameter(folder)
    dvc = dvc_project(parent, f"dvc-{number}")
    found["unchanged"] = (timed(mlci, folders["mlci"]), timed([sys.executable, "-m", "dvc", "repro"], dvc))
    return found


OTHERS = {
    "cold": "the libraries called directly, bootstrap by scipy",
    "cold, point": "the same without any interval",
    "warm": "the libraries called directly, bootstrap by scipy",
    "warm, point": "the same without any interval",
    "unchanged": "dvc repro, up to date",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        found = [round_(Path(folder), number) for number in range(rounds)]
    print(f"{'case':<12} {'mlci s':>8} {'other s':>8} {'ratio':>6}   other is")
    for case, other in OTHERS.items():
        ours = statistics.median(one[case][0] for one in found)
        theirs = statistics.median(one[case][1] for one in found)
        print(f"{case:<12} {ours:8.2f} {theirs:8.2f} {ours / theirs:6.2f}   {other}")


if __name__ == "__main__":
    main()
