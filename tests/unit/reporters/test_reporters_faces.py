"""Whatever a report holds, its faces are sound: no mention, no broken row, no command, valid XML."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mlci.core.results import (
    Check,
    ErrorRecord,
    Interval,
    Metric,
    Provenance,
    Report,
    StageResult,
)
from mlci.core.status import ExitCode, Status, worst
from mlci.reporters._escape import escape
from mlci.reporters._words import SIGNS, change, number
from mlci.reporters.console import ConsoleReporter
from mlci.reporters.junit import reporter as junit
from mlci.reporters.markdown import reporter as markdown

MENTION = re.compile(r"(?<![A-Za-z0-9])@[A-Za-z0-9]")
texts = st.one_of(
    st.text(st.characters(), max_size=30),
    st.text(alphabet="|\\`*_<>[]()#@!$~-+=1.:/&\n\r\x1b x", max_size=20),
    st.sampled_from(["@org/team", "a @b", "#12", "org/repo#1", "GH-1", "- x", "1. x", "```", "::error::x"]),
)


def report(*stages: StageResult, **more: Any) -> Report:
    values: dict[str, Any] = {
        "id": "p",
        "project": "p",
        "headline": "headline",
        "provenance": Provenance(),
        "created": "2026-01-01T00:00:00Z",
        "tool": "mlci 0",
        **more,
    }
    return Report(status=worst(stage.status for stage in stages), stages=list(stages), **values)


def gate(name: str, status: Status, word: str | None = None, slice_: str | None = None) -> Check:
    metric = Metric(
        name="recall", value=0.5, direction="higher", n=10, slice=slice_, baseline=0.6, delta=-0.1
    )
    return Check(name=name, status=status, message=f"{name} message", word=word, slice=slice_, metric=metric)


def stage(*checks: Check, status: Status | None = None, **more: Any) -> StageResult:
    return StageResult(
        stage="compare-to-baseline",
        status=status or worst(check.status for check in checks),
        reason=more.pop("reason", "the reason"),
        checks=list(checks),
        **more,
    )


checks = st.builds(
    Check,
    name=texts,
    status=st.sampled_from(Status),
    message=texts,
    word=st.none() | texts,
    note=st.none() | texts,
    limit=st.none() | texts,
    slice=st.none() | texts,
    where=st.none() | texts,
    metric=st.none()
    | st.builds(
        Metric,
        name=texts,
        value=st.none() | st.floats(),
        direction=st.sampled_from(["higher", "lower"]),
        n=st.integers(0, 10**9),
        slice=st.none() | texts,
        baseline=st.none() | st.floats(),
        delta=st.none() | st.floats(),
        interval=st.none()
        | st.builds(
            Interval,
            low=st.floats(allow_nan=False, allow_infinity=False),
            high=st.floats(allow_nan=False, allow_infinity=False),
            confidence=st.just(0.9),
            method=st.just("m"),
        ),
    ),
)
stages = st.builds(
    StageResult,
    stage=texts,
    status=st.sampled_from(Status),
    reason=texts,
    checks=st.lists(checks, max_size=4),
) | st.builds(
    StageResult,
    stage=texts,
    status=st.just(Status.ERRORED),
    reason=texts,
    error=st.builds(
        ErrorRecord, code=texts, message=texts, hint=texts, exit_code=st.just(ExitCode.NOT_EVALUATED)
    ),
)
reports = st.builds(
    lambda headline, name, found: report(*found, headline=headline, id=name, project=name),
    texts,
    texts,
    st.lists(stages, max_size=3),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports)
def test_markdown_of_any_report_keeps_its_form(found: Report) -> None:
    text = markdown.render(found)
    first, second = text.split("\n")[:2]
    assert re.fullmatch(r"<!-- mlci:report:[A-Za-z0-9_.-]* -->", first)
    assert second.startswith(f"### {SIGNS[found.status]} ")
    assert len(text.encode()) <= 60_000
    assert not MENTION.search(text.replace("&#8203;", "\u200b"))
    for line in text.split("\n"):
        if line.startswith("| "):
            assert line.count("|") in (4, 7), line
    # What a browser shows: text without markup, so no tag that a name brought along.
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert set(re.findall(r"<([a-z0-9]+)", page)) <= {
        "h3", "h4", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
        "details", "summary", "sub", "code", "pre",
    }  # fmt: skip
    assert not re.search(r"<(?:a|img|script)\b", page)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    page = MarkdownIt("commonmark").enable("table").render(f"| a |\n|:--|\n| {escape(text)} |\n")
    cells = re.findall(r'<td style="text-align:left">(.*)</td>', page)
    assert len(cells) == 1
    assert "<" not in cells[0]


@pytest.mark.parametrize(
    "text", ["@team", "(@team)", "a @org/team", "_@team", "@@team", "-@team", "\u200b@team", "@`team`"]
)
def test_nobody_can_be_mentioned(text: str) -> None:
    page = MarkdownIt("commonmark").render(escape(text))
    assert not MENTION.search(re.sub(r"<[^>]*>", "", page))


def test_names_with_an_at_sign_stay_whole() -> None:
    assert escape("models:/churn@champion") == "models:/churn@champion"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports)
def test_console_of_any_report_is_plain_and_narrow(found: Report) -> None:
    from rich.cells import cell_len

    text = ConsoleReporter(colour=False, width=70).render(found)
    assert "\x1b" not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    for line in text.split("\n"):
        assert cell_len(line) <= 70
        assert not line.lstrip().startswith("::")
        assert line == line.rstrip()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports)
def test_junit_of_any_report_is_valid_and_counts_right(found: Report) -> None:
    root = ET.fromstring(junit.render(found))
    suites = root.findall("testsuite")
    assert len(suites) == len(found.stages)
    for suite, result in zip(suites, found.stages, strict=True):
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert len(suite.findall("testcase")) >= 1
        for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(count, "")) == len(suite.findall(f"testcase/{tag}"))
        failed = sum(check.status is Status.FAILED for check in result.checks)
        assert int(suite.get("failures", "")) == failed


def test_junit_names_hold_no_measured_value() -> None:
    def names(value: float) -> list[str | None]:
        metric = Metric(name="recall", value=value, direction="higher", n=int(value * 100), delta=value)
        check = Check(
            name="recall at-least 0.5",
            status=Status.FAILED,
            message=f"{value}",
            metric=metric,
            observed=value,
        )
        root = ET.fromstring(junit.render(report(stage(check, seconds=value))))
        return [case.get("name") for case in root.iter("testcase")]

    assert names(0.1) == names(0.9) == ["recall at-least 0.5"]


def test_junit_of_the_outcomes() -> None:
    found = [Check(name=status.value, status=status, message=status.value) for status in Status]
    root = ET.fromstring(junit.render(report(stage(*found))))
    children = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert children == {
        "passed": [],
        "warned": ["system-out"],
        "inconclusive": ["system-out"],
        "failed": ["failure"],
        "skipped": ["skipped"],
        "errored": ["error"],
    }


@pytest.mark.parametrize("failures", [1, 60, 400, 500])
def test_every_failure_of_500_slices_is_visible(failures: int) -> None:
    found = [
        gate(f"recall [region=R{position:03}]", status, status.value, f"region=R{position:03}")
        for position in range(500)
        for status in [Status.FAILED if position < failures else Status.PASSED]
    ]
    text = markdown.render(report(stage(*found)))
    assert len(text.encode()) <= 60_000
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert all(f"region=R{position:03}" in page for position in range(failures))
    assert "❌" not in text.partition("<details")[2]


@pytest.mark.parametrize("names", [300, 10_000])
def test_failures_beyond_all_room_are_cut_with_a_note(names: int) -> None:
    found = [gate("n" * names + str(position), Status.FAILED, "w" * names) for position in range(3000)]
    text = markdown.render(report(stage(*found, reason="r" * 100_000), headline="h" * 100_000))
    assert len(text.encode()) <= 60_000
    assert "more in report.json" in text


def test_many_stages_of_long_texts_are_cut_after_a_whole_line() -> None:
    many = [stage(gate("x", Status.FAILED), reason="ß" * 5000) for _ in range(400)]
    text = markdown.render(report(*many))
    assert len(text.encode()) <= 60_000
    assert text.endswith("the whole report is in report.json\n")


def test_failures_stand_before_what_gives_way() -> None:
    found = [gate(f"w{position}" + "x" * 100, Status.WARNED, "worse") for position in range(2000)]
    found.append(gate("the one that fails", Status.FAILED, "worse", "region=LATAM"))
    text = markdown.render(report(stage(*found)))
    assert "region=LATAM" in text
    assert "… and 1,9" in text


def test_no_failure_is_inside_a_fold() -> None:
    found = [
        Check(name=f"{status.value} check", status=status, message=f"{status.value} message")
        for status in Status
    ]
    text = markdown.render(report(stage(*found)))
    folds = re.findall(r"<details>.*?</details>", text, re.S)
    assert len(folds) == 1
    assert "passed check" in folds[0]
    for word in ("failed", "errored", "warned", "inconclusive"):
        assert word not in folds[0]
        assert f"{word} message" in text


@pytest.mark.parametrize("status", sorted(Status))
def test_a_sign_is_never_the_only_carrier(status: Status) -> None:
    found = report(stage(gate("g", status, "worse"), status=status), headline="headline")
    for text in (markdown.render(found), ConsoleReporter().render(found)):
        bare = text
        for sign in SIGNS.values():
            bare = bare.replace(sign, "")
        assert status.value in bare
    rows = [
        markdown.render(report(stage(gate("g", one, "worse"))))
        for one in (Status.WARNED, Status.FAILED, Status.INCONCLUSIVE)
    ]
    words = {re.sub("|".join(SIGNS.values()), "", row.split("| worse")[-1].split("|")[0]) for row in rows}
    assert len(words) == 3


def test_console_says_the_verdict_first_and_colours_only_when_asked() -> None:
    found = report(stage(gate("g", Status.FAILED, "worse")), headline="Do not merge: p")
    plain = ConsoleReporter(colour=False).render(found)
    assert plain.split("\n")[:2] == ["Do not merge: p", "the reason"]
    coloured = ConsoleReporter(colour=True).render(found)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == plain.split()


def test_an_address_that_is_none_is_no_link() -> None:
    for address, linked in (
        ("https://ci.example.org/1", True),
        ("javascript:x", False),
        ("https://a)b", False),
    ):
        text = markdown.render(
            report(stage(gate("g", Status.PASSED)), provenance=Provenance(run_url=address))
        )
        assert ("[job](" in text) is linked


def test_lines_of_a_program_stay_lines_and_cannot_leave_their_block() -> None:
    record = ErrorRecord(
        code="train.command-failed",
        message="ended\n```\n@team\n````\n# title",
        exit_code=ExitCode.NOT_EVALUATED,
    )
    text = markdown.render(report(stage(status=Status.ERRORED, error=record)))
    page = MarkdownIt("commonmark", {"html": True}).render(text)
    block = re.findall(r"<pre><code[^>]*>(.*?)</code></pre>", page, re.S)
    assert len(block) == 1
    assert "@team" in block[0]
    assert "# title" in block[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0.0000"),
        (0.5, "0.5000"),
        (-0.25, "−0.2500"),
        (1234.5, "1234"),
        (1e-5, "1e−05"),
        (1e9, "1e+09"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_changes() -> None:
    metric = Metric(name="m", value=0.5, direction="higher", n=1)
    interval = Interval(low=-0.1, high=0.2, confidence=0.9, method="m")
    assert change(metric) == "–"
    assert change(metric.model_copy(update={"interval": interval})) == "[−0.1000, 0.2000]"
    assert change(metric.model_copy(update={"delta": 0.05})) == "+0.0500"
    assert (
        change(metric.model_copy(update={"delta": 0.05, "interval": interval}))
        == "+0.0500 [−0.1000, +0.2000]"
    )
    assert change(metric.model_copy(update={"delta": 1e-5})) == "+1e−05"


def test_why_a_run_was_started_stands_below_the_report() -> None:
    stage = StageResult(stage="train", status=Status.PASSED, reason="trained")
    text = markdown.render(report(stage, provenance=Provenance(reason="drift of *x*\n### @org/team")))
    assert r"started for: drift of \*x\* \#\#\# " in text
    assert not MENTION.search(text)
    assert "started for" not in markdown.render(report(stage))
