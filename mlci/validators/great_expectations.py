"""Great Expectations 1.x on pandas: its vocabulary, its severities, its counts."""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError, first_line
from mlci.core.results import Check
from mlci.core.status import Status

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLES = 3
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.M)
_NO_COLUMN = "in BatchData does not exist"
_STATUS = {"critical": Status.FAILED, "warning": Status.WARNED, "info": Status.PASSED}
_NOT_ARGUMENTS = ("type", "kwargs", "severity", "meta", "notes", "id", "rendered_content", "description")


class GreatExpectations:
    """Validates a frame with Great Expectations in memory, without a project folder."""

    def validate(
        self, frame: pd.DataFrame, expectations: Sequence[Mapping[str, Any]], *, file: str, show_values: bool
    ) -> list[Check]:
        """Return one check for each expectation, in their order.

        An expectation is GX's own form (`type`, `kwargs`, `severity`, `meta`) or flat, with the
        arguments beside `type`. A failed one is `failed`, `warned` or `passed` (severity critical,
        warning, info). Raises MlciError `suite.unreadable` for an unknown or wrong expectation.
        """
        with _quiet():
            import great_expectations as gx

            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}
            asset = context.data_sources.add_pandas("mlci").add_dataframe_asset("frame")
            batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
                batch_parameters={"dataframe": frame}
            )
            suite = gx.ExpectationSuite(name="mlci")
            # Not by add_expectation, which drops one that says the same as another in silence.
            suite.expectations += [_expectation(item, number) for number, item in enumerate(expectations)]
            result = batch.validate(
                suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": 20}
            )
        # Results come grouped by column; the number in `meta` brings them back into order.
        found = {item.expectation_config.meta["mlci"]: item for item in result.results}
        return [
            _check(item, label, found[number], frame, file=file, show_values=show_values)
            for number, (item, label) in enumerate(zip(expectations, _labels(expectations), strict=True))
        ]


def _expectation(item: Mapping[str, Any], number: int) -> Any:
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.registry import get_expectation_impl

    name = str(item.get("type", ""))
    try:
        kind = get_expectation_impl(name)
    except GreatExpectationsError as error:
        raise MlciError(
            "suite.unreadable",
            f"expectation {number + 1}: Great Expectations knows no '{name}'",
            "its names look like expect_column_values_to_not_be_null",
        ) from error
    try:
        return kind(**_arguments(item), severity=_severity(item), meta={"mlci": number})
    except (ValueError, TypeError) as error:
        raise MlciError(
            "suite.unreadable",
            f"expectation {number + 1} ({name}): {_wrong_arguments(error)}",
            "check its arguments against the Great Expectations gallery",
        ) from error


def _wrong_arguments(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return first_line(error)
    return "; ".join(
        f"{' '.join(str(part) for part in item['loc'] if part != '__root__')} {item['msg']}".strip()
        for item in errors()
    )


def _severity(item: Mapping[str, Any]) -> str:
    return str(item.get("severity") or "critical")


def _arguments(item: Mapping[str, Any]) -> dict[str, Any]:
    given = item.get("kwargs")
    if isinstance(given, Mapping):
        return dict(given)
    return {name: value for name, value in item.items() if name not in _NOT_ARGUMENTS}


def _check(
    item: Mapping[str, Any], label: str, found: Any, frame: pd.DataFrame, *, file: str, show_values: bool
) -> Check:
    status = Status.PASSED if found.success else _STATUS[_severity(item)]
    raised = _exceptions(found, show_values)
    if raised and _NO_COLUMN not in raised[0]:
        status = Status.ERRORED  # the expectation broke: that says nothing about the data
    facts = dict(found.result)
    message = f"{label} holds" if found.success else f"{label}: {_finding(found, facts, show_values)}"
    return Check(
        name=f"{file}: {label}",
        status=status,
        message=message,
        note=_notes(item) or None,
        observed=_observed(facts, len(frame), show_values),
        expected={name: value for name, value in _arguments(item).items() if name != "column"},
        where=None,
    )


def _labels(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a name for each expectation, that stays the same from run to run.

    Arguments are part of it only where type and columns are those of another one too, and a number
    only where the arguments are the same as well.
    """
    short = [_label(str(item["type"]), _arguments(item)) for item in items]
    often = Counter(short)
    names = [
        label if often[label] == 1 else f"{label} {_shown_arguments(item)}".rstrip()
        for label, item in zip(short, items, strict=True)
    ]
    seen: Counter[str] = Counter()
    for position, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[position] = f"{name} #{seen[name]}"
    return names


def _shown_arguments(item: Mapping[str, Any]) -> str:
    given = {name: value for name, value in _arguments(item).items() if not name.startswith("column")}
    texts = [f"{name}={str(value)[:60]}" for name, value in given.items()]
    return ", ".join([*texts, *([_severity(item)] if _severity(item) != "critical" else [])])


def _label(name: str, arguments: Mapping[str, Any]) -> str:
    columns = [arguments.get("column"), arguments.get("column_A"), arguments.get("column_B")]
    listed = arguments.get("column_list") or arguments.get("column_set") or []
    shown = ", ".join(str(column) for column in [*columns, *listed] if column is not None)
    return f"{name}({shown})"


def _finding(found: Any, facts: Mapping[str, Any], show_values: bool) -> str:
    """Return what is wrong: counts and shares, and values only where they may be shown."""
    raised = _exceptions(found, show_values)
    if raised:
        return raised[0]
    count = facts.get("unexpected_count")
    about_nulls = "be_null" in found.expectation_config.type
    examples = [] if about_nulls or not show_values else _examples(facts)
    such_as = f"; such as {', '.join(examples)}" if examples else ""
    if count is not None and facts.get("element_count") is None:
        # Distinct values are counted here, not rows.
        return f"{count:,} unexpected {'value' if count == 1 else 'values'}{such_as}"
    if count is not None:
        rows, missing = int(facts["element_count"]), int(facts.get("missing_count") or 0)
        judged = rows if about_nulls else rows - missing
        share = float(facts.get("unexpected_percent") or 0.0) / 100
        text = f"{count:,} of {judged:,} {'rows' if about_nulls or not missing else 'values'} ({share:.2%})"
        if missing and not about_nulls:
            text += f"; {missing:,} empty {'value is' if missing == 1 else 'values are'} not counted"
        return text + such_as
    observed = facts.get("observed_value")
    return f"observed {observed}" if observed is not None and show_values else "does not hold"


def _observed(facts: Mapping[str, Any], rows: int, show_values: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {"rows": rows}
    for name in ("element_count", "missing_count", "unexpected_count", "unexpected_percent"):
        if facts.get(name) is not None:
            kept[name] = float(facts[name]) if "percent" in name else int(facts[name])
    if show_values:
        examples = _examples(facts)
        if examples:
            kept["examples"] = examples
        if facts.get("observed_value") is not None:
            kept["observed_value"] = str(facts["observed_value"])
    return kept


def _examples(facts: Mapping[str, Any]) -> list[str]:
    values = facts.get("partial_unexpected_list") or []
    shown = (_example(value) for value in values if value is not None)
    return list(dict.fromkeys(shown))[:_EXAMPLES]


def _example(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return f"({', '.join(_example(item) for item in value)})"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_example(item)}" for name, item in value.items())
    return str(value)


def _exceptions(found: Any, show_values: bool) -> list[str]:
    """Return what was raised; the text of an exception is as private as the values it may quote."""
    information = found.exception_info or {}
    entries = (
        information.values() if all(isinstance(v, dict) for v in information.values()) else [information]
    )
    found_entries = [entry for entry in entries if isinstance(entry, dict) and entry.get("raised_exception")]
    texts = [
        first_line(ValueError(entry["exception_message"])).removeprefix("Error: ") for entry in found_entries
    ]
    if show_values:
        return texts
    return [
        text if _NO_COLUMN in text else f"{_kind(entry)} was raised (show-values: always shows its text)"
        for text, entry in zip(texts, found_entries, strict=True)
    ]


def _kind(entry: Mapping[str, Any]) -> str:
    # GX wraps what was raised; the cause stands first.
    kinds = _RAISED.findall(str(entry.get("exception_traceback") or ""))
    return str(kinds[0]) if kinds else "an exception"


def _notes(item: Mapping[str, Any]) -> str:
    meta = item.get("meta")
    notes = item.get("notes") or (meta.get("notes") if isinstance(meta, Mapping) else None)
    if isinstance(notes, Mapping):
        notes = notes.get("content")
    return " ".join(notes) if isinstance(notes, list) else str(notes or "")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep GX's own log lines and its dependencies' deprecation warnings off the console."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


validator = GreatExpectations()
