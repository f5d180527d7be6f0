"""What a change makes run: found from files alone, for every model, with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest_review import DATA, Forge, Run, git

REVIEWED = ["validate-data", "train", "compare-to-baseline"]


def plan(mlci: Run, folder: Path, *arguments: str, **variables: Any) -> dict[str, Any]:
    done = mlci(folder, "plan", "--json", *arguments, **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def actions(project: dict[str, Any]) -> dict[str, str]:
    return {row["stage"]: row["action"] for row in project["stages"]}


def outputs(checkout: Path) -> dict[str, str]:
    lines = Path(f"{checkout.parent / checkout.name}-event.json.out").read_text("utf-8").splitlines()
    return {line.split("<<")[0]: lines[index + 1] for index, line in enumerate(lines) if "<<" in line}


def test_documentation_alone_is_nothing_to_evaluate(forge: Forge, mlci: Run, tmp_path: Path) -> None:
    forge.commit({"README.md": "more\n", "models/cat/docs/page.md": "more\n", "models/dog/NOTES.md": "new\n"})
    checkout, event = forge.merged(tmp_path)
    found = plan(mlci, checkout, "--all", event=event)
    assert (found["evaluate"], [project["evaluate"] for project in found["projects"]]) == (
        False,
        [False, False],
    )
    assert found["base"] == event["pull_request"]["base"]["sha"]
    assert json.loads((checkout / "mlci-out/plan.json").read_text()) == found
    summary = Path(f"{checkout.parent / checkout.name}-event.json.md").read_text("utf-8")
    assert "Nothing to evaluate" in summary
    assert outputs(checkout)["evaluate"] == "false"
    assert json.loads(outputs(checkout)["matrix"]) == {"include": []}


def test_code_of_one_model_evaluates_that_one_and_not_its_data(
    forge: Forge, mlci: Run, tmp_path: Path
) -> None:
    forge.commit({"models/cat/train.py": "print('better')\n"})
    checkout, event = forge.merged(tmp_path)
    found = plan(mlci, checkout, "--all", event=event)
    cat, dog = found["projects"]
    assert (cat["name"], cat["folder"], cat["evaluate"]) == ("cat", "models/cat", True)
    assert actions(cat) == {
        "validate-data": "skip",
        "train": "run",
        "compare-to-baseline": "run",
        "package": "skip",
        "deploy": "skip",
    }
    assert cat["why"] == "changed: models/cat/train.py"
    assert set(actions(dog).values()) == {"skip"}
    matrix = {"include": [{"name": "cat", "folder": "models/cat", "until": "compare-to-baseline"}]}
    assert json.loads(outputs(checkout)["matrix"]) == matrix
    assert (outputs(checkout)["evaluate"], outputs(checkout)["models"]) == ("true", "1")


@pytest.mark.parametrize(
    ("files", "stages"),
    [
        ({"models/cat/train.csv": DATA + "60,1,1\n"}, REVIEWED),
        ({"models/cat/evaluate.csv": DATA + "60,1,1\n"}, REVIEWED),
        ({"models/cat/vocabulary.txt": "a file of an unknown kind\n"}, ["train", "compare-to-baseline"]),
        ({"models/cat/uv.lock": "x\n"}, ["train", "compare-to-baseline"]),
        ({"pyproject.toml": "[project]\n"}, ["train", "compare-to-baseline"]),
        ({".github/workflows/ml.yml": "on: push\n"}, ["train", "compare-to-baseline"]),
        ({"models/cat/tests/test_it.py": "x\n"}, []),
        ({"shared/features.py": "x = 2\n"}, []),
        ({"models/cat/train.py": None}, ["train", "compare-to-baseline"]),
    ],
)
def test_each_kind_of_file_runs_what_depends_on_it(
    forge: Forge, mlci: Run, files: dict[str, str | None], stages: list[str]
) -> None:
    forge.commit(files)
    found = plan(mlci, forge.clone / "models/cat", "--base", "main")
    (cat,) = found["projects"]
    assert [stage for stage, action in actions(cat).items() if action == "run"] == stages


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ("at-least: 0.9", "at-least: 0.8", ["train", "compare-to-baseline"]),
        ("column: k}", "column: x}", ["validate-data"]),
        ("label: y, key: k", "label: y", REVIEWED),
        ("command: python train.py", "command: python3 train.py", ["train", "compare-to-baseline"]),
        ("target: registry", "target: local", ["train", "compare-to-baseline"]),
        ("project: cat", "# a comment\nproject: cat", []),
    ],
)
def test_each_section_of_the_configuration_runs_what_reads_it(
    forge: Forge, mlci: Run, old: str, new: str, stages: list[str]
) -> None:
    text = forge.text("models/cat/mlci.yaml")
    assert old in text
    forge.commit({"models/cat/mlci.yaml": text.replace(old, new)})
    (cat,) = plan(mlci, forge.clone / "models/cat", "--base", "main")["projects"]
    assert [stage for stage, action in actions(cat).items() if action == "run"] == stages
    assert cat["evaluate"] == bool(stages)


def test_what_is_elsewhere_can_be_watched_and_what_is_here_left_alone(forge: Forge, mlci: Run) -> None:
    text = forge.text("models/cat/mlci.yaml")
    changes = "changes: {watch: [shared/*], ignore: [notebooks]}\n"
    git(forge.clone, "checkout", "--quiet", "main")
    forge.commit({"models/cat/mlci.yaml": text + changes})
    git(forge.clone, "checkout", "--quiet", "-b", "next")
    forge.commit({"models/cat/notebooks/look.ipynb": "{}\n"})
    assert not plan(mlci, forge.clone / "models/cat", "--base", "main")["evaluate"]
    forge.commit({"shared/features.py": "x = 3\n"})
    found = plan(mlci, forge.clone, "--all", "--base", "main")
    assert [project["evaluate"] for project in found["projects"]] == [True, False]


def test_what_is_not_committed_counts_on_a_machine_of_your_own(forge: Forge, mlci: Run) -> None:
    assert not plan(mlci, forge.clone, "--all", "--as-ci")["evaluate"]
    (forge.clone / "models/dog/new.py").write_text("x\n")
    found = plan(mlci, forge.clone, "--all", "--as-ci")
    assert [project["evaluate"] for project in found["projects"]] == [False, True]


def test_a_push_plans_what_has_changed_since_the_last_one(forge: Forge, mlci: Run) -> None:
    git(forge.clone, "checkout", "--quiet", "main")
    before = git(forge.clone, "rev-parse", "HEAD")
    after = forge.commit({"models/dog/train.py": "print('other')\n"})
    event = {"before": before, "after": after}
    found = plan(mlci, forge.clone, "--all", event=event, GITHUB_SHA=after)
    cat, dog = found["projects"]
    assert not cat["evaluate"]
    assert set(actions(dog).values()) == {"run", "skip"}
    assert actions(dog)["deploy"] == "run"
    new = plan(mlci, forge.clone, "--all", event={"before": "0" * 40}, GITHUB_SHA=after)
    assert [project["evaluate"] for project in new["projects"]] == [True, True]


def test_a_base_that_the_checkout_does_not_hold_evaluates_everything_and_says_so(
    forge: Forge, mlci: Run, tmp_path: Path
) -> None:
    forge.commit({"README.md": "more\n"})
    checkout, event = forge.merged(tmp_path, depth=1)
    found = plan(mlci, checkout, "--all", event=event)
    assert found["base"] is None
    assert [project["evaluate"] for project in found["projects"]] == [True, True]
    assert "fetch-depth: 2" in found["projects"][0]["why"]


def test_names_never_clash_and_do_not_depend_on_the_change(forge: Forge, mlci: Run) -> None:
    text = forge.text("models/cat/mlci.yaml")
    forge.commit({"models/dog/mlci.yaml": text, "models/more cats/mlci.yaml": text})
    found = plan(mlci, forge.clone, "--all", "--base", "main")
    names = [project["name"] for project in found["projects"]]
    assert names == ["models-cat", "models-dog", "models-more-cats"]
    (only,) = plan(mlci, forge.clone / "models/dog", "--base", "main")["projects"]
    assert only["name"] == "models-dog"


def test_a_configuration_that_cannot_be_used_stops_its_own_model_only(forge: Forge, mlci: Run) -> None:
    forge.commit({"models/cat/mlci.yaml": "project: cat\ntrain: {comand: x}\n", "models/dog/train.py": "y\n"})
    cat, dog = plan(mlci, forge.clone, "--all", "--base", "main")["projects"]
    # It is evaluated, so that its own job says what is wrong, with its exit code.
    assert (cat["evaluate"], cat["stages"]) == (True, [])
    assert "unknown key 'comand'" in cat["why"]
    assert dog["evaluate"]


def test_a_wrong_option_of_the_workflow_does_not_end_in_nothing_to_evaluate(forge: Forge, mlci: Run) -> None:
    """It makes every configuration unusable; the models that the change touches have to say so."""
    forge.commit({"models/cat/train.py": "print('better')\n"})
    found = plan(mlci, forge.clone, "--all", "--base", "main", "--set", "train.tiemout=3")
    cat, dog = found["projects"]
    assert (cat["evaluate"], dog["evaluate"]) == (True, False)
    assert "'tiemout'" in cat["why"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--base", "nowhere"], 3, "git knows no 'nowhere'"),
        (["--all", "--config", "models/cat"], 2, "contradict"),
    ],
)
def test_what_cannot_be_planned_says_why(
    forge: Forge, mlci: Run, arguments: list[str], code: int, text: str
) -> None:
    where = forge.clone if "--all" in arguments else forge.clone / "models/cat"
    done = mlci(where, "plan", *arguments)
    assert done.returncode == code
    assert text in done.stderr


def test_gitlab_gets_variables(forge: Forge, mlci: Run) -> None:
    forge.commit({"models/cat/train.py": "print('better')\n"})
    request = {
        "GITLAB_CI": "true",
        "CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(forge.clone, "rev-parse", "main"),
    }
    found = plan(mlci, forge.clone, "--all", **request)
    assert found["evaluate"]
    text = (forge.clone / "mlci-out/plan.env").read_text()
    assert text == "MLCI_PLAN_EVALUATE=true\nMLCI_PLAN_MODELS=1\n"


def test_it_says_what_would_be_published_and_what_is_needed(forge: Forge, mlci: Run) -> None:
    config = forge.text("models/cat/mlci.yaml") + "tracking: {uri: 'https://user:hidden@mlflow.example'}\n"
    forge.commit(
        {
            "models/cat/mlci.yaml": config.replace("evaluate.csv", "large.csv"),
            ".dvc/config": "[core]\n    remote = store\n['remote \"store\"']\n    url = s3://bucket/data\n",
        }
    )
    done = mlci(forge.clone, "plan", "--all", "--as-ci", AWS_ACCESS_KEY_ID="AKIA-hidden")
    assert "pull-requests: write" in done.stdout
    assert "MLCI_GITLAB_TOKEN" in done.stdout
    assert "MLFLOW_TRACKING_TOKEN (not set here)" in done.stdout
    assert "s3://bucket/data, with AWS_ACCESS_KEY_ID (set here)" in done.stdout
    assert "hidden" not in done.stdout
    assert not mlci(forge.clone, "plan", "--all", "--as-ci").stderr


def test_names_of_files_command_no_runner(forge: Forge, mlci: Run) -> None:
    forge.commit({"models/cat/##[error]x.py": "x\n", "models/cat/::error::forged.py": "x\n"})
    done = mlci(forge.clone / "models/cat", "plan", "--json", "--base", "main")
    assert "##[error]" not in done.stdout
    assert "models/cat/##[error]x.py" in json.loads(done.stdout)["why"]
    text = mlci(forge.clone / "models/cat", "plan", "--base", "main").stdout
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
