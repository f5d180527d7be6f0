"""Metrics of groups, of several labels and of rankings, from mlci.yaml to the verdict."""

from __future__ import annotations

from tiny_project import Project


def test_a_gap_between_groups_of_a_column_that_is_no_slice(project: Project) -> None:
    project.configure(
        compare_to_baseline={
            "gates": [
                {"metric": "tpr_difference@region", "at-most": 0.5},
                {"metric": "selection_rate_ratio@region", "at-least": 0.2, "on": "bound"},
            ]
        }
    )
    assert project.mlci("run", "--until", "compare-to-baseline").code == 0
    found = project.result("compare-to-baseline")
    assert found is not None
    judged = {check.metric.name: check for check in found.checks if check.metric is not None}
    gap = judged["tpr_difference@region"].metric
    assert gap is not None
    assert gap.value is not None
    assert gap.direction == "lower"
    assert gap.interval is not None
    assert gap.interval.low <= gap.value <= gap.interval.high
    assert "extreme groups, 2 groups" in str(gap.interval.method)


def test_groups_that_are_not_there_are_refused(project: Project) -> None:
    project.configure(compare_to_baseline={"gates": [{"metric": "tpr_difference@sex", "no-worse-than": 0.1}]})
    done = project.mlci("run", "--until", "compare-to-baseline")
    done.refused("data.missing-column", 3, "has no column 'sex'")
