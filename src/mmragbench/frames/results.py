"""`Results`: the tables and figures of loaded runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench.errors import DataError, unknown
from mmragbench.frames.heading import html
from mmragbench.run_folder.files import unlisted
from mmragbench.run_folder.reading import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from mmragbench.reporting.facts.paper_plot import Plot


class Results:
    """One run's results, or several runs'.

    Every table is a data frame, read when it is first used. With several runs, each has a
    column `run` in front. Columns that name things are categories in the suite's order; NaN (or
    `<NA>`) is missing; what failed has its reason in a column of its own.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Results of these runs, of which nothing is read yet.

        Args:
            folders: a run's name -> its folder.
        """
        self._runs = {name: Run(path) for name, path in folders.items()}

    @property
    def runs(self) -> list[str]:
        """The runs' names."""
        return list(self._runs)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row for each number: task, strategy, generator, k, slice, measure; estimate, its 95 % interval
        (low, high), n, n_failed; the reason where there is no number, a warning, the signature.

        Estimates are on the measures' own scales (CIDEr 0 to 10, rates 0 to 1).
        """
        return self._table("summary")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row for each measure and query: task, strategy, generator, k, query, measure; its value or the
        error in its place.

        With neither, the query has no gold for the measure. `influence` is there for measures of
        the set (Bleu, METEOR): values whose mean is the estimate.
        """
        return self._table("scores")

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """A row for each pair of strategies and measure: a, b, the difference a - b with its 95 % interval;
        the family of tests that it is corrected with (primary, secondary, slices; each of contenders
        with each other, or against one control) and how many tests that has; p_value, p_holm,
        verdict on a, n, and the queries needed where no difference was shown. A pair that is
        identical on every query is in no family."""
        return self._table("comparisons")

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row for each model in a phase of a cell: calls, items, those of them that were cached or
        failed, the model's seconds, tokens, dollars, retries."""
        return self._table("costs")

    @cached_property
    def times(self) -> pd.DataFrame:
        """A row for each phase of a cell (index, retrieve, generate): seconds by the clock, models
        included."""
        return self._table("times")

    @cached_property
    def outputs(self) -> pd.DataFrame:
        """A row for each answer: query; text, or image (a thumbnail below the run folder), or error; the
        documents that were shown, and the prompt."""
        return self._table("outputs")

    @cached_property
    def rankings(self) -> pd.DataFrame:
        """A row for each hit: task, strategy, query, rank (1 is best), document, score."""
        return self._table("rankings")

    @cached_property
    def queries(self) -> pd.DataFrame:
        """A row for each query of a task: its group (queries about one image are resampled together) and
        a list of its slices (`explode` it to filter)."""
        return self._table("queries")

    @cached_property
    def failures(self) -> pd.DataFrame:
        """A row for each query that a generator did not answer, with the error."""
        return self._table("failures")

    def compare(
        self, baseline: str | None = None, measures: Sequence[str] | str = (), slice: str = "all"
    ) -> pd.DataFrame:
        """A choice of `comparisons`, as `mmragbench compare` shows it; the choice moves no verdict.

        Args:
            baseline: the strategy that others are compared with; the suite's by default. `all`
                compares all pairs, as is done where the baseline has no number.
            measures: some of them, or all.
            slice: the queries of this slice only.

        Raises:
            MmragbenchError: the run has no such strategy, measure or slice.
        """
        from mmragbench.comparing.baseline import against
        from mmragbench.frames.tables import COMPARISONS, frame, order
        from mmragbench.run_folder.reading import open_run

        chosen = [measures] if isinstance(measures, str) else measures
        parts = []
        for run in self._runs.values():
            with unlisted(run.path):
                name = baseline or run.suite.get("baseline")
                wanted = None if name == "all" else name
                pairs = against(open_run(run.path), wanted, slice, chosen)
                parts.append(frame([pair.row() for pair in pairs], COMPARISONS, order(run)))
        return self._together(parts)

    @property
    def figures(self) -> list[str]:
        """The names that `figure` draws."""
        return list(self._plots)

    def figure(self, name: str) -> Figure:
        """One of the report's figures, in a paper's column width. A notebook shows it once
        `matplotlib.pyplot` is imported.

        Args:
            name: one of `figures`; with several runs it begins with the run's name and a slash.

        Raises:
            DataError: there is no such figure.
        """
        if name not in self._plots:
            raise DataError(unknown("figure", name, self._plots))
        with self._unlisted():
            return self._plots[name].figure()

    @cached_property
    def _plots(self) -> dict[str, Plot]:
        from mmragbench.reporting.paper.figures import figures
        from mmragbench.reporting.tables.request import Request

        several = len(self._runs) > 1
        with self._unlisted():
            return {
                f"{run}/{plot.name}" if several else plot.name: plot
                for run, folder in self._runs.items()
                for plot in figures(folder, Request())
            }

    def _table(self, name: str) -> pd.DataFrame:
        from mmragbench.frames.tables import TABLES

        with self._unlisted():
            return self._together([TABLES[name](run) for run in self._runs.values()])

    def _unlisted(self) -> AbstractContextManager[None]:
        return unlisted(*(run.path for run in self._runs.values()))

    def _together(self, parts: list[pd.DataFrame]) -> pd.DataFrame:
        """One table of all runs: a single run's as it is, several runs' below one another."""
        from mmragbench.frames.tables import joined

        if len(parts) == 1:
            return parts[0]
        columns = {"run": "category", **{str(n): str(kind) for n, kind in parts[0].dtypes.items()}}
        order = {
            name: [value for part in parts for value in part[name].cat.categories]
            for name, kind in columns.items()
            if kind == "category" and name != "run"
        }
        named = zip(self._runs, parts, strict=True)
        return joined([part.assign(run=run) for run, part in named], columns, order)

    def __repr__(self) -> str:
        return f"<mmragbench results of {', '.join(self._runs)}>"

    def _repr_html_(self) -> str:
        """The HTML that a notebook shows."""
        with self._unlisted():
            return "\n".join(html(name, run) for name, run in self._runs.items())
