"""Letters at numbers: strategies that share one do not differ significantly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mmragbench.comparing.stored import of_contenders
from mmragbench.reporting.facts.shown_families import families, within
from mmragbench.reporting.facts.units import lower_is_better
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run


class CellKey(NamedTuple):
    """What numbers and pairs that may be compared have in common."""

    task: str
    generator: str | None
    k: int | None
    slice: str
    measure: str

    @classmethod
    def of_row(cls, row: Row) -> CellKey:
        """The cell of a row of the summary, whatever its strategy."""
        return cls(row.task, row.generator, row.k, row.slice, str(row.measure))

    @classmethod
    def of_pair(cls, pair: Json) -> CellKey:
        """The cell of a row of `comparisons.json`, whatever its strategies."""
        return cls(pair["task"], pair["generator"], pair["k"], pair["slice"], pair["measure"])


def marks(run: Run, rows: Iterable[Row]) -> dict[tuple[CellKey, str], str]:
    """(cell, strategy) -> its letters, best first; nothing where no pair was compared."""
    pairs = _by_cell(run)
    cells: dict[CellKey, list[Row]] = {}
    for row in rows:
        if row.estimate is not None:
            cells.setdefault(CellKey.of_row(row), []).append(row)
    letters_of = {}
    for key, members in cells.items():
        for strategy, letters in _letters(members, pairs.get(key, [])).items():
            letters_of[key, strategy] = letters
    return letters_of


def family_note(run: Run, rows: Iterable[Row]) -> str:
    """The families in which the tests behind the letters at these rows were corrected; empty where there
    was no test, since all that share a letter are identical."""
    pairs = _by_cell(run)
    keys = dict.fromkeys(map(CellKey.of_row, rows))
    shown = [pair for key in keys for pair in pairs.get(key, [])]
    if all(pair["verdict"] == "identical" for pair in shown):
        return ""
    return within(families(run, shown))


def legend(families: str) -> str:
    """What letters mean, from their `family_note`."""
    if not families:
        return "Strategies that share a letter have the same value on every query."
    return (
        "Between strategies that share a letter no difference was shown: paired tests on the queries' "
        f"groups, 0.05 after Holm's correction {families}."
    )


def _by_cell(run: Run) -> dict[CellKey, list[Json]]:
    pairs: dict[CellKey, list[Json]] = {}
    for pair in of_contenders(run):
        pairs.setdefault(CellKey.of_pair(pair), []).append(pair)
    return pairs


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
