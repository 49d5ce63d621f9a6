"""Letters at numbers: strategies that share one can't be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmragbench.comparing.stored import of_contenders
from mmragbench.reporting.facts.families import families, within
from mmragbench.reporting.facts.units import lower_is_better
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run

Key = tuple[str, str | None, int | None, str, str]
"""Task, generator, k, slice, measure."""


def marks(run: Run, rows: Iterable[Row]) -> dict[tuple[Key, str], str]:
    """(cell, strategy) -> its letters, best first; nothing where no pair was compared."""
    pairs = _by_cell(run)
    cells: dict[Key, list[Row]] = {}
    for row in rows:
        if row.estimate is not None:
            cells.setdefault(key_of(row), []).append(row)
    letters_of = {}
    for key, members in cells.items():
        for strategy, letters in _letters(members, pairs.get(key, [])).items():
            letters_of[key, strategy] = letters
    return letters_of


def legend(run: Run, rows: Iterable[Row]) -> str:
    """What letters at these rows mean, and in which families they were corrected."""
    pairs = _by_cell(run)
    own = [pair for key in dict.fromkeys(map(key_of, rows)) for pair in pairs.get(key, [])]
    if all(pair["verdict"] == "identical" for pair in own):
        return "Strategies that share a letter have the same value on every query."
    return (
        "Strategies that share a letter can't be told apart: paired tests on the queries' groups, "
        f"0.05 after Holm's correction {within(families(own))}."
    )


def _by_cell(run: Run) -> dict[Key, list[Json]]:
    pairs: dict[Key, list[Json]] = {}
    for pair in of_contenders(run):
        key = (pair["task"], pair["generator"], pair["k"], pair["slice"], pair["measure"])
        pairs.setdefault(key, []).append(pair)
    return pairs


def key_of(row: Row) -> Key:
    """The cell that a row belongs to, whatever its strategy."""
    return (row.task, row.generator, row.k, row.slice, str(row.measure))


def _letters(rows: Sequence[Row], pairs: Sequence[Json]) -> dict[str, str]:
    import numpy as np

    from mmragbench.statistics import indistinguishable_groups

    compared = {name for pair in pairs for name in (pair["a"], pair["b"])}
    sign = 1 if rows and lower_is_better(rows[0].measure) else -1
    ordered = sorted(
        (row for row in rows if row.strategy in compared),
        key=lambda row: sign * (row.estimate or 0),
    )
    names = [row.strategy for row in ordered]
    if len(names) < 2:
        return {}
    p = np.full((len(names), len(names)), np.nan)
    for pair in pairs:
        if pair["a"] in names and pair["b"] in names:
            i, j = names.index(pair["a"]), names.index(pair["b"])
            p[i, j] = p[j, i] = pair["p_holm"]  # None is nan: identical, so not told apart
    return dict(zip(names, indistinguishable_groups(names, p), strict=True))
