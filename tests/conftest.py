"""What tests of several folders run against: an empty database, a real MLflow server, a forge on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fake_forge import FakeForge

from mlci.trackers.mlflow import tracker


@pytest.fixture
def fake_forge() -> Iterator[FakeForge]:
    """A forge without pull requests; a request that GitHub's description does not know fails the test."""
    forge = FakeForge()
    with forge.serving():
        yield forge
    assert forge.invalid == []


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


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"the MLflow server did not start:\n{log.read_text()[-3000:]}")
