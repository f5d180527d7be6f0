"""Stores that the contract tests run against: an embedded database and a real MLflow server."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from mlci.trackers.mlflow import MlflowTracker, tracker

MakeTracker = Callable[[], MlflowTracker]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without experiments of ours; making one costs seconds, copying it nothing."""
    root = tmp_path_factory.mktemp("mlflow-template")
    made = tracker(None, "unused", root, {})
    with made._client() as client:
        assert client.search_registered_models() == []
    assert made.place.database is not None
    return made.place.database


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server on loopback that stores artifacts itself."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--workers", "1"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    log = folder / "server.log"
    with log.open("wb") as stream:
        # Its own session: the server starts workers, and all of them must end.
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env=os.environ | settings,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


@pytest.fixture
def server_without_logged_models(mlflow_server: str) -> Iterator[str]:
    """The real server behind a door that hides what came with MLflow 3, as an older server would."""

    def refuse(request: BaseHTTPRequestHandler) -> int | None:
        return 404 if "/logged-models" in request.path else None

    with _door(mlflow_server, refuse) as address:
        yield address


@pytest.fixture
def server_with_a_password(mlflow_server: str) -> Iterator[str]:
    """The real server behind a door that lets only the user `me` with the password `s3cret` through."""
    key = "Basic " + base64.b64encode(b"me:s3cret").decode()

    def refuse(request: BaseHTTPRequestHandler) -> int | None:
        return 401 if request.headers.get("Authorization") != key else None

    with _door(mlflow_server, refuse) as address:
        yield address


@contextmanager
def _door(server: str, refuse: Callable[[BaseHTTPRequestHandler], int | None]) -> Iterator[str]:
    class Door(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if status := refuse(self):
                self.answer(status, b"<h1>No</h1>", "text/html")
                return
            headers = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
            request = urllib.request.Request(server + self.path, body or None, headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    self.answer(response.status, response.read(), response.headers.get_content_type())
            except urllib.error.HTTPError as error:
                with error:
                    self.answer(error.code, error.read(), error.headers.get_content_type())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the base class's names

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.server_port}"
        door.shutdown()
        thread.join()


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def make_tracker(request: pytest.FixtureRequest, tmp_path: Path) -> MakeTracker:
    """Makes trackers of one store and one new experiment, as separate processes would."""
    root = tmp_path / "project"
    if request.param == "server":
        address = request.getfixturevalue("mlflow_server")
    else:
        address = None
        (root / ".mlci" / "mlflow").mkdir(parents=True)
        shutil.copy(request.getfixturevalue("empty_database"), root / ".mlci" / "mlflow" / "mlflow.db")
    experiment = f"contract-{uuid4().hex[:8]}"
    return lambda: tracker(address, experiment, root, {})


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"the MLflow server did not start:\n{log.read_text()[-3000:]}")
