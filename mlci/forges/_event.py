"""What GitHub's runner says of the event that started a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_event(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the event; empty where the runner says nothing that can be read."""
    try:
        event = json.loads(Path(variables.get("GITHUB_EVENT_PATH", "")).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def at(value: Any, *path: str) -> Any:
    """Return what is at a path of keys; None where there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
