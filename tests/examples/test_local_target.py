"""deploy to target local: a server on this machine that is exchanged, tried first, and ended with all it started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from example_project import NewProject, Project, free_port

from mlci.core.files import sha256_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(new_tumour: NewProject) -> Iterator[Project]:
    """A project whose version 1 is being served; the server is ended whatever happens."""
    port = free_port()
    project = new_tumour("tumour", f"package: {{name: tumour}}\ndeploy: {{target: local, port: {port}}}\n")
    project.commit()
    try:
        done = project.mlci("run")
        assert f"version 1 is started on 127.0.0.1:{port}" in done.flat
        yield project
    finally:
        pid = server(project)["pid"] if state_file(project).exists() else None
        project.mlci("deploy", "--stop", expect=None)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def test_example_is_answered(served: Project) -> None:
    assert healthy(served)
    assert answers(served) == expected(served)
    assert served.result("deploy")["outputs"]["address"].startswith("http://127.0.0.1:")


def test_next_run_leaves_the_server_alone(served: Project) -> None:
    pid = server(served)["pid"]
    served.mlci("run")
    assert served.ran() == []
    assert server(served)["pid"] == pid
    forced = served.mlci("deploy", "--force")
    assert "already" in forced.flat
    assert server(served)["pid"] == pid


def test_dry_run_shows_the_exchange_and_touches_nothing(served: Project) -> None:
    served.replace("mlci.yaml", "C: 1.0", "C: 0.9")
    served.mlci("run", "--until", "package")
    before, pid = served.tree(), server(served)["pid"]
    done = served.mlci("deploy", "--dry-run")
    assert "version 2 takes the place of version 1" in done.flat
    assert "nothing was touched" in done.flat
    assert served.tree() == before
    assert server(served)["pid"] == pid
    assert healthy(served)


def test_version_that_answers_wrongly_leaves_the_old_one(served: Project) -> None:
    """What the package promises is changed together with its digest, as if another environment served it."""
    package = served.root / "mlci-out" / "package.json"
    promised = served.root / "mlci-out" / "package" / "expected.parquet"
    kept = package.read_bytes(), promised.read_bytes()
    old = server(served)
    turn_over(promised, package)
    done = served.mlci("deploy", expect=1)
    assert "deploy.smoke-test" in done.out
    assert done.out.startswith("Do not merge: tumour failed deploy")
    assert server(served) == old
    assert healthy(served)
    assert len(processes_of(served)) >= 1
    assert len(list(state_file(served).parent.glob("version-*"))) == 1, "the refused version is not kept"
    package.write_bytes(kept[0])
    promised.write_bytes(kept[1])


def test_changed_package_is_refused(served: Project) -> None:
    promised = served.root / "mlci-out" / "package" / "expected.parquet"
    kept = promised.read_bytes()
    turn_over(promised, None)
    served.mlci("deploy", expect=3)
    error = served.result("deploy")["error"]
    assert error["code"] == "deploy.refused"
    assert "expected.parquet" in error["message"]
    promised.write_bytes(kept)


def test_new_version_takes_the_place_of_the_old(served: Project) -> None:
    old = server(served)
    done = served.mlci("deploy")
    assert "version 2 takes the place of version 1" in done.flat
    new = server(served)
    assert (new["version"], new["port"]) == ("2", old["port"])
    assert not alive(old["pid"])
    assert answers(served) == expected(served)


def test_port_of_somebody_else(served: Project) -> None:
    old = server(served)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        served.mlci("deploy", "--port", port, expect=4)
    error = served.result("deploy")["error"]
    assert error["code"] == "target.failed"
    assert port in error["message"]
    assert "deploy.port" in error["hint"]
    assert server(served) == old
    assert healthy(served)


def test_process_of_somebody_else_is_not_killed(served: Project, tmp_path: Path) -> None:
    """After a restart of the machine, number and port in the file may both be those of other programs."""
    project = served.copy_to(tmp_path / "tumour")
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        state_file(project).write_text(json.dumps(server(project) | {"pid": other.pid}))
        assert healthy(project)  # the port does answer
        project.mlci("deploy", "--stop")
        assert not state_file(project).exists()
        assert other.poll() is None
        assert healthy(served)
    finally:
        other.kill()
        other.wait()


def test_stop_ends_the_server_and_its_children(served: Project) -> None:
    pids = processes_of(served)
    assert len(pids) >= 1
    done = served.mlci("deploy", "--stop")
    assert "is no longer served" in done.flat
    assert [pid for pid in pids if alive(pid)] == []
    assert "nothing is served" in served.mlci("deploy", "--stop", "--force").flat


def state_file(project: Project) -> Path:
    return project.root / ".mlci" / "serve" / "tumour" / "server.json"


def server(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(state_file(project).read_text())
    return found


def ask(url: str, body: bytes | None = None) -> bytes | None:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def healthy(project: Project) -> bool:
    return ask(f"http://127.0.0.1:{server(project)['port']}/health") is not None


def answers(project: Project) -> list[Any]:
    import pandas as pd

    rows = pd.read_parquet(project.root / "mlci-out" / "package" / "example.parquet")
    body = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", index=False))})
    answer = ask(f"http://127.0.0.1:{server(project)['port']}/invocations", body.encode())
    assert answer is not None
    return list(json.loads(answer)["predictions"])


def expected(project: Project) -> list[Any]:
    import pandas as pd

    return list(pd.read_parquet(project.root / "mlci-out" / "package" / "expected.parquet")["prediction"])


def turn_over(promised: Path, package: Path | None) -> None:
    import pandas as pd

    table = pd.read_parquet(promised)
    table["prediction"] = 1 - table["prediction"]
    digest = sha256_file(promised)
    table.to_parquet(promised, index=False)
    if package is not None:
        package.write_text(package.read_text().replace(digest, sha256_file(promised)))


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def processes_of(project: Project) -> list[int]:
    """The server and its children: the processes of its session."""
    leader = server(project)["pid"]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) == leader and alive(int(folder.name)):
                found.append(int(folder.name))
    return found
