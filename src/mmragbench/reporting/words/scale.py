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
    """A measure with the number of decimals that its numbers and differences are written with."""

    measure: Measure
    places: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Scale:
        """The scale of the table that has these rows."""
        measure = rows[0].measure
        return cls(measure, decimals(measure, [row.estimate or 0.0 for row in rows]))

    def value(self, row: Row) -> str:
        """The estimate in the measure's unit: `230.3`."""
        return shown(self.measure, row.estimate or 0.0, self.places)

    def bounded(self, row: Row) -> str:
        """The estimate with its interval: `230.3 [220.1, 240.6]`."""
        return self.value(row) + self._interval(row.low, row.high, 1)

    def gap(self, pair: dict[str, Any], name: bool = True) -> str:
        """By how much the better one of a pair is better than the other, whichever way the pair was
        stored: `30.4 CIDEr [21.6, 39.2]`."""
        sign = -1 if pair["difference"] < 0 else 1
        interval = self._interval(pair["low"], pair["high"], sign)
        return self.size(sign * pair["difference"], name) + interval

    def size(self, difference: float, name: bool = True) -> str:
        """A difference in the measure's unit: `30.4 CIDEr`, `16.0 points of Success@1`."""
        points = "points of " if unit(self.measure) == "%" else ""
        named = f" {points}{self.measure.label}" if name else ""
        return shown(self.measure, difference, self.places) + named

    @property
    def remark(self) -> str:
        """`lower is better`, or an empty text."""
        return "lower is better" if lower_is_better(self.measure) else ""

    def _interval(self, low: float | None, high: float | None, sign: int) -> str:
        if low is None or high is None:
            return ""
        ends = sorted((sign * low * factor(self.measure), sign * high * factor(self.measure)))
        return f" [{', '.join(number(end, self.places) for end in ends)}]"
