"""Trackers: where runs and model versions are recorded. One file is one kind of tracker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mlci.core.ports import Tracker
from mlci.core.registry import Registry

OpenTracker = Callable[[str | None, str, Path, Mapping[str, str]], Tracker]
"""From address, experiment, project folder and environment variables to a tracker."""

TRACKERS: Registry[OpenTracker] = Registry("mlci.trackers", "tracker")


def open_tracker(uri: str | None, experiment: str, root: Path, variables: Mapping[str, str]) -> Tracker:
    """Return the tracker that an address belongs to, else MLFLOW_TRACKING_URI; nothing is contacted yet."""
    from mlci.trackers._gitlab_api import is_gitlab

    name = "gitlab" if is_gitlab(uri or variables.get("MLFLOW_TRACKING_URI")) else "mlflow"
    return TRACKERS.get(name)(uri, experiment, root, variables)
