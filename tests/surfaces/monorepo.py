"""A repository of an imaginary team: two models in folders of their own, and changes as GitHub checks them out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surface_tools import Machine

REPOSITORY = "acme/churn"
FORK = "mallory/churn"
NUMBER = 7

_CAT = """\
project: cat
data: {train: rows.csv, evaluate: rows.csv, label: y, key: k}
train: {command: python train.py, predictions: predictions.csv}
compare-to-baseline:
  baseline: champion.csv
  gates:
    - {metric: accuracy, no-worse-than: 0.02}
"""
# Right but for the first rows: what a verdict is made of, without a model.
_TRAIN = """\
import csv, os, pathlib

WRONG = 12
rows = list(csv.DictReader(open(os.environ["MLCI_DATA_EVALUATE"])))
guess = lambda row: 1 - int(row["y"]) if int(row["k"]) < WRONG else row["y"]
pathlib.Path("predictions.csv").write_text("k,prediction\\n" + "".join(f"{row['k']},{guess(row)}\\n" for row in rows))
"""
_ROWS = 400


def _champion(wrong: int) -> str:
    return "k,y,prediction\n" + "".join(
        f"{k},{k % 2},{k % 2 if k >= wrong else 1 - k % 2}\n" for k in range(_ROWS)
    )


CHANGES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "docs": {"README.md": ("two models", "two good models")},
    "better": {"models/cat/train.py": ("WRONG = 12", "WRONG = 4")},
    "worse": {
        "models/cat/train.py": ("WRONG = 12", "WRONG = 60"),
        "models/cat/mlci.yaml": ("no-worse-than: 0.02", "no-worse-than: 0.05"),
    },
    "unclear": {"models/cat/train.py": ("WRONG = 12", "WRONG = 18")},
    "both": {
        "models/cat/train.py": ("WRONG = 12", "WRONG = 4"),
        "models/tumour/mlci.yaml": ("n_estimators: 20,", "n_estimators: 3, max_depth: 1, max_features: 1,"),
    },
}
"""What a pull request changes, by what it leads to: in a file, one text for another."""


@dataclass(frozen=True)
class Change:
    """A checkout of GitHub's merge of a pull request, and the event that comes with it."""

    root: Path
    payload: dict[str, Any] = field(repr=False)
    files: list[dict[str, Any]] = field(repr=False)
    at_base: dict[str, str] = field(repr=False)

    @property
    def head(self) -> str:
        """The commit of the pull request's branch."""
        return str(self.payload["pull_request"]["head"]["sha"])

    @property
    def base(self) -> str:
        """The commit that it is to be merged into."""
        return str(self.payload["pull_request"]["base"]["sha"])


@dataclass
class Monorepo:
    """Makes checkouts; `quickstart` is a project whose own state is left out.

    `database` is an empty one: to make it costs as much as to train the smaller model.
    """

    machine: Machine
    quickstart: Path
    database: Path
    folder: Path

    def push(self, change: str, workflow: str) -> Change:
        """Return a checkout of the default branch after a push of one commit that makes this change."""
        root = self.main(workflow)
        before = self._git(root, "rev-parse", "HEAD")
        self._apply(root, change)
        repository = {"full_name": REPOSITORY, "default_branch": "main"}
        payload = {"ref": "refs/heads/main", "before": before, "repository": repository}
        return Change(root, payload, [], {})

    def main(self, workflow: str) -> Path:
        """Return a checkout of the default branch."""
        root = self.folder / f"repository-{len(list(self.folder.iterdir()))}"
        ignored = shutil.ignore_patterns(".mlci", "mlci-out", ".git")
        shutil.copytree(self.quickstart, root / "models/tumour", ignore=ignored)
        files = {
            "README.md": "two models\n",
            "requirements.txt": "",
            ".github/workflows/ml.yml": workflow,
            "models/cat/mlci.yaml": _CAT,
            "models/cat/train.py": _TRAIN,
            "models/cat/rows.csv": "k,x,y\n" + "".join(f"{k},{k % 7},{k % 2}\n" for k in range(_ROWS)),
            "models/cat/champion.csv": _champion(12),
        }
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, "utf-8")
        (root / "models/cat/.mlci/mlflow").mkdir(parents=True)
        shutil.copy(self.database, root / "models/cat/.mlci/mlflow/mlflow.db")
        self._git(root, "init", "--quiet", "--initial-branch", "main")
        self._git(root, "remote", "add", "origin", f"https://github.com/{REPOSITORY}")
        self._commit(root, "models")
        return root

    def pull_request(self, change: str, workflow: str, *, fork: bool = False) -> Change:
        """Return a checkout of a pull request that makes this change."""
        root = self.main(workflow)
        base = self._git(root, "rev-parse", "HEAD")
        self._git(root, "checkout", "--quiet", "-b", "change")
        self._apply(root, change)
        head = self._git(root, "rev-parse", "HEAD")
        self._git(root, "checkout", "--quiet", "-b", "merged", "main")
        self._git(root, "merge", "--quiet", "--no-ff", "--message", "merge", "change")
        owner = FORK if fork else REPOSITORY
        pull = {
            "number": NUMBER,
            "head": {"ref": "change", "sha": head, "repo": {"full_name": owner, "fork": fork}},
            "base": {"ref": "main", "sha": base, "repo": {"full_name": REPOSITORY}},
        }
        repository = {"full_name": REPOSITORY, "default_branch": "main"}
        payload = {"action": "opened", "number": NUMBER, "pull_request": pull, "repository": repository}
        files = [{"filename": name, "status": "modified"} for name in CHANGES[change]]
        shown = ("models/cat/mlci.yaml", "models/tumour/mlci.yaml")
        at_base = {name: self._git(root, "show", f"{base}:{name}") + "\n" for name in shown}
        return Change(root, payload, files, at_base)

    def _apply(self, root: Path, change: str) -> None:
        for name, (old, new) in CHANGES[change].items():
            text = (root / name).read_text("utf-8")
            assert old in text, name
            (root / name).write_text(text.replace(old, new), "utf-8")
        self._commit(root, change)

    def _commit(self, root: Path, message: str) -> None:
        self._git(root, "add", "--all")
        self._git(root, "commit", "--quiet", "--message", message)

    def _git(self, root: Path, *arguments: str) -> str:
        return self.machine.must("git", *arguments, cwd=root).strip()
