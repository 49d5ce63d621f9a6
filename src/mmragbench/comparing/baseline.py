"""The choice of a run's comparisons that is shown."""

from __future__ import annotations

from collections.abc import Container, Sequence

from mmragbench.comparing.pairs import Pair
from mmragbench.comparing.stored import comparisons
from mmragbench.errors import MmragbenchError
from mmragbench.run_folder.numbers import Cell
from mmragbench.run_folder.reading import Run


def against(
    run: Run, baseline: str | None, slice: str = "all", measures: Sequence[str] = ()
) -> list[Pair]:
    """The comparisons of each strategy with the baseline; in cells where that has no number, and without
    a baseline, all pairs of contenders. The choice moves no verdict (`comparing.families`).

    Raises:
        MmragbenchError: the run has no such strategy, measure or slice.
    """
    if baseline is not None and baseline not in run.strategies:
        known = ", ".join(run.strategies)
        raise MmragbenchError(f"{run.path} has no strategy {baseline!r}; it has {known}")
    run.check(slice, measures)
    pairs = [
        pair
        for pair in comparisons(run)
        if pair.slice == slice and (not measures or pair.measure in measures)
    ]
    return to_baseline(pairs, baseline, run.controls)


def to_baseline(
    pairs: Sequence[Pair], baseline: str | None, controls: Container[str] = ()
) -> list[Pair]:
    """The comparisons with the baseline, which comes second; in cells that have none, those of
    contenders."""
    cells: dict[Cell, list[Pair]] = {}
    for pair in pairs:
        cells.setdefault(pair.cell, []).append(pair)
    chosen = []
    for own in cells.values():
        with_it = [p if p.b == baseline else p.turned() for p in own if baseline in (p.a, p.b)]
        chosen += with_it or [pair for pair in own if pair.b not in controls]
    return chosen
