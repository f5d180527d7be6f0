"""A metric of the project's own: a good one decides, a bad one is an error in words and no verdict."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from tiny_project import PREDICTS, Project, Stopped, alive

PERFECT = PREDICTS.replace("predictions.csv", "baseline.csv").replace(
    "int(float(row['a']) > 1)", "row['label']"
)
GOOD = """\
COSTS = {(1, 0): 5.0, (0, 1): 1.0}

def cost(frame):
    pairs = zip(frame["label"], frame["prediction"])
    return sum(COSTS.get(pair, 0.0) for pair in pairs) / len(frame)

cost.greater_is_better = False
"""
BAD = [
    ("raises", "def cost(frame): raise KeyError('price')", "failed on 120 rows: 'price'"),
    ("nan", "def cost(frame): return float('nan')", "is nan on 120 rows"),
    ("infinite", "def cost(frame): return float('inf')", "is inf on 120 rows"),
    ("text", "def cost(frame): return 'high'", "returned str, not a number"),
    ("nothing", "def cost(frame): pass", "returned NoneType, not a number"),
    ("random", "import random\ndef cost(frame): return random.random()", "is not deterministic"),
    ("counts", "seen = []\ndef cost(frame): seen.append(1); return len(seen)", "1, then 2"),
    ("exits", "import sys\ndef cost(frame): sys.exit(0)", "failed on 120 rows"),
]


def with_metric(program: Callable[..., Project], text: str, name: str = "money:cost") -> Project:
    project = program(PREDICTS, predictions="predictions.csv")
    project.write("perfect.py", PERFECT)
    project.run_program("perfect.py", MLCI_DATA_EVALUATE="data/evaluate.csv")
    project.write("money.py", text)
    return project.configure(
        validate_data=None,
        train={"command": "python train.py", "predictions": "predictions.csv"},
        compare_to_baseline={"baseline": "baseline.csv", "gates": [{"metric": name, "no-worse-than": 0.1}]},
    )


def test_a_metric_of_the_project_decides(program: Callable[..., Project]) -> None:
    project = with_metric(program, GOOD)
    done = project.mlci("run")
    assert done.code == 1, done
    found = project.result("compare-to-baseline")
    assert found is not None
    (check,) = [check for check in found.checks if check.metric]
    assert check.status == "failed"
    assert check.word == "worse"
    assert check.metric is not None
    assert check.metric.direction == "lower"
    assert check.metric.baseline == 0
    lines = (project.root / "predictions.csv").read_text().splitlines()[1:]
    said = dict(line.split(",") for line in lines)
    truth = [line.split(",") for line in (project.root / "data/evaluate.csv").read_text().splitlines()[1:]]
    price = {("1", "0"): 5.0, ("0", "1"): 1.0}
    by_hand = sum(price.get((row[-1], said[row[0]]), 0.0) for row in truth) / len(truth)
    assert check.metric.value == pytest.approx(by_hand)


@pytest.mark.parametrize(("text", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_metric_that_cannot_be_trusted_gives_no_verdict(
    program: Callable[..., Project], text: str, says: str
) -> None:
    project = with_metric(program, text)
    project.mlci("run").refused("metric.failed", 3, "metric 'money:cost'", says)
    assert not project.passed("compare-to-baseline")
    project.nothing_half_written()


@pytest.mark.parametrize("name", ["money:price", "gold:cost"])
def test_a_metric_that_is_not_there_is_an_error_of_the_configuration(
    program: Callable[..., Project], name: str
) -> None:
    with_metric(program, GOOD, name).mlci("run").refused(
        "config.invalid", 2, f"metric '{name}' cannot be loaded"
    )


SLOW = "import time\ndef cost(frame):\n    time.sleep(0.03)\n    return float(frame['prediction'].mean())\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_an_interrupted_metric_leaves_no_process_behind(
    program: Callable[..., Project], stopped: Callable[..., Stopped], number: signal.Signals
) -> None:
    project = with_metric(program, SLOW)
    stop = stopped(project.start("run"), "judge 1 gates", number, 3.0)
    assert stop.children, "it works alone, so this proves nothing"
    assert stop.done.code == (130 if number != signal.SIGKILL else -number), stop.done
    assert alive(stop.children) == set()
    assert "Traceback" not in stop.done.text
