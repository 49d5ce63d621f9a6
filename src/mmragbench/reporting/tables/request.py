"""What someone wants to see in a paper's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mmragbench.errors import DataError, unknown
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

Style = Literal["subscript", "plusminus", "brackets", "none"]
"""How an interval stands beside its number."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which numbers of the runs, and how.

    Attributes:
        tasks, measures: names, in the order of the columns; empty for all.
        slice: the queries that are asked about; `all` or a slice of the task.
        baseline: whom the stars compare with; None for the suite's own.
        style: how intervals are written.
    """

    tasks: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    slice: str = "all"
    baseline: str | None = None
    style: Style = "subscript"

    def check(self, runs: Sequence[Run]) -> None:
        """Every name that is asked for exists in at least one of the runs.

        Raises:
            DataError: one does not; the line says what there is.
        """
        self._known("task", self.tasks, runs, lambda row: row.task)
        self._known("measure", self.measures, runs, lambda row: str(row.measure))
        self._known("slice", (self.slice,), runs, lambda row: row.slice)
        if self.baseline is not None:
            self._known("strategy", (self.baseline,), runs, lambda row: row.strategy)

    def chosen(self, run: Run, task: str, generated: bool) -> list[Row]:
        """The rows of one table, measures in the order asked for."""
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
        """What to say where each name exists, but no number has all of them."""
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
