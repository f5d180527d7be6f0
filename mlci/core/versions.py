"""Versions of installed packages, looked up without importing them."""

from __future__ import annotations

import platform
from functools import cache


@cache
def installed_version(package: str) -> str | None:
    """Return the version of an installed package; None when it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def version_parts(*packages: str) -> dict[str, str]:
    """Return the versions that a result depends on, as parts of a fingerprint."""
    found = {f"package {name}": installed_version(name) or "not installed" for name in packages}
    return {"python": platform.python_version(), **found}
