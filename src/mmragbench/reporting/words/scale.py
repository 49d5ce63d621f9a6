"""How one measure's numbers and differences are written in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmragbench.records import Measure
from mmragbench.reporting.facts.units import (
    decimals,
    factor,
    lower_is_better,
    number,
    shown,
    unit,
)
from mmragbench.run_folder.numbers import Row


@dataclass(frozen=True)
class Scale:
    """How a headline's numbers and differences are written."""

    measure: Measure
    places: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Scale:
        """That of the table in which the rows stand."""
        measure = rows[0].measure
        return cls(measure, decimals(measure, [row.estimate or 0.0 for row in rows]))

    def value(self, row: Row) -> str:
        """`230.3`."""
        return shown(self.measure, row.estimate or 0.0, self.places)

    def bounded(self, row: Row) -> str:
        """`230.3 [220.1, 240.6]`."""
        return self.value(row) + self._interval(row.low, row.high, 1)

    def gap(self, pair: dict[str, Any], name: bool = True) -> str:
        """By how much one of the pair is better than the other: `30.4 CIDEr [21.6, 39.2]`. Positive
        is for the better strategy, whichever way the pair was stored."""
        sign = -1 if pair["difference"] < 0 else 1
        size = shown(self.measure, sign * pair["difference"], self.places)
        points = "points of " if unit(self.measure) == "%" else ""
        named = f" {points}{self.measure.label}" if name else ""
        return size + named + self._interval(pair["low"], pair["high"], sign)

    @property
    def remark(self) -> str:
        """`lower is better`, or nothing."""
        return "lower is better" if lower_is_better(self.measure) else ""

    def _interval(self, low: float | None, high: float | None, sign: int) -> str:
        if low is None or high is None:
            return ""
        ends = sorted((sign * low * factor(self.measure), sign * high * factor(self.measure)))
        return f" [{', '.join(number(end, self.places) for end in ends)}]"
