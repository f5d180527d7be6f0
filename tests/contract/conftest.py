"""Stores that the contract tests run against: an embedded database and a real MLflow server."""

from __future__ import annotations

import base64
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from mlci.trackers.mlflow import MlflowTracker, tracker

MakeTracker = Callable[[], MlflowTracker]


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
