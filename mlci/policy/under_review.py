"""Puts the rules of the base commit in force, and writes down what a change would do to them."""

from __future__ import annotations

from pathlib import Path

from mlci.change import Change
from mlci.config import Config, Replace
from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.core.results import Policy, PolicyChange
from mlci.policy.compare import compare, is_workflow, rules_digest, weakest_first
from mlci.policy.rules import take_over
from mlci.stages.compare_to_baseline import CompareInputs
from mlci.stages.validate_data import ValidateDataInputs

NOT_HELD = (
    "the base commit is not in this checkout, so the rules are those of the change itself; "
    "check out with fetch-depth: 2, or fetch the target branch"
)


def rules_in_force(file: Path, change: Change) -> Replace | None:
    """Return what puts the rules of the base commit in the place of the change's; None when it has none.

    A file that is not valid at the base commit has judged nothing, and has no rules to take over.
    """
    text = change.text_at_base(change.inside(file))
    if text is None:
        return None
    try:
        return take_over(text, file.name, f"{file.name} of commit {change.base[:7]}")
    except MlciError:
        return None


def policy_under(config: Config, change: Change) -> Policy:
    """Return the policy of a run that judges a change, with what the change would do to it."""
    path = change.inside(config.file)
    before = change.text_at_base(path)
    after = config.file.read_text("utf-8", errors="replace")
    return Policy(
        source="base" if before is not None else "checkout",
        commit=change.base,
        digest=rules_digest(config.sections),
        changes=weakest_first([*compare(before, after), *_files(config, change)])
        if before is not None
        else [],
        note="" if before is not None else f"{path} is new in this change: its rules are in force at once",
    )


def policy_here(config: Config, note: str = "") -> Policy:
    """Return the policy of a run that is not compared with another commit."""
    return Policy(source="checkout", digest=rules_digest(config.sections), note=note)


def _files(config: Config, change: Change) -> list[PolicyChange]:
    """Return the changed files that decide how a model is judged."""
    data = config.section("data", DataInputs)
    compared = config.section("compare-to-baseline", CompareInputs).baseline
    named = {
        data.evaluate: "the evaluation data are changed",
        config.section("validate-data", ValidateDataInputs).suite: "the expectations are changed",
        compared: "the baseline's predictions are changed",
    }
    found = [
        PolicyChange(key=name, effect="changed", message=message)
        for name, message in named.items()
        if name and ":" not in name and _is_changed(config.root / name, change)
    ]
    found += [
        PolicyChange(key=path, effect="changed", message="the workflow that runs the gates is changed")
        for path in change.files
        if is_workflow(path)
    ]
    return found


def _is_changed(path: Path, change: Change) -> bool:
    try:
        inside = change.inside(path)
    except ValueError:  # outside the repository
        return False
    return any(file in (inside, f"{inside}.dvc") or file.startswith(f"{inside}/") for file in change.files)
