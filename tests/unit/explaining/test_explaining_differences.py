"""Columns in which rows differ from others: what is planted is found, and nothing is found where nothing is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlci.explaining.differences import differences


def table(seed: int, rows: int = 3000) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "city": chance.choice(list("abcdef"), rows),
            "flag": chance.random(rows) < 0.3,
            "size": np.where(chance.random(rows) < 0.1, np.nan, chance.normal(0, 1, rows)),
            "id": np.arange(rows).astype(str),
        }
    )


def test_what_is_planted_is_found_largest_first():
    frame = table(1)
    chance = np.random.default_rng(2)
    changed = chance.random(len(frame)) < np.where(frame["city"] == "b", 0.5, 0.05) + 0.2 * (
        frame["size"] > 0.5
    )
    found = differences(frame, changed, ~changed)
    assert [each.column for each in found] == ["city", "size"]
    first = found[0]
    assert first.value == "= b"
    assert first.share == np.mean(frame["city"][changed] == "b")
    assert first.low <= first.size <= first.high
    assert "city = b" in first.sentence(show_values=True)
    assert "= b" not in first.sentence(show_values=False)
    assert first.facts(show_values=False)["value"] is None


def test_nothing_is_found_where_rows_changed_by_chance():
    wrong = 0
    for seed in range(100):
        changed = np.random.default_rng(1000 + seed).random(3000) < 0.1
        wrong += bool(differences(table(seed), changed, ~changed))
    assert wrong <= 0.05 * 100 + 3 * (0.05 * 0.95 * 100) ** 0.5


def test_few_rows_tell_nothing():
    changed = np.arange(3000) < 4
    assert differences(table(1), changed, ~changed) == []
