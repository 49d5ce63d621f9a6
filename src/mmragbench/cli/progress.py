"""Progress of a run: bars with the remaining time in a terminal, single lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from mmragbench._digits import counted
from mmragbench.cli.terminal import Terminal


class Count(ProgressColumn):
    """How many are done of how many: `120 of 400 items`."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        return Text(f"{task.completed:,.0f} of {counted(int(task.total), task.fields['unit'])}")


class Left(ProgressColumn):
    """The time that is left, where it can be estimated: a model's items take about the same time
    each; cells do not, so nothing is said of the run."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        seconds = task.time_remaining
        if task.fields["unit"] != "item" or not seconds or task.finished:
            return Text("")
        minutes, rest = divmod(round(seconds), 60)
        return Text(f"about {minutes}:{rest:02d} left")


class Bars:
    """Two bars: the cells of the run, and the items of the model that is working."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._run = self._bars.add_task("run", total=None, unit="cell")
        self._model: TaskID | None = None

    def cell(self, number: int, total: int, label: str) -> None:
        self._bars.update(self._run, description=label, total=total, completed=number - 1)
        self._drop()

    def begin(self, what: str, total: int) -> None:
        if total:
            self._drop()
            self._model = self._bars.add_task(f"  {what}", total=total, unit="item")
        else:
            self._bars.update(self._run, description=what)

    def advance(self, done: int) -> None:
        if self._model is not None:
            self._bars.advance(self._model, done)

    def _drop(self) -> None:
        if self._model is not None:
            self._bars.remove_task(self._model)
            self._model = None


class Lines:
    """A line for each cell and each model that has work, with the seconds since the start."""

    def __init__(self, console: Terminal) -> None:
        self._console, self._began = console, time.monotonic()

    def cell(self, number: int, total: int, label: str) -> None:
        self.begin(f"[{number}/{total}] {label}", 0)

    def begin(self, what: str, total: int) -> None:
        items = f": {total:,} items" if total else ""
        seconds = time.monotonic() - self._began
        self._console.print(f"{seconds:6.1f}s  {what}{items}")

    def advance(self, done: int) -> None:
        pass


@contextmanager
def progress(console: Terminal) -> Iterator[Bars | Lines]:
    """Bars in a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        Count(),
        TimeElapsedColumn(),
        Left(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield Bars(bars)
