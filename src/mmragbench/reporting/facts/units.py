"""How a measure's numbers are shown: unit, direction and digits."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mmragbench._digits import exact
from mmragbench.records import Measure

FACTORS = {"%": 100.0, "×100": 100.0, "×1000": 1000.0}
"""What an estimate is multiplied by before it is shown in a unit."""


def is_distance(measure: Measure) -> bool:
    """Whether the measure is a distance between two sets of images; for these no control is a floor, a
    ceiling or chance."""
    return measure.info.distance is not None


def lower_is_better(measure: Measure) -> bool:
    """The measure's direction."""
    return measure.info.better == "lower"


def arrow(measure: Measure) -> str:
    """The direction as the column's head shows it."""
    return "↓" if lower_is_better(measure) else "↑"


def factor(measure: Measure) -> float:
    """What an estimate is multiplied by before it is shown; `unit` says so beside it."""
    return FACTORS.get(measure.info.unit, 1.0)


def unit(measure: Measure) -> str:
    """The unit as the column's head shows it; empty for a raw scale."""
    return measure.info.unit


def decimals(measure: Measure, estimates: Iterable[float]) -> int:
    """How many decimals a column needs: papers' one for ×100, else three significant digits."""
    sizes = sorted(abs(value) * factor(measure) for value in estimates if value)
    if not sizes:
        return 1
    if factor(measure) == 100.0:
        return 1
    largest = 2 - math.floor(math.log10(sizes[-1]))
    smallest = 1 - math.floor(math.log10(sizes[0]))
    return min(max(largest, smallest, 1), 4)


def number(value: float, places: int) -> str:
    """A number with a true minus sign. What is not zero is never shown as zero."""
    value = exact(value)
    rounded = f"{value:.{places}f}"
    if value and not float(rounded):
        rounded = f"{value:.1g}" if abs(value) >= 1e-4 else f"{value:.0e}"
    return rounded.replace("-", "−", 1) if rounded.startswith("-") else rounded


def shown(measure: Measure, value: float, places: int) -> str:
    """An estimate in the measure's unit."""
    return number(value * factor(measure), places)


def money(dollars: float) -> str:
    """US dollars, with as many digits as tell small sums from nothing."""
    if not dollars or dollars >= 0.1:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= 1e-4 else "<$0.0001"


def compact(seconds: float) -> str:
    """A duration in few characters: `0.04 s`, `3.2 s`, `2 min 05 s`."""
    if seconds < 0.095:
        return f"{seconds:.2f} s" if seconds >= 0.005 else ("0 s" if not seconds else "<0.01 s")
    if seconds < 119.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
