"""Links from the report's numbers, marks and failures to their queries in the explorer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from mmragbench.reporting.facts.forest import Contrast, Forest
from mmragbench.reporting.facts.issues import Case
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.rivals import Rivals
from mmragbench.reporting.page.links import ExplorerLink, Only
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.paths import RETRIEVAL, Setting
from mmragbench.run_folder.reading import Run


def unlinked(*_: object) -> str:
    """No link: for figures outside of a page."""
    return ""


@dataclass(frozen=True)
class QueryLinks:
    """The addresses as texts; empty for a task that the explorer does not show.

    `tasks` are those that it shows.
    """

    run: Run
    tasks: Collection[str]

    @cached_property
    def _rivals(self) -> Rivals:
        return Rivals(self.run)

    def of_row(self, row: Row | None) -> str:
        """A number's: its strategy beside the baseline or the best other one. Empty for a control that
        nothing is compared with, and where there is no number."""
        if row is None or row.task not in self.tasks or row.estimate is None:
            return ""
        rival = self._rivals.of(CellKey.of_row(row), row.strategy)
        return str(replace(_cell(row), a=row.strategy, b=rival))

    def of_failed(self, row: Row | None) -> str:
        """The queries that failed of a number."""
        if row is None or row.task not in self.tasks:
            return ""
        setting = _name(Setting(row.generator, row.k))
        return str(ExplorerLink(task=row.task, setting=setting, a=row.strategy, only="failed"))

    def of_contrast(self, forest: Forest, contrast: Contrast, only: Only | None = None) -> str:
        """A difference's; `only` its wins, ties or losses."""
        if forest.task not in self.tasks:
            return ""
        return str(replace(_cell(forest), a=contrast.a, b=contrast.b, only=only or ""))

    def of_failure(self, case: Case) -> str:
        """A failed query's; of a cell that failed altogether, all that failed."""
        if case.task not in self.tasks:
            return ""
        return str(
            ExplorerLink(
                task=case.task,
                setting=_name(case.setting),
                a=case.strategy,
                only="failed",
                query=case.query,
            )
        )


def _cell(shown: Row | Forest) -> ExplorerLink:
    """The link to task, measure, setting and slice of what is shown."""
    return ExplorerLink(
        task=shown.task,
        measure=str(shown.measure),
        setting=_name(Setting(shown.generator, shown.k)),
        slice="" if shown.slice == "all" else shown.slice,
    )


def _name(setting: Setting) -> str:
    return "" if setting == RETRIEVAL else str(setting)
