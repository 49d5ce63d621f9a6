"""The choice of numbers and style for a paper's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mmragbench.errors import DataError, unknown
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

Style = Literal["subscript", "plusminus", "brackets", "sd", "none"]
"""What stands beside a number: its interval in one of three ways, its standard deviation over seeds,
or nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A choice of tasks, measures and a slice, and how their numbers are shown.

    Attributes:
        tasks, measures: names, in the order of the columns; empty for all.
        slice: the queries; `all` or a slice of the task.
        baseline: the strategy that the stars compare with; None for the suite's own.
        style: how intervals are written.
    """

    tasks: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    slice: str = "all"
    baseline: str | None = None
    style: Style = "subscript"

    def check(self, runs: Sequence[Run]) -> None:
        """Refuse names that exist in none of the runs.

        Raises:
            DataError: there is such a name; the message lists those that exist.
        """
        self._known("task", self.tasks, runs, lambda row: row.task)
        self._known("measure", self.measures, runs, lambda row: str(row.measure))
        self._known("slice", (self.slice,), runs, lambda row: row.slice)
        if self.baseline is not None:
            self._known("strategy", (self.baseline,), runs, lambda row: row.strategy)

    def chosen(self, run: Run, task: str, generated: bool) -> list[Row]:
        """The rows of one table, measures in the request's order."""
        rows = [
            row
            for row in run.rows
            if (row.task, row.slice) == (task, self.slice)
            and (row.generator is not None) == generated
            and (not self.measures or str(row.measure) in self.measures)
        ]
        order = {name: i for i, name in enumerate(self.measures)}
        return sorted(rows, key=lambda row: order.get(str(row.measure), 0))

    def nothing(self, runs: Sequence[Run]) -> str:
        """The message where each name exists, but no number has all of them."""
        rows = [row for run in runs for row in run.rows if row.slice == self.slice]
        available = dict.fromkeys(
            f"{row.task}: {row.measure}" for row in rows if not self.tasks or row.task in self.tasks
        )
        wanted = ", ".join((*self.tasks, *self.measures)) or "anything"
        known = ", ".join(available) or "nothing"
        return f"no number for {wanted} on the slice {self.slice!r}; there is {known}"

    def _known(
        self,
        kind: str,
        names: Iterable[str],
        runs: Sequence[Run],
        name_of: Callable[[Row], str],
    ) -> None:
        known = {name_of(row) for run in runs for row in run.rows}
        where = ", ".join(run.path.name for run in runs)
        for name in names:
            if name not in known:
                raise DataError(unknown(f"{kind} of {where}", name, known))
