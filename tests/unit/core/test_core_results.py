"""What is written as JSON and read again is equal to it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mlci.core.results import (
    Artifact,
    Check,
    ErrorRecord,
    Interval,
    Metric,
    StageResult,
    Step,
    plain,
)
from mlci.core.status import ExitCode, Status

# Lone surrogates included: a file name that is no UTF-8 reaches Python as such.
texts = st.text(st.characters(), max_size=20)
numbers = st.floats() | st.integers()
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
metrics = st.builds(
    Metric,
    name=texts,
    value=st.none() | st.floats(),
    direction=st.sampled_from(["higher", "lower"]),
    n=st.integers(0),
    slice=st.none() | texts,
    unit=st.none() | texts,
    baseline=st.none() | st.floats(),
    delta=st.none() | st.floats(),
    interval=st.none()
    | st.builds(
        Interval,
        low=st.floats(allow_nan=False, allow_infinity=False),
        high=st.floats(allow_nan=False, allow_infinity=False),
        confidence=st.floats(0, 1),
        method=texts,
    ),
)
checks = st.builds(
    Check,
    name=texts,
    status=st.sampled_from(Status),
    message=texts,
    word=st.none() | texts,
    note=st.none() | texts,
    observed=anything,
    expected=anything,
    limit=st.none() | texts,
    slice=st.none() | texts,
    metric=st.none() | metrics,
    p_value=st.none() | st.floats(),
    where=st.none() | texts,
    url=st.none() | texts,
)
errors = st.builds(
    ErrorRecord,
    code=texts,
    message=texts,
    hint=texts,
    exit_code=st.sampled_from(sorted(set(ExitCode) - {ExitCode.PASSED})),
)
shared: dict[str, Any] = {
    "stage": texts,
    "reason": texts,
    "checks": st.lists(checks, max_size=3),
    "metrics": st.lists(metrics, max_size=2),
    "artifacts": st.lists(
        st.builds(Artifact, path=texts, sha256=texts, size=st.integers(0), role=st.just("model")), max_size=2
    ),
    "outputs": st.dictionaries(texts, texts, max_size=3),
    "details": st.dictionaries(texts, anything, max_size=3),
    "steps": st.lists(st.builds(Step, name=texts, seconds=st.floats(0, allow_infinity=False)), max_size=2),
    "started": texts,
    "seconds": st.floats(0, allow_infinity=False),
    "fingerprint": st.dictionaries(texts, texts, max_size=3),
    "cached": st.booleans(),
}
results = st.builds(StageResult, status=st.sampled_from(Status), **shared) | st.builds(
    StageResult, status=st.sampled_from([Status.FAILED, Status.ERRORED]), error=errors, **shared
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(results)
def test_any_result_is_the_same_after_json(result: StageResult) -> None:
    text = result.model_dump_json(indent=2)
    assert StageResult.model_validate_json(text) == result
    json.dumps(json.loads(text), allow_nan=False)  # strict JSON, since others read it too


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_number_that_is_none_becomes_null_everywhere(number: float) -> None:
    metric = Metric(name="m", value=number, direction="higher", n=1, baseline=number, delta=number)
    check = Check(
        name="c", status=Status.PASSED, message="", observed={"a": [number]}, p_value=number, metric=metric
    )
    assert (metric.value, metric.baseline, metric.delta) == (None, None, None)
    assert (check.observed, check.p_value) == ({"a": [None]}, None)


@pytest.mark.parametrize("bound", [math.nan, math.inf])
def test_an_interval_without_an_end_is_refused(bound: float) -> None:
    with pytest.raises(ValidationError, match="low"):
        Interval(low=bound, high=1.0, confidence=0.9, method="m")


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        ((1, 2), [1, 2]),
        ({1: Path("a/b")}, {"1": "a/b"}),
        ("caf\udce9", "caf?"),
        (Status.FAILED, Status.FAILED),
    ],
)
def test_values_of_other_types_become_those_of_json(given_value: Any, kept: Any) -> None:
    assert plain(given_value) == kept
    assert json.loads(json.dumps(plain(given_value))) == kept


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        StageResult.model_validate({"stage": "s", "status": "passed", "reason": "r", "colour": "red"})


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        StageResult(stage="s", status=Status.PASSED, reason="r").status = Status.FAILED  # type: ignore[misc] # on purpose
