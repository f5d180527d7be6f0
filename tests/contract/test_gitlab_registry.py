"""What the tracker of GitLab's registry must do, over a real MLflow server behind GitLab's limits."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from gitlab_door import PROJECT, TOKEN, Registry, gitlab_before

from mlci.core.errors import MlciError
from mlci.core.ports import RunRecord
from mlci.trackers import open_tracker
from mlci.trackers._peek import UNKNOWN
from mlci.trackers.gitlab import GitlabTracker
from mlci.trackers.mlflow import MlflowTracker

pytestmark = pytest.mark.slow
Make = Callable[..., GitlabTracker]


@pytest.fixture
def registry(mlflow_server: str) -> Iterator[Registry]:
    with gitlab_before(mlflow_server) as registry:
        yield registry


@pytest.fixture
def make(registry: Registry, tmp_path: Path) -> Make:
    """Makes trackers of one project, as separate jobs would."""
    experiment, address = f"gitlab-{uuid4().hex[:8]}", registry.address

    def made(**variables: str) -> GitlabTracker:
        uri = f"{address}{PROJECT}/ml/mlflow"
        found = open_tracker(None, experiment, tmp_path, {
            "MLFLOW_TRACKING_URI": uri, "MLFLOW_TRACKING_TOKEN": TOKEN, **variables
        })  # fmt: skip
        assert isinstance(found, GitlabTracker)
        return found

    return made


@pytest.fixture
def name() -> str:
    return f"model-{uuid4().hex[:8]}"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder with what GitLab's storage has no place for: folders, and odd names."""
    folder = tmp_path / "model"
    (folder / "code" / "deep").mkdir(parents=True)
    (folder / "MLmodel").write_bytes(b"flavors: {}\r\nmodel_uuid: 1\n")
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 500)
    (folder / "empty").write_bytes(b"")
    (folder / "mit leer.txt").write_bytes(b"x")
    (folder / "code" / "deep" / "größe.py").write_bytes(b"# no newline at the end")
    return folder


def run(**parts: Any) -> RunRecord:
    return RunRecord(**({"name": "run", "params": {}, "metrics": {}, "tags": {}} | parts))


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("https://gitlab.example/api/v4/projects/42/ml/mlflow", GitlabTracker),
        ("https://gitlab.example/sub/api/v4/projects/group%2Fproject/ml/mlflow/", GitlabTracker),
        ("https://mlflow.example", MlflowTracker),
        ("https://mlflow.example/api/v4/projects/42", MlflowTracker),
        (None, MlflowTracker),
    ],
)
def test_the_address_tells_whose_registry_it_is(uri: str | None, kind: type, tmp_path: Path) -> None:
    assert type(open_tracker(uri, "e", tmp_path, {})) is kind
    assert type(open_tracker(None, "e", tmp_path, {"MLFLOW_TRACKING_URI": uri} if uri else {})) is kind


def test_a_run_is_recorded_within_the_limits(make: Make, registry: Registry, tmp_path: Path) -> None:
    table, folder = tmp_path / "predictions.parquet", tmp_path / "plots"
    table.write_bytes(b"rows")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a b.svg").write_text("<svg/>")
    made = make(CI_JOB_ID="77", CI_PROJECT_URL="https://gitlab.example/acme/user")
    made.check()
    run_id = made.record(
        run(
            params={"depth": 3, "long": "x" * 900, "empty": "", **{f"p{number}": 1 for number in range(250)}},
            metrics={"recall[region=LATAM]": 0.5, "undefined": float("nan"), "roc_auc": 0.75},
            tags={"mlci.git.commit": "abc", "nothing": ""},
            artifacts=[(table, "predictions"), (folder, "plots")],
            datasets=[("data/train.csv", "ab" * 32, "training")],
        )
    )
    stored = registry.mlflow("GET", "runs/get", {"run_id": run_id})["run"]
    params = {param["key"]: param["value"] for param in stored["data"]["params"]}
    tags = {tag["key"]: tag["value"] for tag in stored["data"]["tags"]}
    assert stored["info"]["status"] == "FINISHED"
    assert (params["depth"], params["long"], params["p249"]) == ("3", "x" * 250, "1")
    assert {metric["key"] for metric in stored["data"]["metrics"]} == {"recall_region_LATAM_", "roc_auc"}
    assert (tags["mlci.git.commit"], tags["gitlab.CI_JOB_ID"]) == ("abc", "77")
    number = next(number for number, of in registry.runs.items() if of == run_id)
    assert made.run_page(run_id) == f"https://gitlab.example/acme/user/-/ml/candidates/{number}"
    found = make().fetch_artifact(run_id, "predictions/predictions.parquet", tmp_path / "fetched")
    assert found is not None
    assert found.read_bytes() == b"rows"
    plot = make().fetch_artifact(run_id, "plots/deep/a b.svg", tmp_path / "fetched")
    assert plot is not None
    assert plot.read_text() == "<svg/>"
    assert make().fetch_artifact(run_id, "predictions/other.parquet", tmp_path) is None
    assert make().fetch_artifact("0" * 32, "x", tmp_path) is None
    assert make().fetch_artifact(make().record(run()), "x", tmp_path) is None


def test_each_training_is_a_patch_and_comes_back_byte_for_byte(
    make: Make, model: Path, name: str, tmp_path: Path, registry: Registry
) -> None:
    run_id = make().record(run())
    tags = {"mlci.train.model.sha256": "abc", "empty": "", "odd": 'it\'s "quoted"'}
    first = make().register(name, model, run_id, tags)
    second = make().register(name, model, make().record(run()), {})
    assert [first.version, second.version] == ["1.0.0", "1.0.1"]
    assert first.run_id == run_id
    assert first.tags == {"mlci.train.model.sha256": "abc", "odd": 'it\'s "quoted"'}
    assert digests(make().fetch_model(first, tmp_path / "fetched")) == digests(model)
    stored = {path.rpartition("/files/")[2] for path in registry.requests if "/files/" in path}
    assert {"MLmodel", "weights.bin", "mlci-folders.zip"} <= stored
    assert make().find(f"models:/{name}/1.0.0") == first
    latest = make().find(f"models:/{name}/latest")
    assert latest is not None
    assert latest.version == "1.0.1"
    by_tag = make().find_by_tag(name, "mlci.train.model.sha256", "abc")
    assert by_tag is not None
    assert by_tag.version == "1.0.0"


def test_the_next_patch_follows_what_people_have_made(
    make: Make, model: Path, name: str, registry: Registry
) -> None:
    make().register(name, model, make().record(run()), {})
    for version in ("2.4.9", "2.4.10", "2.5.0-rc1"):
        tags = [{"key": "gitlab.version", "value": version}]
        registry.call("POST", "model-versions/create", {"name": name, "tags": tags})
    assert make().register(name, model, make().record(run()), {}).version == "2.5.0"
    assert make().register(name, model, make().record(run()), {}).version == "2.5.1"


def test_a_number_that_another_job_has_taken_is_left_to_it(
    make: Make, model: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make().register(name, model, make().record(run()), {})
    made = make()
    monkeypatch.setattr(made, "_versions", lambda _name: [])  # as it was before the other one registered
    assert made.register(name, model, made.record(run()), {}).version == "1.0.1"


def test_an_alias_is_moved_and_moved_back(make: Make, model: Path, name: str, registry: Registry) -> None:
    for _ in range(2):
        make().register(name, model, make().record(run()), {})
    registry.call(
        "PATCH", "registered-models/update", {"name": name, "description": "Written by\n\na person."}
    )
    champion = f"models:/{name}@champion"
    assert (make().find(champion), make().peek(champion)) == (None, None)
    make().set_alias(name, "challenger", "1.0.1")
    for version in ("1.0.0", "1.0.1", "1.0.0"):
        make().set_alias(name, "champion", version)
        found = make().find(champion)
        assert found is not None
        assert found.version == version
        assert "champion" in found.aliases
        assert make().peek(champion) == version
    text = registry.get_model({"name": name})["registered_model"]["description"]
    assert text == "Written by\n\na person.\n\nmlci aliases: challenger = 1.0.1, champion = 1.0.0"
    with pytest.raises(MlciError) as caught:
        make().set_alias(name, "champion", "9.9.9")
    assert caught.value.code == "tracker.refused"
    assert make().peek(champion) == "1.0.0"


def test_a_tag_that_is_there_keeps_its_value_and_the_new_one_its_time(
    make: Make, model: Path, name: str, registry: Registry
) -> None:
    version = make().register(name, model, make().record(run()), {})
    for verdict in ("passed", "warned"):
        make().tag_version(name, version.version, {"mlci.verdict": verdict, "mlci.previous.champion": ""})
    (of,) = (of for _, _, of in registry.versions.values())
    tags = registry.mlflow("GET", "runs/get", {"run_id": of})["run"]["data"]["tags"]
    found = {tag["key"]: tag["value"] for tag in tags if tag["key"].startswith("mlci.verdict")}
    assert found.pop("mlci.verdict") == "passed"
    ((key, value),) = found.items()
    assert value == "warned"
    assert key.startswith("mlci.verdict 20")


def test_what_is_missing_is_none_and_a_plain_number_is_explained(make: Make, name: str) -> None:
    for uri in (f"models:/{name}@champion", f"models:/{name}/1.0.0", f"models:/{name}/latest"):
        assert make().find(uri) is None
        assert make().peek(uri) is None
    for ask in (make().find, make().peek):
        with pytest.raises(MlciError) as caught:
            ask(f"models:/{name}/3")
        assert caught.value.code == "config.invalid"
        assert f"models:/{name}/1.0.3" in caught.value.hint


def test_an_upload_that_was_cut_is_said_and_never_served(
    make: Make, model: Path, name: str, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make()
    run_id = made.record(run())
    upload = made._api.upload

    def half(address: str, file: str, path: Path) -> None:
        if file == "MLmodel":
            raise KeyboardInterrupt
        upload(address, file, path)

    monkeypatch.setattr(made._api, "upload", half)
    with pytest.raises(KeyboardInterrupt):
        made.register(name, model, run_id, {})
    (number,) = registry.versions
    assert registry.version(number)["description"].startswith("Incomplete")
    found = make().find(f"models:/{name}/1.0.0")
    assert found is not None
    with pytest.raises(MlciError) as caught:
        make().fetch_model(found, tmp_path / "fetched")
    assert caught.value.code == "model.unreadable"
    assert make().register(name, model, run_id, {}).version == "1.0.1"


def test_what_gitlab_refuses_is_said_in_its_words(make: Make, model: Path, registry: Registry) -> None:
    taken = make()
    taken.record(run())
    with pytest.raises(MlciError) as caught:
        taken.register(taken.experiment, model, taken.record(run()), {})
    assert caught.value.code == "tracker.refused"
    assert "is there an experiment of this name?" in caught.value.message
    stranger = make(MLFLOW_TRACKING_TOKEN="wrong")
    for attempt in (stranger.check, lambda: stranger.find("models:/m/1.0.0"), lambda: stranger.record(run())):
        with pytest.raises(MlciError) as caught:
            attempt()
        assert caught.value.code == "tracker.refused"
        assert "MLFLOW_TRACKING_TOKEN" in caught.value.hint
        assert "wrong" not in str(caught.value)
    assert stranger.peek("models:/m@champion") is UNKNOWN


def test_a_token_is_never_sent_to_another_host(
    make: Make, model: Path, name: str, registry: Registry
) -> None:
    run_id = make().record(run())
    registry.address = "http://elsewhere.example"
    with pytest.raises(MlciError) as caught:
        make().register(name, model, run_id, {})
    assert caught.value.code == "tracker.refused"
    assert "elsewhere.example" in caught.value.message


def mlci(project: Path, registry: Registry, *arguments: str) -> dict[str, Any]:
    """Run mlci as a job does, and return its report."""
    inherited = {
        key: text for key, text in os.environ.items() if not key.startswith(("MLCI_", "MLFLOW_", "CI"))
    }
    settings = {
        "MLFLOW_TRACKING_URI": f"{registry.address}{PROJECT}/ml/mlflow",
        "MLFLOW_TRACKING_TOKEN": TOKEN,
        "GITLAB_CI": "true",
    }
    done = subprocess.run(
        [sys.executable, "-m", "mlci", *arguments],
        cwd=project, env=inherited | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((project / "mlci-out/report.json").read_text())
    return {stage["stage"]: stage for stage in found["stages"]}


def test_a_whole_run_with_no_server_but_gitlab(registry: Registry, tmp_path: Path, name: str) -> None:
    """Train, compare with the champion, package, deploy; then again with another model, and back."""
    project = tmp_path / "project"
    shutil.copytree(
        Path(__file__).parents[2] / "examples/quickstart", project,
        ignore=shutil.ignore_patterns("mlci-out", ".mlci", ".venv", "changes"),
    )  # fmt: skip
    config = project / "mlci.yaml"
    text = config.read_text().replace("project: quickstart", f"project: {name}").replace("quickstart", name)
    text = text.replace("{n_estimators: 200, random_state: 17}", "{n_estimators: 20}\n  cross-validation: 0")
    config.write_text(text)
    first = mlci(project, registry, "run", "--from", "train")
    assert first["compare-to-baseline"]["outputs"]["state"] == "no-baseline"
    assert first["deploy"]["outputs"]["version"] == "1.0.0"
    shutil.copytree(project / "mlci-out", tmp_path / "first")
    assert not (project / ".mlci/mlflow").exists()

    config.write_text(text.replace("n_estimators: 20", "n_estimators: 22"))
    shutil.rmtree(project / "mlci-out")
    second = mlci(project, registry, "run", "--from", "train")
    assert second["compare-to-baseline"]["outputs"]["state"] == "compared"
    assert f"models:/{name}@champion → version 1.0.0" in second["compare-to-baseline"]["reason"]
    assert second["package"]["outputs"]["model-uri"] == f"models:/{name}/1.0.1"
    assert second["deploy"]["outputs"]["previous-version"] == "1.0.0"

    # A rollback on GitLab is the old deployment job, started again with the artifacts of its pipeline.
    shutil.rmtree(project / "mlci-out")
    shutil.copytree(tmp_path / "first", project / "mlci-out")
    config.write_text(text)
    again = mlci(project, registry, "run", "--from", "deploy")
    assert again["deploy"]["outputs"] == {
        "target": "registry", "version": "1.0.0", "previous-version": "1.0.1", "changed": "true"
    }  # fmt: skip
