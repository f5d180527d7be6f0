"""Repositories of imaginary users: the quickstart, whose champion stands, and a change to be judged."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surface_tools import Machine

from mlci.sync.__main__ import REPOSITORY

_PARAMETERS = "params: {n_estimators: 200, random_state: 17}"
_SMALL = "params: {n_estimators: 20, random_state: 17}\n  cross-validation: 0"
_RECALL = "{metric: recall, no-worse-than: 0.05}"

CHANGES: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "pass": {"n_estimators: 20,": "n_estimators: 22,"},
    "fail": {"n_estimators: 20,": "n_estimators: 3, max_depth: 1, max_features: 1,"},
    "unclear": {
        "n_estimators: 20,": "n_estimators: 22,",
        _RECALL: "{metric: recall, no-worse-than: 0.0001}",
    },
    "typo": {"cross-validation: 0": "cross-validation: 0\n  tiemout: 3"},
}
"""What a user changed in mlci.yaml, by the name of what it leads to."""


@dataclass(frozen=True)
class Users:
    """Makes repositories; `base` is the quickstart after a first run, which made its model the champion."""

    machine: Machine
    base: Path
    folder: Path

    def repository(
        self, change: str = "none", files: Mapping[str, str] | None = None, *, host: str = "github.com"
    ) -> Path:
        """Return a checkout with one commit: the champion's state, a change, and `files` beside it."""
        root = self.folder / f"user-{len(list(self.folder.iterdir()))}"
        shutil.copytree(self.base, root)
        config = root / "mlci.yaml"
        text = config.read_text("utf-8")
        for old, new in CHANGES[change].items():
            assert old in text
            text = text.replace(old, new)
        config.write_text(text, "utf-8")
        for name, content in (files or {}).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, "utf-8")
        self._commit(root, host)
        return root

    def _commit(self, root: Path, host: str) -> None:
        must = self.machine.must
        must("git", "init", "--quiet", "--initial-branch", "main", cwd=root)
        must("git", "remote", "add", "origin", f"https://{host}/acme/user", cwd=root)
        must("git", "add", "--all", "--force", cwd=root)
        must("git", "commit", "--quiet", "--message", "change", cwd=root)
        must("git", "update-ref", "refs/remotes/origin/main", "HEAD", cwd=root)
        must("git", "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main", cwd=root)


def make_base(machine: Machine, folder: Path, database: Path) -> Path:
    """Make the quickstart and its champion, small enough to be trained many times."""
    root = folder / "base"
    shutil.copytree(
        REPOSITORY / "examples" / "quickstart",
        root,
        ignore=shutil.ignore_patterns("mlci-out", ".mlci", ".venv", "changes"),
    )
    config = root / "mlci.yaml"
    text = config.read_text("utf-8")
    assert _PARAMETERS in text
    assert _RECALL in text
    config.write_text(text.replace(_PARAMETERS, _SMALL), "utf-8")
    (root / ".mlci" / "mlflow").mkdir(parents=True)
    shutil.copy(database, root / ".mlci" / "mlflow" / "mlflow.db")
    machine.must("mlci", "run", cwd=root)
    # In git, so that the state reaches every runner the same way; caches have tests of their own. The check
    # of the data is kept too: it is the same for every change, and costs as much as all the rest.
    for path in (root / "mlci-out").iterdir():
        if not path.name.startswith("validate-data"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (root / ".mlci" / ".gitignore").unlink()
    return root
