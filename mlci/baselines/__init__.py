"""Places that a baseline can come from: one file of this folder for each."""

from __future__ import annotations

from mlci.core.errors import MlciError
from mlci.core.ports import BaselineSource
from mlci.core.registry import Registry

BASELINES: Registry[BaselineSource] = Registry("mlci.baselines", "source")


def source_of(text: str) -> BaselineSource:
    """Return the source that a baseline text belongs to; raises MlciError `config.invalid`."""
    for source in BASELINES:
        if source.claims(text):
            return source
    raise MlciError(
        "config.invalid",
        f"'compare-to-baseline.baseline': '{text}' is no baseline",
        "write models:/NAME@ALIAS, git:REF, or the path of a predictions file (.parquet or .csv)",
    )
