"""FID extrapolated to an unlimited number of images, beside FID at the run's number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmragbench.records import Measure
from mmragbench.reporting.facts.units import decimals, number
from mmragbench.reporting.tables.table import ABSENT
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run, TaskFacts


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One strategy's FIDs as shown.

    Attributes:
        at_n: FID of the run's images.
        limit: FID extrapolated to an unlimited number, with its interval.
        bias: how much of FID at n the extrapolating line takes for bias.
        r_squared: of that line.
        halves: FID of the generated images of one half of the queries and of the other.
        n: how many images were generated.
    """

    strategy: str
    setting: str
    at_n: str
    limit: str
    interval: str
    bias: str
    r_squared: str
    halves: str
    n: int


@dataclass(frozen=True, slots=True)
class LimitTable:
    """FID on one encoder's features, on all queries.

    Attributes:
        real: FID of the real images of one half of the queries and of the other; empty where there
            are enough images.
        reasons: why there is no extrapolated FID.
    """

    measure: Measure
    lines: tuple[LimitLine, ...]
    real: str
    reasons: tuple[str, ...]


def limit_tables(run: Run, facts: TaskFacts) -> list[LimitTable]:
    """A table for each FID of the task; none for a run that was stored without limits."""
    rows = [row for row in run.rows if (row.task, row.slice) == (facts.name, "all") and row.limit]
    measures = dict.fromkeys(row.measure for row in rows)
    return [
        _table(measure, [row for row in rows if row.measure == measure]) for measure in measures
    ]


def _table(measure: Measure, rows: Sequence[Row]) -> LimitTable:
    places = decimals(measure, [row.estimate or 0.0 for row in rows])
    real = dict.fromkeys(number(row.halves["real"], places) for row in rows if row.halves)
    reasons = dict.fromkeys(row.limit["reason"] for row in rows if row.limit.get("reason"))
    return LimitTable(
        measure, tuple(_line(row, places) for row in rows), " / ".join(real), tuple(reasons)
    )


def _line(row: Row, places: int) -> LimitLine:
    limit = row.limit
    extrapolated = limit.get("estimate") is not None
    bounded = limit.get("low") is not None and limit.get("high") is not None
    ends = [number(limit[end], places) for end in ("low", "high")] if bounded else []
    r_squared = limit.get("r_squared")
    return LimitLine(
        strategy=row.strategy,
        setting=setting(row.generator, row.k),
        at_n=number(row.estimate or 0.0, places),
        limit=number(limit["estimate"], places) if extrapolated else ABSENT,
        interval=f"[{', '.join(ends)}]" if ends else "",
        bias=number(limit["bias"], places) if extrapolated else ABSENT,
        r_squared=ABSENT if r_squared is None else f"{r_squared:.3f}",
        halves=number(row.halves["generated"], places) if row.halves else ABSENT,
        n=row.n,
    )
