"""What GitLab answers: the notes of a merge request, and the user of a token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fake_forge.records import Account, Answer, Comment, Request

if TYPE_CHECKING:
    from fake_forge.server import FakeForge

_NOTES = re.compile(
    r"/api/v4/projects/(?P<project>[^/]+)/merge_requests/(?P<number>\d+)/notes(?:/(?P<note>\d+))?"
)
_TIME = "2026-01-02T03:04:05.000Z"


def serve(forge: FakeForge, request: Request) -> Answer:
    """Answer one request; a route that is not here is kept in `forge.invalid`."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    account = forge.accounts.get(headers.get("private-token") or bearer)
    if account is None:
        return Answer(401, {"message": "401 Unauthorized"})
    if request.path == "/api/v4/user" and request.method == "GET":
        return Answer(200, _user(account))
    found = _NOTES.fullmatch(request.path)
    if found is None:
        forge.invalid.append(f"{request.method} {request.path}: no such operation")
        return Answer(404, {"error": "404 Not Found"})
    number, note = int(found["number"]), found["note"]
    if number not in forge.pulls:
        return Answer(404, {"message": "404 Not found"})
    if request.method != "GET" and not account.may_write:
        return Answer(403, {"message": "403 Forbidden"})
    return _notes(forge, request, account, number) if note is None else _note(forge, request, int(note))


def _notes(forge: FakeForge, request: Request, account: Account, number: int) -> Answer:
    if request.method == "GET":
        with forge.lock:
            items = [_shown(item) for item in forge.comments if item.number == number]
        if request.query.get("sort", "desc") == "desc":
            items.reverse()
        shown, headers = forge.page(items, request)
        return Answer(200, shown, headers)
    if request.method != "POST" or set(request.body or {}) - {
        "body",
        "confidential",
        "internal",
        "created_at",
    }:
        forge.invalid.append(f"{request.method} {request.path}: {request.body}")
        return Answer(405, {"error": "405 Not Allowed"})
    if not request.body.get("body"):
        return Answer(400, {"error": "body is missing"})
    forge.before_storing()
    return Answer(201, _shown(forge.add(number, account, request.body["body"])))


def _note(forge: FakeForge, request: Request, identifier: int) -> Answer:
    comment = next((item for item in forge.comments if item.id == identifier), None)
    if comment is None:
        return Answer(404, {"message": "404 Note Not Found"})
    if request.method == "PUT":
        comment.body = request.body["body"]
        return Answer(200, _shown(comment))
    if request.method == "DELETE":
        with forge.lock:
            forge.comments.remove(comment)
        return Answer(204)
    return Answer(200, _shown(comment))


def _user(account: Account) -> dict[str, Any]:
    return {"id": account.id, "username": account.login, "name": account.login, "state": "active"}


def _shown(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "body": comment.body,
        "author": _user(comment.author),
        "system": False,
        "noteable_type": "MergeRequest",
        "noteable_iid": comment.number,
        "created_at": _TIME,
        "updated_at": _TIME,
    }
