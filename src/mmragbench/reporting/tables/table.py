"""A table of a report or a paper, before any format: columns, blocks of lines, cells, footnotes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from mmragbench.records import Measure, MeasureInfo
from mmragbench.reporting.facts.units import shown
from mmragbench.reporting.writing import stem
from mmragbench.run_folder.numbers import Row

BLANK, ABSENT, FAILED = "", "—", "failed"

AVERAGE_RANK = Measure("Avg. rank").with_info(MeasureInfo(better="lower"))
"""What the column of average ranks has in place of a measure."""

Part = Literal["generation", "retrieval"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One number as shown, or the mark of a missing one.

    Attributes:
        row: the row of the summary; None where it has none.
        run: the label of the run that it is from; empty where there is one run only.
        text, low, high, half, sd: as shown, in the column's unit; `half` is the larger distance from
            the estimate to an end of the interval, `sd` the standard deviation over seeds. Empty
            where there is none.
        best, tied: the best contender of its block; or one that does not differ from it
            significantly.
        letters: contenders of a block that share one do not differ significantly.
        stars: the significance of its difference from the baseline.
        note: the mark of a footnote.
    """

    row: Row | None = None
    run: str = ""
    text: str = BLANK
    low: str = ""
    high: str = ""
    half: str = ""
    sd: str = ""
    best: bool = False
    tied: bool = False
    letters: str = ""
    stars: str = ""
    note: str = ""

    @property
    def interval(self) -> str:
        return f"[{self.low}, {self.high}]" if self.low else ""

    def plus_minus(self, style: str) -> str:
        """What stands after a ± in a style: half of the interval, or the standard deviation."""
        return {"plusminus": self.half, "sd": self.sd}.get(style, "")

    @property
    def absent(self) -> bool:
        """Whether the summary has a row without a number."""
        return self.row is not None and self.row.estimate is None

    @property
    def reason(self) -> str:
        """Why there is no number."""
        if self.row is None:
            return "not asked for"
        failed = self.row.n_failed
        return self.row.reason or (f"failed for all {failed} queries" if failed else "no value")

    @property
    def counts(self) -> str:
        """`n = 400, 3 failed, mean of 3 seeds (sd 0.4)`."""
        if self.row is None:
            return ""
        failed = f", {self.row.n_failed} failed" if self.row.n_failed else ""
        seeds = f", mean of {self.row.seeds} seeds (sd {self.sd})" if self.sd else ""
        return f"n = {self.row.n}{failed}{seeds}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one measure, of one run or of all.

    Attributes:
        group: the run's label where runs stand side by side.
        unit, arrow: as the head shows them.
        signature: of every number of the column, but those with a dagger.
        places: decimals.
    """

    group: str
    measure: Measure
    unit: str
    arrow: str
    signature: str
    places: int

    @property
    def head(self) -> str:
        return f"{self.unit} {self.arrow}".strip()

    def shown(self, value: float) -> str:
        """A number of the column in its unit."""
        return shown(self.measure, value, self.places)


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy's cells.

    Attributes:
        control: what the strategy stands for; None for a contender.
        others: how many strategies the line stands for, where it is one for several; else 0.
    """

    strategy: str
    control: str | None
    cells: tuple[Cell, ...]
    others: int = 0

    def with_cells(self, places: Sequence[int]) -> Line:
        """The line with the cells at these places only."""
        return replace(self, cells=tuple(self.cells[i] for i in places))

    @property
    def n_failed(self) -> int:
        return max((cell.row.n_failed for cell in self.cells if cell.row), default=0)

    @property
    def failed_row(self) -> Row | None:
        """The row with the most failures."""
        rows = (cell.row for cell in self.cells if cell.row)
        return max(rows, key=lambda row: row.n_failed, default=None)

    @property
    def n(self) -> str:
        """How many queries were scored: `400`, or `397–400` where measures differ."""
        rows = [cell.row for cell in self.cells if cell.row]
        counts = sorted({row.n for row in rows if row.estimate is not None})
        return "–".join(f"{n:,}" for n in dict.fromkeys([*counts[:1], *counts[-1:]]))


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that may be compared: one generator and k (and, stacked, one run)."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """The numbers of one task, on all queries or on a slice.

    Attributes:
        silver: the rule of relevance, where rankings are scored on silver relevance.
        notes: (mark, text) of the footnotes, in the order of first use.
        within: the families of the tests behind the letters; empty where all that share a letter are
            identical, None where there are no letters.
        remarks: sentences on the whole table.
        caption: the sentences of a paper's caption.
    """

    task: str
    part: Part
    slice: str
    silver: str | None
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    notes: tuple[tuple[str, str], ...] = ()
    within: str | None = None
    remarks: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A file's stem, and the table's label."""
        part = "-retrieval" if self.part == "retrieval" else ""
        return stem(f"{self.task}{part}" + ("" if self.slice == "all" else f"-{self.slice}"))

    @property
    def title(self) -> str:
        """`retrieval (silver relevance: categories), emblems only`."""
        silver = f" (silver relevance: {self.silver})" if self.silver else ""
        return f"{self.part}{silver}" + (f", {self.slice} only" if self.slice != "all" else "")

    def with_columns(self, places: Sequence[int]) -> Table:
        """The table with the columns at these places only."""
        blocks = tuple(
            replace(block, lines=tuple(line.with_cells(places) for line in block.lines))
            for block in self.blocks
        )
        return replace(self, columns=tuple(self.columns[i] for i in places), blocks=blocks)

    @property
    def lines(self) -> Iterator[Line]:
        for block in self.blocks:
            yield from block.lines

    @property
    def heads(self) -> list[tuple[Column, ...]]:
        """Neighbouring columns of one run and one measure at several cutoffs, together."""
        cut = groupby(self.columns, key=lambda c: (c.group, c.measure.name, c.measure.features))
        return [tuple(columns) for _, columns in cut]

    @property
    def labelled(self) -> bool:
        return any(block.label for block in self.blocks)

    @property
    def counted(self) -> bool:
        """Whether the numbers of scored queries differ, so that they need a column."""
        return len({line.n for line in self.lines if line.n}) > 1

    @property
    def failed(self) -> bool:
        """Whether anything failed, so that the failures need a column."""
        return any(line.n_failed for line in self.lines)

    def mark(self, column: Column) -> str:
        """What a paper's head says beside the measure's name: the unit unless all are ×100, and the
        direction unless all are alike; a note says that once."""
        alike = {c.arrow for c in self.columns if c.measure != AVERAGE_RANK} == {"↑"}
        if hundredfold(self.columns):
            return "" if alike or column.measure == AVERAGE_RANK else column.arrow
        return f"({column.head})"

    @property
    def spans(self) -> list[tuple[str, int]]:
        """The runs over the columns, with how many columns each; empty where all share them."""
        spans = [(name, len(list(g))) for name, g in groupby(self.columns, key=lambda c: c.group)]
        return spans if any(name for name, _ in spans) else []


def hundredfold(columns: Sequence[Column]) -> bool:
    """Whether all numbers of measures are shown times 100."""
    units = {column.unit for column in columns if column.measure != AVERAGE_RANK}
    return bool(units) and units <= {"%", "×100"}


def digits(place: int) -> str:
    """The mark of a series' first, second, ... footnote: `1`, `2`."""
    return str(place + 1)


def letters(place: int) -> str:
    """`a` to `z`, `aa`."""
    return _repeated("abcdefghijklmnopqrstuvwxyz", place)


def daggers(place: int) -> str:
    """`†`, `‡`, and on."""
    return _repeated("†‡§¶", place)


def _repeated(signs: str, place: int) -> str:
    return signs[place % len(signs)] * (1 + place // len(signs))


@dataclass
class Notes:
    """Footnotes, by text: every series of marks counts on its own."""

    marks: dict[str, str] = field(default_factory=dict)
    used: Counter[Callable[[int], str]] = field(default_factory=Counter)

    def mark(self, text: str, series: Callable[[int], str]) -> str:
        """The mark of a footnote, the next one of the series where the text is new."""
        if text not in self.marks:
            self.marks[text] = series(self.used[series])
            self.used[series] += 1
        return self.marks[text]

    def listed(self) -> tuple[tuple[str, str], ...]:
        """(mark, text), in the order of first use."""
        return tuple((mark, text) for text, mark in self.marks.items())
