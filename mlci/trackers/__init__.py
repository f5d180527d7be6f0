"""Trackers: where runs and model versions are recorded. One file is one kind of tracker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mlci.core.ports import Tracker
from mlci.core.registry import Registry

OpenTracker = Callable[[str | None, str, Path, Mapping[str, str]], Tracker]
"""From address, experiment, project folder and environment variables to a tracker."""

TRACKERS: Registry[OpenTracker] = Registry("mlci.trackers", "tracker")
