"""Work on several parts at a time, with results in order: the same for any number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

One = TypeVar("One")
Other = TypeVar("Other")


def cores() -> int:
    """Return how many cores this process may use; all of them where the system cannot say (macOS)."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def each(work: Callable[[One], Other], items: Sequence[One], workers: int) -> Iterator[Other]:
    """Yield the result of `work` for each item, in their order."""
    if workers < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(work, items)


def at_once(one: Iterable[One], other: Iterable[Other], workers: int) -> Iterator[tuple[One, Other]]:
    """Yield pairs from two sources of equal length; each prepares its next while a pair is used."""
    if workers < 2:
        yield from zip(one, other, strict=True)
        return
    first, second = iter(one), iter(other)
    with ThreadPoolExecutor(2) as pool:
        coming = pool.submit(_next, first), pool.submit(_next, second)
        while True:
            ones, others = coming[0].result(), coming[1].result()
            if not ones or not others:
                return
            coming = pool.submit(_next, first), pool.submit(_next, second)
            yield ones[0], others[0]


def _next(source: Iterator[One]) -> list[One]:
    """Return the next of a source in a list; an empty one at its end."""
    return [item] if (item := next(source, None)) is not None else []
