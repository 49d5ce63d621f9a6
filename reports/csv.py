"""The numbers for other programs: one row per number, on raw scales."""

from __future__ import annotations

import csv as format
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.folder import Row, RunFolder
from mmragbench.reporting.writing import stem, write

COLUMNS = (
    *("task", "relevance", "strategy", "control", "generator", "k", "slice", "measure"),
    *("estimate", "low", "high", "n", "n_failed", "reason", "signature"),
)


@report
def csv(run: Path, target: Path) -> Path:
    """`tables.csv` with every number of the run, and `tables/<task>.csv` with one task's."""
    folder = RunFolder(run)
    for task in folder.tasks:
        rows = [row for row in folder.rows if row.task == task]
        write(target / "tables" / f"{stem(task)}.csv", _text(folder, rows))
    return write(target / "tables.csv", _text(folder, folder.rows))


def _text(run: RunFolder, rows: Iterable[Row]) -> str:
    stream = StringIO()
    writer = format.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        derived = {
            "relevance": run.tasks[row.task].relevance if row.generator is None else None,
            "control": run.strategies[row.strategy],
        }
        writer.writerow(
            [derived[name] if name in derived else getattr(row, name) for name in COLUMNS]
        )
    return stream.getvalue()
