"""Remembers that this process was asked to end: an import that is interrupted may report it as another error."""

from __future__ import annotations

from threading import Event

asked = Event()
"""Set by the handler of signals. NumPy, for one, turns a KeyboardInterrupt during its import into an ImportError."""
