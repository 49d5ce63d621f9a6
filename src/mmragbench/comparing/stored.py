"""The comparisons within a run, as it stored them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mmragbench.run_folder import paths
from mmragbench.run_folder.files import reading
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run

if TYPE_CHECKING:
    from mmragbench.comparing.pairs import Pair


def comparisons(run: Run) -> list[Pair]:
    """All comparisons of a run."""
    from mmragbench.comparing.pairs import Pair  # scipy is not imported to list reports

    with reading(run.path / paths.COMPARISONS):
        return [Pair(**row) for row in run.files.rows(paths.COMPARISONS)]


def of_contenders(run: Run) -> list[Json]:
    """The rows of contenders with each other, for a report."""
    return [row for row in _rows(run) if row["b"] not in run.controls]


def against_controls(run: Run) -> list[Json]:
    """The rows of contenders (`a`) against controls (`b`), for a report."""
    return [row for row in _rows(run) if row["b"] in run.controls]


def _rows(run: Run) -> list[Json]:
    """The rows by measures that the summary has."""
    return [row for row in _stored(run) if row["measure"] in run.measures]


@lru_cache(maxsize=8)
def _stored(run: Run) -> list[Json]:
    return run.files.rows(paths.COMPARISONS)
