"""What GitHub answers: the routes of its REST interface that mlci uses, and the question who asks."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fake_forge.records import Account, Answer, Comment, PullRequest, Request

if TYPE_CHECKING:
    from fake_forge.server import FakeForge

_TIME = "2026-01-02T03:04:05Z"
_REPOSITORY = "/repos/{owner}/{repo}"


def serve(forge: FakeForge, request: Request) -> Answer:
    """Answer one request; what GitHub's description does not know is kept in `forge.invalid`."""
    account = forge.accounts.get(_token(request))
    if account is None:
        return _refused(401, "Bad credentials")
    if request.path == "/graphql":
        name = account.login
        return Answer(200, {"data": {"viewer": {"login": name}}})
    found = forge.description.route(request.path)
    if found is None or forge.description.operation(found[0], request.method) is None:
        forge.invalid.append(f"{request.method} {request.path}: no such operation")
        return _refused(404, "Not Found")
    template, places = found
    wrong = forge.description.wrong_request(template, request.method, places, request.query, request.body)
    if wrong:
        forge.invalid.append(f"{request.method} {request.path}: {wrong}")
        return _refused(422, f"Validation Failed: {wrong}")
    if request.method != "GET" and not account.may_write:
        return _refused(403, "Resource not accessible by integration")
    answer = _HANDLERS[template, request.method](forge, request, account, places)
    forge.invalid += [
        f"answer to {request.method} {request.path}: {text}"
        for text in forge.description.wrong_answer(template, request.method, answer.status, answer.body)
    ]
    return answer


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[2]


def _refused(status: int, message: str) -> Answer:
    return Answer(status, {"message": message, "documentation_url": "https://docs.example.org"})


def _who(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    if account.installation:
        return _refused(403, "Resource not accessible by integration")
    return Answer(200, _user(forge, account) | _PROFILE | {"user_view_type": "public"})


def _list(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    number = int(places["issue_number"])
    if number not in forge.pulls:
        return _refused(404, "Not Found")
    with forge.lock:
        items = [_comment(forge, item) for item in forge.comments if item.number == number]
    shown, headers = forge.page(items, request)
    return Answer(200, shown, headers)


def _create(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    number = int(places["issue_number"])
    if number not in forge.pulls:
        return _refused(404, "Not Found")
    if len(request.body["body"]) > 65_536:
        return _refused(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    forge.before_storing()
    return Answer(201, _comment(forge, forge.add(number, account, request.body["body"])))


def _update(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    comment = _find(forge, places)
    if comment is None:
        return _refused(404, "Not Found")
    comment.body = request.body["body"]
    return Answer(200, _comment(forge, comment))


def _delete(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    comment = _find(forge, places)
    if comment is None:
        return _refused(404, "Not Found")
    with forge.lock:
        forge.comments.remove(comment)
    return Answer(204)


def _find(forge: FakeForge, places: Mapping[str, str]) -> Comment | None:
    return next((item for item in forge.comments if item.id == int(places["comment_id"])), None)


def _pulls(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    owner, _, branch = request.query.get("head", "").partition(":")
    state = request.query.get("state", "open")
    found = [
        _pull(forge, item, places)
        for item in forge.pulls.values()
        if state in ("all", item.state)
        and (not branch or (item.branch == branch and (item.head_repository or "/").split("/")[0] == owner))
    ]
    shown, headers = forge.page(found, request)
    return Answer(200, shown, headers)


def _pulls_of_commit(
    forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]
) -> Answer:
    known = {commit for item in forge.pulls.values() for commit in (item.head, *item.older_heads)}
    if places["commit_sha"] not in known:
        return _refused(422, f"No commit found for SHA: {places['commit_sha']}")
    found = [
        _pull(forge, item, places)
        for item in forge.pulls.values()
        if item.head == places["commit_sha"] or places["commit_sha"] in item.older_heads
    ]
    shown, headers = forge.page(found, request)
    return Answer(200, shown, headers)


def _files(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    pull = forge.pulls.get(int(places["pull_number"]))
    if pull is None:
        return _refused(404, "Not Found")
    shown, headers = forge.page([_file(forge, item) for item in pull.files[:3000]], request)
    return Answer(200, shown, headers)


def _contents(forge: FakeForge, request: Request, account: Account, places: Mapping[str, str]) -> Answer:
    path, commit = places["path"], request.query.get("ref", "main")
    text = forge.contents.get((path, commit))
    if text is None:
        return _refused(404, "Not Found")
    address = f"{forge.url}/contents/{path}"
    return Answer(
        200,
        {
            "type": "file", "encoding": "base64", "size": len(text.encode()), "name": path.split("/")[-1],
            "path": path, "content": base64.encodebytes(text.encode()).decode(), "sha": "c" * 40,
            "url": address, "git_url": address, "html_url": address, "download_url": address,
            "_links": {"git": address, "html": address, "self": address},
        },
    )  # fmt: skip


def _comment(forge: FakeForge, comment: Comment) -> dict[str, Any]:
    address = f"{forge.url}/repos/acme/churn/issues"
    return {
        "id": comment.id,
        "node_id": f"node{comment.id}",
        "url": f"{address}/comments/{comment.id}",
        "html_url": f"https://forge.example.org/acme/churn/pull/{comment.number}#issuecomment-{comment.id}",
        "issue_url": f"{address}/{comment.number}",
        "body": comment.body,
        "user": _user(forge, comment.author),
        "created_at": _TIME,
        "updated_at": _TIME,
        "author_association": "NONE",
    }


def _user(forge: FakeForge, account: Account) -> dict[str, Any]:
    address = f"{forge.url}/users/{account.id}"
    kinds = (
        "followers",
        "following",
        "gists",
        "starred",
        "subscriptions",
        "organizations",
        "repos",
        "events",
    )
    return {
        "login": account.login, "id": account.id, "node_id": f"user{account.id}", "gravatar_id": "",
        "url": address, "html_url": address, "avatar_url": address, "received_events_url": address,
        "type": "Bot" if account.installation else "User", "site_admin": False,
        **{f"{kind}_url": address for kind in kinds},
    }  # fmt: skip


_PROFILE: dict[str, Any] = {
    "name": None, "company": None, "blog": None, "location": None, "email": None, "hireable": None,
    "bio": None, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
    "created_at": _TIME, "updated_at": _TIME,
}  # fmt: skip


def _pull(forge: FakeForge, pull: PullRequest, places: Mapping[str, str]) -> dict[str, Any]:
    def side(repository: str | None, branch: str, commit: str) -> dict[str, Any]:
        owner = (repository or "ghost/none").split("/")[0]
        return {
            "label": f"{owner}:{branch}", "ref": branch, "sha": commit, "user": _user(forge, Account(owner, 5)),
            "repo": None if repository is None else {"full_name": repository, "id": sum(map(ord, repository))},
        }  # fmt: skip

    target = f"{places['owner']}/{places['repo']}"
    return {
        "id": pull.number, "number": pull.number, "state": pull.state, "title": "A change",
        "url": f"{forge.url}/repos/{target}/pulls/{pull.number}",
        "html_url": f"https://forge.example.org/{target}/pull/{pull.number}",
        "user": _user(forge, Account("author", 6)),
        "head": side(pull.head_repository, pull.branch, pull.head),
        "base": side(target, "main", pull.base),
    }  # fmt: skip


def _file(forge: FakeForge, item: Mapping[str, Any]) -> dict[str, Any]:
    address = f"{forge.url}/blob"
    return {
        "sha": "d" * 40, "status": "modified", "additions": 1, "deletions": 1, "changes": 2,
        "blob_url": address, "raw_url": address, "contents_url": address, **item,
    }  # fmt: skip


_Handler = Callable[["FakeForge", "Request", "Account", Mapping[str, str]], "Answer"]
_HANDLERS: dict[tuple[str, str], _Handler] = {
    ("/user", "GET"): _who,
    (f"{_REPOSITORY}/issues/{{issue_number}}/comments", "GET"): _list,
    (f"{_REPOSITORY}/issues/{{issue_number}}/comments", "POST"): _create,
    (f"{_REPOSITORY}/issues/comments/{{comment_id}}", "PATCH"): _update,
    (f"{_REPOSITORY}/issues/comments/{{comment_id}}", "DELETE"): _delete,
    (f"{_REPOSITORY}/pulls", "GET"): _pulls,
    (f"{_REPOSITORY}/pulls/{{pull_number}}/files", "GET"): _files,
    (f"{_REPOSITORY}/commits/{{commit_sha}}/pulls", "GET"): _pulls_of_commit,
    (f"{_REPOSITORY}/contents/{{path}}", "GET"): _contents,
}
