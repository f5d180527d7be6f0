"""What a change does to the policy: found, named, and weighed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlci.config import load_config
from mlci.core.results import Policy, PolicyChange
from mlci.policy import compare, digest, headline, take_over
from mlci.policy.compare import rules_digest
from mlci.stages import STAGES

BASE = """\
project: churn
data:
  train: train.csv
  evaluate: evaluate.csv
  label: churned
  slices: [region, plan]
validate-data:
  expectations:
    - {type: expect_column_values_to_not_be_null, column: age}
train:
  command: python train.py
compare-to-baseline:
  baseline: models:/churn@champion
  on-inconclusive: fail
  minimum-rows: 100
  gates:
    - {metric: roc_auc, no-worse-than: 0.005}
    - {metric: recall, no-worse-than: 0.02, per-slice: true}
    - {metric: log_loss, at-most: 0.40}
deploy:
  target: registry
"""


def found(old: str, new: str) -> list[tuple[str, str, str]]:
    assert old in BASE
    return [(c.key, c.effect, c.message) for c in compare(BASE, BASE.replace(old, new))]


GATES = "compare-to-baseline.gates"


@pytest.mark.parametrize(
    ("old", "new", "key", "effect", "message"),
    [
        ("than: 0.02", "than: 0.2", f"{GATES}.recall", "weaker", "no-worse-than 0.02 → 0.2"),
        ("than: 0.02", "than: 0.01", f"{GATES}.recall", "stronger", "no-worse-than 0.02 → 0.01"),
        ("at-most: 0.40", "at-most: 0.5", f"{GATES}.log_loss", "weaker", "at-most 0.4 → 0.5"),
        (", per-slice: true", "", f"{GATES}.recall", "weaker", "per-slice true → false"),
        (
            ", per-slice: true",
            ", per-slice: true, advisory: true",
            f"{GATES}.recall",
            "weaker",
            "advisory false → true",
        ),
        (
            "    - {metric: roc_auc, no-worse-than: 0.005}\n",
            "",
            f"{GATES}.roc_auc",
            "weaker",
            "no-worse-than 0.005 is removed",
        ),
        (
            "  gates:\n",
            "  gates:\n    - {metric: mcc, at-least: 0.1}\n",
            f"{GATES}.mcc",
            "stronger",
            "at-least 0.1 is new",
        ),
        (
            "0.005}",
            "0.005, relative: true}",
            f"{GATES}.roc_auc",
            "changed",
            "no-worse-than 0.005 → no-worse-than 0.005 of the baseline",
        ),
        (
            "0.005}",
            "0.005, on-inconclusive: pass}",
            f"{GATES}.roc_auc",
            "changed",
            "on-inconclusive default → pass",
        ),
        (
            "on-inconclusive: fail",
            "on-inconclusive: warn",
            "compare-to-baseline.on-inconclusive",
            "weaker",
            "fail → warn",
        ),
        (
            "minimum-rows: 100",
            "minimum-rows: 100\n  leakage: 'off'",
            "compare-to-baseline.leakage",
            "weaker",
            "fail → off",
        ),
        (
            "minimum-rows: 100",
            "minimum-rows: 100\n  allow-shared: 0.2",
            "compare-to-baseline.allow-shared",
            "weaker",
            "0.01 → 0.2",
        ),
        (
            "minimum-rows: 100",
            "minimum-rows: 100\n  warn-after-uses: 20",
            "compare-to-baseline.warn-after-uses",
            "stronger",
            "50 → 20",
        ),
        ("minimum-rows: 100", "minimum-rows: 10", "compare-to-baseline.minimum-rows", "weaker", "100 → 10"),
        (
            "@champion",
            "@worst",
            "compare-to-baseline.baseline",
            "changed",
            "models:/churn@champion → models:/churn@worst",
        ),
        ("[region, plan]", "[region]", "data.slices", "weaker", "without plan"),
        ("[region, plan]", "[region, plan, age]", "data.slices", "stronger", "with age"),
        (
            "[region, plan]",
            "[region, {column: plan, values: [a, b]}]",
            "data.slices",
            "weaker",
            'without plan, with {"column": "plan", "values": ["a", "b"]}',
        ),
        (
            "[region, plan]",
            "[region, plan, {name: old, where: age > 60}]",
            "data.slices",
            "stronger",
            'with {"name": "old", "where": "age > 60"}',
        ),
        (
            "evaluate: evaluate.csv",
            "evaluate: easy.csv",
            "data.evaluate",
            "changed",
            "evaluate.csv → easy.csv",
        ),
        ("target: registry", "target: local", "deploy.target", "changed", "registry → local"),
    ],
)
def test_a_difference_is_named_and_weighed(old: str, new: str, key: str, effect: str, message: str) -> None:
    assert found(old, new) == [(key, effect, message)]


def test_what_a_model_learns_from_is_no_policy() -> None:
    assert found("train: train.csv", "train: more.csv") == []
    assert found("python train.py", "python better.py") == []
    assert found("label: churned\n", "label: churned\n  features: [age]\n") == []


def test_a_comment_or_another_order_of_keys_is_no_difference() -> None:
    assert compare(BASE, "# a comment\n" + BASE) == []
    tree = yaml.safe_load(BASE)
    assert compare(BASE, yaml.safe_dump(tree, sort_keys=True)) == []


def test_what_weakens_comes_first() -> None:
    changed = BASE.replace("@champion", "@other").replace("at-most: 0.40", "at-most: 0.9")
    assert [change.effect for change in compare(BASE, changed)] == ["weaker", "changed"]


@pytest.mark.parametrize("new", [None, "", "project: [", "compare-to-baseline: {gates: 3}"])
def test_rules_that_are_gone_are_weaker(new: str | None) -> None:
    changes = compare(BASE, new)
    assert changes
    assert changes[0].effect == "weaker"


def test_a_removed_section_is_weaker() -> None:
    text = BASE.split("compare-to-baseline:", maxsplit=1)[0] + "deploy: {target: registry}\n"
    assert ("compare-to-baseline", "weaker") in [(c.key, c.effect) for c in compare(BASE, text)]


def test_a_new_file_changes_nothing() -> None:
    assert compare(None, BASE) == []


def test_the_folder_is_named() -> None:
    (change,) = compare(BASE, BASE.replace("than: 0.02", "than: 0.2"), "models/churn")
    assert change.key == f"models/churn: {GATES}.recall"


def test_the_digest_is_that_of_the_rules_and_not_of_the_text() -> None:
    assert digest(BASE) == digest("# more\n" + BASE.replace("train: train.csv", "train: other.csv"))
    assert digest(BASE) != digest(BASE.replace("than: 0.02", "than: 0.2"))
    assert digest(None) == digest("project: [") == ""


def test_the_rules_of_the_base_take_the_place_of_those_of_the_change(tmp_path: Path) -> None:
    file = tmp_path / "mlci.yaml"
    changed = (
        BASE.replace("than: 0.02", "than: 0.2")
        .replace("train.csv", "more.csv")
        .replace("minimum-rows: 100", "seed: 3")
    )
    file.write_text(changed, "utf-8")
    stages = {stage.name: stage.inputs for stage in STAGES}
    config = load_config(file, stages, {}, replace=take_over(BASE, "mlci.yaml", "mlci.yaml of commit abc"))
    explain = lambda key: config.explain(key).value  # noqa: E731 - three look-ups
    assert explain("compare-to-baseline.gates.1.no-worse-than") == 0.02
    assert explain("compare-to-baseline.minimum-rows") == 100
    assert explain("compare-to-baseline.seed") == 17
    assert explain("data.train") == "more.csv"
    assert config.explain("compare-to-baseline.gates").source == "mlci.yaml of commit abc"
    # A line of the file in the change is not where the rule stands.
    assert (
        config.where("compare-to-baseline.gates.1")
        == f"mlci.yaml:{changed[: changed.index('compare-to')].count(chr(10)) + 1}"
    )
    assert rules_digest(config.sections) == digest(BASE)


def test_a_removed_section_still_judges_and_a_new_one_brings_its_rules(tmp_path: Path) -> None:
    file = tmp_path / "mlci.yaml"
    stages = {stage.name: stage.inputs for stage in STAGES}
    file.write_text(BASE.split("compare-to-baseline:", maxsplit=1)[0], "utf-8")
    config = load_config(file, stages, {}, replace=take_over(BASE, "mlci.yaml", "base"))
    assert "compare-to-baseline" in config.given
    assert len(config.explain("compare-to-baseline.gates").value) == 3
    file.write_text(BASE, "utf-8")
    config = load_config(file, stages, {}, replace=take_over("project: churn", "mlci.yaml", "base"))
    assert len(config.explain("compare-to-baseline.gates").value) == 3


def policy(*changes: PolicyChange) -> Policy:
    return Policy(source="base", commit="a" * 40, digest="0", changes=list(changes))


def test_line_one_says_what_weakens() -> None:
    changes = compare(BASE, BASE.replace("than: 0.02", "than: 0.2").replace("@champion", "@other"))
    assert headline(policy(*changes)) == (
        "Weakens the policy (recall: no-worse-than 0.02 → 0.2 and 1 more; judged by the rules of the base)"
    )
    assert headline(policy(*changes[1:])).startswith("Changes the policy (baseline: models:/churn@champion")
    assert headline(policy()) == headline(None) == ""


def test_another_workflow_is_listed_and_not_said_first() -> None:
    changed = PolicyChange(key=".github/workflows/ml.yml", effect="changed", message="the file is changed")
    assert headline(policy(changed)) == ""


def test_line_one_stays_a_line() -> None:
    hostile = "x" * 5000
    change = PolicyChange(key=f"data.{hostile}", effect="weaker", message=hostile)
    assert len(headline(policy(change))) < 400


margins = st.floats(min_value=1e-6, max_value=1.0, allow_nan=False)


@given(margins, margins)
def test_a_wider_margin_is_always_weaker(old: float, new: float) -> None:
    text = "compare-to-baseline: {{gates: [{{metric: recall, no-worse-than: {!r}}}]}}"
    changes = compare(text.format(old), text.format(new))
    expected = [] if old == new else ["weaker" if new > old else "stronger"]
    assert [change.effect for change in changes] == expected


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    for change in (*compare(BASE, text), *compare(text, BASE)):
        assert change.message
