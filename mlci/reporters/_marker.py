"""The hidden first line by which a comment is found again."""

from __future__ import annotations

import re


def marker(identifier: str) -> str:
    """Return the line that names a report. Nothing in a name can end it early."""
    return f"<!-- mlci:report:{re.sub(r'[^A-Za-z0-9_.-]', '-', identifier)[:200]} -->"
