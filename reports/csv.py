"""CSV for other programs: one row per number, on raw scales."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mmragbench.formats import spreadsheets
from mmragbench.registry import report
from mmragbench.reporting.writing import stem, write
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

COLUMNS = (
    *("task", "relevance", "strategy", "control", "generator", "k", "slice", "measure"),
    *("estimate", "low", "high", "n", "n_failed", "reason", "signature"),
)


@report
def csv(run: Path, target: Path) -> Path:
    """`tables.csv` with every number of the run, and `tables/<task>.csv` with one task's."""
    folder = Run(run)
    for task in folder.tasks:
        rows = [row for row in folder.rows if row.task == task]
        write(target / "tables" / f"{stem(task)}.csv", _text(folder, rows))
    return write(target / "tables.csv", _text(folder, folder.rows))


def _text(run: Run, rows: Iterable[Row]) -> str:
    return spreadsheets.table(COLUMNS, (_cells(run, row) for row in rows))


def _cells(run: Run, row: Row) -> list[object]:
    derived = {
        "relevance": run.tasks[row.task].relevance if row.generator is None else None,
        "control": run.strategies[row.strategy],
    }
    return [derived[name] if name in derived else getattr(row, name) for name in COLUMNS]
