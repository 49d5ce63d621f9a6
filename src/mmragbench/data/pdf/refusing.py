"""What can't be used of a PDF file: an error with the kind that exclusions are counted by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmragbench.errors import first_line


class Refused(Exception):
    """Something that can't be used, and the kind of reason that it is counted by."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def or_refusal(work: Callable[[], Any]) -> tuple[Refused | None, Any]:
    """What a piece of work gives, or why it gives nothing; without a kind where it is damaged."""
    try:
        return None, work()
    except Refused as refusal:
        return refusal, None
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a parser may raise anything
        from pypdf.errors import LimitReachedError

        kind = "too much to unpack" if isinstance(error, LimitReachedError) else ""
        return Refused(kind, first_line(error)), None
