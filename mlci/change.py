"""The change under review as git sees it: the commit whose rules count, and the files that differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.review import Review
from mlci.stores import git


@dataclass(frozen=True)
class Change:
    """What a checkout differs by from a commit. Paths are POSIX, from the top of the repository."""

    top: Path
    base: str
    files: tuple[str, ...]

    def text_at_base(self, path: str) -> str | None:
        """Return a file's text at the base commit; None when it is not there."""
        return git.text_at(self.top, self.base, path)

    def inside(self, path: Path) -> str:
        """Return a path as it counts from the top of the repository."""
        return path.resolve().relative_to(self.top.resolve()).as_posix()


def change_under(root: Path, review: Review, *, uncommitted: bool = False) -> Change | None:
    """Return the change that a review is about; None when the checkout does not hold what it is based on.

    In a merge that a CI system made of the head and its target, the target is the first parent: it is what
    the change will be added to, and a checkout of two commits holds it.
    """
    top = git.top(root)
    if top is None:
        return None
    bases = [*_target(top, review), *review.bases]
    base = next((commit for name in bases if (commit := git.commit_of(top, name))), None)
    files = git.changed_files(top, base, uncommitted=uncommitted) if base else None
    return None if base is None or files is None else Change(top, base, tuple(files))


def change_since(root: Path, reference: str, *, uncommitted: bool) -> Change:
    """Return what a checkout differs by from a reference that a person named.

    Raises MlciError `git.failed` when there is no repository or no such reference.
    """
    found = change_under(root, Review((reference,)), uncommitted=uncommitted)
    if found is None:
        raise MlciError(
            "git.failed",
            f"git knows no '{reference}' here, so nothing can be said of what changed since",
            "fetch it (`git fetch origin`), or name another commit with --base",
        )
    return found


def default_base(root: Path) -> str:
    """Return the branch that changes are made against: the remote's default one, else main or master.

    Raises MlciError `git.failed` when there is none of them.
    """
    for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        if git.commit_of(root, name):
            return name
    raise MlciError(
        "git.failed",
        "there is no branch to compare with: no origin/HEAD, main or master",
        "name one with --base",
    )


def _target(top: Path, review: Review) -> list[str]:
    if review.merge and review.head and git.commit_of(top, "HEAD^2") == review.head:
        return ["HEAD^1"]
    return []
