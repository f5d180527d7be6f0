"""A tracking server that is down, slow or broken ends the run early, in bounded time, without its password."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from tiny_project import PREDICTS, Project, environment

SECRETS = {"password": "pa55-of-the-store", "token": "t0ken-of-the-store"}


@contextmanager
def closed() -> Iterator[int]:
    """Yield a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """Yield the port of a server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(20)
        yield server.getsockname()[1]


class _Broken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b"::error::broken")

    do_POST = do_GET  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def broken() -> Iterator[int]:
    """Yield the port of a server that answers everything with status 500."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Broken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("server", "says", "seconds"),
    [
        (closed, "the connection was refused", 10),
        (silent, "no answer within 5 s", 15),
        (broken, "it answers with status 500", 10),
    ],
    ids=["down", "silent", "broken"],
)
def test_a_server_that_cannot_be_used_ends_the_run_before_training(
    program: Callable[..., Project],
    holds: Callable[[Path, Mapping[str, str]], list[str]],
    server: Callable[[], object],
    says: str,
    seconds: float,
) -> None:
    project = program("open('ran', 'w')\n" + PREDICTS, predictions="predictions.csv")
    with server() as port:  # type: ignore[attr-defined] # one of the three above
        address = f"http://someone:{SECRETS['password']}@127.0.0.1:{port}"
        start = time.monotonic()
        done = project.mlci("run", MLFLOW_TRACKING_URI=address, MLFLOW_TRACKING_TOKEN=SECRETS["token"])
        assert time.monotonic() - start < seconds
    done.refused(
        "tracker.unreachable", 4, f"http://127.0.0.1:{port} cannot be used", says, "MLFLOW_TRACKING_URI"
    )
    assert not (project.root / "ran").exists()
    assert [name for name, secret in SECRETS.items() if secret in done.text] == []
    assert holds(project.root, SECRETS) == []
    project.nothing_half_written()


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a real MLflow server, and the function that ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = tmp_path / "server"
    store.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1",
         "--backend-store-uri", f"sqlite:///{store}/mlflow.db", "--artifacts-destination", str(store / "artifacts")],
        cwd=store,
        env=environment(store) | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip

    def end() -> None:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    try:
        _wait_for(f"http://127.0.0.1:{port}/health", child)
        yield f"http://127.0.0.1:{port}", end
    finally:
        end()
        shutil.rmtree(store)


def _wait_for(address: str, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and child.poll() is None:
        try:
            with urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the MLflow server did not start")


@pytest.mark.slow
def test_a_server_that_dies_after_training_costs_no_training(
    project: Project, mlflow_server: tuple[str, Callable[[], None]]
) -> None:
    address, end = mlflow_server
    project.configure(validate_data=None, compare_to_baseline=None)
    assert project.mlci("train", MLFLOW_TRACKING_URI=address).code == 0
    trained = project.out / "train.json"
    before = trained.read_bytes()
    end()
    done = project.mlci("run", MLFLOW_TRACKING_URI=address)
    done.refused("tracker.unreachable", 4, address, "the connection was refused")
    assert "package: errored" in done.text
    assert "train: passed (unchanged" in done.text
    assert trained.read_bytes() == before
    assert project.passed("train")
    assert not project.passed("package")
    project.nothing_half_written()
