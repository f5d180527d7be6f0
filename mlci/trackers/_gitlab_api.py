"""Requests to the part of MLflow's REST interface that GitLab has, with the standard library only."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urljoin, urlsplit
from urllib.request import Request

from mlci.core.errors import MlciError
from mlci.trackers._http import Answer, authorization, object_of, opener
from mlci.trackers._place import Place, without_credentials
from mlci.trackers._preflight import reason, refused, unreachable

SECONDS = 10.0
TRANSFER_SECONDS = 120.0

_GITLAB = re.compile(r".*/api/v4/projects/[^/]+/ml/mlflow/?")
_API = "/api/2.0/mlflow"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_TRIES = 3
_LARGEST = 16 << 20
_REDIRECTS = (301, 302, 303, 307, 308)


def is_gitlab(uri: str | None) -> bool:
    """Return whether an address is that of a GitLab project's model registry."""
    return bool(uri) and _GITLAB.fullmatch(urlsplit(uri or "").path) is not None


class GitlabApi:
    """Asks one project's registry. Answers of 404 and 400 are for the caller to understand."""

    def __init__(self, place: Place, variables: Mapping[str, str]) -> None:
        self.place = place
        self._variables = variables
        self._base = without_credentials(place.uri)

    def get(
        self, path: str, query: Mapping[str, str], *, timeout: float = SECONDS, tries: int = _TRIES
    ) -> Answer:
        """Return the answer to a question; it is asked again when the server does not answer well."""
        url = f"{self._base}{_API}/{path}?{urlencode(query)}"
        for left in reversed(range(tries)):
            try:
                return self._understood(*self._send(Request(url), timeout))  # noqa: S310 - place_of lets only http(s) through
            except MlciError as error:
                if error.code != "tracker.unreachable" or not left:
                    raise
                time.sleep(1.0)
        raise AssertionError(tries)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Return the answer to a request that changes something, which is never made twice."""
        request = Request(  # noqa: S310 - place_of lets only http(s) through
            f"{self._base}{_API}/{path}",
            json.dumps(body, allow_nan=False).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        return self._understood(*self._send(request, SECONDS))

    def upload(self, folder: str, name: str, file: Path) -> None:
        """Store a file under the address that the server gave for it."""
        self._same_host(folder)
        with file.open("rb") as stream:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
            request = Request(f"{folder.rstrip('/')}/{quote(name)}", stream, headers, method="PUT")  # noqa: S310 - the same host
            answer = self._understood(*self._send(request, TRANSFER_SECONDS))
        self.expect(answer, f"it did not store '{name}'")

    def files(self, of: str) -> list[str]:
        """Return the names of the files of a version or of a run."""
        url = f"{self._base}{_FILES}?{urlencode({'path': of})}"
        answer = self._understood(*self._send(Request(url), SECONDS))  # noqa: S310 - place_of lets only http(s) through
        if answer.status == 404:
            return []
        self.expect(answer, "it does not list files")
        listed = (answer.body or {}).get("files") or []
        return [str(item.get("path", "")) for item in listed if isinstance(item, Mapping)]

    def download(self, of: str, name: str, file: Path) -> None:
        """Copy a stored file to this machine; it is whole or not there."""
        url = f"{self._base}{_FILES}/{quote(of, safe=':')}/{quote(name)}"
        self._copy(url, file, name)

    def expect(self, answer: Answer, otherwise: str) -> Mapping[str, Any]:
        """Return the body of a good answer; raises MlciError `tracker.refused` with GitLab's own words."""
        if answer.status not in (200, 201):
            said = _words(answer)
            raise refused(
                self.place,
                f"{otherwise} (status {answer.status}{f': {said}' if said else ''})",
                answer.status,
            )
        return answer.body or {}

    def _copy(self, url: str, file: Path, name: str) -> None:
        part = file.with_name(f".{file.name}.part")
        request = Request(url)  # noqa: S310 - place_of lets only http(s) through, and redirects are checked
        for _ in range(3):
            response = self._open(request, TRANSFER_SECONDS)
            with response:
                if response.status in _REDIRECTS:
                    # Object storage: the address holds its own key, and ours is for GitLab only.
                    request = _redirected(request, str(response.headers.get("Location", "")), self.place)
                    continue
                if response.status != 200:
                    self.expect(self._understood(response.status, _read(response)), f"it has no '{name}'")
                with part.open("wb") as stream, _translated(self.place):
                    shutil.copyfileobj(response, stream)
                part.replace(file)
                return
        raise refused(self.place, f"it sends '{name}' from one address to the next")

    def _send(self, request: Request, timeout: float) -> tuple[int, bytes]:
        with self._open(request, timeout) as response, _translated(self.place):
            return response.status, _read(response)

    def _open(self, request: Request, timeout: float) -> Any:
        with _translated(self.place):
            if self._is_ours(request.full_url) and (header := authorization(self.place.uri, self._variables)):
                request.add_unredirected_header("Authorization", header)
            try:
                return opener(self._variables).open(request, timeout=timeout)
            except HTTPError as error:
                return error

    def _understood(self, status: int, body: bytes) -> Answer:
        if status in (401, 403):
            raise refused(self.place, f"it does not accept the token (status {status})", status)
        if status >= 500 or status == 429:
            raise unreachable(self.place, f"it answers with status {status}")
        return Answer(status, object_of(body))

    def _is_ours(self, url: str) -> bool:
        ours, theirs = urlsplit(self._base), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    def _same_host(self, url: str) -> None:
        if not self._is_ours(url):
            raise refused(
                self.place, f"it wants files at another address, {urlsplit(url).netloc or 'of no host'}"
            )


def inside(body: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at a path inside an answer; empty where there is none."""
    found: Any = body
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


@contextmanager
def _translated(place: Place) -> Iterator[None]:
    """Turn what goes wrong on the way into MlciError `tracker.unreachable`."""
    try:
        yield
    except HTTPException as error:
        raise unreachable(place, f"the answer is not HTTP ({type(error).__name__})") from error
    except OSError as error:
        if error.filename is not None:  # a file of this machine
            raise
        raise unreachable(place, reason(error)) from error


def _redirected(request: Request, location: str, place: Place) -> Request:
    url = urljoin(request.full_url, location)
    if urlsplit(url).scheme not in ("https", urlsplit(place.uri).scheme):
        raise refused(place, "it sends files from an address that is not https")
    return Request(url)  # noqa: S310 - the scheme was checked


def _read(response: Any) -> bytes:
    data: bytes = response.read(_LARGEST)
    return data


def _words(answer: Answer) -> str:
    body = answer.body or {}
    said = body.get("message") or body.get("error") or body.get("error_code") or ""
    said = "; ".join(map(str, said)) if isinstance(said, list) else said
    return " ".join(str(said).split())[:300]
