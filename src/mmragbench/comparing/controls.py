"""Contenders against the controls: is a strategy better than chance, does retrieval help, and is
the ceiling one?"""

from __future__ import annotations

from itertools import groupby

from mmragbench.comparing.evidence import Evidence, RunFolder
from mmragbench.comparing.main import main_measure
from mmragbench.comparing.pairs import Pair, corrected, tested


def against_controls(run: RunFolder) -> list[Pair]:
    """Each contender less each control that has a number under the same generator and k, by the
    main measure, on all queries.

    Each control asks a question of its own, so that Holm's correction is over one control's pairs
    in one table (a task's rankings, or its outputs). The families of `pairs.families`, which
    compare contenders with each other, are corrected apart from these.
    """
    controls = list(run.controls().values())
    pairs = [pair for members in _cells(run) for pair in _pairs(members, controls)]
    ordered = sorted(pairs, key=_family)
    found = []
    for _, family in groupby(ordered, key=_family):
        found += corrected([tested(run, a, b, "all") for a, b in family], "all")
    return found


def _cells(run: RunFolder) -> list[list[Evidence]]:
    """What shares task, generator and k, by the main measure."""
    every = list(run.evidence())
    tables: dict[tuple[str, bool], list[Evidence]] = {}
    for found in every:
        tables.setdefault((found.task, found.generator is not None), []).append(found)
    cells: dict[object, list[Evidence]] = {}
    for (_, generated), members in tables.items():
        main = main_measure((e.measure for e in members), generated)
        for found in members:
            if found.measure == main:
                cells.setdefault(found.cell, []).append(found)
    return list(cells.values())


def _pairs(members: list[Evidence], controls: list[str]) -> list[tuple[Evidence, Evidence]]:
    contenders = [e for e in members if e.strategy not in controls]
    return [(a, b) for b in members if b.strategy in controls for a in contenders]


def _family(pair: tuple[Evidence, Evidence]) -> tuple[str, bool, str]:
    first, control = pair
    return first.task, first.generator is not None, control.strategy
