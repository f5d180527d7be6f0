"""Evaluation rows that no model can be judged on are refused before anything is trained."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from tiny_project import PREDICTS, Project, rows

Rows = list[dict[str, str]]


def set_all(column: str, value: str) -> Callable[[Rows], None]:
    return lambda table: [row.update({column: value}) for row in table] and None


def set_some(column: str, value: str, count: int = 3) -> Callable[[Rows], None]:
    return lambda table: [row.update({column: value}) for row in table[:count]] and None


CASES: list[tuple[str, Callable[[Rows], None], dict[str, Any], str, str]] = [
    ("one class", set_all("label", "1"), {}, "data.bad-label", "is 1 in all 120 rows"),
    ("one class in words", set_all("label", "no"), {}, "data.bad-label", "is no in all 120 rows"),
    ("empty labels", set_some("label", ""), {}, "data.bad-label", "is empty in 3 rows"),
    ("infinite labels", set_some("label", "inf"), {}, "data.bad-label", "is infinite in 3 rows"),
    (
        "text labels",
        set_some("label", "high"),
        {"task": "regression"},
        "data.bad-label",
        "is text, but data.task is regression",
    ),
    ("no rows", lambda table: table.clear(), {}, "data.empty", "6 columns and no rows"),
    ("no label", lambda table: [row.pop("label") for row in table] and None, {}, "data.missing-column", "'label'"),
    ("no slice", lambda table: None, {"slices": ["carrier"]}, "data.missing-column", "no column 'carrier'"),
    ("repeated keys", set_some("key", "1000"), {}, "data.bad-key", "empty or repeated in 2 rows"),
    ("empty keys", set_some("key", ""), {}, "data.bad-key", "empty or repeated in 3 rows"),
    ("text weights", set_some("weight", "heavy"), {"weight": "weight"}, "data.bad-weight", "not a column of numbers"),
    ("negative weights", set_some("weight", "-1"), {"weight": "weight"}, "data.bad-weight", "negative in 3 rows"),
    ("infinite weights", set_some("weight", "inf"), {"weight": "weight"}, "data.bad-weight", "or negative in 3"),
    ("no weight at all", set_all("weight", "0"), {"weight": "weight"}, "data.bad-weight", "is 0 in all 120 rows"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "settings", "code", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_rows_that_no_model_can_be_judged_on_are_refused(
    program: Callable[..., Project],
    change: Callable[[Rows], None],
    settings: dict[str, Any],
    code: str,
    says: str,
) -> None:
    project = program("open('trained', 'w')\n" + PREDICTS, predictions="predictions.csv")
    table = [{**row, "weight": "1"} for row in csv.DictReader(io.StringIO(rows(120, 1000)))]
    names = list(table[0])
    change(table)
    names = list(table[0]) if table else names
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    project.write("data/evaluate.csv", text.getvalue())
    data = {"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"}
    project.configure(
        data={**data, **settings},
        validate_data=None,
        train={"command": "python train.py", "predictions": "predictions.csv"},
    )
    project.mlci("run").refused(code, 3, says)
    assert not (project.root / "trained").exists()
    project.nothing_half_written()
