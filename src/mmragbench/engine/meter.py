"""What models were asked and what it took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from mmragbench.backends.server.budget import Budget
from mmragbench.contracts import Progress


@dataclass
class Usage:
    """One model in one stage.

    Attributes:
        calls: calls made in this run (none when everything was known).
        items: distinct inputs that the stage needed.
        cached: how many of them were known already.
        seconds: what the items cost when they were computed, in this run or an earlier one, so
            that a strategy's cost does not depend on which strategy ran first.
        spent: the part of `seconds` that was spent in this run.
        failed: inputs without an answer.
        tokens_in, tokens_out: read and written, for chat models, whenever that was.
        pictures: drawn, for painters.
        dollars: what that came to by the suite's prices, whenever that was.
        retries: how often a server had to be asked again for it.
        thoughts: replies that a reasoning model's thoughts were cut from.
        truncated: replies that a length limit ended.
    """

    role: str
    model: str
    calls: int = 0
    items: int = 0
    cached: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    pictures: int = 0
    dollars: float = 0.0
    retries: int = 0
    thoughts: int = 0
    truncated: int = 0


class Meter:
    """Counts usage into the stage that is open, and in total; holds the budget of the run."""

    def __init__(self, progress: Progress | None = None, budget: Budget | None = None) -> None:
        self.progress, self.budget = progress, budget or Budget()
        self.total_calls = 0
        self._stage: dict[tuple[str, str], Usage] = {}

    @contextmanager
    def stage(self) -> Iterator[dict[tuple[str, str], Usage]]:
        """Count what happens inside apart; stages do not nest."""
        self._stage = {}
        yield self._stage
        self._stage = {}

    def usage(self, role: str, model: str) -> Usage:
        """The line on which a model's use in this stage is counted."""
        return self._stage.setdefault((role, model), Usage(role, model))

    def called(self, usage: Usage, items: int) -> None:
        """Count one call that answered a number of items."""
        usage.calls += 1
        self.total_calls += 1
        if self.progress:
            self.progress.advance(items)

    def begin(self, what: str, total: int) -> None:
        """Announce work on a number of items."""
        if self.progress and total:
            self.progress.begin(what, total)


def as_json(stage: dict[tuple[str, str], Usage]) -> list[dict[str, Any]]:
    """The usage of a stage as plain rows."""
    return [asdict(usage) for usage in stage.values()]
