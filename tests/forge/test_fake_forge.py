"""The fake forge has the routes of the real ones: their own clients work with it."""

from __future__ import annotations

import github
import gitlab
import pytest
from fake_forge import FakeForge, PullRequest
from forge_jobs import BOT, GITLAB_TOKEN, STRANGER
from github import Auth
from github.Commit import Commit
from github.Issue import Issue


def test_pygithub_finds_its_routes(forge: FakeForge) -> None:
    forge.accounts["user-token"] = STRANGER
    forge.contents["models/a/mlci.yaml", "a" * 40] = "project: a\n"
    forge.pulls[7].files = [{"filename": "models/a/mlci.yaml", "status": "modified"}]
    client = github.Github(
        base_url=forge.url,
        auth=Auth.Token("user-token"),
        retry=0,
        lazy=True,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    assert client.get_user().login == "stranger"
    repository = client.get_repo("acme/churn")
    (pull,) = repository.get_pulls(state="open", head="acme:feature")
    assert (pull.number, pull.head.sha, pull.base.sha) == (7, "a" * 40, "b" * 40)
    assert [file.filename for file in pull.get_files()] == ["models/a/mlci.yaml"]
    content = repository.get_contents("models/a/mlci.yaml", ref="a" * 40)
    assert not isinstance(content, list)
    assert content.decoded_content == b"project: a\n"
    commit = Commit(client.requester, {}, {"url": f"{forge.url}/repos/acme/churn/commits/{'a' * 40}"})
    assert [found.number for found in commit.get_pulls()] == [7]
    issue = Issue(client.requester, {}, {"url": f"{forge.url}/repos/acme/churn/issues/7"})
    comment = issue.create_comment("first")
    comment.edit("second")
    assert [(item.body, item.user.login) for item in issue.get_comments()] == [("second", "stranger")]
    comment.delete()
    assert list(issue.get_comments()) == []
    for number in range(75):
        forge.add(7, STRANGER, f"{number}")
    assert [item.body for item in issue.get_comments()] == [f"{number}" for number in range(75)]
    client.close()


def test_python_gitlab_finds_its_routes(forge: FakeForge) -> None:
    with gitlab.Gitlab(forge.url, private_token=GITLAB_TOKEN) as client:
        client.auth()
        assert client.user is not None
        assert client.user.username == BOT.login
        request = client.projects.get(3, lazy=True).mergerequests.get(7, lazy=True)
        note = request.notes.create({"body": "first"})
        note.body = "second"
        note.save()
        assert [(item.body, item.author["username"]) for item in request.notes.list(get_all=True)] == [
            ("second", BOT.login)
        ]
        assert request.notes.get(note.id).body == "second"
        note.delete()
        for number in range(75):
            forge.add(7, STRANGER, f"{number}")
        found = request.notes.list(iterator=True, sort="asc", order_by="created_at")
        assert [item.body for item in found] == [f"{number}" for number in range(75)]


def test_what_github_does_not_know_is_kept(fake_forge: FakeForge) -> None:
    import requests

    fake_forge.pulls[7] = PullRequest()
    fake_forge.accounts["t"] = STRANGER
    comments = f"{fake_forge.url}/repos/acme/churn/issues/7/comments"
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer t"
        assert session.post(comments, json={"text": "a"}, timeout=5).status_code == 422
        assert session.get(comments, params={"perpage": "3"}, timeout=5).status_code == 422
        assert session.put(comments, json={"body": "a"}, timeout=5).status_code == 404
        assert session.get(f"{fake_forge.url}/repos/acme/churn/nothing", timeout=5).status_code == 404
    assert len(fake_forge.invalid) == 4
    assert "'body' is a required property" in fake_forge.invalid[0]
    fake_forge.invalid.clear()


@pytest.mark.parametrize("token", ["", "unknown"])
def test_nobody_gets_in_without_a_token(forge: FakeForge, token: str) -> None:
    import requests

    for path in ("/user", "/api/v4/user"):
        answer = requests.get(forge.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert answer.status_code == 401
