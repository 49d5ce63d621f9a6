"""The choice of numbers for a paper's tables, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mmragbench.errors import DataError, unknown
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

Intervals = Literal["subscript", "plusminus", "sd", "brackets", "none"]
"""What stands beside a number: its interval in one of three forms, its standard deviation over seeds,
or nothing."""

NoteLength = Literal["short", "full", "none"]
Width = Literal["auto", "column", "page"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a paper's tables look.

    Attributes:
        intervals: what stands beside a number.
        note: the text below a table: one line, all that there is to know, or nothing.
        names: strategy, generator, task or suite -> the name that the paper gives it.
        digits: decimals of all columns; None for as many as each needs.
        label: what LaTeX refers to, `tab:main`; empty for one made of the table's name.
        width: the LaTeX table's: a column of the page, the whole page, or whichever fits.
    """

    intervals: Intervals = "subscript"
    note: NoteLength = "short"
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    digits: int | None = None
    label: str = ""
    width: Width = "auto"

    def name(self, name: str) -> str:
        """What the paper calls a strategy, a generator, a task or a suite."""
        return self.names.get(name, name)


@dataclass(frozen=True, slots=True)
class Request:
    """A choice of tasks, measures, strategies, generators and a slice, and how their numbers look.

    Attributes:
        tasks, measures, strategies, generators: names, in the order of tables, columns, rows and
            groups of rows; empty for all.
        slice: the queries; `all` or a slice of the task.
        baseline: the strategy that the stars compare with; None for the suite's own.
        style: how the numbers are shown.
    """

    tasks: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    slice: str = "all"
    baseline: str | None = None
    style: Style = field(default_factory=Style)

    def check(self, runs: Sequence[Run]) -> None:
        """Refuse what none of the runs has, and names that would make two rows one.

        Raises:
            DataError: there is such a thing; the message lists those that exist.
        """
        rows = [row for run in runs for row in run.rows]
        known = {
            "task": {row.task for row in rows},
            "measure": {name for row in rows for name in (str(row.measure), row.measure.label)},
            "strategy": {row.strategy for row in rows},
            "generator": {row.generator for row in rows if row.generator},
            "slice": {row.slice for row in rows},
        }
        where = ", ".join(run.path.name for run in runs)
        for kind, names in self._wanted():
            for name in names:
                if name not in known[kind]:
                    raise DataError(unknown(f"{kind} of {where}", name, known[kind]))
        others = known["generator"] | known["task"] | {run.name for run in runs}
        self._check_names(known["strategy"], others, where)
        if self.style.intervals == "sd" and all(row.sd is None for row in rows):
            raise DataError(
                f"{where} has one seed, so no deviation over seeds: run it with --seeds 3"
            )
        if self.strategies and self.baseline not in (None, *self.strategies):
            raise DataError(
                f"the baseline {self.baseline} is not among the strategies that are shown"
            )

    def has(self, task: str) -> bool:
        """Whether the task is chosen."""
        return not self.tasks or task in self.tasks

    def shows(self, strategy: str) -> bool:
        """Whether the strategy is chosen."""
        return not self.strategies or strategy in self.strategies

    def chosen(self, run: Run, task: str, generated: bool) -> list[Row]:
        """The rows of one table; measures, strategies and generators in the request's order."""
        rows = [
            row
            for row in run.rows
            if (row.task, row.slice) == (task, self.slice)
            and (row.generator is not None) == generated
            and self._has(row)
        ]
        return sorted(rows, key=self._place)

    def nothing(self, runs: Sequence[Run]) -> str:
        """The message where each name exists, but no number has all of them."""
        rows = [row for run in runs for row in run.rows if row.slice == self.slice]
        available = dict.fromkeys(
            f"{row.task}: {row.measure}" for row in rows if self.has(row.task)
        )
        names = (*self.tasks, *self.measures, *self.strategies, *self.generators)
        known = ", ".join(available) or "nothing"
        wanted = ", ".join(names) or "anything"
        return f"no number for {wanted} on the slice {self.slice!r}; there is {known}"

    def _wanted(self) -> Iterator[tuple[str, Iterable[str]]]:
        yield "task", self.tasks
        yield "measure", self.measures
        yield "strategy", (*self.strategies, *filter(None, [self.baseline]))
        yield "generator", self.generators
        yield "slice", (self.slice,)

    def _check_names(self, strategies: set[str], others: set[str], where: str) -> None:
        for name in self.style.names:
            if name not in strategies | others:
                kind = f"strategy, generator, task or suite of {where}"
                raise DataError(unknown(kind, name, strategies | others))
        shown: dict[str, str] = {}
        for strategy in sorted(strategies):
            name = self.style.name(strategy)
            if name in shown:
                raise DataError(f"--names would call both {shown[name]} and {strategy} {name!r}")
            shown[name] = strategy

    def _has(self, row: Row) -> bool:
        """Whether the row is of a measure, a strategy and a generator that were chosen; rankings have
        no generator."""
        return (
            (not self.measures or bool(_names(row) & set(self.measures)))
            and self.shows(row.strategy)
            and (not self.generators or row.generator in (None, *self.generators))
        )

    def _place(self, row: Row) -> tuple[int, int, int]:
        names = _names(row)
        return (
            _first(self.generators, lambda name: name == row.generator),
            _first(self.measures, lambda name: name in names),
            _first(self.strategies, lambda name: name == row.strategy),
        )


def _names(row: Row) -> set[str]:
    """The measure's name in suites, and the one that reports show."""
    return {str(row.measure), row.measure.label}


def _first(names: Sequence[str], fits: Callable[[str], bool]) -> int:
    """The place of the first name that fits; 0 where none does."""
    return next((place for place, name in enumerate(names) if fits(name)), 0)
