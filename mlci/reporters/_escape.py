"""Makes text from data, configuration or programs harmless: in a terminal, in a log, in Markdown."""

from __future__ import annotations

import re

# Control characters move the cursor or end a line; invisible ones hide or turn round what is read.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_FORMATTING = re.compile(r"([\\`*_{}\[\]#~$])")
_LIST_OR_RULE = re.compile(r"^(?:([-+=])|(\d+)([.)])(?=\s|$))")
# GitHub and GitLab look for these in the finished page, where a backslash or an entity is gone.
_LINKED = re.compile(r"(?<![A-Za-z0-9])@|#(?=\d)|!(?=\d)|\bGH(?=-\d)|:(?=//)|\bwww(?=\.)", re.I)
_COMMAND = re.compile(r"^(\s*)::", re.M)
_OLD_COMMAND = re.compile(r"#(?=#\[)")
_BREAK = "&#8203;"  # a space without width


def printable(text: object, limit: int = 4000) -> str:
    """Return text without control characters, cut to `limit` characters; line breaks stay."""
    whole = str(text)
    shown = whole if len(whole) <= limit else whole[: limit - 1] + "…"
    return _INVISIBLE.sub("\ufffd", shown.replace("\r\n", "\n"))


def one_line(text: object, limit: int = 1000) -> str:
    """Return printable text with every run of blanks and line breaks made one blank."""
    return " ".join(printable(text, limit).split())


def fenced(text: str) -> str:
    """Return text of several lines as a block of code, in which nothing is formatted or linked."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def code_span(text: str) -> str:
    """Return one line as code inside a sentence (not in a table), in which nothing is formatted or linked."""
    shown = one_line(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest else ""
    return f"{fence}{room}{shown}{room}{fence}"


def no_command(text: str) -> str:
    """Return lines none of which a CI system takes for a command to itself.

    GitHub's runner obeys `::name::` at the beginning of a line, blanks aside, and `##[name]` anywhere.
    """
    return _OLD_COMMAND.sub("# ", _COMMAND.sub("\\1∷", text))


def harmless_json(text: str) -> str:
    """Return the same JSON without what a runner obeys: `##[` can stand in texts only, and `::` begins no line."""
    return text.replace("##[", "\\u0023#[")


def escape(text: object, limit: int = 1000) -> str:
    """Return one line of Markdown that shows `text` as it is: no format, no mention, no link, no cell."""
    safe = _FORMATTING.sub(r"\\\1", _entities(text, limit))
    # Breaks go in after a backslash was put before `#`, which is why they follow the sign.
    safe = _LINKED.sub(lambda found: found.group() + _BREAK, safe)
    return _LIST_OR_RULE.sub(_quoted, safe).replace("|", "&#124;")


def escape_in_tag(text: object, limit: int = 1000) -> str:
    """Return one line for between two tags, where Markdown's signs mean nothing: no tag, mention or link."""
    return _LINKED.sub(lambda found: found.group() + _BREAK, _entities(text, limit))


def _entities(text: object, limit: int) -> str:
    return one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(found: re.Match[str]) -> str:
    return f"\\{found.group(1)}" if found.group(1) else f"{found.group(2)}\\{found.group(3)}"
