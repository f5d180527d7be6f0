"""GitLab: the notes of a merge request, by a token of your own; a job's own token cannot write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlci import __version__
from mlci.core.errors import NotPostedError, UncertainError
from mlci.core.forge import Comment
from mlci.forges._event import at
from mlci.forges._http import PATIENCE, Answer, Connection
from mlci.forges._refusals import refusal

if TYPE_CHECKING:
    from requests import PreparedRequest

_TOKEN = (
    "let MLCI_GITLAB_TOKEN hold a token of the project with scope `api`; the job's own cannot write notes"  # noqa: S105 - a sentence
)


class GitlabForge:
    """The merge requests of one project."""

    name = "gitlab"

    def __init__(self, variables: Mapping[str, str], patience: float = PATIENCE) -> None:
        # A merge request from a fork runs in the fork and is discussed in the project that it is made to.
        project = variables.get("CI_MERGE_REQUEST_PROJECT_ID") or variables.get("CI_PROJECT_ID", "")
        address = variables.get("CI_API_V4_URL", "")
        self._variables = variables
        self._token = variables.get("MLCI_GITLAB_TOKEN", "").strip()
        if not address or not project:
            raise NotPostedError(
                "CI_API_V4_URL and CI_PROJECT_ID are not set, so there is nowhere to comment"
            )
        self.connection = Connection(address, {"User-Agent": f"mlci/{__version__}"}, self._sign, patience)
        self._path = f"/projects/{quote(project, safe='')}/merge_requests"

    def _sign(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["PRIVATE-TOKEN"] = self._token
        return request

    def number(self) -> int:
        """Return the number of the merge request that the pipeline runs for."""
        text = self._variables.get("CI_MERGE_REQUEST_IID", "")
        if not text.isdigit():
            raise NotPostedError("this pipeline is not for a merge request")
        if not self._token:
            raise NotPostedError("there is no token for merge request notes", _TOKEN)
        return int(text)

    def me(self) -> str:
        """Return the username of the token."""
        answer = self.connection.get("/user")
        name = at(answer.body, "username")
        if answer.status != 200 or not isinstance(name, str):
            raise refusal(answer, "who the token belongs to", _TOKEN)
        return name

    def comments(self, number: int) -> list[Comment]:
        """Return all notes, oldest first."""
        found: list[Comment] = []
        for answer in self.connection.pages(
            f"{self._path}/{number}/notes", sort="asc", order_by="created_at"
        ):
            if answer.status != 200 or not isinstance(answer.body, list):
                raise refusal(answer, f"the notes of !{number}", _TOKEN)
            found += [self._note(number, item) for item in answer.body if at(item, "system") is not True]
        return found

    def create(self, number: int, body: str) -> Comment:
        """Add a note."""
        answer = self.connection.ask("POST", f"{self._path}/{number}/notes", {"body": body})
        if answer.status >= 500:
            raise UncertainError(refusal(answer, f"a note on !{number}", "").why)
        return self._written(answer, number)

    def update(self, number: int, comment: Comment, body: str) -> Comment:
        """Give a note another text."""
        answer = self.connection.ask("PUT", f"{self._path}/{number}/notes/{comment.id}", {"body": body})
        return self._written(answer, number)

    def delete(self, number: int, comment: Comment) -> None:
        """Remove a note; one that is gone already is well too."""
        answer = self.connection.ask("DELETE", f"{self._path}/{number}/notes/{comment.id}")
        if answer.status not in (204, 404):
            raise refusal(answer, f"a second note on !{number}", _TOKEN)

    def _written(self, answer: Answer, number: int) -> Comment:
        if answer.status not in (200, 201) or not isinstance(answer.body, dict):
            raise refusal(answer, f"the note on !{number}", _TOKEN)
        return self._note(number, answer.body)

    def _note(self, number: int, item: Any) -> Comment:
        identifier, name = at(item, "id"), at(item, "author", "username")
        if not isinstance(identifier, int):
            raise NotPostedError("the answer about a note is not what was expected")
        get = self._variables.get
        project = get("CI_MERGE_REQUEST_PROJECT_URL") or get("CI_PROJECT_URL", "")
        url = f"{project}/-/merge_requests/{number}#note_{identifier}" if project else ""
        author = name if isinstance(name, str) else ""
        return Comment(id=identifier, author=author, body=str(at(item, "body") or ""), url=url)


def forge(variables: Mapping[str, str]) -> GitlabForge | None:
    """Return the forge when the run is a GitLab CI job."""
    return GitlabForge(variables) if variables.get("GITLAB_CI") else None
