"""mlci init in projects of several kinds: what it writes is accepted, and works where it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from example_project import NewProject, Project

from mlci.config.load import load_config
from mlci.stages import STAGES

pytestmark = pytest.mark.slow


def iris(project: Project, *, suffix: str = ".csv", folder: str = "") -> None:
    """Write train and test, 75 rows each, with a text label `target`."""
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    rows = bunch.data.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))
    rows["target"] = [str(bunch.target_names[value]) for value in bunch.target]
    for name, part in {"train": rows.iloc[::2], "test": rows.iloc[1::2]}.items():
        path = project.root / folder / f"{name}{suffix}"
        path.parent.mkdir(exist_ok=True)
        part.to_csv(path, index=False) if suffix == ".csv" else part.to_parquet(path, index=False)


def dvc_project(project: Project) -> None:
    iris(project, folder="data")
    project.dvc("init", "--quiet")
    project.write("train.py", "raise SystemExit('not run here')\n")
    project.write(
        "dvc.yaml",
        """\
stages:
  train:
    cmd: python train.py
    deps: [train.py, data/train.csv]
    outs: [models/model.joblib]
    metrics: [{metrics.json: {cache: false}}]
""",
    )


def mlproject(project: Project) -> None:
    iris(project, folder="data")
    project.write("MLproject", "name: iris\nentry_points:\n  main:\n    command: python fit.py\n")
    project.write("fit.py", "raise SystemExit('not run here')\n")


def script(project: Project) -> None:
    iris(project, folder="data", suffix=".parquet")
    project.write("src/train.py", "raise SystemExit('not run here')\n")


KINDS: dict[str, tuple[Callable[[Project], None], tuple[str, str]]] = {
    "CSV only": (iris, ("estimator", "sklearn.ensemble.HistGradientBoostingClassifier")),
    "dvc.yaml": (dvc_project, ("pipeline", "dvc.yaml")),
    "MLproject": (mlproject, ("command", "python fit.py")),
    "train.py": (script, ("command", "python src/train.py")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_accepted(new_project: NewProject, kind: str) -> None:
    project = new_project("iris")
    lay_out, (way, value) = KINDS[kind]
    lay_out(project)
    project.mlci("init")
    config = load_config(
        project.root / "mlci.yaml", {stage.name: stage.inputs for stage in STAGES}, variables={}
    )
    assert getattr(config.sections["train"], way) == value
    assert config.sections["data"].model_dump()["label"] == "target"
    doctor = project.mlci("doctor", expect=None)
    assert doctor.code == 0, doctor.text
    plan = project.mlci("plan").out
    assert [line.split()[1] for line in plan.splitlines()] == ["run"] * 5
    assert "not in order" not in plan


def test_pair_of_tables_runs_without_an_edit(new_project: NewProject) -> None:
    project = new_project("iris")
    iris(project)
    project.mlci("init")
    project.commit("mlci init")
    project.mlci("run")
    metrics = {metric["name"]: metric["value"] for metric in project.result("train")["metrics"]}
    assert metrics["accuracy"] > 0.85
    assert project.alias("iris") == "1"


def test_nothing_is_overwritten_unasked(new_project: NewProject) -> None:
    project = new_project("iris")
    iris(project)
    project.write("mlci.yaml", "project: mine\n")
    done = project.mlci("init", expect=2)
    assert "error[config.exists]" in done.err
    assert "--force" in done.err
    assert (project.root / "mlci.yaml").read_text() == "project: mine\n"
    project.mlci("init", "--force")
    assert (project.root / "mlci.yaml").read_text() != "project: mine\n"


def test_ci_files_are_valid_and_kept_when_there(new_project: NewProject) -> None:
    project = new_project("iris")
    iris(project)
    project.mlci("init", "--ci", "github", "--ci", "gitlab")
    workflow = yaml.safe_load((project.root / ".github" / "workflows" / "ml.yml").read_text())
    assert {"jobs", "permissions"} <= set(workflow)
    assert all("mlci/" in job["uses"] for job in workflow["jobs"].values())
    pipeline = yaml.safe_load((project.root / ".gitlab-ci.yml").read_text())
    assert pipeline["include"]
    project.write(".gitlab-ci.yml", "mine: {script: [true]}\n")
    project.mlci("init", "--ci", "gitlab", expect=2)
    assert (project.root / ".gitlab-ci.yml").read_text() == "mine: {script: [true]}\n"


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    done = Project(tmp_path).mlci("init", "no-such-folder", expect=2)
    assert "no-such-folder" in done.err
