"""When to ask a server again: exponential backoff with full jitter, and `Retry-After`.

The `openai` library retries too; its jitter covers a quarter of the wait only, and it says nothing
of what it did, so that neither retries nor what they may have cost could be counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
LONGEST_TOLD = 300.0
"""Seconds: where the backoff begins, where it ends, and the longest `Retry-After` that is kept."""

DAY = 86_400.0
"""Seconds; a `Retry-After` beyond it is a mistake of the server."""

AGAIN = frozenset({408, 409, 425, 429})
"""Statuses under 500 that another try may mend."""


def another_try(status: int) -> bool:
    """Whether a status may be gone at the next try."""
    return status in AGAIN or status >= 500


def wait(attempt: int, told: float | None, draw: Callable[[], float]) -> float:
    """Seconds before the next try.

    Args:
        attempt: how many have failed, 1 and more.
        told: what the server asked for; never undercut, up to `LONGEST_TOLD`.
        draw: a number in [0, 1): full jitter (all of the backoff is drawn), so that calls that
            failed together do not come back together.
    """
    backoff = draw() * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 30))
    if told is None:
        return backoff
    return min(told, LONGEST_TOLD) + min(backoff, FIRST_WAIT)


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
