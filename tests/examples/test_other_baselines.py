"""Baselines from the registry and from predictions files, when rows, keys or models have changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_project import NewProject, Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def champion(new_tumour: NewProject) -> Project:
    """A project whose model is the champion."""
    project = new_tumour("tumour", "package: {name: tumour}\ndeploy: {target: registry}\n")
    project.commit()
    project.mlci("run")
    assert project.alias("tumour") == "1"
    return project


def test_champion_is_scored_again_on_other_rows(champion: Project, tmp_path: Path) -> None:
    project = champion.copy_to(tmp_path / "tumour")
    rows = (project.root / "data" / "evaluate.csv").read_text().splitlines(keepends=True)
    project.write("data/evaluate.csv", "".join(rows[:201]))
    done = project.mlci("run", "--until", "compare-to-baseline")
    assert "was judged on another evaluation set" in done.err
    assert project.check("compare-to-baseline", "accuracy")["metric"]["n"] == 200
    assert project.check("compare-to-baseline", "accuracy")["metric"]["baseline"] is not None
    assert len(list((project.root / ".mlci" / "cache" / "scored").glob("*.parquet"))) == 1
    again = project.mlci("compare-to-baseline", "--force")
    assert "was judged on another evaluation set" not in again.err


def test_same_training_again_is_the_identical_model(champion: Project, tmp_path: Path) -> None:
    """skops writes other bytes each time, so that the digests of the two files differ."""
    project = champion.copy_to(tmp_path / "tumour")
    first = model_digest(project)
    done = project.mlci("run", "--force", "--from", "train", "--until", "compare-to-baseline")
    assert model_digest(project) != first
    check = project.check("compare-to-baseline", "accuracy")
    assert (check["word"], check["status"]) == ("identical", "passed")
    assert project.result("compare-to-baseline")["outputs"]["state"] == "identical"
    assert done.out.startswith("Passed: tumour")


def test_deploying_the_candidate_is_no_reason_to_judge_it_again(champion: Project) -> None:
    champion.mlci("run")
    assert champion.ran() == []


def test_predictions_file_is_matched_by_key(champion: Project, tmp_path: Path) -> None:
    project = champion.copy_to(tmp_path / "tumour")
    write_predictions(project, "old.csv", wrong=20)
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=old.csv")
    check = project.check("compare-to-baseline", "accuracy")
    assert check["word"] == "better"
    assert check["metric"]["baseline"] == pytest.approx(265 / 285)
    write_predictions(project, "old.csv", wrong=0)
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=old.csv")
    assert project.check("compare-to-baseline", "accuracy")["metric"]["baseline"] == 1.0


def test_predictions_file_with_other_rows_is_refused(champion: Project, tmp_path: Path) -> None:
    project = champion.copy_to(tmp_path / "tumour")
    text = write_predictions(project, "old.csv", wrong=0)
    project.write("old.csv", "\n".join(text.splitlines()[:-3]) + "\n")
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=old.csv", expect=3)
    error = project.result("compare-to-baseline")["error"]
    assert error["code"] == "predictions.unpaired"
    assert "lacks 3 of 285" in error["message"]


def test_predictions_file_without_a_key_is_refused(champion: Project, tmp_path: Path) -> None:
    project = champion.copy_to(tmp_path / "tumour")
    write_predictions(project, "old.csv", wrong=0)
    project.replace("mlci.yaml", ", key: patient}", ", ignore: [patient]}")
    project.mlci("train")
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=old.csv", expect=3)
    error = project.result("compare-to-baseline")["error"]
    assert error["code"] == "baseline.not-comparable"
    assert "data.key" in error["hint"]


def test_missing_predictions_file_is_no_first_run(champion: Project, tmp_path: Path) -> None:
    project = champion.copy_to(tmp_path / "tumour")
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=gone.csv", expect=3)
    assert project.result("compare-to-baseline")["error"]["code"] == "baseline.missing"


def model_digest(project: Project) -> str:
    return str(project.result("compare-to-baseline")["details"]["candidate_model"])


def write_predictions(project: Project, name: str, wrong: int) -> str:
    """Write the truth as predictions in another order, with the first `wrong` of them turned over."""
    import pandas as pd

    rows = pd.read_csv(project.root / "data" / "evaluate.csv")[["patient", "malignant"]]
    said = rows["malignant"].where(rows.index >= wrong, 1 - rows["malignant"])
    table = pd.DataFrame({"patient": rows["patient"], "prediction": said, "probability": said * 0.8 + 0.1})
    text = table.sample(frac=1, random_state=17).to_csv(index=False)
    project.write(name, text)
    return text
