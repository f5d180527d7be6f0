"""A tiny project, and `mlci` as a user starts it: a process of its own in a clean environment."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import mlci as package
from mlci.core.results import StageResult

HOME = Path(package.__file__).parents[1]
STAGES = ["validate-data", "train", "compare-to-baseline", "package", "deploy"]

CONFIG: dict[str, Any] = {
    "project": "tiny",
    "data": {"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"},
    "validate-data": {"expectations": [{"type": "expect_column_values_to_not_be_null", "column": "key"}]},
    "train": {"estimator": "sklearn.linear_model.LogisticRegression", "cross-validation": 0},
    "compare-to-baseline": {"gates": [{"metric": "accuracy", "at-least": 0.6}]},
    "package": {"name": "tiny"},
    "deploy": {"target": "registry"},
}


def rows(count: int, first_key: int) -> str:
    """Return a CSV in which the label follows from two columns, but for some noise."""
    chance = random.Random(first_key)
    lines = ["key,a,b,region,label"]
    for number in range(count):
        label = chance.randrange(2)
        a, b = chance.gauss(2 * label, 1), chance.gauss(-label, 1)
        lines.append(f"{first_key + number},{a:.4f},{b:.4f},{chance.choice('NS')},{label}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said; `text` is all of it, without line breaks and bars."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of both streams; those of the user's own program begin with a bar."""
        return [*self.out.splitlines(), *self.err.splitlines()]

    @property
    def text(self) -> str:
        """Everything that was printed, as one line: the report wraps long sentences."""
        return " ".join((self.out + "\n" + self.err).split())

    def refused(self, code: str, exit_code: int, *phrases: str, hint: bool = True) -> None:
        """Assert that it ended with this error, its sentence and a way out, and without a traceback."""
        assert f"error[{code}]" in self.text, self
        assert self.code == exit_code, self
        assert "hint: " in self.text or not hint, self
        assert not any(line.startswith("Traceback") for line in self.lines), self
        for phrase in phrases:
            assert phrase in self.text, (phrase, self)


@dataclass
class Project:
    """A project folder."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        """The output folder."""
        return self.root / "mlci-out"

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def configure(self, **sections: Any) -> Project:
        """Write mlci.yaml: the usual one, with these sections (`_` for `-`) replaced, or left out by None."""
        config = {**CONFIG, **{name.replace("_", "-"): value for name, value in sections.items()}}
        kept = {name: value for name, value in config.items() if value is not None}
        self.write("mlci.yaml", yaml.safe_dump(kept, sort_keys=False, allow_unicode=True))
        return self

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start `mlci` in the project's folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "mlci", *arguments],
            cwd=self.root,
            env=environment(self.root) | self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def mlci(self, *arguments: str, timeout: float = 180, **variables: str) -> Done:
        """Run `mlci` to its end."""
        child = self.start(*arguments, **variables)
        try:
            out, err = child.communicate(timeout=timeout)
        finally:
            if child.poll() is None:
                child.kill()
                child.communicate()
        return Done(child.returncode, out, err)

    def run_program(self, name: str, **variables: str) -> None:
        """Run a Python program of the project by hand."""
        done = subprocess.run(
            [sys.executable, name],
            cwd=self.root,
            env=environment(self.root) | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def result(self, stage: str) -> StageResult | None:
        """Return the result of a stage in the output folder; None where there is none."""
        path = self.out / f"{stage}.json"
        return StageResult.model_validate_json(path.read_bytes()) if path.exists() else None

    def passed(self, stage: str) -> bool:
        """Return whether a stage's result stands and is not an error."""
        found = self.result(stage)
        return found is not None and found.error is None

    def nothing_half_written(self) -> None:
        """Assert that what is in the output folder is whole, and that no verdict outlives its files."""
        if not self.out.is_dir():
            return
        hidden = [path.name for path in self.out.rglob(".*") if path.name != ".gitignore"]
        assert hidden == [], hidden
        for stage in STAGES:
            found = self.result(stage)
            for artifact in found.artifacts if found is not None and found.error is None else []:
                assert (self.out / artifact.path).exists(), artifact.path
        report = self.out / "report.json"
        if report.exists():
            for told in json.loads(report.read_text("utf-8"))["stages"]:
                found = self.result(told["stage"])
                assert found is None or told["status"] in (found.status.value, "skipped"), told["stage"]

    def copy(self, folder: Path) -> Project:
        """Return a copy of the project, results included."""
        shutil.copytree(self.root, folder, symlinks=True)
        return Project(folder)


def environment(root: Path) -> dict[str, str]:
    """Return the variables that a process needs, and nothing of those that this one has."""
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(HOME),
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def make(root: Path) -> Project:
    """Make the tiny project."""
    project = Project(root)
    project.write("data/train.csv", rows(120, 0))
    project.write("data/evaluate.csv", rows(120, 1000))
    return project.configure()


# A program that predicts without any library: the label follows from the sign of a column.
PREDICTS = """\
import csv, os
with open(os.environ["MLCI_DATA_EVALUATE"]) as stream:
    rows = list(csv.DictReader(stream))
with open("predictions.csv", "w") as stream:
    stream.write("key,prediction\\n")
    stream.writelines(f"{row['key']},{int(float(row['a']) > 1)}\\n" for row in rows)
"""


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(folder.name)] = int(fields[1])
    return found


def descendants(pid: int) -> set[int]:
    """Return the living processes that `pid` has started, directly or not."""
    parents = _parents()
    found: set[int] = set()
    while True:
        more = {child for child, parent in parents.items() if parent in found | {pid}} - found
        if not more:
            return found
        found |= more


def alive(pids: set[int], seconds: float = 3.0) -> set[int]:
    """Return those of `pids` that are still there after some seconds."""
    end = time.monotonic() + seconds
    while (left := pids & set(_parents())) and time.monotonic() < end:
        time.sleep(0.05)
    return left


@dataclass
class Stopped:
    """A run that was sent a signal: what it said, what it had started, and how far it had come."""

    done: Done
    children: set[int]


def stop(child: subprocess.Popen[str], mark: str, number: signal.Signals, delay: float) -> Stopped:
    """Send a signal when a line with `mark` stands on standard error, `delay` seconds later."""
    assert child.stderr is not None
    said: list[str] = []
    for line in child.stderr:
        said.append(line)
        if mark in line:
            break
    time.sleep(delay)
    children = descendants(child.pid)
    child.send_signal(number)
    try:
        out, err = child.communicate(timeout=60)
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    return Stopped(Done(child.returncode, out, "".join(said) + err), children)
