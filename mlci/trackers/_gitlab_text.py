"""What GitLab's registry holds as text: semantic versions, aliases in a description, names of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

FIRST = "1.0.0"

_SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_LINE = re.compile(r"^mlci aliases:(?P<aliases>.*)$", re.MULTILINE)
_ALIAS = re.compile(r"([\w-]+) = (\S+?)(?:,|$)", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.+-]")


def is_semantic(version: str) -> bool:
    """Return whether a version is one that GitLab takes."""
    return _SEMANTIC.fullmatch(version) is not None


def newest(versions: Iterable[str]) -> str | None:
    """Return the highest version; one with a suffix, as 1.0.0-rc, is lower than the one without."""
    return max(filter(is_semantic, versions), key=_rank, default=None)


def next_patch(version: str | None) -> str:
    """Return the version of a model that was trained again: nothing changes for those who call it."""
    if version is None:
        return FIRST
    major, minor, patch, suffix = _parts(version)
    return f"{major}.{minor}.{patch if suffix else patch + 1}"


def aliases_in(description: str) -> dict[str, str]:
    """Return the version that each alias names, from the line that `with_alias` wrote."""
    found = _LINE.search(description)
    return dict(_ALIAS.findall(found["aliases"])) if found else {}


def with_alias(description: str, alias: str, version: str) -> str:
    """Return a model's description in which an alias names a version; everything else in it stays."""
    line = _line({**aliases_in(description), alias: version})
    if _LINE.search(description):
        return _LINE.sub(lambda _: line, description, count=1)
    return f"{description.rstrip()}\n\n{line}".lstrip()


def is_plain(name: str) -> bool:
    """Return whether GitLab stores a file under this very name."""
    return _PLAIN.fullmatch(name) is not None and set(name) != {"."}


def flat(path: str) -> str:
    """Return a path as the name of a file: GitLab keeps no folders."""
    return _NOT_PLAIN.sub("_", path.replace("/", "--"))


def _line(aliases: Mapping[str, str]) -> str:
    return "mlci aliases: " + ", ".join(f"{name} = {version}" for name, version in sorted(aliases.items()))


def _parts(version: str) -> tuple[int, int, int, str]:
    found = _SEMANTIC.fullmatch(version)
    if found is None:
        raise ValueError(f"'{version}' is no semantic version")
    return int(found[1]), int(found[2]), int(found[3]), found[4] or ""


def _rank(version: str) -> tuple[int, int, int, bool, str]:
    major, minor, patch, suffix = _parts(version)
    return major, minor, patch, not suffix, suffix
