"""MLflow's environment, noise and exceptions, and how long a dead server can hold a run up."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.core.ports import RunRecord
from mlci.trackers._place import place_of
from mlci.trackers._session import bounds, session
from mlci.trackers.mlflow import tracker

ServeText = Callable[..., str]
RUN = RunRecord(name="run", params={"a": 1}, metrics={}, tags={})


def failure(uri: str, root: Path, variables: dict[str, str] | None = None) -> tuple[MlciError, float]:
    made = tracker(uri, "experiment", root, variables or {})
    start = time.monotonic()
    with pytest.raises(MlciError) as caught:
        made.record(RUN)
    return caught.value, time.monotonic() - start


def test_a_dead_server_is_reported_in_time(closed_port: str, tmp_path: Path) -> None:
    error, seconds = failure(closed_port, tmp_path)
    assert error.code == "tracker.unreachable"
    assert error.message == f"the tracking store {closed_port} cannot be used: the connection was refused"
    assert seconds < 15


@pytest.mark.slow
def test_a_hanging_server_is_reported_in_time(silent_port: str, tmp_path: Path) -> None:
    error, seconds = failure(silent_port, tmp_path)
    assert error.code == "tracker.unreachable"
    assert error.message.endswith("it did not answer in time")
    assert seconds < 40


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_not_waited_for(status: int, serve_text: ServeText, tmp_path: Path) -> None:
    error, seconds = failure(serve_text(status, "{}", Retry_After="3600"), tmp_path)
    assert error.code == "tracker.unreachable"
    assert str(status) in error.message
    assert seconds < 15


@pytest.mark.parametrize("status", [401, 403])
def test_denied_access_is_refused_and_tells_no_secret(
    status: int, serve_text: ServeText, tmp_path: Path
) -> None:
    address = serve_text(status, "you are not s3cret").replace("//", "//me:hidden@")
    error, seconds = failure(address, tmp_path, {"MLFLOW_TRACKING_TOKEN": "s3cret"})
    assert error.code == "tracker.refused"
    assert "MLFLOW_TRACKING_TOKEN" in error.hint
    assert "s3cret" not in str(error)
    assert "hidden" not in str(error)
    assert seconds < 15


def test_find_on_a_dead_server_is_not_none(closed_port: str, tmp_path: Path) -> None:
    with pytest.raises(MlciError) as caught:
        tracker(closed_port, "e", tmp_path, {}).find("models:/m@champion")
    assert caught.value.code == "tracker.unreachable"


def test_looking_into_an_embedded_store_does_not_make_one(tmp_path: Path) -> None:
    made = tracker(None, "e", tmp_path, {})
    assert made.find("models:/m@champion") is None
    assert made.find_by_tag("m", "commit", "abc") is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_mlflow_is_refused_with_the_way_out(tmp_path: Path) -> None:
    database = tmp_path / "runs.db"
    tracker("sqlite:///runs.db", "e", tmp_path, {}).record(RUN)
    aged = tmp_path / "aged.db"
    shutil.copy(database, aged)
    with closing(sqlite3.connect(aged)) as link, link:
        link.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    error, _ = failure("sqlite:///aged.db", tmp_path)
    assert error.code == "tracker.refused"
    assert "mlflow db upgrade" in error.hint


def test_the_process_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere.invalid")
    import mlflow

    before = dict(os.environ), logging.getLogger("mlflow").level, logging.getLogger().handlers[:]
    # A fresh database: its migrations are what MLflow is loudest about.
    made = tracker(None, "experiment", tmp_path / "project", {})
    run_id = made.record(RUN)
    assert (dict(os.environ), logging.getLogger("mlflow").level, logging.getLogger().handlers[:]) == before
    assert mlflow.get_tracking_uri() == "http://elsewhere.invalid"
    assert [path.name for path in tmp_path.iterdir()] == ["project"]
    assert capfd.readouterr() == ("", "")
    with made._client() as client:
        assert client.get_run(run_id).info.artifact_uri.startswith((tmp_path / "project").as_uri())
        assert str(tmp_path / "project" / ".mlci") in client.get_experiment("0").artifact_location


def test_a_store_that_somebody_else_set_is_not_used(tmp_path: Path) -> None:
    import mlflow

    model = tmp_path / "model"
    model.mkdir()
    (model / "MLmodel").write_text("flavors: {}\n")
    made = tracker(None, "experiment", tmp_path, {})
    run_id = made.record(RUN)
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    try:
        version = made.register("m", model, run_id, {})
        assert mlflow.get_tracking_uri() == "http://127.0.0.1:9"
    finally:
        mlflow.set_tracking_uri(None)
    fetched = made.fetch_model(version, tmp_path / "fetched")
    assert (fetched / "MLmodel").read_bytes() == (model / "MLmodel").read_bytes()


def test_variables_of_the_user_win_over_the_bounds(closed_port: str, tmp_path: Path) -> None:
    place = place_of(closed_port, tmp_path, {})
    with session(place, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "77", "OTHER": "1"}):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"
        assert os.environ.get("OTHER") is None
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_bounds_are_put_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCI_TEST_KEPT", "old")
    seen = {}

    def fail() -> None:
        with bounds({"MLCI_TEST_KEPT": "new", "MLCI_TEST_NEW": "1"}):
            seen.update(os.environ)
            raise ValueError("oh")

    with pytest.raises(ValueError, match="oh"):
        fail()
    assert (seen["MLCI_TEST_KEPT"], seen["MLCI_TEST_NEW"]) == ("new", "1")
    assert os.environ["MLCI_TEST_KEPT"] == "old"
    assert "MLCI_TEST_NEW" not in os.environ


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "disk.full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "files.denied"),
        (MlciError("usage", "as it is"), "usage"),
    ],
)
def test_errors_of_the_system(error: Exception, code: str, tmp_path: Path) -> None:
    with pytest.raises(MlciError) as caught, session(place_of(None, tmp_path, {}), {}):
        raise error
    assert caught.value.code == code


def test_a_mistake_of_ours_is_not_dressed_up(tmp_path: Path) -> None:
    with pytest.raises(KeyError), session(place_of(None, tmp_path, {}), {}):
        raise KeyError("ours")


def test_a_damaged_database_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("this is not a database at all")
    error, seconds = failure("sqlite:///runs.db", tmp_path)
    assert error.code == "tracker.unreachable"
    assert seconds < 10
