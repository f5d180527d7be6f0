"""A project in a folder of its own, used as its owner would: with `mlci`, `git` and `dvc` as programs."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlci.core.files import files_below, sha256_file
from mlci.trackers.mlflow import tracker

EXAMPLES = Path(__file__).parents[2] / "examples"
_NOT_OURS = ("MLCI_", "MLFLOW_", "GITHUB_", "GITLAB_", "CI_", "GIT_", "DVC_")
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "A Tester", "EMAIL": "tester@example.org"}.items()
}


def environment() -> dict[str, str]:
    """The variables of a plain terminal: what a CI system or another test has set is left out."""
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(_NOT_OURS) and name != "CI"
    }
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "DVC_NO_ANALYTICS": "1"}
    quiet["OMP_WAIT_POLICY"] = "PASSIVE"  # threads that spin while they wait slow a shared machine down
    bin_folder = str(Path(sys.executable).parent)  # `python` in a training command is this one
    return kept | _AUTHOR | quiet | {"PATH": f"{bin_folder}{os.pathsep}{kept.get('PATH', '')}"}


@dataclass(frozen=True)
class Ended:
    """How a program ended; `text` is standard output and standard error, one after the other."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def flat(self) -> str:
        """Standard output on one line, since the report is wrapped."""
        return " ".join(self.out.split())


@dataclass(frozen=True)
class Project:
    """A project in the folder `root`, which is a git repository."""

    root: Path

    def run(self, *command: str, variables: dict[str, str] | None = None) -> Ended:
        done = subprocess.run(
            command,
            check=False,
            cwd=self.root,
            env=environment() | (variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def must(self, *command: str) -> Ended:
        done = self.run(*command)
        assert done.code == 0, f"{' '.join(command)}\n{done.text}"
        return done

    def mlci(self, *arguments: str, expect: int | None = 0, **variables: str) -> Ended:
        done = self.run(sys.executable, "-m", "mlci", *arguments, variables=variables)
        if expect is not None:
            assert done.code == expect, f"mlci {' '.join(arguments)} ended with {done.code}\n{done.text}"
        return done

    def dvc(self, *arguments: str) -> Ended:
        return self.must(sys.executable, "-m", "dvc", *arguments)

    def commit(self, message: str = "change") -> str:
        self.must("git", "add", "--all")
        self.must("git", "commit", "--quiet", "--allow-empty", "--message", message)
        return self.must("git", "rev-parse", "HEAD").out.strip()

    def patch(self, name: str, *, back: bool = False) -> None:
        self.must("git", "apply", *(["-R"] if back else []), f"changes/{name}.patch")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new))

    def copy_to(self, folder: Path) -> Project:
        return Project(Path(shutil.copytree(self.root, folder, symlinks=True)))

    def result(self, stage: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "mlci-out" / f"{stage}.json").read_bytes())
        return found

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "mlci-out" / "report.json").read_bytes())
        return found

    def ran(self) -> list[str]:
        """The stages that the last run really ran, in their order."""
        return [
            stage["stage"]
            for stage in self.report()["stages"]
            if not stage["cached"] and stage["status"] != "skipped"
        ]

    def check(self, stage: str, name: str) -> dict[str, Any]:
        """The one check of a stage whose name starts like this."""
        found = [check for check in self.result(stage)["checks"] if check["name"].startswith(name)]
        assert len(found) == 1, (name, found)
        return dict(found[0])

    def tree(self) -> dict[str, str]:
        """The digests of all that a dry run must leave alone: mlci-out, the tracking store, what is served."""
        places = [self.root / "mlci-out", *(self.root / ".mlci" / name for name in ("mlflow", "serve"))]
        files = [path for place in places if place.is_dir() for path in files_below(place)]
        # A server writes down in its log that somebody asked for its health.
        return {
            str(path.relative_to(self.root)): sha256_file(path) for path in files if path.suffix != ".log"
        }

    def alias(self, name: str, alias: str = "champion", uri: str | None = None) -> object:
        """The version that an alias names, looked up without MLflow."""
        return tracker(uri, "unused", self.root, {}).peek(f"models:/{name}@{alias}")


NewProject = Callable[..., Project]
"""From a name, and the name of an example or None, to a project with a first commit."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_NUMBER = re.compile(r"(?<![\w])[+−-]?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?")


def says(printed: str, sentence: str) -> bool:
    """Whether a text holds a sentence word for word, with numbers that agree to about a tenth.

    Another version of a library or of a processor's mathematics moves the last digits of a metric.
    """
    words = r"\s+".join(_pattern(word) for word in sentence.split())
    wanted = [_value(text) for text in _NUMBER.findall(sentence)]
    for match in re.finditer(words, printed):
        found = [_value(text) for text in _NUMBER.findall(match[0])]
        if len(found) == len(wanted) and all(map(_agree, found, wanted)):
            return True
    return False


def quoted(readme: Path) -> list[str]:
    """The sentences that a README says are printed: the lines of its `text` blocks."""
    blocks = re.findall(r"```text\n(.+?)```", readme.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def _pattern(word: str) -> str:
    parts = _NUMBER.split(word)
    return _NUMBER.pattern.join(re.escape(part) for part in parts)


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _agree(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=0.1, abs_tol=0.005)
