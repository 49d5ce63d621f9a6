"""`mmragbench runs`: the runs that lie in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mmragbench.cli.terminal import Terminal, wide
from mmragbench.errors import DataError, MmragbenchError, first_line
from mmragbench.run_folder.finding import RUNS, finished_runs, is_finished

if TYPE_CHECKING:
    from mmragbench.run_folder.reading import Run


def runs(
    folder: Annotated[Path, typer.Argument(help="Where run folders lie, or one of them.")] = RUNS,
    as_json: Annotated[bool, typer.Option("--json", help="Rows instead of a table.")] = False,
) -> None:
    """List runs, the newest first: when, of which suite, and the best strategy of each task."""
    folders = [folder] if is_finished(folder) else finished_runs(folder)
    rows = [_row(path) for path in folders]
    if not rows:
        raise DataError(f"there is no finished run in {folder}; make one: mmragbench run SUITE")
    if as_json:
        Terminal().as_json(rows)
        return
    table = Table("run", "when", "suite", "task", "best", box=None)
    for row in rows:
        first, *more = row["best"] or [{"task": "", "text": row["problem"]}]
        table.add_row(row["run"], row["when"], row["suite"], first["task"], first["text"])
        for best in more:
            table.add_row("", "", "", best["task"], best["text"])
    wide().print(table)


def _row(path: Path) -> dict[str, Any]:
    """What is known of a run; of a damaged one, what is wrong with it."""
    from mmragbench.run_folder.reading import open_run

    row: dict[str, Any] = {"run": str(path), "when": "", "suite": "", "best": [], "problem": ""}
    try:
        run = open_run(path)
        created = str(run.manifest.get("created") or "")[:16].replace("T", " ")
        row |= {"suite": run.name, "when": created, "best": list(_best(run))}
    except MmragbenchError as error:
        row["problem"] = first_line(error)
    return row


def _best(run: Run) -> Iterator[dict[str, Any]]:
    """Each task's best number among the contenders, on its primary measure."""
    from mmragbench.reporting.facts.headline import goodness, headlines
    from mmragbench.reporting.words.phrases import setting
    from mmragbench.reporting.words.scale import Scale

    for headline in headlines(run):
        contenders = [row for row in headline.rows if row.control is None]
        top = max(contenders, key=goodness)
        scale, where = Scale.of(headline.rows), setting(headline.generator, headline.k)
        parts = (top.strategy, headline.measure.label, scale.bounded(top), where)
        yield {
            "task": headline.task.name,
            "strategy": top.strategy,
            "measure": str(headline.measure),
            "estimate": top.estimate,
            "text": " ".join(part for part in parts if part),
        }
