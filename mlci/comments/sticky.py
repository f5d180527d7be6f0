"""Decides what becomes of a comment (added, updated, left alone), and sees to it that there is only one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from mlci.core.errors import NotPostedError, UncertainError
from mlci.core.forge import Comment, Forge

Mode = Literal["update", "only-on-change", "new"]
MODES: tuple[Mode, ...] = get_args(Mode)
_TRIES = 3
_FOOTER = re.compile(r"^<sub>.*</sub>$", re.M)


@dataclass(frozen=True)
class Message:
    """What a comment is to say. Its first line is the marker by which it is found again.

    `evaluated` is False when no model was judged; `quiet` is True when nothing calls for a person.
    """

    text: str
    evaluated: bool
    quiet: bool

    @property
    def marker(self) -> str:
        """The first line."""
        return _first_line(self.text)


@dataclass(frozen=True)
class Posted:
    """What became of the comment. `comment` is None when there is none."""

    done: Literal["added", "updated", "unchanged", "nothing"]
    why: str
    comment: Comment | None = None


def decide(found: Sequence[Comment], message: Message, mode: Mode) -> Posted:
    """Return what is to be done, given our own comments with this marker, oldest first."""
    if not found:
        if not message.evaluated:
            return Posted("nothing", "nothing was evaluated, and there is no comment to bring up to date")
        if mode == "only-on-change" and message.quiet:
            return Posted("nothing", "all is well, and only-on-change adds no comment to say so")
        return Posted("added", "the first one")
    last = found[-1]
    if mode == "new" and message.evaluated:
        return Posted("added", "a new one each time")
    if mode == "only-on-change" and unchanged(last.body, message.text):
        return Posted("unchanged", "it says the same already", last)
    return Posted("updated", "in place", last)


def unchanged(old: str, new: str) -> bool:
    """Return whether two texts say the same: times, commits and addresses of runs stand in footers."""
    first, second = (_FOOTER.sub("", text.replace("\r\n", "\n")).strip() for text in (old, new))
    return first == second


def own(comments: Sequence[Comment], marker: str, me: str) -> list[Comment]:
    """Return our own comments that begin with the marker, oldest first.

    Anybody can write the marker; who wrote it is what counts.
    """
    ours = [
        item
        for item in comments
        if item.author.casefold() == me.casefold() and _first_line(item.body) == marker
    ]
    return sorted(ours, key=lambda item: item.id)


def post(forge: Forge, number: int, message: Message, mode: Mode) -> Posted:
    """Let the pull or merge request say it. Raises NotPostedError when the forge refuses or does not answer."""
    me = forge.me()
    found = own(forge.comments(number), message.marker, me)
    step = decide(found, message, mode)
    if step.done == "updated" and step.comment is not None:
        return Posted(step.done, step.why, forge.update(number, step.comment, message.text))
    if step.done != "added":
        return step
    known = {item.id for item in found}
    made = _add(forge, number, message, me, known)
    return Posted(step.done, step.why, made if mode == "new" else _only(forge, number, message, me, made))


def _add(forge: Forge, number: int, message: Message, me: str, known: set[int]) -> Comment:
    """Add a comment. After a lost answer look first whether it is there: a second one must not appear."""
    lost = NotPostedError("the forge does not answer")
    for _ in range(_TRIES):
        try:
            return forge.create(number, message.text)
        except UncertainError as error:
            lost = error
        there = [item for item in own(forge.comments(number), message.marker, me) if item.id not in known]
        if there:
            return forge.update(number, there[-1], message.text)
    raise NotPostedError(lost.why, lost.hint)


def _only(forge: Forge, number: int, message: Message, me: str, made: Comment) -> Comment:
    """Keep one comment when two jobs added theirs at the same time: the older, with the newer text."""
    try:
        first = own(forge.comments(number), message.marker, me)[:1]
        if not first or first[0].id >= made.id:
            return made
        kept = forge.update(number, first[0], message.text)
        forge.delete(number, made)
    except NotPostedError:  # what was to be said stands there; that it may do so twice is no reason to warn
        return made
    return kept


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip()
