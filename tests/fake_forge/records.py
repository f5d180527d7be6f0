"""What a forge knows: who may do what, pull requests, comments, and what goes wrong next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REPOSITORY = "acme/churn"


@dataclass(frozen=True)
class Account:
    """Who a token belongs to. An installation (as the token of a workflow) may not ask who it is."""

    login: str
    id: int
    installation: bool = False
    may_write: bool = True


ACTIONS = Account("github-actions[bot]", 41898282, installation=True)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next request of a method: a status, or a connection that is lost."""

    status: int = 0
    method: str = "*"
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "planned failure"
    stored: bool = False

    def meets(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and self.path in path


@dataclass
class PullRequest:
    """A pull request; a merge request of GitLab needs its number only."""

    number: int = 7
    head: str = "a" * 40
    base: str = "b" * 40
    branch: str = "feature"
    head_repository: str | None = REPOSITORY
    state: str = "open"
    files: list[dict[str, Any]] = field(default_factory=list)
    older_heads: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """A request that came in."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    time: float


@dataclass
class Answer:
    """What is sent back."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Comment:
    """A comment of a pull request, or a note of a merge request."""

    id: int
    number: int
    author: Account
    body: str
