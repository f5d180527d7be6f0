"""Writes the pages of the reference: a title, sentences and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlci.sync._tree import MARK


def page(title: str, *blocks: str) -> str:
    """Return a page under the comment that says that it is generated."""
    return "\n\n".join([f"<!-- {MARK} -->", f"# {title}", *(block for block in blocks if block)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; without any row, nothing."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(heads), _row([":--"] * len(heads)), *lines]) if lines else ""


def code(text: str) -> str:
    """Return text as code; empty text stays empty."""
    return f"`{text}`" if text else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
