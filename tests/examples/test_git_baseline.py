"""baseline: git:REF trains an earlier commit in a worktree of its own and judges it on today's rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from example_project import NewProject, Project

from mlci.core.files import sha256_file

pytestmark = pytest.mark.slow

TRAINED = "train the baseline at"


@pytest.fixture(scope="module")
def project(new_tumour: NewProject) -> Project:
    """A project with a first commit before mlci, one that adopts it, and today's change; data are not in git."""
    project = new_tumour("tumour")
    project.write(".gitignore", "/mlci-out\n/.mlci\n/data\n")
    project.commit("adopt mlci")
    project.replace("mlci.yaml", "C: 1.0", "C: 0.1")
    project.commit("regularise more")
    project.mlci("train")
    return project


def compare(project: Project, baseline: str, *more: str, expect: int = 0) -> str:
    setting = f"compare-to-baseline.baseline={baseline}"
    done = project.mlci("compare-to-baseline", "--set", setting, *more, expect=expect)
    assert worktrees(project) == [str(project.root.resolve())]
    return done.err


def worktrees(project: Project) -> list[str]:
    listed = project.must("git", "worktree", "list", "--porcelain").out
    return [line.removeprefix("worktree ") for line in listed.splitlines() if line.startswith("worktree ")]


def test_earlier_commit_is_trained_once(project: Project) -> None:
    assert TRAINED in compare(project, "git:HEAD~1")
    result = project.result("compare-to-baseline")
    assert result["outputs"]["state"] == "compared"
    assert result["details"]["baseline"]["label"].startswith("git:HEAD~1 → ")
    check = project.check("compare-to-baseline", "accuracy")
    assert check["metric"]["baseline"] is not None
    assert check["metric"]["n"] == 285
    assert TRAINED not in compare(project, "git:HEAD~1", "--force")
    commit = project.must("git", "rev-parse", "HEAD~1").out.strip()
    assert TRAINED not in compare(project, f"git:{commit}", "--force"), "cached by commit, not by name"


def test_the_same_commit_is_the_identical_model(project: Project) -> None:
    assert TRAINED in compare(project, "git:main")
    assert project.result("compare-to-baseline")["outputs"]["state"] == "identical"


def test_commit_before_mlci_is_a_first_run(project: Project) -> None:
    compare(project, "git:HEAD~2")
    assert project.result("compare-to-baseline")["outputs"]["state"] == "no-baseline"


def test_unknown_reference(project: Project) -> None:
    compare(project, "git:no-such-branch", expect=3)
    error = project.result("compare-to-baseline")["error"]
    assert error["code"] == "baseline.missing"
    assert "no-such-branch" in error["message"]
    assert "fetch" in error["hint"]


def test_commit_that_does_not_train_says_why(project: Project, tmp_path: Path) -> None:
    broken = project.copy_to(tmp_path / "tumour")
    broken.replace("mlci.yaml", "C: 0.1", "C: -1.0")
    broken.commit("broken")
    broken.replace("mlci.yaml", "C: -1.0", "C: 0.1")
    compare(broken, "git:HEAD", expect=3)
    error = broken.result("compare-to-baseline")["error"]
    assert error["code"] == "baseline.not-comparable"
    assert "train.fit-failed" in error["message"]
    assert "'C' parameter" in error["message"]


def test_both_are_judged_on_the_rows_of_today(project: Project, tmp_path: Path) -> None:
    changed = project.copy_to(tmp_path / "tumour")
    rows = (changed.root / "data" / "evaluate.csv").read_text().splitlines(keepends=True)
    changed.write("data/evaluate.csv", "".join(rows[:201]))
    changed.mlci("train")
    assert TRAINED in compare(changed, "git:HEAD~1")
    assert changed.check("compare-to-baseline", "accuracy")["metric"]["n"] == 200


def test_todays_files_are_not_written_to(project: Project, tmp_path: Path) -> None:
    """A program of that commit that changes its training data must not change today's."""
    changed = project.copy_to(tmp_path / "tumour")
    changed.write(
        "train.py",
        """\
import os, pathlib, joblib, pandas as pd
from sklearn.linear_model import LogisticRegression
path = pathlib.Path(os.environ["MLCI_DATA_TRAIN"])
train = pd.read_csv(path)
train.head(200).to_csv(path, index=False)
model = LogisticRegression(C=0.1, max_iter=5000)
model.fit(train.drop(columns=["patient", "malignant"]), train["malignant"])
joblib.dump(model, os.path.join(os.environ["MLCI_MODEL_DIR"], "model.joblib"))
""",
    )
    estimator = (
        "  estimator: sklearn.linear_model.LogisticRegression\n  params: {C: 0.1}\n  cross-validation: 0\n"
    )
    changed.replace("mlci.yaml", estimator, "  command: python train.py\n")
    changed.commit("a program that writes where it reads")
    before = (changed.root / "data" / "train.csv").read_bytes()
    assert TRAINED in compare(changed, "git:HEAD")
    assert (changed.root / "data" / "train.csv").read_bytes() == before


def test_data_that_dvc_keeps_are_those_of_the_commit(project: Project, tmp_path: Path) -> None:
    changed = project.copy_to(tmp_path / "tumour")
    shutil.rmtree(changed.root / ".mlci" / "cache" / "baselines", ignore_errors=True)
    changed.write(".gitignore", "/mlci-out\n/.mlci\n")
    changed.dvc("init", "--quiet")
    changed.dvc("add", "--quiet", "data/train.csv", "data/evaluate.csv")
    then = changed.commit("data under DVC")
    digest_then = sha256_file(changed.root / "data" / "train.csv")
    rows = (changed.root / "data" / "train.csv").read_text().splitlines(keepends=True)
    changed.write("data/train.csv", "".join(rows[:250]))
    changed.dvc("add", "--quiet", "data/train.csv")
    changed.commit("fewer rows")
    assert sha256_file(changed.root / "data" / "train.csv") != digest_then
    assert TRAINED in compare(changed, f"git:{then}")
    kept = list((changed.root / ".mlci" / "cache" / "baselines").glob("*/train.json"))
    assert len(kept) == 1
    lineage = json.loads(kept[0].read_bytes())["details"]["lineage"]
    assert lineage["mlci.data.train.sha256"] == digest_then
