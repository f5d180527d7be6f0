"""Leaking rows and a worn evaluation set, seen by a user who runs the pipeline."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tiny_project import PREDICTS, Project, rows

CHECK = "no evaluation row is a training row"


@pytest.fixture
def leaking(program: Callable[..., Project]) -> Callable[..., Project]:
    """Return the project with so many training rows among its 120 evaluation rows."""

    def make(count: int, **options: object) -> Project:
        project = program(PREDICTS, predictions="predictions.csv")
        train, evaluate = rows(120, 0).splitlines(), rows(120, 1000).splitlines()
        project.write("data/train.csv", "\n".join(train) + "\n")
        project.write(
            "data/evaluate.csv", "\n".join([*evaluate[: 121 - count], *train[1 : count + 1]]) + "\n"
        )
        return project.configure(
            validate_data=None,
            train={"command": "python train.py", "predictions": "predictions.csv"},
            compare_to_baseline={"gates": [{"metric": "accuracy", "at-least": 0.6}], **options},
            package=None,
            deploy=None,
        )

    return make


def statuses(project: Project) -> dict[str, str]:
    found = project.result("compare-to-baseline")
    assert found is not None
    return {check.name: check.status.value for check in found.checks}


@pytest.mark.parametrize(
    ("count", "options", "code", "status"),
    [
        (0, {}, 0, "passed"),
        (1, {}, 0, "warned"),
        (12, {}, 1, "failed"),
        (12, {"allow-shared": 0.1}, 0, "warned"),
        (12, {"leakage": "warn"}, 0, "warned"),
    ],
)
def test_training_rows_among_the_evaluation_rows(
    leaking: Callable[..., Project], count: int, options: dict[str, object], code: int, status: str
) -> None:
    project = leaking(count, **options)
    done = project.mlci("run")
    assert done.code == code, done
    assert statuses(project)[CHECK] == status
    assert statuses(project)["no key is in both files"] == status
    if code:
        assert "12 of 120 evaluation rows (10 %) are training rows too" in done.text


def test_no_guard_looks_when_it_is_switched_off(leaking: Callable[..., Project]) -> None:
    project = leaking(12, leakage="off")
    assert project.mlci("run").code == 0
    assert CHECK not in statuses(project)


def test_a_worn_evaluation_set_is_told_of_and_a_repeated_run_wears_nothing(
    leaking: Callable[..., Project],
) -> None:
    project = leaking(0, **{"warn-after-uses": 2})
    name = "the evaluation set is not worn out"
    seen = []
    for limit in (1, 1, 0.9, 1.1):
        project.write("train.py", PREDICTS.replace("> 1)", f"> {limit})"))
        done = project.mlci("run", "--force")
        assert done.code == 0, done
        found = project.result("compare-to-baseline")
        assert found is not None
        seen.append((found.details["evaluation"]["uses"], statuses(project)[name]))
    assert seen == [(1, "passed"), (1, "passed"), (2, "passed"), (3, "warned")]
    # An unchanged run takes the verdict over and does not touch the ledger.
    before = (project.root / ".mlci/cache/ledger.json").read_bytes()
    again = project.mlci("run")
    assert "compare-to-baseline: skipped, nothing it depends on has changed" in again.err
    assert (project.root / ".mlci/cache/ledger.json").read_bytes() == before
