"""Which measure stands for a task where there is room for one."""

from __future__ import annotations

from collections.abc import Iterable

from mmragbench.records import Measure


def main_measure(measures: Iterable[Measure], generated: bool) -> Measure | None:
    """The first measure of what was generated; of rankings the first `Success`, whose ceiling is
    always 1, else the first. None where there is none."""
    asked = list(measures)
    hits = [] if generated else [measure for measure in asked if measure.name == "Success"]
    return next(iter(hits or asked), None)
