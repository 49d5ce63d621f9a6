"""`Refused`: the error for a part of a PDF file that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mmragbench.errors import first_line

T = TypeVar("T")


class Refused(Exception):
    """A part of a file cannot be used.

    Args:
        kind: the kind that exclusions are counted by; empty for damage.
        detail: the reason.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def or_refusal(work: Callable[[], T]) -> T | Refused:
    """The result of a piece of work, or the refusal that it ended with."""
    try:
        return work()
    except Refused as refusal:
        return refusal
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a parser may raise anything
        from pypdf.errors import LimitReachedError

        kind = "too much to unpack" if isinstance(error, LimitReachedError) else ""
        return Refused(kind, first_line(error))
