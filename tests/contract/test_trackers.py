"""What every tracker must do, over a database without a server and over a real server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from mlci.core.errors import MlciError
from mlci.core.ports import ModelVersion, RunRecord
from mlci.trackers import TRACKERS
from mlci.trackers._peek import UNKNOWN
from mlci.trackers.mlflow import MlflowTracker, tracker

REPOSITORY = Path(__file__).parents[2]
MakeTracker = Callable[[], MlflowTracker]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder whose bytes a careless copy would change."""
    folder = tmp_path / "model"
    (folder / "code" / "deep").mkdir(parents=True)
    (folder / "MLmodel").write_bytes(b"flavors: {}\r\nmodel_uuid: 1\n")
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 5000)
    (folder / "empty").write_bytes(b"")
    (folder / "code" / "deep" / "größe und länge.py").write_bytes(b"# no newline at the end")
    return folder


@pytest.fixture
def name() -> str:
    return f"model-{uuid4().hex[:8]}"


def empty_run(**parts: Any) -> RunRecord:
    return RunRecord(**({"name": "run", "params": {}, "metrics": {}, "tags": {}} | parts))


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def versions_of(made: MlflowTracker, name: str) -> list[str]:
    with made._client() as client:
        return [str(version.version) for version in client.search_model_versions(f"name = '{name}'")]


def test_registry_knows_the_tracker() -> None:
    assert TRACKERS.get("mlflow") is tracker


def test_a_recorded_run_holds_everything(make_tracker: MakeTracker, tmp_path: Path) -> None:
    single, folder = tmp_path / "notes.txt", tmp_path / "plots"
    single.write_text("hello")
    folder.mkdir()
    (folder / "a.svg").write_text("<svg/>")
    run = empty_run(
        name="nightly",
        params={"model": {"depth": 3}, "features": ["a", "b"], "long": "x" * 9000, "nothing": None}
        | {f"p{number}": number for number in range(130)},
        metrics={"roc_auc": 0.75, "recall[region=LATAM]": 0.5, "undefined": float("nan")}
        | {f"m{number}": float(number) for number in range(1100)},
        tags={"mlci.verdict": "passed", "long": "y" * 9000},
        artifacts=[(single, ""), (folder, "pictures"), (single, "texts/deep")],
        datasets=[("data/train.csv", "sha256:" + "ab" * 32, "training")],
    )
    made = make_tracker()
    run_id = made.record(run)
    with make_tracker()._client() as client:
        stored = client.get_run(run_id)
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "nightly"
    assert stored.data.params["model.depth"] == "3"
    assert stored.data.params["features"] == '["a", "b"]'
    assert stored.data.params["nothing"] == "None"
    assert stored.data.params["long"] == "x" * 6000
    assert stored.data.params["p129"] == "129"
    assert stored.data.metrics["roc_auc"] == 0.75
    assert stored.data.metrics["recall_region_LATAM_"] == 0.5
    assert stored.data.metrics["undefined"] != stored.data.metrics["undefined"]
    assert stored.data.metrics["m1099"] == 1099
    assert stored.data.tags["mlci.verdict"] == "passed"
    assert stored.data.tags["long"] == "y" * 8000
    (dataset,) = stored.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == ("data/train.csv", ("ab" * 32)[:36])
    assert "ab" * 32 in dataset.dataset.source
    assert {tag.key: tag.value for tag in dataset.tags} == {"mlflow.data.context": "training"}
    for artifact, text in {
        "notes.txt": "hello",
        "pictures/a.svg": "<svg/>",
        "texts/deep/notes.txt": "hello",
    }.items():
        copied = made.fetch_artifact(run_id, artifact, tmp_path / "fetched")
        assert copied is not None
        assert copied.read_text() == text
    copied = made.fetch_artifact(run_id, "pictures", tmp_path / "fetched")
    assert copied is not None
    assert digests(copied) == digests(folder)


def test_what_is_missing_is_none(make_tracker: MakeTracker, model: Path, name: str, tmp_path: Path) -> None:
    made = make_tracker()
    assert made.find(f"models:/{name}@champion") is None
    assert made.find(f"models:/{name}/1") is None
    assert made.find(f"models:/{name}/latest") is None
    assert made.find_by_tag(name, "commit", "abc") is None
    assert made.fetch_artifact("0" * 32, "notes.txt", tmp_path) is None
    run_id = made.record(empty_run())
    assert made.fetch_artifact(run_id, "notes.txt", tmp_path) is None
    assert made.fetch_artifact(run_id, "no/notes.txt", tmp_path) is None
    made.register(name, model, run_id, {})
    assert made.find(f"models:/{name}@champion") is None
    assert made.find(f"models:/{name}/2") is None
    assert made.find_by_tag(name, "commit", "abc") is None
    assert made.peek(f"models:/{name}@champion") is None
    assert made.peek(f"models:/{name}/2") is None
    assert made.peek(f"models:/{name}x@champion") is None
    assert made.peek_tag(name, "1", "commit") is None
    assert made.peek_tag(name, "2", "commit") is None


def test_a_registered_model_comes_back_byte_for_byte(
    make_tracker: MakeTracker, model: Path, name: str, tmp_path: Path
) -> None:
    made = make_tracker()
    run_id = made.record(empty_run())
    version = made.register(name, model, run_id, {"mlci.sha256": "abc", "odd": 'it\'s "quoted"'})
    assert version == ModelVersion(name, "1", run_id, {"mlci.sha256": "abc", "odd": 'it\'s "quoted"'})
    other = make_tracker()
    folder = other.fetch_model(version, tmp_path / "fetched")
    assert folder.is_relative_to(tmp_path / "fetched")
    assert digests(folder) == digests(model)
    (tmp_path / "fetched" / "mine.txt").write_text("stays")
    assert other.fetch_model(version, tmp_path / "fetched") == folder
    assert digests(folder) == digests(model)
    assert sorted(path.name for path in (tmp_path / "fetched").iterdir()) == ["mine.txt", "model"]
    with other._client() as client:
        run = client.get_run(run_id)
        (output,) = run.outputs.model_outputs
        logged = client.get_logged_model(output.model_id)
        stored = client.get_model_version(name, "1")
    assert str(logged.status) == "READY"
    assert stored.source == f"models:/{output.model_id}"
    assert logged.tags["mlflow.modelVersions"].count(name) == 1


def test_aliases_and_tags_name_versions(make_tracker: MakeTracker, model: Path, name: str) -> None:
    made = make_tracker()
    run_id = made.record(empty_run())
    first = made.register(name, model, run_id, {"commit": "aaa", "quote": "it's"})
    second = made.register(name, model, run_id, {"commit": "bbb"})
    third = made.register(name, model, run_id, {"commit": "bbb"})
    assert [first.version, second.version, third.version] == ["1", "2", "3"]
    for moved_to in ("1", "3", "2"):
        made.set_alias(name, "champion", moved_to)
        found = make_tracker().find(f"models:/{name}@champion")
        assert found is not None
        assert (found.version, found.aliases, found.run_id) == (moved_to, ("champion",), run_id)
        assert make_tracker().peek(f"models:/{name}@champion") == moved_to
    newest = made.find(f"models:/{name}/latest")
    assert newest is not None
    assert newest.version == "3"
    assert made.find(f"models:/{name}/1") == first
    by_tag = made.find_by_tag(name, "commit", "bbb")
    assert by_tag is not None
    assert by_tag.version == "3"
    quoted = made.find_by_tag(name, "quote", "it's")
    assert quoted is not None
    assert quoted.version == "1"
    made.tag_version(name, "1", {"mlci.verdict": "passed"})
    tagged = made.find(f"models:/{name}/1")
    assert tagged is not None
    assert tagged.tags == {"commit": "aaa", "quote": "it's", "mlci.verdict": "passed"}
    assert made.peek_tag(name, "1", "mlci.verdict") == "passed"
    assert made.peek(f"models:/{name}/3") == "3"
    latest = "3" if made.place.kind == "sqlite" else UNKNOWN
    assert made.peek(f"models:/{name}/latest") == latest


def test_a_deleted_version_is_gone(make_tracker: MakeTracker, model: Path, name: str) -> None:
    made = make_tracker()
    made.register(name, model, made.record(empty_run()), {"commit": "aaa"})
    made.set_alias(name, "champion", "1")
    with made._client() as client:
        client.delete_model_version(name, "1")
    assert made.find(f"models:/{name}/1") is None
    assert made.find(f"models:/{name}@champion") is None
    assert made.find_by_tag(name, "commit", "aaa") is None
    assert made.peek(f"models:/{name}/1") is None
    assert made.peek(f"models:/{name}@champion") is None
    assert made.peek_tag(name, "1", "commit") is None


def test_what_is_refused_is_said(make_tracker: MakeTracker, model: Path, name: str) -> None:
    made = make_tracker()
    with pytest.raises(MlciError) as no_run:
        made.register(name, model, "0" * 32, {})
    assert no_run.value.code == "tracker.refused"
    with pytest.raises(MlciError) as no_version:
        made.set_alias(name, "champion", "9")
    assert no_version.value.code == "tracker.refused"
    with pytest.raises(MlciError) as bad_name:
        made.register("no/slashes", model, made.record(empty_run()), {})
    assert bad_name.value.code == "tracker.refused"
    (model / "MLmodel").unlink()
    with pytest.raises(MlciError) as no_model:
        made.register(name, model, made.record(empty_run()), {})
    assert no_model.value.code == "model.unreadable"
    assert versions_of(made, name) == []


@pytest.mark.parametrize("odd", ["a#b.bin", "a%20b.bin", "a?b.bin"])
def test_names_that_mlflow_changes_are_refused(odd: str, tmp_path: Path, model: Path) -> None:
    made = tracker(None, "e", tmp_path / "project", {})
    (model / "code" / odd).write_bytes(b"1")
    with pytest.raises(MlciError) as caught:
        made.register("m", model, "0" * 32, {})
    assert caught.value.code == "tracker.refused"
    assert odd in caught.value.message
    with pytest.raises(MlciError) as caught:
        made.record(empty_run(artifacts=[(model / "code" / odd, "")]))
    assert caught.value.code == "tracker.refused"


def test_a_linked_folder_is_refused(tmp_path: Path, model: Path) -> None:
    (model / "linked").symlink_to(model / "code")
    with pytest.raises(MlciError) as caught:
        tracker(None, "e", tmp_path / "project", {}).register("m", model, "0" * 32, {})
    assert caught.value.code == "tracker.refused"
    assert "linked" in caught.value.message


@pytest.mark.parametrize(
    "common", ["a+b", "a&b=c", "a;b", "..hidden", ".dot", "a:b", "a\\b", "日本", "a  b", "(1)"]
)
def test_other_names_survive(
    common: str, make_tracker: MakeTracker, model: Path, name: str, tmp_path: Path
) -> None:
    made = make_tracker()
    (model / "code" / common).write_bytes(b"1")
    version = made.register(name, model, made.record(empty_run()), {})
    assert digests(made.fetch_model(version, tmp_path / "fetched")) == digests(model)


def test_a_model_whose_files_are_gone(
    make_tracker: MakeTracker, model: Path, name: str, tmp_path: Path
) -> None:
    made = make_tracker()
    run_id = made.record(empty_run())
    version = made.register(name, model, run_id, {})
    with made._client() as client:
        location = client.get_model_version_download_uri(name, "1")
    if location.startswith("file:"):
        shutil.rmtree(unquote(urlsplit(location).path))
    else:
        path = location.removeprefix("mlflow-artifacts:")
        door = f"{made.place.uri}/api/2.0/mlflow-artifacts/artifacts{path}"
        with urlopen(Request(door, method="DELETE"), timeout=10) as answer:
            assert answer.status == 200
    with pytest.raises(MlciError) as caught:
        made.fetch_model(version, tmp_path / "fetched")
    assert caught.value.code == "model.unreadable"
    assert name in caught.value.message
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_refused_version_leaves_no_model_behind(make_tracker: MakeTracker, model: Path) -> None:
    made = make_tracker()
    run_id = made.record(empty_run())
    with pytest.raises(MlciError):
        made.register("no/slashes", model, run_id, {})
    with made._client() as client:
        experiment = client.get_experiment_by_name(made.experiment)
        assert client.search_logged_models([experiment.experiment_id]) == []


def test_an_interrupted_upload_leaves_no_version(
    make_tracker: MakeTracker, model: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_tracker()
    run_id = made.record(empty_run())
    with made._client() as client:
        whole = client.log_model_artifacts

        def half(model_id: str, local_dir: str) -> None:
            whole(model_id, str(Path(local_dir) / "code"))
            raise KeyboardInterrupt

        monkeypatch.setattr(client, "log_model_artifacts", half)
    with pytest.raises(KeyboardInterrupt):
        made.register(name, model, run_id, {})
    assert versions_of(made, name) == []
    with made._client() as client:
        experiment = client.get_experiment_by_name(made.experiment)
        assert client.search_logged_models([experiment.experiment_id]) == []


def test_a_run_that_could_not_be_recorded_is_marked(make_tracker: MakeTracker, tmp_path: Path) -> None:
    made = make_tracker()
    with pytest.raises(FileNotFoundError):
        made.record(empty_run(artifacts=[(tmp_path / "not-there.txt", "")]))
    with made._client() as client:
        experiment = client.get_experiment_by_name(made.experiment)
        (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"


def test_a_deleted_experiment_is_not_revived(make_tracker: MakeTracker) -> None:
    made = make_tracker()
    made.record(empty_run())
    with made._client() as client:
        client.delete_experiment(client.get_experiment_by_name(made.experiment).experiment_id)
    with pytest.raises(MlciError) as caught:
        made.record(empty_run())
    assert caught.value.code == "tracker.refused"
    assert made.experiment in caught.value.message


def test_check_accepts_a_store_that_works(make_tracker: MakeTracker) -> None:
    make_tracker().check()


@pytest.mark.slow
def test_a_server_without_logged_models(
    server_without_logged_models: str, model: Path, name: str, tmp_path: Path
) -> None:
    made = tracker(server_without_logged_models, f"old-{name}", tmp_path, {})
    run_id = made.record(empty_run())
    version = made.register(name, model, run_id, {"commit": "abc"})
    assert (version.version, version.run_id, version.tags) == ("1", run_id, {"commit": "abc"})
    assert digests(made.fetch_model(version, tmp_path / "fetched")) == digests(model)
    with made._client() as client:
        assert client.get_model_version(name, "1").source.endswith(f"{run_id}/artifacts/model")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["variables", "address"])
def test_a_server_with_a_password(
    way: str, server_with_a_password: str, model: Path, name: str, tmp_path: Path
) -> None:
    address, variables = server_with_a_password, {}
    if way == "address":
        address = address.replace("//", "//me:s3cret@")
    else:
        variables = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "s3cret"}
    made = tracker(address, f"door-{name}", tmp_path, variables)
    made.check()
    version = made.register(name, model, made.record(empty_run(artifacts=[(model / "MLmodel", "")])), {})
    assert digests(made.fetch_model(version, tmp_path / "fetched")) == digests(model)
    assert made.peek(f"models:/{name}/1") == "1"
    stranger = tracker(server_with_a_password, f"door-{name}", tmp_path, {"MLFLOW_TRACKING_TOKEN": "no"})
    assert stranger.peek(f"models:/{name}/1") is UNKNOWN
    for attempt in (stranger.check, lambda: stranger.find(f"models:/{name}/1")):
        with pytest.raises(MlciError) as caught:
            attempt()
        assert caught.value.code == "tracker.refused"
        assert "MLFLOW_TRACKING_USERNAME" in caught.value.hint


_CLASH = """
import sys
from pathlib import Path
from mlci.core.ports import RunRecord
from mlci.trackers.mlflow import tracker
address, experiment, root, name, model = sys.argv[1:]
made = tracker(address or None, experiment, Path(root), {})
run_id = made.record(RunRecord(name="run", params={"a": 1}, metrics={"b": 2.0}, tags={}))
print(made.register(name, Path(model), run_id, {"by": run_id}).version)
"""


@pytest.mark.slow
@pytest.mark.parametrize("store", ["fresh database", "server"])
def test_two_processes_at_once(
    store: str, request: pytest.FixtureRequest, model: Path, name: str, tmp_path: Path
) -> None:
    address = request.getfixturevalue("mlflow_server") if store == "server" else ""
    arguments = [address, f"clash-{name}", str(tmp_path / "root"), name, str(model)]
    command = [sys.executable, "-W", "error", "-c", _CLASH, *arguments]
    clash = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in clash]
    assert [process.returncode for process in clash] == [0, 0], ends
    assert sorted(out.strip() for out, _ in ends) == ["1", "2"]
    assert [err for _, err in ends] == ["", ""]
    made = tracker(address or None, f"clash-{name}", tmp_path / "root", {})
    for version in ("1", "2"):
        found = made.find(f"models:/{name}/{version}")
        assert found is not None
        assert found.tags == {"by": found.run_id}
        assert digests(made.fetch_model(found, tmp_path / version)) == digests(model)


_MAKE = """
import sys, mlflow.sklearn, numpy
from sklearn.linear_model import LogisticRegression
fitted = LogisticRegression().fit(numpy.array([[0.0], [1.0]]), [0, 1])
mlflow.sklearn.save_model(fitted, sys.argv[1], pip_requirements=["scikit-learn"])
"""
_LOAD = """
import sys, mlflow, numpy
mlflow.set_tracking_uri(sys.argv[1])
for uri in sys.argv[2:]:
    print(mlflow.pyfunc.load_model(uri).predict(numpy.array([[-9.0], [9.0]])).tolist())
"""


@pytest.mark.slow
def test_plain_mlflow_loads_what_was_registered(make_tracker: MakeTracker, name: str, tmp_path: Path) -> None:
    settings = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    folder = tmp_path / "sklearn-model"
    subprocess.run([sys.executable, "-c", _MAKE, str(folder)], check=True, env=settings, cwd=tmp_path)
    made = make_tracker()
    made.register(name, folder, made.record(empty_run()), {})
    made.set_alias(name, "champion", "1")
    uris = [f"models:/{name}/1", f"models:/{name}@champion"]
    loaded = subprocess.run(
        [sys.executable, "-c", _LOAD, made.place.uri, *uris],
        check=True, env=settings, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert loaded.stdout.splitlines() == ["[0, 1]", "[0, 1]"]
