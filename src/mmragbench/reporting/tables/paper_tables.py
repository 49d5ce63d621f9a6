"""Runs as papers' tables: one for each task's outputs, one for its rankings.

Several runs are stacked (a group of rows each) where their numbers may share columns, and stand
side by side (columns of their own) where they may not: no column mixes signatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from mmragbench.errors import CRASH, DataError
from mmragbench.records import Measure
from mmragbench.reporting.facts.units import (
    arrow,
    decimals,
    factor,
    lower_is_better,
    number,
    shown,
    unit,
)
from mmragbench.reporting.tables.caption import Shown, caption, remarks
from mmragbench.reporting.tables.comparability import obstacles, remark, usual
from mmragbench.reporting.tables.family import Tests
from mmragbench.reporting.tables.labels import labels
from mmragbench.reporting.tables.paper_table import (
    ABSENT,
    FAILED,
    Block,
    Column,
    Line,
    Number,
    PaperTable,
)
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.tables.tables import setting
from mmragbench.reporting.writing import stem
from mmragbench.run_folder.report_data import ORDER, Row, RunFolder

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DAGGERS = ("†", "‡", "", "¶")

Setting = tuple[str | None, int | None]


@dataclass(frozen=True)
class Source:
    """One run's part of a table."""

    run: RunFolder
    label: str
    rows: Sequence[Row]
    baseline: str | None


@dataclass
class Notes:
    """Footnotes by text: daggers for numbers of another signature, letters for missing ones."""

    marks: dict[str, str] = field(default_factory=dict)

    def mark(self, text: str, dagger: bool = False) -> str:
        if text not in self.marks:
            series = DAGGERS if dagger else LETTERS
            used = sum(mark[0] in series for mark in self.marks.values())
            self.marks[text] = series[used % len(series)] * (1 + used // len(series))
        return self.marks[text]


def tables(runs: Sequence[RunFolder], request: Request) -> list[PaperTable]:
    """Every table that the request asks for, in the order of the suites.

    Raises:
        DataError: the request names what none of the runs has, or nothing fits all of it.
    """
    request.check(runs)
    tasks = request.tasks or dict.fromkeys(task for run in runs for task in run.tasks)
    named = list(zip(runs, labels(runs), strict=True))
    found = []
    for task in tasks:
        for generated in (True, False):
            sources = [
                Source(run, label, rows, request.baseline or run.suite.get("baseline"))
                for run, label in named
                if (rows := request.chosen(run, task, generated))
            ]
            if sources:
                found.append(_table(sources, task, generated, request))
    if not found:
        raise DataError(request.nothing(runs))
    return found


def _table(sources: Sequence[Source], task: str, generated: bool, request: Request) -> PaperTable:
    apart = obstacles([(s.run, s.rows) for s in sources], task) if len(sources) > 1 else []
    rows = [row for source in sources for row in source.rows]
    tests = Tests.of([(s.run, s.rows, s.baseline) for s in sources])
    cells = Cells(sources, tests, Notes(), bool(apart))
    blocks = tuple(cells.beside() if apart else cells.stacked())
    part = "" if generated else "-retrieval"
    name = stem(f"{task}{part}" + ("" if request.slice == "all" else f"-{request.slice}"))
    table = Shown(
        facts=tuple((s.run.tasks[task], s.run, s.label) for s in sources),
        generated=generated,
        rows=rows,
        tests=tests,
        apart=tuple(apart),
        baselines=frozenset(s.baseline for s in sources if s.baseline),
        request=request,
    )
    notes = [(mark, text) for text, mark in cells.notes.marks.items()]
    notes += [("", text) for text in remarks(table, cells.columns, blocks, cells.left_out)]
    return PaperTable(name, cells.columns, blocks, tuple(caption(table, blocks)), tuple(notes))


class Cells:
    """Rows arranged as lines of numbers; collects the footnotes on the way."""

    def __init__(self, sources: Sequence[Source], tests: Tests, notes: Notes, apart: bool) -> None:
        self.sources, self.tests, self.notes = sources, tests, notes
        groups = [(s.label, s.rows) for s in sources]
        joint = [("", [row for source in sources for row in source.rows])]
        self.columns = tuple(c for g in (groups if apart else joint) for c in _columns(*g))
        rows = joint[0][1]
        self.places = {c.measure: _places(c.measure, rows) for c in self.columns}
        self.left_out: dict[str, list[tuple[str, str]]] = {}
        """Reason -> the (strategy, setting) pairs that have no line because of it."""

    def stacked(self) -> Iterator[Block]:
        """A block for each run and setting."""
        for source in self.sources:
            for key in _settings([source]):
                label = ", ".join(filter(None, (source.label, setting(*key))))
                yield from self._block(label, [source] * len(self.columns), [source], key)

    def beside(self) -> Iterator[Block]:
        """A block for each setting; every run fills its own columns."""
        by_label = {source.label: source for source in self.sources}
        across = [by_label[column.group] for column in self.columns]
        for key in _settings(self.sources):
            yield from self._block(setting(*key), across, self.sources, key)

    def _block(
        self, label: str, across: Sequence[Source], sources: Sequence[Source], key: Setting
    ) -> Iterator[Block]:
        roles = {name: role for s in sources for name, role in s.run.strategies.items()}
        lines = []
        for strategy in sorted(roles, key=lambda name: ORDER.index(roles[name])):
            numbers = tuple(
                self._number(source, column, strategy, key)
                for source, column in zip(across, self.columns, strict=True)
            )
            if any(each.text not in ("", ABSENT) for each in numbers):
                lines.append(Line(strategy, roles[strategy], tuple(map(self._noted, numbers))))
            else:
                self._leave_out(strategy, setting(*key), numbers)
        if lines:
            yield Block(label, tuple(lines))

    def _number(self, source: Source, column: Column, strategy: str, key: Setting) -> Number:
        found = [
            row
            for row in source.rows
            if (row.generator, row.k) == key and row.measure == column.measure
        ]
        row = next((row for row in found if row.strategy == strategy), None)
        if row is None or row.estimate is None:
            return Number(row, "" if row is None else _without(row), run=source.label)
        places = self.places[column.measure]
        text = shown(row.measure, row.estimate, places)
        best, tied = self._standing(source, row, found, places)
        unlike = remark(row, column.signature)
        return Number(
            row,
            text,
            *_interval(row, places),
            best=best,
            tied=tied,
            stars=self._stars(source, row),
            note=self.notes.mark(f"Signature: {unlike}.", dagger=True) if unlike else "",
            run=source.label,
        )

    def _standing(
        self, source: Source, row: Row, cell: Sequence[Row], places: int
    ) -> tuple[bool, bool]:
        """Whether a contender is the best of its cell, as shown; and, if not, not told from it."""
        roles = source.run.strategies
        rivals = [r for r in cell if r.estimate is not None and roles[r.strategy] is None]
        if roles[row.strategy] is not None or len(rivals) < 2:
            return False, False
        sign = -1 if lower_is_better(row.measure) else 1
        top = max(rivals, key=lambda r: sign * (r.estimate or 0.0))
        texts = [shown(r.measure, r.estimate or 0.0, places) for r in (row, top)]
        best = texts[0] == texts[1]
        return best, not best and self.tests.differ(source.run, row, top.strategy) is False

    def _stars(self, source: Source, row: Row) -> str:
        contends = source.run.strategies[row.strategy] is None
        return self.tests.stars(source.run, row, source.baseline) if contends else ""

    def _noted(self, number: Number) -> Number:
        if number.row is None or number.row.estimate is not None:
            return number
        return replace(number, note=self.notes.mark(_reason(number.row)))

    def _leave_out(self, strategy: str, place: str, numbers: Sequence[Number]) -> None:
        for reason in dict.fromkeys(_reason(each.row) for each in numbers if each.row):
            found = self.left_out.setdefault(reason, [])
            found += [(strategy, place)] if (strategy, place) not in found else []


def _columns(group: str, rows: Sequence[Row]) -> Iterator[Column]:
    names = list(dict.fromkeys(row.measure.name for row in rows))
    asked = dict.fromkeys(row.measure for row in rows)
    signatures = usual(rows)
    for measure in sorted(asked, key=lambda each: names.index(each.name)):
        yield Column(group, measure, unit(measure), arrow(measure), signatures.get(measure, ""))


def _settings(sources: Sequence[Source]) -> list[Setting]:
    return list(dict.fromkeys((row.generator, row.k) for s in sources for row in s.rows))


def _places(measure: Measure, rows: Sequence[Row]) -> int:
    found = [r.estimate for r in rows if r.measure == measure and r.estimate is not None]
    return decimals(measure, found)


def _interval(row: Row, places: int) -> tuple[str, str, str]:
    if row.low is None or row.high is None or row.estimate is None:
        return "", "", ""
    half = max(row.estimate - row.low, row.high - row.estimate) * factor(row.measure)
    low, high = (shown(row.measure, end, places) for end in (row.low, row.high))
    return low, high, number(half, places)


def _without(row: Row) -> str:
    crashed = row.reason.startswith(CRASH) if row.reason else bool(row.n_failed)
    return FAILED if crashed else ABSENT


def _reason(row: Row) -> str:
    failed = f"failed for all {row.n_failed} queries" if row.n_failed else "no value"
    return row.reason or failed
