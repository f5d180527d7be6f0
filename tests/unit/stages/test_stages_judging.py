"""Gates over slices as checks: each way to judge them, with and without a baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from mlci.core.inputs import DataInputs
from mlci.core.results import Check
from mlci.slicing import sliced
from mlci.stages._judging import Judge
from mlci.stages.compare_to_baseline import CompareInputs

DATA = DataInputs.model_validate({"label": "y", "slices": ["c", {"name": "late", "where": "hour > 20"}]})


def table(wrong_on_b: float, seed: int = 1) -> pd.DataFrame:
    chance = np.random.default_rng(7)
    rows = 3000
    frame = pd.DataFrame(
        {
            "y": chance.integers(0, 2, rows),
            "c": chance.choice(["a", "b", "few"], rows, p=[0.6, 0.395, 0.005]),
            "hour": chance.integers(0, 24, rows),
        }
    )
    luck = chance.random(rows)
    wrong = luck < np.where(frame["c"] == "b", wrong_on_b, 0.1)
    sure = np.clip(0.7 + np.random.default_rng(seed).normal(0, 0.1, rows), 0.51, 0.99)
    right = np.where(frame["y"] == 1, sure, 1 - sure)
    frame["probability_1"] = np.where(wrong, 1 - right, right)
    frame["probability_0"] = 1 - frame["probability_1"]
    frame["prediction"] = (frame["probability_1"] > 0.5).astype(int)
    return frame


def judged(
    *gates: dict[str, Any], wrong: float = 0.1, baseline: bool = True, identical: bool = False, **inputs: Any
) -> list[Check]:
    candidate = table(wrong)
    judge = Judge(
        CompareInputs.model_validate({"gates": list(gates), **inputs}),
        DATA,
        sliced(DATA.slices, candidate),
        lambda key: f"mlci.yaml:1 {key}",
    )
    return judge.judge(candidate, table(0.1, seed=2) if baseline else None, identical=identical)


def test_a_check_knows_how_sure_it_is_that_the_models_differ() -> None:
    accuracy, brier, alone = judged(
        {"metric": "accuracy", "no-worse-than": 0.05},
        {"metric": "brier", "no-worse-than": 0.05},
        {"metric": "accuracy", "at-least": 0.1},
        wrong=0.12,
    )
    after, before = table(0.12), table(0.1, seed=2)
    right = [model["prediction"] == model["y"] for model in (after, before)]
    gained, lost = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum())
    middle = binom.pmf(min(gained, lost), gained + lost, 0.5)
    expected = 2 * binom.cdf(min(gained, lost), gained + lost, 0.5) - middle
    assert accuracy.observed["p_equal"] == pytest.approx(min(1.0, expected))
    assert accuracy.observed["equality_test"] == "McNemar, mid-p"
    assert 0 < brier.observed["p_equal"] < 1
    assert brier.observed["equality_test"] == "the interval's own"
    assert "p_equal" not in alone.observed


def test_the_worst_slice_is_the_only_check_of_its_gate() -> None:
    (check,) = judged({"metric": "accuracy", "no-worse-than": 0.05, "worst-slice": True}, wrong=0.3)
    assert check.name == "Worst-slice accuracy no-worse-than 0.05"
    assert (check.status.value, check.word, check.slice) == ("failed", "worse", None)
    assert check.metric is not None
    assert check.metric.slice == "c=b"
    assert check.observed["tested"] == 3
    assert check.observed["left_out"] == 1
    low, high = check.observed["own_interval"]
    interval = check.metric.interval
    assert interval is not None
    assert interval.low < low < high < interval.high < -0.05
    assert "1 too small or not computable" in check.message


@pytest.mark.parametrize(("limit", "status"), [(0.05, "passed"), (0.0001, "inconclusive")])
def test_the_worst_slice_passes_only_when_every_slice_does(limit: float, status: str) -> None:
    (check,) = judged({"metric": "brier", "no-worse-than": limit, "worst-slice": True})
    assert check.status.value == status
    assert ("each of them passes by itself" in check.message) == (status == "passed")


def test_no_slice_with_enough_rows_is_unclear() -> None:
    gate = {"metric": "accuracy", "no-worse-than": 0.05, "worst-slice": True}
    (check,) = judged(gate, **{"minimum-rows": 2900})
    assert (check.status.value, check.word) == ("inconclusive", "too few rows")


def test_absolute_limits_need_no_baseline() -> None:
    checks = judged(
        {"metric": "accuracy", "at-least": 0.8, "worst-slice": True},
        {"metric": "log_loss", "at-most": 0.4, "worst-slice": ["late"], "on": "bound"},
        {"metric": "accuracy", "no-worse-than": 0.1, "worst-slice": True},
        wrong=0.3,
        baseline=False,
    )
    assert [check.status.value for check in checks] == ["failed", "failed", "skipped"]
    assert [check.metric.slice for check in checks if check.metric] == ["c=b", "late", None]


def test_a_metric_that_is_resampled_can_fail_in_a_slice() -> None:
    gate = {"metric": "average_precision", "no-worse-than": 0.02, "worst-slice": True}
    (check,) = judged(gate, wrong=0.4)
    assert check.status.value == "failed"
    assert check.metric is not None
    assert check.metric.slice == "c=b"


@pytest.mark.parametrize(
    ("correction", "word"), [("holm", "Holm"), ("benjamini-hochberg", "Benjamini–Hochberg")]
)
def test_the_correction_stands_in_the_summary(correction: str, word: str) -> None:
    gate = {"metric": "accuracy", "no-worse-than": 0.05, "per-slice": ["c"], "correction": correction}
    checks = judged(gate, wrong=0.3)
    assert [check.slice for check in checks[:3]] == [None, None, "c=b"]
    assert f"accuracy on 3 slices, {word} over 2: " in checks[1].message
    assert "1 too few rows" in checks[1].message
    assert {check.slice for check in checks} == {None, "c=a", "c=b", "c=few"}


def test_one_and_the_same_model_is_identical_and_still_has_to_keep_absolute_limits() -> None:
    checks = judged(
        {"metric": "accuracy", "no-worse-than": 0.05, "worst-slice": True},
        {"metric": "accuracy", "at-least": 0.8, "per-slice": True, "on": "bound"},
        wrong=0.3,
        identical=True,
    )
    assert checks[0].word == "identical"
    assert {check.slice for check in checks if check.status.value == "failed"} == {"c=b"}
    assert "Bonferroni" in checks[2].message
