"""A finished run, as `mmragbench.run` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmragbench._files import Row
from mmragbench.data.exclusions import LeftOut


@dataclass(frozen=True)
class FinishedRun:
    """What a run has made.

    Attributes:
        folder: the run folder.
        report: the HTML report.
        rows: the rows of `summary.json`.
        crashed: components that raised something unforeseen, with `component`, `error` and, where
            they are known, `task` and `place` (a line in the user's file); their cells have a reason
            instead of numbers, and the tracebacks are in the run folder's `crashes.log`.
        calls: how many calls to models this run made.
        left_out: what could not be used of the data.
    """

    folder: Path
    report: Path
    rows: list[Row]
    crashed: list[dict[str, str]]
    calls: int
    left_out: list[LeftOut]
