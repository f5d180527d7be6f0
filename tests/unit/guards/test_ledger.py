"""The ledger counts candidates, not runs; it survives damage, loss and several processes at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlci.core.status import Status
from mlci.guards.ledger import FILE, count_use, uses_check


def test_each_candidate_counts_once_for_each_evaluation_set(tmp_path: Path) -> None:
    asked = [("set", "a"), ("set", "b"), ("set", "a"), ("other", "a"), ("set", "c"), ("set", "b")]
    assert [count_use(tmp_path, *pair) for pair in asked] == [1, 2, 2, 1, 3, 3]


def test_a_lost_ledger_goes_on_from_what_a_version_tells(tmp_path: Path) -> None:
    for name in "abcd":
        count_use(tmp_path, "set", name)
    (tmp_path / FILE).unlink()
    assert count_use(tmp_path, "set", "e", at_least=4) == 5
    assert count_use(tmp_path, "set", "e", at_least=4) == 5
    assert count_use(tmp_path, "set", "f", at_least=5) == 6
    # What a version tells is never added to what is known here already.
    assert count_use(tmp_path, "set", "f", at_least=6) == 6


@pytest.mark.parametrize("text", ["", "[]", "{", '{"set": 3}', '{"set": {"before": "x", "candidates": []}}'])
def test_a_damaged_ledger_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert count_use(tmp_path, "set", "a") == 1
    assert json.loads((tmp_path / FILE).read_text())["set"]["candidates"] == ["a"]


def test_nothing_is_lost_when_many_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: count_use(tmp_path, "set", str(number % 20)), range(80)))
    assert count_use(tmp_path, "set", "0") == 20


def test_it_warns_above_the_number_that_is_allowed() -> None:
    assert uses_check(50, 50).status is Status.PASSED
    assert uses_check(51, 50).status is Status.WARNED
    assert "fresh ones" in uses_check(51, 50).message
