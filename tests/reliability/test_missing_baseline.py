"""A baseline that is not there: a first run where that can be, an error where it cannot."""

from __future__ import annotations

import subprocess

import pytest
from tiny_project import PREDICTS, Project, rows

GATES = [{"metric": "accuracy", "no-worse-than": 0.1}, {"metric": "accuracy", "at-least": 0.6}]


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a trained candidate and nothing to compare it with yet."""
    from tiny_project import make

    project = make(tmp_path_factory.mktemp("trained") / "project")
    project.write("train.py", PREDICTS)
    against(project, None)
    done = project.mlci("train")
    assert done.code == 0, done
    return project


@pytest.fixture
def trained(trained_once: Project, tmp_path: object) -> Project:
    """A copy of it."""
    from pathlib import Path

    return trained_once.copy(Path(str(tmp_path)) / "project")


def against(project: Project, baseline: str | None, **options: str) -> Project:
    """Configure a comparison with this baseline."""
    compare = {"baseline": baseline, "gates": GATES, **options}
    return project.configure(
        validate_data=None,
        train={"command": "python train.py", "predictions": "predictions.csv"},
        compare_to_baseline={key: value for key, value in compare.items() if value is not None},
        package=None,
        deploy=None,
    )


def test_a_predictions_file_that_is_not_there_is_an_error(trained: Project) -> None:
    done = against(trained, "old/predictions.csv").mlci("run")
    done.refused("baseline.missing", 3, "'old/predictions.csv' does not exist", "models:/NAME@ALIAS")
    assert trained.passed("train")
    trained.nothing_half_written()


def test_an_unknown_git_reference_is_an_error(trained: Project) -> None:
    for arguments in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=trained.root, check=True)
    done = against(trained, "git:no-such-branch").mlci("compare-to-baseline")
    done.refused("baseline.missing", 3, "git knows no reference 'no-such-branch'", "fetch-depth: 0")
    trained.nothing_half_written()


def test_a_text_that_is_no_baseline_is_refused(trained: Project) -> None:
    done = against(trained, "champion").mlci("compare-to-baseline")
    done.refused("config.invalid", 2, "'champion' is no baseline", "models:/NAME@ALIAS")


def test_an_alias_without_a_version_is_a_first_run(trained: Project) -> None:
    done = against(trained, "models:/tiny@champion").mlci("run")
    assert done.code == 0, done
    assert "First evaluation: there is no models:/tiny@champion yet" in done.text
    assert "warned" in done.text
    assert against(trained, "models:/tiny@champion").mlci("run", "--warn-exit-code").code == 10


def test_a_first_run_fails_where_the_policy_says_so(trained: Project) -> None:
    done = against(trained, "models:/tiny@champion", **{"first-run": "fail"}).mlci("run")
    assert done.code == 1, done
    assert "Do not merge" in done.text
    assert "First evaluation: there is no models:/tiny@champion yet" in done.text
    assert "error[" not in done.text


def test_a_baseline_with_other_rows_is_an_error(trained: Project) -> None:
    keys = [line.split(",")[0] for line in rows(120, 5000).splitlines()[1:]]
    trained.write("old.csv", "key,prediction\n" + "".join(f"{key},1\n" for key in keys))
    done = against(trained, "old.csv").mlci("run")
    done.refused(
        "predictions.unpaired", 3, "the baseline lacks 120 of 120 evaluation rows and has 120 others"
    )
    trained.nothing_half_written()


def test_a_baseline_that_is_no_table_is_an_error(trained: Project) -> None:
    trained.write("old.parquet", "PAR1")
    done = against(trained, "old.parquet").mlci("run")
    assert done.code == 3, done
    assert "'old.parquet' is not a whole Parquet file" in done.text
    trained.nothing_half_written()
