"""Great Expectations in memory: its statuses, its order, names that stay, values that may be private."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlci.core.errors import MlciError
from mlci.core.results import Check
from mlci.core.status import Status
from mlci.validators import VALIDATORS

PLANTED = "PLANTED-4711"
FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "age": [20.0, 30.0, None, 40.0],
        "city": ["Rome", PLANTED, "Bonn", "Rome"],
        "low": [1, 2, 3, 9],
        "high": [2, 3, 4, 5],
    }
)


def check_all(*expectations: dict[str, Any], show_values: bool = True) -> list[Check]:
    return VALIDATORS.get("great-expectations").validate(
        FRAME, expectations, file="d.csv", show_values=show_values
    )


def check_one(type_: str, *, show_values: bool = True, **arguments: Any) -> Check:
    [check] = check_all({"type": type_, **arguments}, show_values=show_values)
    return check


def test_what_holds_passes() -> None:
    check = check_one("expect_column_values_to_be_unique", column="id")
    assert check.status is Status.PASSED
    assert check.name == "d.csv: expect_column_values_to_be_unique(id)"
    assert check.message == "expect_column_values_to_be_unique(id) holds"


@pytest.mark.parametrize(
    ("severity", "status"),
    [
        (None, Status.FAILED),
        ("critical", Status.FAILED),
        ("warning", Status.WARNED),
        ("info", Status.PASSED),
    ],
)
def test_severity_decides_the_status(severity: str | None, status: Status) -> None:
    check = check_one("expect_column_values_to_not_be_null", column="age", severity=severity)
    assert check.status is status
    assert check.message == "expect_column_values_to_not_be_null(age): 1 of 4 rows (25.00%)"
    assert check.observed["unexpected_count"] == 1


@pytest.mark.parametrize(
    "expectation",
    [
        {"type": "expect_column_values_to_not_be_null", "column": "none"},
        {"type": "expect_column_mean_to_be_between", "column": "none", "min_value": 1},
        {
            "type": "expect_column_pair_values_a_to_be_greater_than_b",
            "column_A": "none",
            "column_B": "low",
        },
        {"type": "expect_compound_columns_to_be_unique", "column_list": ["id", "none"]},
    ],
)
@pytest.mark.parametrize("show_values", [True, False])
def test_a_missing_column_is_a_failure_of_the_data(expectation: dict[str, Any], show_values: bool) -> None:
    [check] = check_all(expectation, show_values=show_values)
    assert check.status is Status.FAILED
    assert 'column "none"' in check.message


def test_an_expectation_that_breaks_says_nothing_about_the_data() -> None:
    shown = check_one("expect_column_mean_to_be_between", column="city", min_value=1)
    hidden = check_one("expect_column_mean_to_be_between", column="city", min_value=1, show_values=False)
    assert shown.status is hidden.status is Status.ERRORED
    assert "mean" in shown.message.partition(": ")[2]
    assert "TypeError was raised" in hidden.message


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        ({"type": "expect_nothing"}, "knows no 'expect_nothing'"),
        ({"type": ""}, "knows no ''"),
        ({"type": "expect_column_values_to_not_be_null"}, "column field required"),
        (
            {"type": "expect_column_values_to_not_be_null", "column": "id", "colunm": "x"},
            "colunm extra fields not permitted",
        ),
        (
            {"type": "expect_column_values_to_not_be_null", "column": "id", "severity": "fatal"},
            "severity value is not a valid",
        ),
        ({"type": "expect_column_values_to_be_between", "column": "id"}, "cannot both be None"),
    ],
)
def test_an_expectation_that_is_none_is_named_by_its_number(expectation: dict[str, Any], says: str) -> None:
    good = {"type": "expect_column_values_to_be_unique", "column": "id"}
    with pytest.raises(MlciError) as caught:
        check_all(good, expectation)
    assert caught.value.code == "suite.unreadable"
    assert "expectation 2" in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


def test_values_are_shown_only_where_they_may_be() -> None:
    expectations = [
        {"type": "expect_column_values_to_be_in_set", "column": "city", "value_set": ["Rome", "Bonn"]},
        {"type": "expect_column_distinct_values_to_be_in_set", "column": "city", "value_set": ["Rome"]},
        {"type": "expect_column_distinct_values_to_equal_set", "column": "city", "value_set": ["Rome"]},
        {"type": "expect_column_most_common_value_to_be_in_set", "column": "city", "value_set": ["x"]},
        {"type": "expect_column_values_to_match_regex", "column": "city", "regex": "^[RB]"},
        {"type": "expect_column_value_lengths_to_equal", "column": "city", "value": 4},
        {"type": "expect_column_values_to_be_between", "column": "city", "min_value": 1},
        {"type": "expect_column_max_to_be_between", "column": "city", "max_value": 3},
        {"type": "expect_column_values_to_be_dateutil_parseable", "column": "city"},
        {"type": "expect_column_values_to_be_json_parseable", "column": "city"},
        {"type": "expect_compound_columns_to_be_unique", "column_list": ["city", "city"]},
        {"type": "expect_column_pair_values_to_be_equal", "column_A": "city", "column_B": "low"},
        {"type": "expect_multicolumn_sum_to_equal", "column_list": ["city", "city"], "sum_total": 3},
    ]
    shown = check_all(*expectations, show_values=True)
    hidden = check_all(*expectations, show_values=False)
    assert sum(PLANTED in check.model_dump_json() for check in shown) >= 5
    for check in hidden:
        assert PLANTED not in check.model_dump_json()
    assert [check.status for check in hidden] == [check.status for check in shown]
    assert [check.name for check in hidden] == [check.name for check in shown]


def test_counts_are_of_rows_of_values_or_of_distinct_values() -> None:
    between = check_one("expect_column_values_to_be_between", column="age", min_value=25)
    assert between.message.endswith("1 of 3 values (33.33%); 1 empty value is not counted; such as 20")
    distinct = check_one("expect_column_distinct_values_to_be_in_set", column="city", value_set=["Rome"])
    assert "2 unexpected values; such as" in distinct.message
    table = check_one("expect_table_row_count_to_equal", value=5)
    assert table.message.endswith("observed 4")
    pair = check_one("expect_column_pair_values_a_to_be_greater_than_b", column_A="high", column_B="low")
    assert "1 of 4 rows (25.00%); such as (5, 9)" in pair.message


def test_order_is_kept_although_gx_groups_by_kind() -> None:
    expectations = [
        {"type": "expect_column_values_to_be_unique", "column": "low"},
        {"type": "expect_table_row_count_to_equal", "value": 4},
        {"type": "expect_column_values_to_be_unique", "column": "id"},
        {"type": "expect_column_pair_values_to_be_equal", "column_A": "id", "column_B": "id"},
        {"type": "expect_column_values_to_be_unique", "column": "high"},
        {"type": "expect_compound_columns_to_be_unique", "column_list": ["id", "low"]},
        {"type": "expect_column_max_to_be_between", "column": "id", "max_value": 9},
    ]
    found = check_all(*expectations)
    assert [check.name.partition(": ")[2].partition("(")[0] for check in found] == [
        item["type"] for item in expectations
    ]
    assert found[0].name.endswith("(low)")
    assert found[2].name.endswith("(id)")


def test_names_are_distinct_and_hold_no_observed_value() -> None:
    expectations = [
        {"type": "expect_column_values_to_be_between", "column": "age", "min_value": 25},
        {"type": "expect_column_values_to_be_between", "column": "age", "max_value": 35},
        {"type": "expect_column_values_to_be_between", "column": "age", "max_value": 35},
        {
            "type": "expect_column_values_to_be_between",
            "column": "age",
            "max_value": 35,
            "severity": "warning",
        },
        {"type": "expect_column_values_to_be_unique", "column": "id"},
    ]
    found = check_all(*expectations)
    label = "d.csv: expect_column_values_to_be_between(age)"
    assert [check.name for check in found] == [
        f"{label} min_value=25",
        f"{label} max_value=35",
        f"{label} max_value=35 #2",
        f"{label} max_value=35, warning",
        "d.csv: expect_column_values_to_be_unique(id)",
    ]
    assert [check.status for check in found] == [Status.FAILED] * 3 + [Status.WARNED, Status.PASSED]


def test_no_expectation_gives_no_check() -> None:
    assert check_all() == []


def test_a_suite_that_gx_wrote_itself(tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        from great_expectations import expectations as gxe

        context = gx.get_context(mode="file", project_root_dir=tmp_path)
        suite = context.suites.add(gx.ExpectationSuite(name="churn"))
        suite.add_expectation(gxe.ExpectColumnValuesToBeUnique(column="id"))
        suite.add_expectation(
            gxe.ExpectColumnValuesToNotBeNull(
                column="age", severity="warning", notes=["as agreed", "in May"], mostly=0.9
            )
        )
        suite.save()
    [path] = tmp_path.rglob("churn.json")
    items = json.loads(path.read_text("utf-8"))["expectations"]
    unique, null = check_all(*items)
    assert (unique.status, null.status) == (Status.PASSED, Status.WARNED)
    assert null.note == "as agreed in May"
    assert null.expected == {"mostly": 0.9}
