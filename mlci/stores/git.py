"""git: which commit this is, which files belong to it, and an earlier one in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlci.core.errors import MlciError, first_line
from mlci.process import run_quiet

_CODE = (
    ".py", ".pyx", ".ipynb", ".sh", ".sql", ".r", ".R", ".jl", ".toml", ".cfg", ".ini", ".yaml", ".yml", ".json",
)  # fmt: skip
_CODE_NAMES = ("Makefile", "MLproject", "Dockerfile")
_NOT_CODE = ("mlci.yaml", ".gitlab-ci.yml", "dvc.lock")
_SKIPPED_FOLDERS = {"venv", "node_modules", "__pycache__", "mlci-out", "mlruns", "docs", "tests", "test"}
_LARGEST_CODE_FILE = 1 << 20


@dataclass(frozen=True)
class Head:
    """The commit that is checked out. `dirty` is True when tracked files differ from it."""

    commit: str
    dirty: bool
    ref: str | None


def head(root: Path) -> Head | None:
    """Return the commit of the repository around `root`; None without a repository or a commit."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".")
    ref = _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    return Head(commit.strip(), bool(changed), ref.strip() if ref else None)


def code_files(root: Path, patterns: Sequence[str]) -> list[Path]:
    """Return the files that a training command may depend on, in the order of their names.

    With patterns, those that match; else what git knows (tracked or not ignored), or all files
    where there is no repository, of the endings that code and its parameters have.
    """
    if patterns:
        return sorted({path for pattern in patterns for path in _matching(root, pattern)})
    listed = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ".")
    if listed is not None:
        names = [Path(name) for name in listed.split("\0") if name]
    else:
        names = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    return sorted(root / name for name in names if _is_code(name) and _is_small_file(root / name))


def resolve(root: Path, reference: str) -> str:
    """Return the commit that a reference names; raises MlciError `baseline.missing`."""
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}")
    if commit is None:
        raise MlciError(
            "baseline.missing",
            f"git knows no reference '{reference}' here",
            "fetch it first (`git fetch origin`; in CI check out with fetch-depth: 0)",
        )
    return commit.strip()


def top(root: Path) -> Path | None:
    """Return the top of the repository around `root`; None without one."""
    found = _git(root, "rev-parse", "--show-toplevel")
    return Path(found.strip()) if found and found.strip() else None


def commit_of(root: Path, reference: str) -> str | None:
    """Return the commit that a reference names, if the checkout holds it; else None."""
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    return found.strip() if found and found.strip() else None


def text_at(root: Path, commit: str, path: str) -> str | None:
    """Return a file's text at a commit, `path` from the top of the repository; None when it is not there."""
    return _git(root, "cat-file", "blob", f"{commit}:{path}")


def files_named(root: Path, name: str) -> list[str]:
    """Return the paths, from the top of the repository, of all files of this name that git knows."""
    listed = _git(
        root, "ls-files", "--full-name", "--cached", "--others", "--exclude-standard", "-z", "--", ":/"
    )
    return sorted(path for path in (listed or "").split("\0") if path.rpartition("/")[2] == name)


def is_tracked(root: Path, path: str) -> bool:
    """Return whether git tracks a file or a folder; `path` is from `root`."""
    return bool(_git(root, "ls-files", "-z", "--", path))


def changed_files(root: Path, base: str, *, uncommitted: bool) -> list[str] | None:
    """Return the paths that differ from where this checkout left `base`; None when git cannot say.

    Paths are from the top of the repository; a renamed file counts with both names. `uncommitted` adds what
    is edited and not committed, new files among it.
    """
    fork = _git(root, "merge-base", base, "HEAD")  # in a shallow checkout there may be none
    start = fork.strip() if fork else base
    diff = ["diff", "--name-only", "--no-renames", "-z", start, *([] if uncommitted else ["HEAD"])]
    listed = _git(root, *diff, "--", ":/")
    if listed is None:
        return None
    if uncommitted:
        new = ["ls-files", "--full-name", "--others", "--exclude-standard", "-z", "--", ":/"]
        listed += _git(root, *new) or ""
    return sorted({path for path in listed.split("\0") if path})


@contextmanager
def worktree(root: Path, commit: str, folder: Path) -> Iterator[Path]:
    """Yield the folder that corresponds to `root` in a clean checkout of `commit`, then remove it.

    Raises MlciError `git.failed`.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None:
        raise MlciError(
            "git.failed", f"'{root.name}' is not in a git repository", "run `git init` and commit"
        )
    added = run_quiet(["git", "worktree", "add", "--detach", "--quiet", str(folder), commit], cwd=root)
    if added.returncode:
        raise MlciError("git.failed", f"git worktree add: {first_line(ValueError(added.stderr))}")
    try:
        yield folder / root.resolve().relative_to(Path(top.strip()).resolve())
    finally:
        run_quiet(["git", "worktree", "remove", "--force", str(folder)], cwd=root)
        run_quiet(["git", "worktree", "prune"], cwd=root)


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    path = root / pattern
    if path.is_dir():
        yield from (item for item in path.rglob("*") if item.is_file() and "__pycache__" not in item.parts)
    elif path.is_file():
        yield path
    else:
        yield from (item for item in root.glob(pattern) if item.is_file())


def _is_code(name: Path) -> bool:
    if name.name in _NOT_CODE or any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in name.parts):
        return False
    return name.suffix in _CODE or name.name in _CODE_NAMES or name.name.startswith("requirements")


def _is_small_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= _LARGEST_CODE_FILE


def _git(root: Path, *arguments: str) -> str | None:
    """Return what a git command printed; None when it failed or git is not there."""
    done = run_quiet(["git", "-c", "core.quotepath=off", *arguments], cwd=root)
    return done.stdout if done.returncode == 0 else None
