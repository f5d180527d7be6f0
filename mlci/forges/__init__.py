"""Where changes are reviewed and comments are written: one file of this folder for each forge."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlci.core.forge import Forge
from mlci.core.registry import Registry

FORGES: Registry[Callable[[Mapping[str, str]], Forge | None]] = Registry("mlci.forges", "forge")


def detect(variables: Mapping[str, str]) -> Forge | None:
    """Return the forge that this job belongs to; None on a machine of your own.

    Raises NotPostedError when the job has no token for it.
    """
    for make in FORGES:
        found = make(variables)
        if found is not None:
            return found
    return None
