"""Slices that the baseline was judged on and that have no rows today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.core.ports import Baseline
from mlci.core.results import Check
from mlci.slicing import sliced
from mlci.stages._judging import refuse_unknown_slices
from mlci.stages._slices_before import presence_checks
from mlci.stages.compare_to_baseline import CompareInputs

BEFORE = pd.DataFrame({"c": ["a"] * 40 + ["b"] * 40 + ["tiny"] * 5, "n": [1.0] * 60 + [5.0] * 25})
TODAY = pd.DataFrame({"c": ["a"] * 50, "n": [1.0] * 50})


def checks(
    folder: Path,
    slices: list[Any],
    before: pd.DataFrame | None = BEFORE,
    today: pd.DataFrame = TODAY,
    **gate: Any,
) -> list[Check]:
    data = DataInputs.model_validate({"slices": slices})
    rule = {"metric": "accuracy", "no-worse-than": 0.1, "per-slice": True, **gate}
    inputs = CompareInputs.model_validate({"gates": [rule]})
    baseline = None
    if before is not None:
        before.to_parquet(folder / "before.parquet", index=False)
        baseline = Baseline("version 1", predictions=folder / "before.parquet")
    return presence_checks(inputs, data, sliced(data.slices, today), baseline, "mlci.yaml:3")


def test_a_slice_that_was_judged_and_is_gone_fails(tmp_path: Path) -> None:
    (check,) = checks(tmp_path, ["c"])
    assert check.status.value == "failed"
    assert check.observed["gone"] == {"c=b": 40}
    assert "c=b (40 rows before)" in check.message
    (advisory,) = checks(tmp_path, ["c"], advisory=True)
    assert advisory.status.value == "warned"


def test_only_slices_that_a_gate_judges_count(tmp_path: Path) -> None:
    assert checks(tmp_path, ["c"], **{"per-slice": False}) == []
    (check,) = checks(tmp_path, ["c", {"column": "n", "edges": [3]}], **{"per-slice": ["n"]})
    # Of n, only the range below 3 had rows enough to be judged, and it has rows today.
    assert check.status.value == "passed"
    assert "each of 1 slices" in check.message
    assert checks(tmp_path, [{"column": "n", "bins": 2}]) == []


def test_declared_slices_are_looked_for_without_a_baseline(tmp_path: Path) -> None:
    declared = [{"column": "c", "values": ["a", "z"]}, {"name": "far", "where": "n > 9"}]
    (check,) = checks(tmp_path, declared, before=None)
    assert check.observed["declared"] == ["c=z", "far"]
    (check,) = checks(tmp_path, [{"column": "c", "values": ["a"]}], before=BEFORE)
    assert check.status.value == "passed"


def test_a_column_that_was_not_recorded_tells_nothing(tmp_path: Path) -> None:
    assert checks(tmp_path, ["c"], before=BEFORE[["n"]]) == []
    assert checks(tmp_path, ["c"], before=None) == []


def test_a_gate_that_names_slices_that_there_are_not_is_refused() -> None:
    data = DataInputs.model_validate({"slices": ["carrier"]})
    inputs = CompareInputs.model_validate(
        {"gates": [{"metric": "accuracy", "no-worse-than": 0.1, "per-slice": ["carier"]}]}
    )
    with pytest.raises(MlciError) as caught:
        refuse_unknown_slices(inputs.gates[0], data, "mlci.yaml:8")
    assert caught.value.hint == "did you mean 'carrier'?"
    assert "mlci.yaml:8" in caught.value.message
