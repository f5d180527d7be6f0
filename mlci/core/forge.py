"""What a forge must offer: the place where a change is reviewed, and its comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Comment:
    """A comment of a pull request, or a note of a merge request. `author` is the login of who wrote it."""

    id: int
    author: str
    body: str
    url: str = ""


class Forge(Protocol):
    """Where changes are reviewed: the comments of a pull or merge request.

    Every method raises NotPostedError when the forge refuses or does not answer.
    """

    name: str

    def number(self) -> int:
        """Return the number of the pull or merge request that this job runs for."""

    def me(self) -> str:
        """Return the login that the token writes as."""

    def comments(self, number: int) -> list[Comment]:
        """Return all comments, oldest first."""

    def create(self, number: int, body: str) -> Comment:
        """Add a comment. Raises UncertainError when it may have been stored without an answer."""

    def update(self, number: int, comment: Comment, body: str) -> Comment:
        """Give a comment another text."""

    def delete(self, number: int, comment: Comment) -> None:
        """Remove a comment."""
