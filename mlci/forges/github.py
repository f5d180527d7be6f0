"""GitHub: the comments of a pull request, by the token of the workflow or one of your own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlci import __version__
from mlci.core.errors import NotPostedError, UncertainError
from mlci.core.forge import Comment
from mlci.forges._event import at, read_event
from mlci.forges._http import PATIENCE, Answer, Connection
from mlci.forges._refusals import refusal

if TYPE_CHECKING:
    from requests import PreparedRequest

ACTIONS_LOGIN = "github-actions[bot]"
_PERMISSION = "add `permissions: {pull-requests: write}` to the job"
_FORK = (
    "the token of a pull request from a fork may only read: "
    "let the workflow_run half (ml-comment.yml) comment there"
)
_PASS_ON = "pass it on in the step's env: `GITHUB_TOKEN: ${{ github.token }}`"  # noqa: S105 - a sentence
_OWN_TOKEN = "let MLCI_GITHUB_TOKEN hold a token with the permission 'Pull requests: read and write'"  # noqa: S105 - a sentence


class GithubForge:
    """The pull requests of one repository."""

    name = "github"

    def __init__(self, variables: Mapping[str, str], patience: float = PATIENCE) -> None:
        self.repository = variables.get("GITHUB_REPOSITORY", "")
        self.event_name = variables.get("GITHUB_EVENT_NAME", "")
        self.event = read_event(variables)
        self._variables = variables
        self._own = bool(variables.get("MLCI_GITHUB_TOKEN"))
        self._token = (variables.get("MLCI_GITHUB_TOKEN") or variables.get("GITHUB_TOKEN", "")).strip()
        address = variables.get("GITHUB_API_URL", "")
        if not address or not self.repository:
            raise NotPostedError(
                "GITHUB_API_URL and GITHUB_REPOSITORY are not set, so there is nowhere to comment"
            )
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": f"mlci/{__version__}",
        }
        self.connection = Connection(address, headers, self._sign, patience)
        self.path = f"/repos/{quote(self.repository)}"

    def _sign(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def number(self) -> int:
        """Return the number of the pull request in the event."""
        found = at(self.event, "pull_request", "number")
        if isinstance(found, int):
            self.need_token()
            return found
        if not self.event:
            raise NotPostedError("the event of this run cannot be read, so its pull request is not known")
        raise NotPostedError(f"this run is not for a pull request (event {self.event_name or 'unknown'})")

    def need_token(self) -> None:
        """Raise NotPostedError without a token."""
        if not self._token:
            raise NotPostedError("the step has no GITHUB_TOKEN", _PASS_ON)

    def me(self) -> str:
        """Return the login of the token. That of a workflow may not ask, and is always the same."""
        answer = self.connection.get("/user")
        login = at(answer.body, "login")
        if answer.status == 200 and isinstance(login, str):
            return login
        if answer.status == 403:
            return (self._viewer() if self._own else None) or ACTIONS_LOGIN
        raise refusal(answer, "who the token belongs to", self.hint(answer))

    def _viewer(self) -> str | None:
        """Return the login of an app's token, which only GraphQL tells."""
        address = self._variables.get("GITHUB_GRAPHQL_URL")
        if not address:
            return None
        question = {"query": "query { viewer { login } }"}
        graph = Connection(address, {"User-Agent": f"mlci/{__version__}"}, self._sign, 20.0)
        login = at(graph.ask("POST", "", question).body, "data", "viewer", "login")
        return login if isinstance(login, str) else None

    def comments(self, number: int) -> list[Comment]:
        """Return all comments, oldest first."""
        found: list[Comment] = []
        for answer in self.connection.pages(f"{self.path}/issues/{number}/comments"):
            if answer.status != 200 or not isinstance(answer.body, list):
                raise refusal(answer, f"the comments of #{number}", self.hint(answer))
            found += [_comment(item) for item in answer.body]
        return found

    def create(self, number: int, body: str) -> Comment:
        """Add a comment."""
        answer = self.connection.ask("POST", f"{self.path}/issues/{number}/comments", {"body": body})
        if answer.status >= 500:
            raise UncertainError(refusal(answer, f"a comment on #{number}", "").why)
        return self._written(answer, number)

    def update(self, number: int, comment: Comment, body: str) -> Comment:
        """Give a comment another text."""
        answer = self.connection.ask("PATCH", f"{self.path}/issues/comments/{comment.id}", {"body": body})
        return self._written(answer, number)

    def delete(self, number: int, comment: Comment) -> None:
        """Remove a comment; one that is gone already is well too."""
        answer = self.connection.ask("DELETE", f"{self.path}/issues/comments/{comment.id}")
        if answer.status not in (204, 404):
            raise refusal(answer, f"a second comment on #{number}", self.hint(answer))

    def _written(self, answer: Answer, number: int) -> Comment:
        if answer.status not in (200, 201) or not isinstance(answer.body, dict):
            raise refusal(answer, f"the comment on #{number}", self.hint(answer))
        return _comment(answer.body)

    def hint(self, answer: Answer) -> str:
        """Return how the token of this job gets the right that it was refused."""
        if self._own:
            return _OWN_TOKEN
        if answer.status == 401:
            return _PASS_ON
        head, base = (at(self.event, "pull_request", side, "repo", "full_name") for side in ("head", "base"))
        is_fork = bool(at(self.event, "pull_request")) and head != base
        return f"{_PERMISSION}; {_FORK}" if is_fork else _PERMISSION


def _comment(item: Any) -> Comment:
    identifier, login = at(item, "id"), at(item, "user", "login")
    if not isinstance(identifier, int):
        raise NotPostedError("the answer about a comment is not what was expected")
    return Comment(
        id=identifier,
        author=login if isinstance(login, str) else "",  # the account of a comment may be gone
        body=str(at(item, "body") or ""),
        url=str(at(item, "html_url") or ""),
    )


def forge(variables: Mapping[str, str]) -> GithubForge | None:
    """Return the forge when the run is a GitHub Actions job."""
    return GithubForge(variables) if variables.get("GITHUB_ACTIONS") == "true" else None
