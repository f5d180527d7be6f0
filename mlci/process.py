"""The only door to other programs: echo, time limit, redaction, and an end for the whole process tree."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE_SECONDS = 5.0
"""How long a process may take to end after SIGTERM before it is killed."""

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.I)
_URL_USER = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SHORTEST_SECRET = 4
_TAIL_LINES = 40


@dataclass(frozen=True)
class Completed:
    """How a program ended. `stdout` of a streamed program is the last lines of both streams."""

    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False


def redact(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` without the values of variables that hold secrets and without passwords in URLs."""
    for secret in _secrets(variables):
        text = text.replace(secret, "***")
    return _URL_USER.sub("***", text)


def _secrets(variables: Mapping[str, str]) -> list[str]:
    """Return what must not be shown, longest first, so that no secret is left as the rest of another.

    Output comes line by line, so each line of a longer secret (a private key) counts as one.
    """
    found: set[str] = set()
    for name, value in variables.items():
        if _SECRET_NAME.search(name):
            found |= {value, *(line.strip() for line in value.splitlines())}
    return sorted((item for item in found if len(item) >= _SHORTEST_SECRET), key=len, reverse=True)


def run_quiet(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run a program to its end and return what it printed.

    `timeout` is in seconds; a program that runs longer is ended with its children, and
    `timed_out` is set. A program that cannot be started has return code 127.
    """
    try:
        child = _start(list(argv), cwd, env, stderr=subprocess.PIPE)
    except OSError as error:
        return Completed(127, "", str(error))
    with _ended_with(child):
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            end_tree(child)
            out, err = child.communicate()
            return Completed(child.returncode, out, err, timed_out=True)
    return Completed(child.returncode, out, err)


def run_streamed(
    command: str | Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    echo: Callable[[str], None],
    timeout: float | None = None,
) -> Completed:
    """Run a user's command, echoing each line (redacted) as it comes and keeping all of it in `log`.

    A string is run by the shell (`sh -c`), with `-e` so that the first failing line of several
    ends it. `timeout` is in seconds.
    """
    argv = ["/bin/sh", "-ec", command] if isinstance(command, str) else list(command)
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    failures: list[Exception] = []
    timed_out = False
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as kept:

        def take(line: str) -> None:
            tail.append(line)
            kept.write(line + "\n")
            echo(line)

        try:
            child = _start(argv, cwd, env, stderr=subprocess.STDOUT)
        except OSError as error:
            return Completed(127, "", str(error))
        with _ended_with(child):
            reader = threading.Thread(target=_pump, args=(child.stdout, take, env, failures), daemon=True)
            reader.start()
            try:
                child.wait(timeout=timeout)
            except subprocess.TimeoutExpired:
                timed_out = True
                end_tree(child)
            # A grandchild may still hold the pipe open; do not wait for it longer than it has to end.
            reader.join(timeout=GRACE_SECONDS)
            end_tree(child)
            reader.join(timeout=1.0)
    if failures:
        raise failures[0]
    return Completed(child.returncode, "\n".join(tail), "", timed_out)


@contextlib.contextmanager
def _ended_with(child: subprocess.Popen[str]) -> Iterator[None]:
    """End a child and all it has started when the block ends with an error or an interruption."""
    try:
        yield
    except BaseException:
        end_tree(child)
        raise


def start_detached(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> int:
    """Start a program that outlives this one, in a session of its own, and return its process id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    return child.pid


class Piped:
    """A program that is sent messages of bytes and answers them, over its standard streams.

    Each message begins with its length in bytes (8 bytes, the lowest first). What the program writes on
    standard error is thrown away.
    """

    def __init__(self, argv: Sequence[str], *, cwd: Path) -> None:
        """Start the program; raises OSError when it cannot be started."""
        self._child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def send(self, message: bytes) -> None:
        """Send a message; raises OSError when the program has ended."""
        stream = self._child.stdin
        if stream is not None:
            stream.write(len(message).to_bytes(8, "little"))
            stream.write(message)
            stream.flush()

    def receive(self) -> bytes:
        """Wait for a message; raises EOFError when the program has ended."""
        stream = self._child.stdout
        head = stream.read(8) if stream is not None else b""
        size = int.from_bytes(head, "little") if len(head) == 8 else -1
        body = stream.read(size) if stream is not None and size >= 0 else b""
        if len(body) != size:
            raise EOFError(f"the program ended in the middle of a message of {size} bytes")
        return body

    def end(self) -> None:
        """Kill the program and all it has started; it holds nothing that would have to be put away."""
        _signal_group(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def close(self) -> None:
        """Close both streams; nobody may be reading any more."""
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what could not be sent any more
                    stream.close()


def end_group(pid: int, grace: float = GRACE_SECONDS, reap: Callable[[], object] | None = None) -> None:
    """End the process group that `pid` leads: SIGTERM, then SIGKILL after `grace` seconds.

    A dead leader that nobody has waited for keeps its group alive, so `reap` is called while
    waiting; by default it waits for `pid` if that is a child of this process.
    """
    if not _signal_group(pid, signal.SIGTERM):
        return
    pause = threading.Event()
    try:
        for _ in range(int(grace / 0.05)):
            (reap or _reaper(pid))()
            if not _signal_group(pid, 0):
                return
            pause.wait(0.05)
    except BaseException:  # a second Ctrl-C cuts the grace short
        _signal_group(pid, signal.SIGKILL)
        raise
    _signal_group(pid, signal.SIGKILL)
    (reap or _reaper(pid))()


def end_tree(child: subprocess.Popen[str]) -> None:
    """End a child and all it has started; its return code is kept."""
    end_group(child.pid, reap=child.poll)
    if child.poll() is None:
        child.wait()


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this installation in a fresh interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _start(argv: list[str], cwd: Path, env: Mapping[str, str] | None, stderr: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _pump(
    stream: IO[str] | None,
    take: Callable[[str], None],
    variables: Mapping[str, str],
    failures: list[Exception],
) -> None:
    """Hand on each line. When that fails (a full disk) go on reading, or the program would wait forever."""
    if stream is None:
        return
    with stream:
        for raw in stream:
            if failures:
                continue
            try:
                take(redact(raw.rstrip("\n"), variables))
            except Exception as error:
                failures.append(error)


def _signal_group(pid: int, number: int) -> bool:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _reaper(pid: int) -> Callable[[], object]:
    def reap() -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)

    return reap
