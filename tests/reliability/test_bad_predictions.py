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
        "an infinite number",
        "table[3][1] = '-inf'",
        "predictions.not-finite",
        "'prediction' is NaN, infinite or empty in 1 of 120 rows",
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
        "table = [['9' + row[0], *row[1:]] for row in table]",
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
        "above one",
        "table[7][2] = '1.5'; table[8][2] = '-0.25'",
        "predictions.out-of-range",
        "'probability' is outside 0 … 1 in 2 of 120 rows (-0.25 … 1.5)",
    ),
    (
        "keys of another kind",
        "table = [['id ' + row[0], *row[1:]] for row in table]",
        "predictions.unpaired",
        "key 'key' is text in the candidate's predictions, but numbers in the evaluation rows",
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


@pytest.mark.parametrize(
    ("change", "code", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_baseline_that_cannot_be_judged_is_refused(
    program: Callable[..., Project], change: str, code: str, says: str
) -> None:
    project = program(WRITES.format(change="pass"), predictions="predictions.csv")
    project.write("elsewhere.py", WRITES.format(change=change).replace("predictions.csv", "baseline.csv"))
    project.run_program("elsewhere.py", MLCI_DATA_EVALUATE="data/evaluate.csv")
    gates = [{"metric": "accuracy", "no-worse-than": 0.05}]
    project.configure(
        validate_data=None,
        train={"command": "python train.py", "predictions": "predictions.csv"},
        compare_to_baseline={"baseline": "baseline.csv", "gates": gates},
    )
    project.mlci("run").refused(code, 3, "the baseline", says.replace("the candidate's", "the baseline's"))
    assert project.passed("train")
    assert not project.passed("compare-to-baseline")
    project.nothing_half_written()
