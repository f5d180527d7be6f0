"""How a name is written in Python and how in mlci.yaml, on the command line and in a list of plug-ins."""

from __future__ import annotations


def kebab(name: str) -> str:
    """Return a Python name as people write it: with hyphens."""
    return name.replace("_", "-")
