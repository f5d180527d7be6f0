"""The parts of the generator: words for inputs, YAML for people, the tree of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mlci.core.inputs import Inputs
from mlci.core.stage import Stage
from mlci.sync._describe import default_text, described, limits_text, models_in, type_text
from mlci.sync._gitlab import option
from mlci.sync._markdown import page, table
from mlci.sync._stages import Input, direct, stage_outputs, unique
from mlci.sync._tree import MARK, Kind, differences, expected, superfluous, write
from mlci.sync._yaml import Block, Quoted, document


class Item(Inputs):
    """One of several."""

    size: int = 1


class Example(Inputs):
    """Inputs of every shape."""

    name: str = Field(description="A name.")
    kind: Literal["a", "b"] = Field("a", description="A kind.")
    seed: int = Field(17, ge=0, lt=100, description="A seed.")
    share: float | None = Field(None, gt=0, description="A share; default: all.")
    on: bool = Field(False, description="Whether.")
    files: list[str] = Field([], description="Files.")
    items: list[Item] = Field([], description="Items.")
    free: dict[str, Any] = Field({}, description="Anything.")
    label: str | int | float | bool | None = Field(None, description="A label.")


FIELDS = Example.model_fields


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name", "A name."),
        ("kind", "A kind. One of: a, b. Default: a."),
        ("seed", "A seed. Default: 17."),
        ("share", "A share; default: all."),
        ("on", "Whether. true or false. Default: false."),
        ("files", "Files. One item a line."),
        ("items", "Items. YAML or JSON."),
        ("free", "Anything. YAML or JSON."),
    ],
)
def test_a_description_says_choices_form_and_default(name: str, text: str) -> None:
    assert described(FIELDS[name]) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name", "text"),
        ("kind", "`a` · `b`"),
        ("seed", "whole number"),
        ("share", "number"),
        ("on", "true or false"),
        ("files", "list of texts"),
        ("items", "list of [items](#item)"),
        ("free", "mapping"),
        ("label", "text, number, or true or false"),
    ],
)
def test_types_are_said_in_words(name: str, text: str) -> None:
    assert type_text(FIELDS[name].annotation) == text


def test_models_inside_of_a_type_are_found() -> None:
    assert models_in(FIELDS["items"].annotation) == [Item]
    assert models_in(dict[str, list[Item] | None]) == [Item]
    assert models_in(FIELDS["kind"].annotation) == []


def test_limits_and_defaults_are_those_of_the_field() -> None:
    assert limits_text(FIELDS["seed"]) == "≥ 0, < 100"
    assert limits_text(FIELDS["share"]) == "> 0"
    assert [default_text(FIELDS[name]) for name in ("name", "kind", "on", "files", "share")] == [
        "",
        "a",
        "false",
        "",
        "",
    ]


def stage(name: str, *after: str) -> Stage:
    return Stage(name, name, Item, parts=lambda *_: {}, run=lambda *_: NotImplemented, after=after)


def test_only_direct_predecessors_count() -> None:
    stages = [
        stage("a"),
        stage("b", "a"),
        stage("c", "a", "b"),
        stage("d", "c", "a", "missing"),
        stage("e", "a"),
    ]
    assert {item.name: direct(item, stages) for item in stages} == {
        "a": [],
        "b": ["a"],
        "c": ["b"],
        "d": ["c"],
        "e": ["a"],
    }


def test_one_name_stands_for_one_variable() -> None:
    first, second = Input("a", "MLCI_A", ""), Input("a", "MLCI_B_A", "")
    assert unique([first]) == [first]
    with pytest.raises(ValueError, match="'a' stands for MLCI_A and MLCI_B_A"):
        unique([first, second])


def test_an_unknown_stage_has_no_outputs() -> None:
    assert stage_outputs("nobody") == {}


def test_an_option_is_given_only_with_a_value() -> None:
    assert option("--from", "FIRST") == ' ${FIRST:+--from "$FIRST"}'
    assert option("--force", "FORCE", takes_value=False) == " ${FORCE:+--force}"


# PyYAML writes the line ends of Unicode in a way that it does not read back; no description has them.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\n"))


@given(st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.lists(TEXT), st.booleans())))
def test_yaml_says_what_was_given(value: dict[str, Any]) -> None:
    text = document(value)
    assert text.startswith(f"# {MARK}\n")
    assert yaml.safe_load(text) == value


def test_quotes_blocks_and_order_are_kept() -> None:
    text = document({"b": Quoted("$[[ x ]]"), "a": Block("one\ntwo\n"), "empty": "", "list": ["x"]}, {"c": 1})
    assert text == f'# {MARK}\nb: "$[[ x ]]"\na: |\n  one\n  two\nempty: ""\nlist:\n  - x\n---\nc: 1\n'


def test_a_table_keeps_its_columns() -> None:
    assert table(("A", "B"), [("x|y", "z")]) == "| A | B |\n| :-- | :-- |\n| x\\|y | z |"
    assert table(("A",), []) == ""
    assert page("Title", "", "text") == f"<!-- {MARK} -->\n\n# Title\n\ntext\n"


def test_two_kinds_may_not_claim_one_file() -> None:
    kind = Kind(lambda: {"a.md": f"# {MARK}\n"}, ("*.md",))
    with pytest.raises(ValueError, match=r"'a\.md' is generated twice"):
        expected([kind, kind])


def test_a_generated_file_says_so() -> None:
    with pytest.raises(ValueError, match=r"'a\.md' does not say"):
        expected([Kind(lambda: {"a.md": "# by hand\n"}, ("*.md",))])


def test_writing_changes_what_differs_and_nothing_else(tmp_path: Path) -> None:
    files = {"one/a.md": f"# {MARK}\n1\n", "two/a.md": f"# {MARK}\n2\n"}
    kinds = [Kind(lambda: files, ("*/a.md",))]
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a.md").write_text(files["one/a.md"])
    (tmp_path / "old").mkdir()
    (tmp_path / "old/a.md").write_text(f"# {MARK}\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.md").write_text("mine\n")
    assert superfluous(tmp_path, kinds, files) == ["old/a.md"]
    assert len(differences(tmp_path, kinds, files)) == 2
    assert write(tmp_path, kinds, files) == ["old/a.md", "two/a.md"]
    assert not (tmp_path / "old").exists()
    assert (tmp_path / "mine/a.md").read_text() == "mine\n"
    assert write(tmp_path, kinds, files) == []
    assert differences(tmp_path, kinds, files) == []


def test_a_missing_end_of_line_is_shown(tmp_path: Path) -> None:
    files = {"a.md": f"# {MARK}\n"}
    (tmp_path / "a.md").write_text(f"# {MARK}")
    (diff,) = differences(tmp_path, [Kind(lambda: files, ("a.md",))], files)
    assert "\\ no newline at the end\n" in diff
