"""Target `local`: serves the packaged model on this machine's loopback address."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.files import write_atomic
from mlci.core.ports import Deployment, Release, Tracker
from mlci.process import end_group, python_module, run_quiet, start_detached
from mlci.targets._smoke import refuse_wrong_answers

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A model that is being served: by which process, where, and from which folder."""

    version: str
    pid: int
    port: int
    model: str

    @property
    def address(self) -> str:
        """Where to send requests."""
        return f"http://{HOST}:{self.port}/invocations"

    def healthy(self) -> bool:
        """Return whether the server answers its health check."""
        return _ask(f"http://{HOST}:{self.port}/health", timeout=1.0) is not None

    def running(self) -> bool:
        """Return whether the process is still the one that was started.

        After a restart of the machine its number may belong to a program of somebody else.
        """
        listed = run_quiet(["ps", "-o", "args=", "-ww", "-p", str(self.pid)], cwd=Path("/"))
        return listed.returncode == 0 and self.model in listed.stdout

    def alive(self) -> bool:
        """Return whether this very server is in service."""
        return self.running() and self.healthy()


class LocalTarget:
    """Keeps one MLflow scoring server running for each model; `mlci deploy --stop` ends it."""

    def state(self, name: str, options: Any, folder: Path, tracker: Tracker) -> str:  # noqa: ARG002 - the port's signature
        """Return the version that is being served."""
        served = _read(folder, name)
        return f"serving version {served.version}" if served and served.alive() else "nothing is served"

    def plan(self, release: Release, tracker: Tracker) -> Deployment:  # noqa: ARG002 - the port's signature
        """Return the exchange of the server."""
        served = _read(release.state, release.name)
        if served is None or not served.alive():
            return Deployment(f"version {release.version} is started on {HOST}:{release.options.port}", None)
        if served.version == release.version and served.port == release.options.port:
            return Deployment(
                f"version {served.version} is served at {served.address} already",
                served.version,
                changed=False,
                details=asdict(served),
            )
        return Deployment(
            f"version {release.version} takes the place of version {served.version} on {HOST}:{release.options.port}",
            served.version,
        )

    def deploy(self, release: Release, tracker: Tracker) -> Deployment:
        """Try the new version on a free port, then let it take the place of the old one."""
        planned = self.plan(release, tracker)
        if not planned.changed:
            return planned
        port = int(release.options.port)
        old = _read(release.state, release.name)
        old = old if old is not None and old.running() else None
        if (old is None or old.port != port) and not _is_free(port):
            raise MlciError(
                "target.failed", f"port {port} is taken by another program", "set deploy.port to a free one"
            )
        model = _keep_model(release)
        try:
            if old is not None and old.healthy():
                _try_beside(release, model)
            new = _exchange(release, model, old)
        except BaseException:
            shutil.rmtree(model, ignore_errors=True)
            raise
        write_atomic(_state_file(release.state, release.name), json.dumps(asdict(new)))
        _forget_others(model)
        return Deployment(planned.change, planned.previous, details={**asdict(new), "address": new.address})

    def stop(self, name: str, options: Any, folder: Path) -> str:  # noqa: ARG002 - the port's signature
        """End the server of a model."""
        served = _read(folder, name)
        if served is None:
            return f"nothing is served for '{name}'"
        _state_file(folder, name).unlink(missing_ok=True)
        if not served.running():
            return f"version {served.version} of '{name}' was no longer served"
        end_group(served.pid)
        return f"version {served.version} of '{name}' is no longer served on {HOST}:{served.port}"


def _state_file(folder: Path, name: str) -> Path:
    return folder / "serve" / name / "server.json"


def _read(folder: Path, name: str) -> Served | None:
    try:
        return Served(**json.loads(_state_file(folder, name).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _keep_model(release: Release) -> Path:
    """Copy the model to a place that later runs do not write to, and return it.

    Each time a new one: the same version may be in service already, on another port.
    """
    place = release.state / "serve" / release.name
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=place, prefix=f"version-{release.version}."))
    shutil.copytree(release.model, folder, dirs_exist_ok=True)
    return folder


def _forget_others(model: Path) -> None:
    for folder in model.parent.glob("version-*"):
        if folder != model:
            shutil.rmtree(folder, ignore_errors=True)


def _try_beside(release: Release, model: Path) -> None:
    """Try the new version on a port of its own while the old one goes on serving."""
    release.say("try the new version beside the old one")
    trial = _start(release, model, _free_port())
    try:
        _try(release, trial)
    finally:
        end_group(trial.pid)


def _exchange(release: Release, model: Path, old: Served | None) -> Served:
    """Let the new version take the place of the old one, or bring the old one back."""
    if old is not None:
        end_group(old.pid)
    try:
        new = _start(release, model, int(release.options.port))
        try:
            _try(release, new)
        except BaseException:
            end_group(new.pid)
            raise
    except BaseException:
        _restore(release, old)
        raise
    return new


def _start(release: Release, model: Path, port: int) -> Served:
    """Start a server and wait until it is healthy; raises MlciError `deploy.smoke-test`."""
    release.say(f"start version {release.version} on {HOST}:{port}")
    folder = Path(sys.executable).parent
    variables = {**release.variables, "PATH": f"{folder}:{release.variables.get('PATH', os.defpath)}"}
    log = release.state / "serve" / release.name / "server.log"
    pid = start_detached(
        python_module(
            "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local", "--host", HOST,
            "--port", str(port), "--workers", "1",
        ),
        cwd=release.root,
        env=variables,
        log=log,
    )  # fmt: skip
    served = Served(release.version, pid, port, str(model))
    try:
        _wait_until_healthy(release, served)
    except BaseException:  # also when somebody interrupts the wait
        end_group(pid)
        raise
    return served


def _wait_until_healthy(release: Release, served: Served) -> None:
    end = time.monotonic() + release.options.health_timeout
    while not served.healthy():
        if _ended(served.pid) or time.monotonic() > end:
            raise MlciError(
                "deploy.smoke-test",
                f"version {release.version} did not become healthy within {release.options.health_timeout:g} s",
                "its log is in .mlci/serve; raise deploy.health-timeout if it only needs longer",
            )
        time.sleep(0.1)


def _try(release: Release, served: Served) -> None:
    """Send the example rows and compare the answers with what is expected."""
    import pandas as pd

    rows = pd.read_parquet(release.example)
    body = json.dumps(
        {"dataframe_split": json.loads(rows.to_json(orient="split", index=False, date_format="iso"))}
    )
    answer = _ask(served.address, body.encode(), timeout=30.0)
    if answer is None:
        raise MlciError(
            "deploy.smoke-test",
            f"version {release.version} is healthy but does not answer its input example",
            "its log is in .mlci/serve",
        )
    answers = json.loads(answer).get("predictions", [])
    flat = [next(iter(item.values())) if isinstance(item, dict) else item for item in answers]
    expected = pd.read_parquet(release.expected)["prediction"].tolist()
    refuse_wrong_answers(flat, expected, f"version {release.version} on {HOST}:{served.port}")


def _restore(release: Release, old: Served | None) -> None:
    """Start the old version again after a failed exchange."""
    if old is None or not Path(old.model).is_dir():
        return
    release.say(f"start version {old.version} again")
    again = _start(release, Path(old.model), old.port)
    restored = Served(old.version, again.pid, old.port, old.model)
    write_atomic(_state_file(release.state, release.name), json.dumps(asdict(restored)))


def _ask(url: str, body: bytes | None = None, *, timeout: float) -> bytes | None:
    """Return the answer to a request; None when there is none, or an error."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - http on loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


target = LocalTarget()
