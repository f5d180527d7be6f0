"""The ways to name a model version: models:/name@alias, models:/name/3, models:/name/1.0.3, models:/name/latest."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from mlci.core.errors import MlciError

_FORM = re.compile(
    r"models:/(?P<name>[^/:]+)(?:@(?P<alias>[\w-]+)|/(?P<version>\d+)"
    r"|/(?P<semantic>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)|/(?P<latest>latest))",
    re.ASCII,
)


class ModelUri(NamedTuple):
    """A parsed `models:/` URI; `value` is the alias or the version, and empty for the latest."""

    name: str
    kind: Literal["alias", "version", "latest"]
    value: str


def parse_model_uri(uri: str) -> ModelUri:
    """Return the parts of a `models:/` URI. Raises MlciError `config.invalid` for any other text."""
    match = _FORM.fullmatch(uri)
    if match is None:
        raise MlciError(
            "config.invalid",
            f"'{uri}' does not name a model version",
            "write models:/name@alias, models:/name/3 or models:/name/latest",
        )
    if match["alias"]:
        # The registry reserves this alias for the newest version.
        kind: Literal["alias", "latest"] = "latest" if match["alias"].lower() == "latest" else "alias"
        return ModelUri(match["name"], kind, match["alias"] if kind == "alias" else "")
    if match["version"]:
        return ModelUri(match["name"], "version", str(int(match["version"])))
    if match["semantic"]:  # as GitLab's registry has them
        return ModelUri(match["name"], "version", match["semantic"])
    return ModelUri(match["name"], "latest", "")
