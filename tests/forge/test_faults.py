"""A forge that refuses, fails or loses connections: bounded waiting, no second comment, one clear reason."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_forge import ACTIONS, FakeForge
from forge_jobs import GITLAB_TOKEN, TOKEN, Side, event_file, pull_event

from mlci.comments import Message, Posted, post
from mlci.core.errors import NotPostedError
from mlci.forges._http import Connection

MARK = "<!-- mlci:report:churn -->"
MESSAGE = Message(f"{MARK}\n### new\n", evaluated=True, quiet=False)


def say(side: Side, patience: float = 20.0) -> Posted:
    return post(side.client(patience), 7, MESSAGE, "update")


def refused(side: Side, patience: float = 20.0) -> NotPostedError:
    with pytest.raises(NotPostedError) as caught:
        say(side, patience)
    text = caught.value.why + caught.value.hint
    assert TOKEN not in text
    assert GITLAB_TOKEN not in text
    return caught.value


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (401, "the token is not valid, 401"),
        (403, "the token may not do that, 403"),
        (404, "it does not exist"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_missing_right_names_the_way_out(side: Side, method: str, status: int, meaning: str) -> None:
    place = "comments" if side.name == "github" else "notes"
    side.forge.fail_next(status, method=method, path=place)
    error = refused(side)
    assert meaning in error.why
    assert "(planned failure)" in error.why
    if side.name == "gitlab":
        assert "MLCI_GITLAB_TOKEN" in error.hint
        assert "scope `api`" in error.hint
    elif status == 401:
        assert error.hint == "pass it on in the step's env: `GITHUB_TOKEN: ${{ github.token }}`"
    else:
        assert error.hint == "add `permissions: {pull-requests: write}` to the job"
    assert len(side.forge.requests) <= 3, "a refusal is not repeated"


def test_a_token_that_only_reads_is_refused(side: Side) -> None:
    name = "GITHUB_TOKEN" if side.name == "github" else "MLCI_GITLAB_TOKEN"
    side.variables[name] = "read-only"
    assert "the token may not do that, 403" in refused(side).why
    assert side.forge.comments == []


def test_a_fork_is_told_who_comments_there(
    forge: FakeForge, github_variables: dict[str, str], tmp_path: Path
) -> None:
    for head in ("stranger/churn", None):
        file = event_file(tmp_path, pull_event(head))
        forked = Side("github", forge, ACTIONS, {**github_variables, "GITHUB_EVENT_PATH": file})
        forge.fail_next(403, method="POST")
        hint = refused(forked).hint
        assert "permissions: {pull-requests: write}" in hint
        assert "from a fork may only read" in hint
        assert "ml-comment.yml" in hint


def test_a_text_that_is_not_accepted(side: Side) -> None:
    side.forge.fail_next(422, method="POST", message="Validation Failed")
    error = refused(side)
    assert error.why.endswith("the text was not accepted, 422 (Validation Failed)")
    assert error.hint == ""


def test_a_locked_conversation(side: Side) -> None:
    side.forge.fail_next(403, method="POST", message="Unable to create comment because issue is locked.")
    assert refused(side).hint == "unlock the conversation"


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_retry_after_is_waited_for(side: Side, method: str, status: int) -> None:
    place = "comments" if side.name == "github" else "notes"
    side.forge.fail_next(status, method=method, path=place, headers={"Retry-After": "1"})
    assert say(side).done == "added"
    times = [item.time for item in side.forge.requests if item.method == method and place in item.path]
    assert 1.0 <= times[1] - times[0] < 3.0
    assert side.forge.bodies() == [MESSAGE.text]


def test_a_wait_beyond_the_limit_is_not_begun(side: Side) -> None:
    side.forge.fail_next(429, method="POST", headers={"Retry-After": "3600"})
    before = time.monotonic()
    error = refused(side)
    assert time.monotonic() - before < 3
    assert "the limit on requests is reached, 429" in error.why
    assert "run the job again later" in error.hint


def test_a_spent_limit_is_no_missing_permission(side: Side) -> None:
    side.forge.fail_next(403, method="POST", headers={"X-RateLimit-Remaining": "0"})
    error = refused(side)
    assert "the limit on requests is reached, 403" in error.why
    assert "permissions" not in error.hint


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_is_asked_again(side: Side, status: int) -> None:
    side.forge.fail_next(status, method="GET")
    assert say(side).done == "added"
    side.forge.fail_next(status, method="PATCH" if side.name == "github" else "PUT")
    assert say(side).done == "updated"
    assert len(side.forge.comments) == 1


def test_a_server_that_stays_down_is_left_after_a_bounded_time(side: Side) -> None:
    side.forge.fail_next(502, times=1000)
    before = time.monotonic()
    assert "the server failed, 502" in refused(side).why
    assert time.monotonic() - before < 15
    assert 3 < len(side.forge.requests) < 10


def test_a_deadline_ends_all_trying(side: Side) -> None:
    side.forge.fail_next(502, times=1000)
    before = time.monotonic()
    refused(side, patience=0.3)
    assert time.monotonic() - before < 3


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("kind", ["lost", "502"])
def test_a_lost_answer_makes_no_second_comment(side: Side, kind: str, *, stored: bool) -> None:
    """Also when the server stored the comment before it failed."""
    if kind == "lost":
        side.forge.lose_next("POST", stored=stored)
    else:
        side.forge.fail_next(502, method="POST", stored=stored)
    assert say(side).done == "added"
    assert side.forge.bodies() == [MESSAGE.text]


def test_a_new_comment_that_got_lost_is_told_from_older_ones(side: Side) -> None:
    old = side.forge.add(7, side.me, f"{MARK}\nold")
    side.forge.lose_next("POST", stored=True)
    assert post(side.client(), 7, MESSAGE, "new").done == "added"
    assert side.forge.bodies() == [f"{MARK}\nold", MESSAGE.text]
    assert old.body == f"{MARK}\nold"


def test_a_connection_that_is_always_lost(side: Side) -> None:
    side.forge.lose_next("POST", stored=False, times=50)
    error = refused(side)
    assert error.why.startswith("127.0.0.1 does not answer: ")
    assert side.forge.comments == []
    assert len([item for item in side.forge.requests if item.method == "POST"]) == 3


def test_lost_reads_and_updates_are_repeated(side: Side) -> None:
    side.forge.lose_next("GET", stored=False)
    assert say(side).done == "added"
    side.forge.lose_next("PATCH" if side.name == "github" else "PUT", stored=True)
    assert say(side).done == "updated"
    assert side.forge.bodies() == [MESSAGE.text]


def test_nobody_listens(side: Side) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    side.variables |= {"GITHUB_API_URL": address, "CI_API_V4_URL": address}
    assert "127.0.0.1 does not answer" in refused(side).why


@pytest.mark.parametrize("address", ["nonsense", "ftp://x.example.org", "http://[", "https://"])
def test_an_address_that_is_none(side: Side, address: str) -> None:
    side.variables |= {"GITHUB_API_URL": address, "CI_API_V4_URL": address}
    assert f"'{address}' is not the address of a forge" in refused(side).why


@pytest.mark.parametrize("token", ["a\nb: c", "ünïcode—token"])
def test_a_token_that_cannot_be_sent(side: Side, token: str) -> None:
    side.variables |= {"GITHUB_TOKEN": token, "MLCI_GITLAB_TOKEN": token}
    refused(side)
    assert all("b" not in request.headers for request in side.forge.requests)


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers everything with the same bytes."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    seen.append(client.recv(65536))
                    client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", seen
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_a_redirect_to_another_host_gets_no_token(side: Side) -> None:
    with answering(response("200 OK", b'{"login": "x", "username": "x"}')) as (other, seen):
        with answering(response("302 Found", b"", f"Location: {other}/user")) as (address, asked):
            side.variables |= {"GITHUB_API_URL": address, "CI_API_V4_URL": address}
            assert "leads to another host" in refused(side).why
            assert asked
        assert seen == []


def test_a_redirect_on_the_same_host_is_followed_and_a_circle_is_left(side: Side) -> None:
    with answering(response("307 Temporary Redirect", b"", "Location: /elsewhere")) as (address, asked):
        side.variables |= {"GITHUB_API_URL": address, "CI_API_V4_URL": address}
        assert "leads in a circle" in refused(side).why
        assert 2 <= len(asked) <= 10


@pytest.mark.parametrize(
    "body", [b"<h1>Sign in</h1>", b"[]", b"[" * 100_000, b'{"login": 3}', b"\xff\xfe"], ids=range(5)
)
def test_an_answer_that_is_no_answer(side: Side, body: bytes) -> None:
    with answering(response("200 OK", body)) as (address, _):
        side.variables |= {"GITHUB_API_URL": address, "CI_API_V4_URL": address}
        assert "the answer is not what was expected, 200" in refused(side).why


def test_comments_that_are_none(monkeypatch: pytest.MonkeyPatch, side: Side) -> None:
    monkeypatch.setattr(side.forge, "page", lambda items, request: ([{"text": 1}, 3], {}))
    assert "not what was expected" in refused(side).why
    side.forge.invalid.clear()


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch, side: Side) -> None:
    monkeypatch.setattr("mlci.forges._http._LARGEST", 100_000)
    with answering(response("200 OK", b"x" * 300_000)) as (address, _):
        side.variables |= {"GITHUB_API_URL": address, "CI_API_V4_URL": address}
        assert "is not read" in refused(side).why


def test_a_list_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch, side: Side) -> None:
    monkeypatch.setattr("mlci.forges._http._MOST_PAGES", 2)
    for number in range(301):
        side.forge.add(7, side.me, f"{number}")
    assert "more than 2 pages" in refused(side).why
    assert side.forge.written() == []


def test_credentials_of_netrc_are_not_sent(
    side: Side, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("home") / "netrc"
    file.write_text("machine 127.0.0.1 login me password from-netrc\n")
    monkeypatch.setenv("NETRC", str(file))
    assert say(side).done == "added"
    assert all("Basic" not in str(request.headers) for request in side.forge.requests)


def test_each_request_says_who_asks_and_waits_for_a_bounded_time(side: Side) -> None:
    say(side)
    assert {request.headers["User-Agent"].partition("/")[0] for request in side.forge.requests} == {"mlci"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Connection(f"http://127.0.0.1:{silent.getsockname()[1]}", {}, lambda request: request, 0.5)
        client_timeout = pytest.MonkeyPatch()
        client_timeout.setattr("mlci.forges._http._TIMEOUT", (0.3, 0.3))
        before = time.monotonic()
        with pytest.raises(NotPostedError, match="does not answer"):
            client.get("/user")
        client_timeout.undo()
        assert time.monotonic() - before < 5
