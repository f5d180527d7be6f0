"""What a privileged GitHub job asks about a run that it does not trust: its pull request, and files at a commit."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlci.core.errors import NotPostedError
from mlci.forges._event import at
from mlci.forges._refusals import refusal
from mlci.forges.github import GithubForge

EVENT = "workflow_run"
MOST_FILES = 3000
"""GitHub lists no more changed files than this."""

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
UNREADABLE = "\x00"
"""Stands for a file whose text GitHub does not give: no configuration can be read from it."""


@dataclass(frozen=True)
class Reviewed:
    """The pull request that a finished run was for. `base_branch` may be ahead of `base`."""

    number: int
    head: str
    base: str
    base_branch: str
    branch: str
    run_url: str


@dataclass(frozen=True)
class ChangedFile:
    """A file of a pull request: its path before and after; None where there is none."""

    before: str | None
    after: str | None


class WorkflowRun:
    """The run that a `workflow_run` event tells of."""

    def __init__(self, forge: GithubForge) -> None:
        forge.need_token()
        self._forge = forge
        self._run = at(forge.event, EVENT)

    def reviewed(self) -> Reviewed:
        """Return the one open pull request whose head is the commit of the run.

        It is looked up by that commit; nothing that the run left behind has a say. Raises NotPostedError when
        there is none, or several, or when the pull request has moved on.
        """
        head, event = at(self._run, "head_sha"), at(self._run, "event")
        if not isinstance(head, str) or not _SHA.fullmatch(head):
            raise NotPostedError(
                "the event names no run of another workflow, so its pull request is not known"
            )
        if event != "pull_request":
            raise NotPostedError(f"the run was not for a pull request (event {event})")
        found = {pull["number"]: pull for pull in self._candidates(head)}
        current = [pull for pull in found.values() if at(pull, "head", "sha") == head]
        if len(current) == 1:
            return self._as_reviewed(current[0], head)
        if current:
            numbers = ", ".join(f"#{number}" for number in sorted(found))
            raise NotPostedError(f"commit {head[:7]} is the head of several pull requests ({numbers})")
        if found:
            raise NotPostedError(f"commit {head[:7]} is outdated: the pull request has a newer one")
        raise NotPostedError(f"no open pull request has commit {head[:7]} as its head")

    def _candidates(self, head: str) -> list[dict[str, Any]]:
        owner, branch = at(self._run, "head_repository", "owner", "login"), at(self._run, "head_branch")
        path, found = self._forge.path, []
        if isinstance(owner, str) and isinstance(branch, str) and owner and branch:
            found = self._list(f"{path}/pulls", state="open", head=f"{owner}:{branch}")
        if not any(at(pull, "head", "sha") == head for pull in found):
            found += self._list(f"{path}/commits/{head}/pulls", unknown=(404, 422))
        target = self._forge.repository.casefold()
        return [
            pull
            for pull in found
            if at(pull, "state") == "open"
            and isinstance(at(pull, "number"), int)
            and str(at(pull, "base", "repo", "full_name")).casefold() == target
        ]

    def _as_reviewed(self, pull: Any, head: str) -> Reviewed:
        base = at(pull, "base", "sha")
        if not isinstance(base, str) or not _SHA.fullmatch(base):
            raise NotPostedError(f"the base of #{pull['number']} is not known")
        return Reviewed(
            number=pull["number"],
            head=head,
            base=base,
            base_branch=str(at(pull, "base", "ref")),
            branch=str(at(self._run, "head_branch") or ""),
            run_url=str(at(self._run, "html_url") or ""),
        )

    def changed_files(self, number: int) -> list[ChangedFile]:
        """Return the files that the pull request changes, at most MOST_FILES."""
        return [
            _changed(item)
            for item in self._list(f"{self._forge.path}/pulls/{number}/files")
            if isinstance(at(item, "filename"), str)
        ]

    def text_at(self, path: str, commit: str) -> str | None:
        """Return a file's text at a commit or branch; None when it is not there."""
        if not _is_inside(path):
            return None
        answer = self._forge.connection.get(f"{self._forge.path}/contents/{quote(path)}", ref=commit)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusal(answer, f"{path} at {commit[:7]}", "add `permissions: {contents: read}` to the job")
        content = at(answer.body, "content")
        if at(answer.body, "encoding") != "base64" or not isinstance(content, str):
            return UNREADABLE
        try:
            return base64.b64decode(content).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return UNREADABLE

    def _list(self, path: str, *, unknown: Sequence[int] = (), **query: Any) -> list[dict[str, Any]]:
        """Return a whole list; an empty one for the statuses that say that its owner is not known."""
        found: list[dict[str, Any]] = []
        for answer in self._forge.connection.pages(path, **query):
            if answer.status in unknown:
                return []
            if answer.status != 200 or not isinstance(answer.body, list):
                raise refusal(answer, path.removeprefix(self._forge.path), self._forge.hint(answer))
            found += _mappings(answer.body)
        return found


def _mappings(items: Iterable[Any]) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)]


def _changed(item: Any) -> ChangedFile:
    name, status = item["filename"], at(item, "status")
    if status == "removed":
        return ChangedFile(name, None)
    if status == "added":
        return ChangedFile(None, name)
    before = at(item, "previous_filename")
    return ChangedFile(before if status == "renamed" and isinstance(before, str) else name, name)


def _is_inside(path: str) -> bool:
    """Return whether a path stays in the repository: one that leads out would ask for something else."""
    parts = path.split("/")
    return len(path) <= 1000 and all(part not in ("", ".", "..") for part in parts)
