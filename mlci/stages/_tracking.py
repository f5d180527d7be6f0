"""Opens the tracker that the project names."""

from __future__ import annotations

from mlci.core.ports import Tracker
from mlci.core.stage import Context
from mlci.trackers import open_tracker as tracker_at


def open_tracker(context: Context) -> Tracker:
    """Return the tracker of this project; nothing is contacted yet."""
    return tracker_at(
        context.tracking.uri, context.tracking.experiment or context.project, context.root, context.variables
    )
