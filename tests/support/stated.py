"""What measures and strategies say of themselves, for rows of `summary.json` that a test writes."""

from __future__ import annotations

from typing import Any

from mmragbench.records import Measure, MeasureInfo
from mmragbench.registry import exists, find, find_measure


def measure(name: str) -> Measure:
    """`CIDEr` as its definition has it; a name that nobody registered has the defaults."""
    parsed = Measure.parse(name)
    registered = f"{parsed.name}@k" if parsed.cutoff else parsed.name
    known = exists("measure", registered)
    return parsed.with_info(find_measure(parsed).info if known else MeasureInfo())


def row(name: str, strategy: str = "") -> dict[str, Any]:
    """The keys of a row that are facts of its measure and of its strategy."""
    control = find("strategy", strategy).control if exists("strategy", strategy) else None
    return {**measure(name).info.row(), "control": control}
