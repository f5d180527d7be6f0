"""Says why a forge refused: in one sentence, with the line of the workflow or the setting that lets it through."""

from __future__ import annotations

from mlci.core.errors import NotPostedError
from mlci.forges._http import Answer

_TOO_OFTEN = "too many requests were made; the limit lets go by itself, so run the job again later"


def refusal(answer: Answer, what: str, hint: str) -> NotPostedError:
    """Return the warning about an answer that is none of success.

    `what` is what was asked for, as in 'the comment on #7'; `hint` says how a token gets the right to it.
    """
    why = f"{what}: {_meaning(answer)}" + (f" ({answer.said})" if answer.said else "")
    if _is_limit(answer):
        return NotPostedError(why, _TOO_OFTEN)
    if "locked" in answer.said.lower():
        return NotPostedError(why, "unlock the conversation")
    return NotPostedError(why, hint if answer.status in (401, 403, 404) else "")


def _is_limit(answer: Answer) -> bool:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    spent = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return answer.status == 429 or (answer.status == 403 and spent)


def _meaning(answer: Answer) -> str:
    if _is_limit(answer):
        return f"the limit on requests is reached, {answer.status}"
    if answer.status >= 500:
        return f"the server failed, {answer.status}"
    known = {
        200: "the answer is not what was expected, 200",
        401: "the token is not valid, 401",
        403: "the token may not do that, 403",
        404: "it does not exist, or the token may not see it, 404",
        410: "comments are switched off, 410",
        422: "the text was not accepted, 422",
    }
    return known.get(answer.status, f"refused, {answer.status}")
