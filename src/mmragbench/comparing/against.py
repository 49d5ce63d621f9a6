"""Contenders against the baseline, measure by measure."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.comparing.evidence import Evidence, RunFolder
from mmragbench.comparing.pairs import Tested, tested


def against(
    run: RunFolder, task: str, baseline: str, slice: str = "all", measures: Sequence[str] = ()
) -> list[Tested]:
    """Each contender less the baseline, wherever both have a number of the task under one generator
    and k; not corrected, because only whoever shows them knows the family.

    Raises:
        DataError: a measure or slice that the run does not have, or its scores are not there.
    """
    cells: dict[tuple[object, ...], list[Evidence]] = {}
    for found in run.evidence(measures):
        if found.task == task:
            cells.setdefault(found.cell, []).append(found)
    controls = run.controls().values()
    return [
        tested(run, each, base, slice)
        for members in cells.values()
        for base in members
        if base.strategy == baseline
        for each in members
        if each is not base and each.strategy not in controls
    ]
