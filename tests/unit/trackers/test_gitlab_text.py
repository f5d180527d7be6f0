"""Versions, aliases and file names as GitLab's registry holds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.trackers._gitlab_text import aliases_in, flat, is_plain, is_semantic, newest, next_patch, with_alias

versions = st.builds("{}.{}.{}{}".format, *[st.integers(0, 30)] * 3, st.sampled_from(["", "-rc1", "-a.b"]))
names = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("version", "following"),
    [
        (None, "1.0.0"),
        ("1.0.0", "1.0.1"),
        ("2.4.9", "2.4.10"),
        ("2.5.0-rc1", "2.5.0"),
        ("1.0.0+build", "1.0.1"),
    ],
)
def test_a_model_trained_again_is_the_next_patch(version: str | None, following: str) -> None:
    assert next_patch(version) == following


def test_the_newest_is_the_highest_and_not_the_last() -> None:
    assert newest(["1.0.10", "1.0.9", "latest", "2", "1.0.10-rc1"]) == "1.0.10"
    assert newest(["1.1.0-rc1", "1.0.10"]) == "1.1.0-rc1"
    assert newest([]) is None


@given(st.lists(versions, min_size=1))
def test_the_next_version_is_higher_than_all(known: list[str]) -> None:
    following = next_patch(newest(known))
    assert following not in known
    assert newest([*known, following]) == following


@given(st.text(max_size=60), st.lists(st.tuples(names, versions), min_size=1, max_size=6))
def test_an_alias_is_read_as_it_was_written_and_the_text_stays(
    text: str, moves: list[tuple[str, str]]
) -> None:
    description, expected = text, aliases_in(text)
    for alias, version in moves:
        description = with_alias(description, alias, version)
        expected[alias] = version
        assert aliases_in(description) == expected
    assert text.strip() in description or "mlci aliases:" in text


def test_what_somebody_wrote_around_the_line_stays() -> None:
    text = "About churn.\n\nmlci aliases: champion = 1.0.0\n\nAsk the team."
    assert with_alias(text, "champion", "1.0.1") == text.replace("1.0.0", "1.0.1")
    assert with_alias(text, "old", "1.0.0") == text.replace("1.0.0", "1.0.0, old = 1.0.0")
    assert aliases_in("mlci aliases: nonsense, champion =, x = 1") == {"x": "1"}


@pytest.mark.parametrize("name", ["MLmodel", "model.skops", "a-b_c+d.e"])
def test_a_name_that_gitlab_keeps(name: str) -> None:
    assert is_plain(name)
    assert flat(name) == name


@pytest.mark.parametrize("name", ["a b", "größe.py", "a/b", "", ".", "..", "a#b", "a\nb"])
def test_a_name_that_gitlab_would_change_or_refuse(name: str) -> None:
    assert not is_plain(name)


def test_a_path_becomes_a_name() -> None:
    assert flat("predictions/predictions.parquet") == "predictions--predictions.parquet"
    assert is_plain(flat("a b/größe/c.txt"))
    assert is_semantic("1.0.0-rc.1")
    assert not is_semantic("1.0")
