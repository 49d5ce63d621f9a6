"""Replies of a server: JSON, an error in the place of an answer, or neither. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmragbench._redacting import Redactor

MAX_MESSAGE = 300
"""The most characters that are shown of a server's message."""

WORDS = {
    429: (
        "rate limit", "rate_limit", "ratelimit", "too many requests", "too_many_requests",
        "overloaded", "resource_exhausted", "throttl", "slow down", "slow_down",
    ),
    402: ("insufficient_quota",),
    401: ("invalid_api_key", "authentication_error", "unauthenticated"),
    404: ("model_not_found",),
    503: ("unavailable", "internal_error", "internal_server_error", "server_error", "timeout"),
}  # fmt: skip
"""Status -> words by which servers name it in the body of a reply, if they send no number."""

IN_MESSAGES = (429,)
"""Statuses that a message alone may name; the others are taken from codes and types."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A server's error about a request.

    Attributes:
        status: of HTTP, or the one that the body means by its code or its words; None where
            neither says.
        message: on one line, cut, without the key.
        code, param: the protocol's words for what is wrong, empty where it says none.
    """

    status: int | None
    message: str
    code: str = ""
    param: str = ""


def parse(text: str, redactor: Redactor) -> dict[str, Any] | None:
    """The body of a reply without the key; None where it is no JSON object. A list with one
    object, as some servers send errors, is that object."""
    try:
        body = redactor.json(json.loads(text))
    except (ValueError, RecursionError):
        return None
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    return body if isinstance(body, dict) else None


def described(text: str) -> str:
    """A sentence that describes a reply which is no JSON object."""
    start = text.lstrip("\ufeff \t\r\n")[:9].lower()
    if not start:
        return "the server's reply is empty"
    if start.startswith("<"):
        return "the server's reply is a page of HTML or XML and no JSON"
    if start.startswith(("data:", "event:")):
        return "the server's reply is a stream of events, which was not asked for, and no JSON"
    return "the server's reply is no JSON"


def complaint(body: Any, redactor: Redactor) -> Complaint | None:
    """The error in a reply with a status of success; None where it is an answer."""
    return refusal(body, redactor) if _error(body) else None


def refusal(body: Any, redactor: Redactor, status: int | None = None) -> Complaint:
    """The complaint of an error.

    Args:
        body: parsed JSON, or the `error` object in it.
        redactor: removes the key.
        status: the reply's own, if that is an error.
    """
    error = _error(body) or body
    error = error if isinstance(error, dict) else {"message": error}
    texts = {
        name: _text(error.get(name)) for name in ("message", "code", "param", "type", "status")
    }
    message = texts["message"] or _text(error.get("detail")) or "no reason given"
    named = [texts["code"], texts["type"], texts["status"]]
    return Complaint(
        status or next(_numbers(error), None) or _by_words(message, named),
        redactor.message(message, MAX_MESSAGE),
        *(redactor.message(texts[name], 80) for name in ("code", "param")),
    )


def _error(body: Any) -> Any:
    """The error in a body: an object, a text, or nothing."""
    if not isinstance(body, dict):
        return body
    if body.get("error"):
        return body["error"]
    first = next(iter(_listed(body.get("choices"))), None)
    if isinstance(first, dict) and first.get("error"):
        return first["error"]
    if _listed(body.get("errors")):
        return body["errors"][0]
    named = body.get("object") == "error" or body.get("type") == "error"
    bare = "choices" not in body and "data" not in body
    return body if named or (bare and (body.get("message") or body.get("detail"))) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""
    return value if isinstance(value, str) else str(value)


def _numbers(error: dict[str, Any]) -> Iterator[int]:
    """The HTTP statuses that an error names by number."""
    for name in ("code", "status", "status_code", "http_status"):
        number = _text(error.get(name))
        if len(number) == 3 and number.isdecimal() and 400 <= int(number) < 600:
            yield int(number)


def _by_words(message: str, named: list[str]) -> int | None:
    """The HTTP status that an error names by words; None where it names none."""
    for status, words in WORDS.items():
        texts = [*named, message] if status in IN_MESSAGES else named
        if any(word in text.lower() for text in texts for word in words):
            return status
    return None
