"""JSON over HTTP for forges: bounded waiting and retrying, no secret for another host, all pages of a list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.util.retry import Retry

from mlci.core.errors import NotPostedError, UncertainError, first_line

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

PATIENCE = 150.0
"""Seconds that a whole command waits for its forge; a limit on writing too often asks for one minute."""

_TIMEOUT = (5.0, 20.0)
_LARGEST = 32 << 20
_MOST_PAGES = 200
_MOST_REDIRECTS = 3
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Answer:
    """What a forge answered. `more` says that a list goes on."""

    status: int
    body: Any
    headers: Mapping[str, str]
    more: bool = False

    @property
    def said(self) -> str:
        """What the forge says about a refusal."""
        found = self.body.get("message") or self.body.get("error") if isinstance(self.body, dict) else None
        return found if isinstance(found, str) else ""


class _BrokenOffError(OSError):
    """An answer whose text ends too early; urllib3 repeats requests, but not these."""


class _Patience(Retry):
    """Retries until a deadline, which a server's Retry-After cannot move."""

    RETRY_AFTER_STATUS_CODES = frozenset({403, 429})  # GitHub's limit on writing too often is a 403
    deadline = float("inf")

    def new(self, **changed: Any) -> _Patience:
        made = super().new(**changed)
        made.deadline = self.deadline
        return made

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> _Patience:
        wait = self.get_retry_after(response) if response is not None else None
        if time.monotonic() + (wait or 0.0) > self.deadline:
            raise MaxRetryError(_pool, url or "", error or ResponseError("no time is left to wait"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


class Connection:
    """Requests to one address with one token.

    `sign` puts the token into the headers of a request.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        sign: Callable[[PreparedRequest], PreparedRequest],
        patience: float = PATIENCE,
    ) -> None:
        self._address = _checked(address)
        self._headers = dict(headers)
        self._sign = sign
        self._deadline = time.monotonic() + patience
        self._sessions: dict[bool, Session] = {}

    def get(self, path: str, **query: Any) -> Answer:
        """Return the answer to GET, whatever its status."""
        return self.ask("GET", path, query=query)

    def pages(self, path: str, **query: Any) -> Iterator[Answer]:
        """Yield the pages of a list, up to the first answer that is an error."""
        for number in range(1, _MOST_PAGES + 1):
            answer = self.get(path, per_page=100, page=number, **query)
            yield answer
            if not answer.more:
                return
        raise NotPostedError(f"the list at {path} has more than {_MOST_PAGES} pages")

    def ask(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Answer:
        """Return the answer to a request, whatever its status.

        Raises NotPostedError without an answer, and UncertainError when a POST may have been carried out.
        """
        from requests import RequestException

        repeatable = method != "POST"
        url = self._address + path
        try:
            try:
                return self._follow(method, url, body, query or {}, repeatable)
            except _BrokenOffError:
                if not repeatable:
                    raise
                return self._follow(method, url, body, query or {}, repeatable)
        except (RequestException, OSError, ValueError) as error:
            why = f"{urlsplit(self._address).hostname} does not answer: {_reason(error)}"
            raise (NotPostedError(why) if repeatable else UncertainError(why)) from error

    def _follow(self, method: str, url: str, body: Any, query: Mapping[str, Any], repeatable: bool) -> Answer:
        session = self._session(repeatable)
        for _ in range(_MOST_REDIRECTS + 1):
            if time.monotonic() > self._deadline:
                raise TimeoutError("no time is left")
            with session.request(
                method, url, params=query, json=body, timeout=_TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                target = response.headers.get("Location")
                if not target or response.status_code not in (301, 302, 307, 308):
                    return self._answer(response)
            target = urljoin(url, target)
            if _origin(target) != _origin(url):
                raise NotPostedError(f"{_origin(url)} leads to another host, which gets no token of this job")
            if method != "GET" and response.status_code in (301, 302):
                raise NotPostedError(f"{method} {urlsplit(url).path} has moved")
            url, query = target, {}
        raise NotPostedError(f"{urlsplit(url).path} leads in a circle")

    def _answer(self, response: Response) -> Answer:
        text = self._body(response)
        return Answer(response.status_code, _parsed(text), response.headers, more="next" in response.links)

    def _body(self, response: Response) -> bytes:
        from requests import RequestException

        text = bytearray()
        try:
            for block in response.iter_content(_BLOCK):
                text += block
                if len(text) > _LARGEST:
                    raise NotPostedError(f"an answer of more than {_LARGEST >> 20} MB is not read")
                if time.monotonic() > self._deadline:
                    raise TimeoutError("no time is left")
        except RequestException as error:
            raise _BrokenOffError(_reason(error)) from error
        return bytes(text)

    def _session(self, repeatable: bool) -> Session:
        if repeatable not in self._sessions:
            self._sessions[repeatable] = self._open(repeatable)
        return self._sessions[repeatable]

    def _open(self, repeatable: bool) -> Session:
        from requests import Session
        from requests.adapters import HTTPAdapter

        retry = _Patience(
            total=5,
            connect=3,
            read=3 if repeatable else False,  # a POST that got no answer may have been carried out
            status=3,
            other=0,
            redirect=0,
            allowed_methods=None,
            status_forcelist=(429, 500, 502, 503, 504) if repeatable else (429,),
            backoff_factor=0.5,
            raise_on_status=False,
        )
        retry.deadline = self._deadline
        session = Session()
        session.headers.update(self._headers)
        session.auth = self._sign  # being there, it also keeps requests from asking ~/.netrc
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session


def _checked(address: str) -> str:
    """Return an address without its last slash; raises NotPostedError when it is none."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname:
            return address.rstrip("/")
    except ValueError:
        pass
    raise NotPostedError(f"'{address}' is not the address of a forge")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _parsed(text: bytes) -> Any:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reason(error: BaseException) -> str:
    """Return what happened to a connection in a few words: requests wraps it several times."""
    inner: BaseException = error
    for _ in range(6):
        deeper = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    return first_line(inner, 200)
