"""Tables of the terminal: scores, and the differences of two systems."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from mmragbench._digits import interval, number, p_value
from mmragbench.comparing.pairs import Pair
from mmragbench.measuring.scoring import Row


def of_scores(rows: Sequence[Row]) -> Table:
    """A table of measures on their raw scale."""
    table = Table(box=None, pad_edge=False)
    table.add_column("measure")
    for column in ("estimate", "95 % interval", "n", "failed"):
        table.add_column(column, justify="right")
    for row in rows:
        n = "unknown" if row["n"] is None else f"{row['n']:,}"
        table.add_row(
            row["measure"],
            "-" if row["estimate"] is None else number(row["estimate"]),
            interval(row["low"], row["high"]),
            n,
            f"{row['n_failed']:,}",
        )
    return table


def of_differences(pairs: Sequence[Pair]) -> Table:
    """A table of differences, with a row for each measure."""
    table = Table(box=None, pad_edge=False)
    table.add_column("measure")
    for column in ("difference", "95 % interval", "p", "Holm", "n"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for pair in pairs:
        table.add_row(
            pair.measure,
            number(pair.difference, "+"),
            interval(pair.low, pair.high, "+"),
            *("-" if p is None else p_value(p) for p in (pair.p_value, pair.p_holm)),
            f"{pair.n:,}",
            pair.verdict,
        )
    return table
