"""A finished run, as `mmragbench.run` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmragbench._crashes import Crash
from mmragbench._files import Row
from mmragbench.data.exclusions import LeftOut


@dataclass(frozen=True)
class FinishedRun:
    """What a run has made.

    Attributes:
        folder: the run folder.
        report: the HTML report.
        rows: the rows of `summary.json`.
        crashed: components that raised something unforeseen, each with its place in the user's file;
            their cells have a reason instead of numbers, and `failures.json` has the tracebacks.
        calls: how many calls to models this run made.
        left_out: what could not be used of the data.
    """

    folder: Path
    report: Path
    rows: list[Row]
    crashed: list[Crash]
    calls: int
    left_out: list[LeftOut]
