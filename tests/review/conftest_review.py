"""A repository with two models as a forge has it, and the checkouts that CI systems make of a change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "A Tester", "EMAIL": "tester@example.org"}.items()
}
HOME = Path(__file__).parents[2]
MODEL = """\
project: {name}
data: {{train: train.csv, evaluate: evaluate.csv, label: y, key: k}}
validate-data: {{expectations: [{{type: expect_column_values_to_not_be_null, column: k}}]}}
train: {{command: python train.py}}
compare-to-baseline:
  gates:
    - {{metric: accuracy, at-least: 0.9}}
package: {{name: {name}}}
deploy: {{target: registry}}
"""
DATA = "k,x,y\n" + "".join(f"{number},{number % 7},{number % 2}\n" for number in range(60))


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **_AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


@dataclass(frozen=True)
class Forge:
    """A bare repository, and a clone of it to work in, on branch `change`."""

    bare: Path
    clone: Path

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write files (None removes one), commit and push; returns the commit."""
        for name, text in files.items():
            path = self.clone / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--allow-empty", "--message", message)
        git(self.clone, "push", "--quiet", "origin", "HEAD")
        return git(self.clone, "rev-parse", "HEAD")

    def text(self, name: str) -> str:
        return (self.clone / name).read_text("utf-8")

    def merged(self, folder: Path, depth: int = 2) -> tuple[Path, dict[str, Any]]:
        """The checkout of GitHub's merge of the change, and the event that goes with it."""
        head = git(self.clone, "rev-parse", "change")
        base = git(self.clone, "rev-parse", "main")
        git(self.clone, "checkout", "--quiet", "--detach", "main")
        git(self.clone, "merge", "--quiet", "--no-ff", "--message", "merge", "change")
        git(self.clone, "push", "--quiet", "--force", "origin", "HEAD:refs/pull/7/merge")
        git(self.clone, "checkout", "--quiet", "change")
        checkout = folder / f"checkout-{depth}"
        checkout.mkdir()
        git(checkout, "init", "--quiet")
        git(checkout, "remote", "add", "origin", self.bare.as_uri())
        git(checkout, "fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", "refs/pull/7/merge")
        git(checkout, "checkout", "--quiet", "FETCH_HEAD")
        return checkout, {"pull_request": {"number": 7, "head": {"sha": head}, "base": {"sha": base}}}


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """Models `cat` and `dog` in folders of their own, and code that both use."""
    bare, clone = tmp_path / "forge.git", tmp_path / "clone"
    bare.mkdir()
    git(bare, "init", "--quiet", "--bare", "--initial-branch", "main")
    clone.mkdir()
    git(clone, "init", "--quiet", "--initial-branch", "main")
    git(clone, "remote", "add", "origin", bare.as_uri())
    found = Forge(bare, clone)
    files: dict[str, str] = {"README.md": "two models\n", "shared/features.py": "x = 1\n"}
    for name in ("cat", "dog"):
        files |= {
            f"models/{name}/mlci.yaml": MODEL.format(name=name),
            f"models/{name}/train.py": "print('trained')\n",
            f"models/{name}/train.csv": DATA,
            f"models/{name}/evaluate.csv": DATA,
            f"models/{name}/docs/page.md": "a page\n",
        }
    found.commit(files, "models")
    git(clone, "checkout", "--quiet", "-b", "change")
    return found


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mlci() -> Run:
    """Run the command in a folder, with these variables added to a clean environment."""

    def run(
        folder: Path, *arguments: str, event: Any = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        unwanted = ("MLCI_", "GITHUB_", "GITLAB_", "CI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        if event is not None:
            path = folder.parent / f"{folder.name}-event.json"
            path.write_text(json.dumps(event), "utf-8")
            outputs = {"GITHUB_OUTPUT": f"{path}.out", "GITHUB_STEP_SUMMARY": f"{path}.md"}
            variables = {
                "GITHUB_ACTIONS": "true",
                "CI": "true",
                "GITHUB_EVENT_PATH": str(path),
                **outputs,
                **variables,
            }
        return subprocess.run(
            [sys.executable, "-m", "mlci", *arguments],
            cwd=folder,
            env={**kept, **_AUTHOR, "PYTHONPATH": str(HOME), "COLUMNS": "200", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
