"""What must be true of the evaluation rows before a number on them is believed: one file for each guard."""

from __future__ import annotations

from mlci.guards.findings import Findings, look_for_leaks
from mlci.guards.ledger import TAG, count_use, uses_check
from mlci.guards.verdicts import LeakageLimits, leakage_checks

__all__ = [
    "TAG",
    "Findings",
    "LeakageLimits",
    "count_use",
    "leakage_checks",
    "look_for_leaks",
    "uses_check",
]
