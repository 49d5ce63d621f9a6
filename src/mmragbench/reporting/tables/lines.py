"""A table's lines: each strategy's numbers as shown, the best one marked, reasons as footnotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mmragbench.records import Measure
from mmragbench.reporting.facts.marks import Key, key_of, marks
from mmragbench.reporting.facts.units import lower_is_better, shown
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

ABSENT = "—"
FAILED = "failed"

Letters = Mapping[tuple[Key, str], str]

ENOUGH = 3
"""From how many lines on that have the same footnote instead of any number, one line does."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One number as shown; or a dash with a footnote; or nothing, where nothing was asked."""

    text: str = ""
    interval: str = ""
    best: bool = False
    note: int | None = None
    reason: str = ""
    detail: str = ""
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy in one block; `control` is what it stands for, None for a contender.

    `others` counts the strategies that this line stands for where it is one for several.
    """

    strategy: str
    control: str | None
    n: str
    n_failed: int
    cells: tuple[Cell, ...]
    others: int = 0


@dataclass
class Notes:
    """Footnotes, numbered in the order in which they are first needed."""

    reasons: list[str] = field(default_factory=list)

    def number(self, reason: str) -> int:
        if reason not in self.reasons:
            self.reasons.append(reason)
        return self.reasons.index(reason) + 1


def lines(
    run: Run, rows: Sequence[Row], places: Mapping[Measure, int], notes: Notes
) -> Iterable[Line]:
    """One line per strategy, contenders first."""
    letters = marks(run, rows)
    best = {m: _best(run, [r for r in rows if r.measure == m], places[m]) for m in places}
    for strategy, control in run.strategies.items():
        found = {row.measure: row for row in rows if row.strategy == strategy}
        if not found:
            continue
        counts = sorted({row.n for row in found.values() if row.absence is None})
        yield Line(
            strategy=strategy,
            control=control,
            n="–".join(f"{n:,}" for n in dict.fromkeys([counts[0], counts[-1]])) if counts else "",
            n_failed=max(row.n_failed for row in found.values()),
            cells=tuple(
                _cell(found.get(m), places[m], None if control else best[m], notes, letters)
                for m in places
            ),
        )


def joined(each: Sequence[Line]) -> Iterable[Line]:
    """Many lines without a number and with the same footnotes become one, at the end."""
    groups: dict[tuple[Cell, ...], list[Line]] = {}
    for line in each:
        if not line.n and not line.n_failed:
            groups.setdefault(line.cells, []).append(line)
    many = [group for group in groups.values() if len(group) >= ENOUGH]
    yield from (line for line in each if not any(line in group for group in many))
    for group in many:
        yield Line(f"{len(group)} others", None, "", 0, group[0].cells, len(group))


def _cell(row: Row | None, places: int, best: str | None, notes: Notes, letters: Letters) -> Cell:
    if row is None:
        return Cell(reason="not asked for")
    if row.estimate is None:
        failed = f"failed for all {row.n_failed} queries" if row.n_failed else "no value"
        reason = str(row.absence or failed)
        crashed = row.absence.crashed if row.absence else bool(row.n_failed)
        text = FAILED if crashed else ABSENT
        return Cell(text, note=notes.number(reason), reason=reason)
    text = shown(row.measure, row.estimate, places)
    failed = f", {row.n_failed} failed" if row.n_failed else ""
    return Cell(
        text,
        _interval(row, places),
        text == best,
        detail=f"n = {row.n}{failed}",
        marks=letters.get((key_of(row), row.strategy), ""),
    )


def _interval(row: Row, places: int) -> str:
    if row.low is None or row.high is None:
        return ""
    low, high = (shown(row.measure, bound, places) for bound in (row.low, row.high))
    return f"[{low}, {high}]"


def _best(run: Run, rows: Sequence[Row], places: int) -> str | None:
    """The best contender's number as shown (so that ties are all marked); None below two."""
    values = list(estimates(row for row in rows if run.strategies[row.strategy] is None))
    if len(values) < 2:
        return None
    measure = rows[0].measure
    return shown(measure, (min if lower_is_better(measure) else max)(values), places)


def estimates(rows: Iterable[Row]) -> list[float]:
    """The numbers that there are."""
    return [row.estimate for row in rows if row.estimate is not None]
