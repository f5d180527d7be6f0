"""Writes YAML that people read: keys in their order, quotes and blocks where they are asked for."""

from __future__ import annotations

from typing import Any

import yaml

from mlci.sync._tree import MARK


class Quoted(str):
    """Text in double quotes, so that an empty or odd value put in its place stays text."""

    __slots__ = ()


class Block(str):
    """Text of several lines, as a literal block."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - see below
        # PyYAML puts the items of a list under its key; people indent them.
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True


def _quoted(dumper: yaml.SafeDumper, text: Quoted) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')


def _block(dumper: yaml.SafeDumper, text: Block) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if text == "" else None)


_Dumper.add_representer(Quoted, _quoted)
_Dumper.add_representer(Block, _block)
_Dumper.add_representer(str, _text)


def document(*parts: Any, notes: tuple[str, ...] = ()) -> str:
    """Return YAML documents under a comment that says that they are generated; `notes` follow it."""
    head = "".join(f"# {line}\n" for line in (MARK, *notes))
    return head + "---\n".join(
        yaml.dump(part, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000) for part in parts
    )
