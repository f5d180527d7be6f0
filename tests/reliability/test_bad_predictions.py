"""Predictions that do not fit the evaluation rows are refused, with how many rows and whose they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tiny_project import Project

WRITES = """\
import csv, os
with open(os.environ["MLCI_DATA_EVALUATE"]) as stream:
    rows = list(csv.DictReader(stream))
table = [[row["key"], str(int(float(row["a"]) > 1)), "0.5"] for row in rows]
header = ["key", "prediction", "probability"]
{change}
with open("predictions.csv", "w") as stream:
    csv.writer(stream).writerows([header, *table])
"""

CASES = [
    (
        "nan",
        "table[3][1] = ''",
        "predictions.not-finite",
        "'prediction' is NaN, infinite or empty in 1 of 120 rows",
    ),
    (
        "infinite",
        "table[3][2] = 'inf'",
        "predictions.not-finite",
        "'probability' is NaN, infinite or empty in 1 of 120",
    ),
    (
        "missing rows",
        "del table[:20]",
        "predictions.unpaired",
        "lacks 20 of 120 evaluation rows and has 0 others (by 'key')",
    ),
    (
        "twice",
        "table.append(table[0])",
        "predictions.unpaired",
        "several predictions for one 'key' (1 times)",
    ),
    (
        "other keys",
        "table = [['x' + row[0], *row[1:]] for row in table]",
        "predictions.unpaired",
        "lacks 120 of 120 evaluation rows and has 120 others",
    ),
    (
        "more rows",
        "table.append(['9', '1', '0.5'])",
        "predictions.unpaired",
        "lacks 0 of 120 evaluation rows and has 1 others",
    ),
    (
        "no prediction",
        "header[1] = 'answer'",
        "predictions.unreadable",
        "no column 'prediction' (they have: key, answer, probability)",
    ),
    ("no key", "header[0] = 'id'", "predictions.unreadable", "no key column 'key'"),
    ("no rows", "table = []", "predictions.unreadable", "3 columns and no rows"),
    (
        "text",
        "table = [[row[0], 'class ' + row[1]] for row in table]; header.pop()",
        "predictions.unreadable",
        "predictions are text, but the labels ('label') are numbers",
    ),
    (
        "text share",
        "table[5][2] = 'high'",
        "predictions.unreadable",
        "'probability' is not a column of numbers",
    ),
]


@pytest.mark.parametrize(
    ("change", "code", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_predictions_that_cannot_be_judged_are_refused(
    program: Callable[..., Project], change: str, code: str, says: str
) -> None:
    project = program(WRITES.format(change=change), predictions="predictions.csv")
    project.mlci("run").refused(code, 3, "the candidate", says)
    assert not project.passed("train")
    project.nothing_half_written()


def test_a_predictions_file_that_is_cut_is_refused(program: Callable[..., Project]) -> None:
    project = program("import os\nopen(os.environ['MLCI_PREDICTIONS_FILE'], 'wb').write(b'PAR1')\n")
    done = project.mlci("run")
    done.refused(
        "predictions.unreadable", 3, "the candidate's predictions cannot be read", "not a whole Parquet file"
    )
