"""One GET request to MLflow's REST interface with the standard library, so that MLflow is not imported."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, cast
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from mlci.trackers._place import without_credentials

_LARGEST = 4 << 20
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Answer:
    """The status and the JSON object of an answer; `body` is None for anything but a JSON object."""

    status: int
    body: Mapping[str, Any] | None


class _NoRedirect(HTTPRedirectHandler):
    """Leaves redirects to the caller: following one would hand the credentials to another host."""

    def redirect_request(  # noqa: PLR0917 - the signature is the base class's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow nothing."""


def get(
    uri: str, path: str, query: Mapping[str, str], variables: Mapping[str, str], timeout: float
) -> Answer:
    """Return the answer of the server at `uri` to GET `path`, whatever its status.

    `timeout` is in seconds, for each wait and for the whole body.
    Raises OSError when there is no answer, or none that is HTTP.
    """
    deadline = time.monotonic() + timeout
    request = Request(f"{without_credentials(uri)}{path}?{urlencode(query)}")  # noqa: S310 - place_of lets only http(s) through
    if header := authorization(uri, variables):
        request.add_unredirected_header("Authorization", header)
    try:
        try:
            response = opener(variables).open(request, timeout=timeout)
        except HTTPError as error:
            response = error
        with response:
            return Answer(response.status, object_of(_read(response, deadline)))
    except (HTTPException, ValueError) as error:
        raise OSError(f"the answer is not HTTP ({type(error).__name__})") from error


def opener(variables: Mapping[str, str]) -> OpenerDirector:
    """Return what opens addresses with MLflow's own settings for TLS; it follows no redirect."""
    return build_opener(_NoRedirect, HTTPSHandler(context=_tls(variables)))


def authorization(uri: str, variables: Mapping[str, str]) -> str | None:
    """Return the Authorization header as MLflow would send it; None without credentials.

    A user and a password win over a token, as in MLflow.
    """
    parts = urlsplit(uri)
    user = variables.get("MLFLOW_TRACKING_USERNAME") or unquote(parts.username or "")
    password = variables.get("MLFLOW_TRACKING_PASSWORD") or unquote(parts.password or "")
    if user and password:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    token = variables.get("MLFLOW_TRACKING_TOKEN")
    return f"Bearer {token}" if token else None


def _tls(variables: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=variables.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None)
    if variables.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate := variables.get("MLFLOW_TRACKING_CLIENT_CERT_PATH"):
        context.load_cert_chain(certificate)
    return context


def _read(response: Any, deadline: float) -> bytes:
    blocks: list[bytes] = []
    size = 0
    while block := response.read1(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > _LARGEST:
            return b""
        if time.monotonic() > deadline:
            raise TimeoutError("timed out")
    return b"".join(blocks)


def object_of(text: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object in a text; None for anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
