"""The cell that stands for a task: its primary measure, under the setting that holds its best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmragbench.records import Measure
from mmragbench.reporting.facts.units import lower_is_better
from mmragbench.run_folder.report_data import Json, Row, RunFolder, TaskFacts


@dataclass(frozen=True)
class Headline:
    """One task's main numbers.

    Attributes:
        task: what `task.json` says of it.
        rows: the primary measure's number of each strategy under one generator and k, on all queries;
            those without a number are left out.
        alone: the primary measure's numbers of generators that are shown nothing (k = 0).
        missing: contenders without a number here -> why.
        pairs: of contenders, in this cell.
        controls: contenders (`a`) against controls (`b`), in this cell.
    """

    task: TaskFacts
    rows: tuple[Row, ...]
    alone: tuple[Row, ...]
    missing: dict[str, str]
    pairs: tuple[Json, ...]
    controls: tuple[Json, ...]

    @property
    def measure(self) -> Measure:
        return self.rows[0].measure

    @property
    def generator(self) -> str | None:
        return self.rows[0].generator

    @property
    def k(self) -> int | None:
        return self.rows[0].k

    def row(self, strategy: str) -> Row | None:
        """The strategy's number here, if it has one."""
        return next((row for row in self.rows if row.strategy == strategy), None)


def headlines(run: RunFolder) -> list[Headline]:
    """One for each task whose primary measure has a number for at least one contender."""
    return [found for facts in run.tasks.values() for found in _headline(run, facts)]


def goodness(row: Row) -> float:
    """The estimate, negated where lower is better."""
    value = row.estimate or 0.0
    return -value if lower_is_better(row.measure) else value


def _headline(run: RunFolder, facts: TaskFacts) -> Iterator[Headline]:
    every = [row for row in run.rows if (row.task, row.slice) == (facts.name, "all")]
    primary = run.primary(facts.name)
    main = [row for row in every if str(row.measure) == primary and row.estimate is not None]
    contenders = [row for row in main if run.strategies[row.strategy] is None]
    if contenders:
        top = max(contenders, key=goodness)
        cell = [row for row in main if (row.generator, row.k) == (top.generator, top.k)]
        alone = [row for row in main if row.k == 0 and row not in cell]
        yield Headline(
            facts,
            tuple(cell),
            tuple(alone),
            _missing(run, every, top),
            _of_cell(run.comparisons, top),
            _of_cell(run.against_controls, top),
        )


def _missing(run: RunFolder, every: Sequence[Row], top: Row) -> dict[str, str]:
    """Contenders that were asked and have no number where the best one has its."""
    return {
        row.strategy: str(row.absence or "") or f"all {row.n_failed:,} failed"
        for row in every
        if run.strategies[row.strategy] is None
        and row.estimate is None
        and (row.measure, row.generator, row.k) == (top.measure, top.generator, top.k)
    }


def _of_cell(pairs: Sequence[Json], top: Row) -> tuple[Json, ...]:
    cell = (top.task, top.generator, top.k, "all", str(top.measure))
    keys = ("task", "generator", "k", "slice", "measure")
    return tuple(pair for pair in pairs if tuple(pair[key] for key in keys) == cell)
