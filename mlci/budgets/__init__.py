"""What a model costs: its size on disk, and the time and memory of its answers, measured in fresh processes."""

from __future__ import annotations

from mlci.budgets.measure import Measured, Settings, latencies, peak_memory, size_of

__all__ = ["Measured", "Settings", "latencies", "peak_memory", "size_of"]
