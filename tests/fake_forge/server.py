"""The server: what is stored, who may do what, and what goes wrong next."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fake_forge import github, gitlab
from fake_forge.openapi import description
from fake_forge.records import Account, Answer, Comment, Fault, PullRequest, Request


class FakeForge:
    """The state of a forge. `invalid` has every request that GitHub's description does not know."""

    def __init__(self) -> None:
        self.url = ""
        self.accounts: dict[str, Account] = {}
        self.pulls: dict[int, PullRequest] = {}
        self.comments: list[Comment] = []
        self.contents: dict[tuple[str, str], str] = {}
        self.requests: list[Request] = []
        self.invalid: list[str] = []
        self.faults: list[Fault] = []
        self.largest_page = 100
        self.description = description()
        self.before_storing: Callable[[], None] = lambda: None
        self.lock = threading.RLock()
        self._last_id = 1000

    @property
    def gitlab_url(self) -> str:
        """What CI_API_V4_URL is."""
        return f"{self.url}/api/v4"

    def add(self, number: int, author: Account, body: str) -> Comment:
        """Store a comment."""
        with self.lock:
            self._last_id += 1
            made = Comment(self._last_id, number, author, body)
            self.comments.append(made)
            return made

    def bodies(self, number: int = 7) -> list[str]:
        """The texts of a conversation."""
        return [comment.body for comment in self.comments if comment.number == number]

    def fail_next(self, status: int, *, times: int = 1, **more: Any) -> None:
        """Answer the next requests (of a `method`, to a `path`) with an error."""
        self.faults += [Fault(status, **more) for _ in range(times)]

    def lose_next(self, method: str, *, stored: bool, times: int = 1) -> None:
        """Cut the connection of the next requests, before or after they were carried out."""
        self.faults += [Fault(0, method, stored=stored) for _ in range(times)]

    def written(self) -> list[Request]:
        """The requests that change something."""
        return [request for request in self.requests if request.method not in ("GET",)]

    def fault_for(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.meets(request.method, request.path):
                    self.faults.remove(fault)
                    return fault
        return None

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        serve = gitlab.serve if request.path.startswith("/api/v4/") else github.serve
        return serve(self, request)

    def page(self, items: list[Any], request: Request) -> tuple[list[Any], dict[str, str]]:
        """Return a page of a list, and the header that leads to the next one."""
        size = min(int(request.query.get("per_page", "30")), self.largest_page)
        number = int(request.query.get("page", "1"))
        headers = {}
        if number * size < len(items):
            headers["Link"] = f'<{self.url}{request.path}?per_page={size}&page={number + 1}>; rel="next"'
        return items[(number - 1) * size : number * size], headers

    @contextmanager
    def serving(self) -> Iterator[FakeForge]:
        """Serve on loopback until the block ends."""
        handler = type("Handler", (_Handler,), {"forge": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
            )
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    forge: FakeForge
    protocol_version = "HTTP/1.1"
    timeout = 10
    wbufsize = 1 << 16  # headers and text in one packet: else each answer waits for an acknowledgement

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode(errors="replace")
        request = Request(
            self.command,
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            body,
            dict(self.headers.items()),
            time.monotonic(),
        )
        with self.forge.lock:
            self.forge.requests.append(request)
        fault = self.forge.fault_for(request)
        if fault is None or fault.stored:
            answer = self.forge.answer(request)
        if fault is not None and fault.status:
            answer = Answer(fault.status, {"message": fault.message}, dict(fault.headers))
        if fault is not None and fault.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        text = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""
