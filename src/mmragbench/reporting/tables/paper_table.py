"""A paper's table: numbers with what is known about them, before any format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from mmragbench.records import Measure
from mmragbench.run_folder.numbers import Row

BLANK, ABSENT, FAILED = "", "—", "failed"


@dataclass(frozen=True, slots=True)
class Number:
    """One cell.

    Attributes:
        row: what was stored; None where nothing was asked.
        run: the label of the run that it is from; empty where there is one run only.
        text, low, high, half: as shown, in the column's unit; `half` is the larger distance from
            the estimate to an end of the interval. Empty where there is none.
        best, tied: the best of its group, or not told apart from it.
        stars: how sure it is that it differs from the baseline.
        note: the mark of a footnote.
    """

    row: Row | None = None
    text: str = BLANK
    low: str = ""
    high: str = ""
    half: str = ""
    best: bool = False
    tied: bool = False
    stars: str = ""
    note: str = ""
    run: str = ""

    @property
    def interval(self) -> str:
        return f"[{self.low}, {self.high}]" if self.low else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A measure, in one run's group or in all runs'; every number below has this signature, or a
    dagger."""

    group: str
    measure: Measure
    unit: str
    arrow: str
    signature: str

    @property
    def head(self) -> str:
        return f"{self.unit} {self.arrow}".strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy; `control` is what it stands for, None for a contender."""

    strategy: str
    control: str | None
    numbers: tuple[Number, ...]

    @property
    def n_failed(self) -> int:
        return max((number.row.n_failed for number in self.numbers if number.row), default=0)

    @property
    def n(self) -> str:
        """How many queries were scored: `400`, or `397–400` where measures differ."""
        rows = [number.row for number in self.numbers if number.row]
        counts = sorted({row.n for row in rows if row.estimate is not None})
        return "–".join(f"{n:,}" for n in dict.fromkeys([*counts[:1], *counts[-1:]]))


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that may be compared: one generator and k (and, stacked, one run)."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class PaperTable:
    """What is shown, and all that a reader has to know to read it.

    Attributes:
        name: a file's stem, and the table's label.
        caption: sentences.
        notes: (mark, text), in the order of first use; an empty mark is a remark on all of it.
    """

    name: str
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    caption: tuple[str, ...]
    notes: tuple[tuple[str, str], ...] = ()

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
    def counted(self) -> bool:
        """Whether the numbers of queries differ, so that a column has to say them."""
        return len({line.n for line in self.lines if line.n}) > 1

    @property
    def failed(self) -> bool:
        return any(line.n_failed for line in self.lines)

    @property
    def spans(self) -> list[tuple[str, int]]:
        """The runs over the columns, with how many columns each; empty where all share them."""
        spans = [(name, len(list(g))) for name, g in groupby(self.columns, key=lambda c: c.group)]
        return spans if any(name for name, _ in spans) else []
