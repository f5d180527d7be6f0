"""Several models in one comment: the decision over all, every failure in sight, never more than there is room for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_reporters_faces import MENTION, gate, report, reports, stage, texts

from mlci.core.results import Report
from mlci.core.status import ExitCode, Status
from mlci.reporters._combined import Combined, Model
from mlci.reporters._words import SIGNS
from mlci.reporters.markdown import reporter as markdown

MOST = 60_000


def named(name: str, *statuses: Status, **more: Any) -> Report:
    checks = [gate(f"recall no-worse-than 0.02 [{name} {n}]", status) for n, status in enumerate(statuses)]
    values = {"project": name, "headline": f"headline of {name}", **more}
    return report(stage(*checks, reason=f"reason of {name}"), **values)


def model(name: str, *statuses: Status) -> Model:
    return Model(name, named(name, *statuses))


def test_one_report_is_what_the_markdown_reporter_gives() -> None:
    found = named("churn", Status.FAILED)
    text = Combined([Model("churn", found)], notice="not said twice").render("other")
    assert text == markdown.render(found.model_copy(update={"id": "other"}))
    assert text.startswith("<!-- mlci:report:other -->\n### ❌ headline of churn\n")


@pytest.mark.parametrize(
    ("models", "line", "code"),
    [
        ([model("a", Status.PASSED), model("b", Status.FAILED)], "❌ Do not merge: 1 of 2 models failed", 1),
        ([model("a", Status.FAILED), Model("b", None)],
         "🛑 Not evaluated: 1 of 2 models could not be evaluated, 1 failed", 3),
        ([model("a", Status.PASSED), model("b", Status.INCONCLUSIVE)],
         "❔ Unclear: 1 of 2 models could not be told better or worse", 0),
        ([model("a", Status.WARNED), model("b", Status.WARNED)],
         "⚠️ Passed with warnings: 2 of 2 models", 0),
        ([model("a", Status.PASSED), model("b", Status.PASSED)], "✅ Passed: 2 models", 0),
        ([model("a", Status.SKIPPED), model("b", Status.SKIPPED)],
         "⏭️ Nothing to evaluate: no stage of any model ran", 0),
        ([], "⏭️ Nothing to evaluate", 0),
        ([Model("a", None)], "🛑 Not evaluated: 1 of 1 models could not be evaluated", 3),
    ],
)  # fmt: skip
def test_line_one_is_the_decision_over_all(models: list[Model], line: str, code: int) -> None:
    combined = Combined(models)
    assert combined.render("models").split("\n")[:2] == ["<!-- mlci:report:models -->", f"### {line}"]
    assert combined.exit_code == ExitCode(code)


def test_the_notice_comes_before_the_decision() -> None:
    combined = Combined([model("a", Status.PASSED), model("b", Status.PASSED)], notice="Weakens the policy")
    assert combined.render("m").split("\n")[1] == "### ✅ Weakens the policy. Passed: 2 models"


def test_models_are_shown_worst_first_and_only_what_is_well_is_folded() -> None:
    models = [model("well", Status.PASSED), model("bad", Status.FAILED), Model("gone", None)]
    models.append(model("vague", Status.INCONCLUSIVE))
    text = Combined(models).render("models")
    rows = re.findall(r"^\| (\w+) \| (.*?) \| (.*?) \|$", text.partition("####")[0], re.M)
    assert [row[0] for row in rows] == ["Model", "gone", "bad", "vague", "well"]
    assert rows[1][1] == "🛑 not evaluated"
    headings = re.findall(r"^#### (.*)$|<summary>(.*)</summary>", text, re.M)
    assert [one or two for one, two in headings][:2] == ["❌ headline of bad", "❔ headline of vague"]
    assert "<summary>✅ headline of well</summary>" in text
    for fold in re.findall(r"<details>.*?</details>", text, re.S):
        assert "❌" not in fold
        assert "🛑" not in fold


def test_a_passed_report_with_a_failed_check_is_not_folded() -> None:
    odd = Model("odd", report(stage(gate("g", Status.FAILED), status=Status.PASSED), headline="Passed: odd"))
    text = Combined([odd, model("well", Status.PASSED)]).render("models")
    assert "#### ✅ Passed: odd" in text
    assert text.count("<summary>✅ headline") == 1


def test_a_name_that_is_not_the_projects_is_shown_in_its_part() -> None:
    models = [Model("churn (models/a)", named("churn", Status.FAILED)), model("b", Status.PASSED)]
    assert "#### ❌ headline of churn · churn (models/a)" in Combined(models).render("models")


def large(name: str, failed: int, total: int) -> Model:
    statuses = [Status.FAILED] * failed + [Status.PASSED] * (total - failed)
    return model(name, *statuses)


@pytest.mark.parametrize("failed", [0, 1, 20, 250, 500])
@pytest.mark.parametrize("count", [2, 5, 40])
def test_500_slices_of_many_models_fit_with_every_failure_named_or_counted(count: int, failed: int) -> None:
    models = [large(f"model{number:02}", failed, 500) for number in range(count)]
    text = Combined(models, run_url="https://ci.example.org/runs/7").render("models")
    assert len(text.encode()) <= MOST
    assert text.startswith("<!-- mlci:report:models -->\n### ")
    assert text.rstrip().endswith("<sub>[run](https://ci.example.org/runs/7)</sub>")
    assert "did not fit" not in text
    assert text.count("<details>") == text.count("</details>")
    for number in range(count):
        row = re.search(rf"^\| model{number:02} \| (.*?) \|", text, re.M)
        assert row is not None
        assert row.group(1) == (
            "✅ passed" if not failed else "❌ failed" + (f", {failed} checks" if failed > 1 else "")
        )
    if failed in (1, 20) and count * failed <= 100:
        shown = re.findall(r"❌ failed", text)
        assert len(shown) >= count * failed


def test_a_matrix_of_256_models_with_hostile_names_fits() -> None:
    name = "|<@team #1 `x` \\ **b** [a](http://e.example)" * 30
    models = [Model(f"{number} {name}", named(name, Status.FAILED)) for number in range(256)]
    text = Combined(models, notice=name, why=name, untouched=[name] * 30).render(name)
    assert len(text.encode()) <= MOST
    assert re.match(r"<!-- mlci:report:[A-Za-z0-9_.-]+ -->\n### ❌ ", text)
    assert "Do not merge: 256 of 256 models failed" in text
    assert "report.json" in text
    assert not MENTION.search(text.replace("&#8203;", "\u200b"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.builds(Model, texts, st.none() | reports), max_size=4),
    texts,
    texts,
    st.lists(texts, max_size=3),
)
def test_a_comment_of_any_models_keeps_its_form(
    models: list[Model], notice: str, why: str, untouched: list[str]
) -> None:
    combined = Combined(models, notice, why, untouched, "javascript:alert(1)")
    text = combined.render(notice)
    first, second = text.split("\n")[:2]
    assert re.fullmatch(r"<!-- mlci:report:[A-Za-z0-9_.-]* -->", first)
    assert second.startswith(f"### {SIGNS[combined.status]} ")
    assert len(text.encode()) <= MOST
    assert not MENTION.search(text.replace("&#8203;", "\u200b"))
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert set(re.findall(r"<([a-z0-9]+)", page)) <= {
        "h3", "h4", "h5", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
        "details", "summary", "sub", "code", "pre",
    }  # fmt: skip
    assert page.count("<details>") == page.count("</details>")
    assert combined.render(notice) == text
