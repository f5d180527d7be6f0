"""docs/reference/*.schema.json: the JSON Schemas of mlci.yaml, of a stage's result and of the report."""

from __future__ import annotations

import json

from mlci.schemas import SCHEMAS
from mlci.sync._tree import MARK, Kind

_NAMES = {"config": "mlci"}


def files() -> dict[str, str]:
    """Return the text of every schema by path."""
    return {
        f"docs/reference/{_NAMES.get(name, name)}.schema.json": _text(make())
        for name, make in SCHEMAS.items()
    }


def _text(schema: dict[str, object]) -> str:
    return json.dumps({"$comment": MARK, **schema}, indent=2, ensure_ascii=False) + "\n"


kind = Kind(files, ("docs/reference/*.schema.json",))
