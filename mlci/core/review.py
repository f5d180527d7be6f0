"""What a CI system knows about the change that it runs for: what it is based on, and whether people review it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Review:
    """A change and what it is based on.

    `bases` are commits or references, best first; the first that the checkout holds counts. `head` is the
    commit under review, where the checkout may be a merge that nobody made. `merge` says that it is a pull
    or merge request; a push to a branch has a base too, and is not under review.
    """

    bases: tuple[str, ...]
    head: str | None = None
    merge: bool = True
