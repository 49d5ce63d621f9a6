"""Retries of calls to a server: exponential backoff with full jitter, and `Retry-After`.

The `openai` library retries too; its jitter covers a quarter of the wait only, and it does not
report its retries, so that neither they nor what they may have cost could be counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event

import tenacity

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
LONGEST_RETRY_AFTER = 300.0
"""Seconds: where the backoff begins, where it ends, and the longest `Retry-After` that is obeyed."""

DAY = 86_400.0
"""Seconds; a `Retry-After` beyond it is a mistake of the server."""

RETRIABLE = frozenset({408, 409, 425, 429})
"""HTTP statuses below 500 after which another call may succeed."""

BACKOFF = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


class Transient(Exception):
    """A call failed, and another one may succeed.

    Args:
        reason: why it failed.
        after: seconds that the server asks to wait; None where it does not.
    """

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


class Halted(Exception):
    """The run ended while a call waited for its next try."""


def retrying(retries: int, halted: Event) -> tenacity.Retrying:
    """A retrier that calls a function again while it raises `Transient`, and raises the last one.

    Args:
        retries: further calls after the first one, at most.
        halted: once it is set, waiting ends with `Halted`.
    """

    def sleep(seconds: float) -> None:
        if halted.wait(seconds):
            raise Halted

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Transient),
        stop=tenacity.stop_after_attempt(retries + 1),
        wait=wait,
        sleep=sleep,
        reraise=True,
    )


def wait(state: tenacity.RetryCallState) -> float:
    """Seconds before the next call: drawn from the whole backoff, so that calls that failed
    together do not come back together, and never less than the server asked for."""
    error = state.outcome.exception() if state.outcome else None
    backoff = BACKOFF(state)
    if not isinstance(error, Transient) or error.after is None:
        return backoff
    return min(error.after, LONGEST_RETRY_AFTER) + min(backoff, FIRST_WAIT)


def is_retriable(status: int) -> bool:
    """Whether another call may succeed after an HTTP status."""
    return status in RETRIABLE or status >= 500


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a reply's `Retry-After` asks for (RFC 9110: seconds or a date, which may have
    passed); None without, and for what is neither or lies beyond a day."""
    value = (headers.get("retry-after") or "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, now or datetime.now(UTC))
    return seconds if 0 <= seconds <= DAY else None


def _until(date: str, now: datetime) -> float:
    """Seconds until a date, 0 if it has passed; nan for what is no date."""
    try:
        moment = parsedate_to_datetime(date)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(moment.timestamp() - now.timestamp(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return math.nan
