"""Files that are whole or not there at all, and digests that are computed once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_BLOCK = 1 << 20


def write_atomic(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def folder_in_progress(final: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `final` when the block ends without an error.

    Raises NotADirectoryError, before the block begins, when `final` is a file.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists() and not final.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(final))
    work = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))
    os.chmod(work, 0o755)  # noqa: S103 - results are meant to be read; mkdtemp makes them private
    retired = work.with_name(f"{work.name}~")
    try:
        yield work
        # Two renames instead of a removal: an interruption never leaves half of the old folder.
        if final.exists():
            os.replace(final, retired)
        os.replace(work, final)
    except BaseException:
        if retired.exists() and not final.exists():
            os.replace(retired, final)
        shutil.rmtree(work, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(retired, ignore_errors=True)


def remove_leftovers(folder: Path, names: Iterable[str]) -> None:
    """Remove what a killed process left of the files and folders of these names in `folder`."""
    left = re.compile(rf"\.(?:{'|'.join(map(re.escape, names))})\.[a-z0-9_]{{8}}~?")
    for path in folder.iterdir() if folder.is_dir() else ():
        if not left.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_text(text: str) -> str:
    """Return the SHA-256 of UTF-8 text as hexadecimal text."""
    return hashlib.sha256(text.encode()).hexdigest()


def files_below(folder: Path) -> list[Path]:
    """Return every file below `folder`, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


class Digests:
    """Digests of files, remembered by size, time and inode so that an unchanged file is not read.

    The memory is a hint in `store`; without it, or with a damaged one, files are read again.
    """

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        self._known: dict[str, list[object]] = {}
        self._changed = False
        if store is not None and store.is_file():
            try:
                known = json.loads(store.read_text("utf-8"))
            except (OSError, ValueError):
                known = {}
            self._known = known if isinstance(known, dict) else {}

    def of(self, path: Path) -> str:
        """Return the digest of a file, or of a folder (over its files' names and digests)."""
        if path.is_dir():
            lines = [f"{self.of(item)}  {item.relative_to(path).as_posix()}" for item in files_below(path)]
            return sha256_text("\n".join(lines))
        state = path.stat()
        mark = [state.st_size, state.st_mtime_ns, state.st_ino]
        name = str(path.resolve())
        entry = self._known.get(name)
        if isinstance(entry, list) and len(entry) == 4 and entry[:3] == mark:
            return str(entry[3])
        digest = sha256_file(path)
        self._known[name] = [*mark, digest]
        self._changed = True
        return digest

    def save(self) -> None:
        """Keep what was learned for the next process."""
        if self._store is None or not self._changed:
            return
        kept = {name: entry for name, entry in self._known.items() if Path(name).exists()}
        write_atomic(self._store, json.dumps(kept))
        self._changed = False
