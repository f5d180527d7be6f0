"""The quick check of a store: each way in which it can be unusable, with its code and within its time."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.trackers.mlflow import tracker

ServeText = Callable[..., str]
USER = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "pw"}


def failure(uri: str | None, root: Path, variables: dict[str, str] | None = None) -> tuple[MlciError, float]:
    made = tracker(uri, "experiment", root, variables or {})
    start = time.monotonic()
    with pytest.raises(MlciError) as caught:
        made.check()
    return caught.value, time.monotonic() - start


def test_a_closed_port(closed_port: str, tmp_path: Path) -> None:
    error, seconds = failure(closed_port, tmp_path)
    assert error.code == "tracker.unreachable"
    assert closed_port in error.message
    assert "refused" in error.message
    assert seconds < 2


@pytest.mark.slow
def test_a_server_that_never_answers(silent_port: str, tmp_path: Path) -> None:
    error, seconds = failure(silent_port, tmp_path)
    assert error.code == "tracker.unreachable"
    assert "no answer within 5 s" in error.message
    assert seconds < 8


@pytest.mark.slow
def test_a_server_that_answers_without_end(serve: Callable[..., str], tmp_path: Path) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(100):
            try:
                request.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.2)

    error, seconds = failure(serve(drip), tmp_path)
    assert error.code == "tracker.unreachable"
    assert seconds < 8


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble(status: int, serve_text: ServeText, tmp_path: Path) -> None:
    error, _ = failure(serve_text(status, "<h1>oh</h1>", Retry_After="3600"), tmp_path)
    assert error.code == "tracker.unreachable"
    assert str(status) in error.message


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<h1>Please log in</h1>"),
        (200, "[]"),
        (200, '{"hello": 1}'),
        (404, "{}"),
        (404, "no"),
        (405, ""),
    ],
)
def test_a_server_that_is_not_mlflow(status: int, text: str, serve_text: ServeText, tmp_path: Path) -> None:
    error, _ = failure(serve_text(status, text), tmp_path)
    assert error.code == "tracker.refused"
    assert "not as an MLflow server" in error.message


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_not_accepted(status: int, serve_text: ServeText, tmp_path: Path) -> None:
    address = serve_text(status, "denied")
    error, _ = failure(address, tmp_path, {"MLFLOW_TRACKING_TOKEN": "s3cret"})
    assert error.code == "tracker.refused"
    assert "MLFLOW_TRACKING_TOKEN" in error.hint
    assert "s3cret" not in f"{error} {error.hint}"


def test_no_credentials_where_they_are_needed(serve_text: ServeText, tmp_path: Path) -> None:
    error, _ = failure(serve_text(401, "denied"), tmp_path)
    assert error.code == "tracker.refused"
    assert "MLFLOW_TRACKING_TOKEN" in error.hint


def test_a_socket_that_does_not_speak_http(serve: Callable[..., str], tmp_path: Path) -> None:
    def babble(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"\x00\xff\x00\xff\r\n\r\n")

    error, _ = failure(serve(babble), tmp_path)
    assert error.code == "tracker.unreachable"


def test_an_empty_server_is_accepted(serve_text: ServeText, tmp_path: Path) -> None:
    tracker(serve_text(200, "{}"), "experiment", tmp_path, {}).check()
    tracker(serve_text(200, '{"experiments": []}'), "experiment", tmp_path, {}).check()


@pytest.mark.parametrize(
    ("variables", "userinfo", "header"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "abc"}, "", "Bearer abc"),
        (USER, "", "Basic me:pw"),
        (USER | {"MLFLOW_TRACKING_TOKEN": "abc"}, "", "Basic me:pw"),
        ({}, "you:p%40ss@", "Basic you:p@ss"),
        ({}, "", None),
    ],
)
def test_credentials_are_sent(
    variables: dict[str, str], userinfo: str, header: str | None, serve: Callable[..., str], tmp_path: Path
) -> None:
    seen: list[str | None] = []

    def remember(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers.get("Authorization"))
        request.send_response(200)
        request.end_headers()
        request.wfile.write(json.dumps({}).encode())

    address = serve(remember).replace("http://", f"http://{userinfo}")
    tracker(address, "experiment", tmp_path, variables).check()
    kind, _, text = (header or "").partition(" ")
    expected = f"{kind} {base64.b64encode(text.encode()).decode()}" if kind == "Basic" else header
    assert seen == [expected]


def test_a_database_below_a_file(tmp_path: Path) -> None:
    (tmp_path / ".mlci").write_text("not a folder")
    error, _ = failure(None, tmp_path)
    assert error.code == "tracker.unreachable"
    assert ".mlci is not a folder" in error.message


def test_a_database_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("this is not a database at all")
    error, _ = failure("sqlite:///runs.db", tmp_path)
    assert error.code == "tracker.unreachable"
    assert "not a SQLite database" in error.message
    (tmp_path / "folder.db").mkdir()
    error, _ = failure("sqlite:///folder.db", tmp_path)
    assert "is a folder" in error.message


def test_a_database_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    # The superuser may write anywhere, whatever the mode says.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != locked)
    error, _ = failure("sqlite:///locked/deep/runs.db", tmp_path)
    assert error.code == "tracker.unreachable"
    assert "may not be written" in error.message


def test_a_database_that_works_or_can_be_made(tmp_path: Path) -> None:
    tracker(None, "experiment", tmp_path / "not" / "yet", {}).check()
    sqlite3.connect(tmp_path / "empty.db").close()
    tracker("sqlite:///empty.db", "experiment", tmp_path, {}).check()
    assert not (tmp_path / "not").exists()


def test_a_database_server_that_is_down(closed_port: str, tmp_path: Path) -> None:
    address = closed_port.replace("http://", "postgresql://me:s3cret@")
    error, seconds = failure(address, tmp_path)
    assert error.code == "tracker.unreachable"
    assert "s3cret" not in str(error)
    assert seconds < 2
