"""The CI system that a run is part of: one file of this folder for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlci.core.provider import Provider
from mlci.core.registry import Registry

PROVIDERS: Registry[Callable[[Mapping[str, str]], Provider | None]] = Registry("mlci.providers", "provider")


def detect(variables: Mapping[str, str]) -> Provider:
    """Return the CI system that these environment variables belong to; your own machine otherwise."""
    from mlci.providers.local import LocalProvider

    if not variables.get("CI") and not variables.get("GITHUB_ACTIONS") and not variables.get("GITLAB_CI"):
        return LocalProvider(ci=False)
    for provider in PROVIDERS:
        found = provider(variables)
        if found is not None:
            return found
    return LocalProvider(ci=True)
