"""`mmragbench equivalence`: tests whether strategies are as good as each other, but for a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mmragbench._digits import number, p_value
from mmragbench.cli.arguments import RunArgument
from mmragbench.cli.gate import margins_of
from mmragbench.cli.terminal import Terminal, wide
from mmragbench.run_folder.paths import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmragbench.comparing.equivalence import Equivalence


def equivalence(
    run: RunArgument,
    measures: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    margin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=DIFFERENCE",
            help="The smallest difference that matters, CIDEr=0.02; by default the gate's margins.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Rows instead of a table.")] = False,
) -> None:
    """Show that strategies are as good as each other, or as a control, but for a margin."""
    from mmragbench.comparing.equivalence import equivalences
    from mmragbench.run_folder.files import unlisted
    from mmragbench.run_folder.reading import open_run

    chosen = [name.strip() for name in measures.split(",") if name.strip()]
    with unlisted(run):
        folder = open_run(run)
        rows = equivalences(folder, margins_of(margin or ()), chosen)
        measured = dict.fromkeys(str(row.measure) for row in folder.rows)
    if as_json:
        Terminal().as_json([row.row() for row in rows])
        return
    tested = {row.measure for row in rows}
    _show(rows, [name for name in chosen or measured if name not in tested])


def _show(rows: Sequence[Equivalence], untested: Sequence[str]) -> None:
    console = wide()
    if rows:
        table = Table("task", "measure", "a", "b", "a - b", "margin", "p (Holm)", "", box=None)
        for row in rows:
            generated = f" {Setting(row.generator, row.k)}" if row.generator else ""
            table.add_row(
                f"{row.task}{generated}",
                row.measure,
                row.a,
                row.b,
                number(row.difference, "+"),
                f"{row.margin:g}",
                p_value(row.p_holm),
                f"equivalent within ±{row.margin:g}" if row.equivalent else "not shown",
            )
        console.print(table)
        console.print(
            "Two one-sided tests a pair (p: of a difference of the margin or more), corrected (Holm) "
            "over a task's pairs by one measure: of contenders, and of those with each control."
        )
    if untested:
        console.print(
            f"Not tested, for want of pairs, of values by query, or of a margin on its own scale "
            f"(--margin): {', '.join(untested)}."
        )
