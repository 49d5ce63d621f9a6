"""The comparisons within a run, as it stored them; of a run that was written before there were
families of tests, made anew from its scores."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mmragbench.run_folder import paths
from mmragbench.run_folder.files import NotStored, reading
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run

if TYPE_CHECKING:
    from mmragbench.comparing.pairs import Pair


def comparisons(run: Run) -> list[Pair]:
    """All of them.

    Raises:
        NotStored: they have to be made anew, and the scores are not there.
    """
    from mmragbench.comparing.families import within  # scipy is not imported to list reports
    from mmragbench.comparing.pairs import Pair

    rows = run.files.rows(paths.COMPARISONS)
    if not rows or any("family" not in row for row in rows):
        return within(run)
    with reading(run.path / paths.COMPARISONS):
        return [Pair(**row) for row in rows]


def of_contenders(run: Run) -> list[Json]:
    """Rows of contenders with each other, for a report; which are corrected together,
    `comparing.families` says."""
    return [row for row in _rows(run) if row["b"] not in run.controls]


def against_controls(run: Run) -> list[Json]:
    """Rows of contenders (`a`) against controls (`b`), for a report."""
    return [row for row in _rows(run) if row["b"] in run.controls]


def _rows(run: Run) -> list[Json]:
    """Those by measures that the summary has."""
    return [row for row in _stored(run) if row["measure"] in run.measures]


@lru_cache(maxsize=8)
def _stored(run: Run) -> list[Json]:
    rows = run.files.rows(paths.COMPARISONS)
    if all("family" in row for row in rows):
        return rows
    from mmragbench.comparing.families import within

    try:
        return [pair.row() for pair in within(run)]
    except NotStored:
        return [_without_family(row) for row in rows]


def _without_family(row: Json) -> Json:
    """A comparison that can't be corrected in a family. Two that are the same on every query were
    stored with an interval of nothing."""
    nothing = row["difference"] == row["low"] == row["high"] == 0
    verdict = "identical" if row.get("identical", nothing) else row["verdict"]
    return {**row, "family": None, "tests": None, "verdict": verdict}
