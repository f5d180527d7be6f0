"""Which files MLflow can store under their own names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlci.core.errors import MlciError

_LOST = frozenset("#?%")


def check_names(paths: Iterable[Path]) -> None:
    """Raise MlciError `tracker.refused` for a file or folder that MLflow would store under another name.

    MLflow (3.17) puts names into addresses as they are: a server stores `a#b` as `a` and `a%20b` as
    `a b` without a word, and a store in a folder loses them on the way back. Folders that are links
    are left out by one kind of upload and followed by another.
    """
    for path in paths:
        for item in [path, *(sorted(path.rglob("*")) if path.is_dir() else [])]:
            if bad := sorted(_LOST & set(item.name)):
                raise MlciError(
                    "tracker.refused",
                    f"MLflow cannot store '{item.name}': its name has {' and '.join(bad)}",
                    "rename the file; letters, digits, spaces and - _ . are safe",
                )
            if item != path and item.is_symlink() and item.is_dir():
                raise MlciError(
                    "tracker.refused",
                    f"MLflow cannot store '{item.name}': it is a link to a folder",
                    "put a copy of the folder in its place",
                )
