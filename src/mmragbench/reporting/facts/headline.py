"""The cell that stands for a task: its primary measure, under the setting of its best contender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.records import Measure
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.units import lower_is_better
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run, TaskFacts


@dataclass(frozen=True)
class Headline:
    """One task's main numbers.

    Attributes:
        task: what `task.json` says of it.
        rows: the primary measure's number of each strategy under one generator and k, on all queries;
            those without a number are left out.
        without_documents: the primary measure's numbers of other generators that are shown nothing
            (k = 0).
        missing: contenders without a number here -> why.
        pairs: of contenders, in this cell.
        controls: contenders (`a`) against controls (`b`), in this cell.
    """

    task: TaskFacts
    rows: tuple[Row, ...]
    without_documents: tuple[Row, ...]
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


def headlines(run: Run) -> list[Headline]:
    """The headline of each task whose primary measure has a number for at least one contender."""
    headlines = (_headline(run, facts) for facts in run.tasks.values())
    return [headline for headline in headlines if headline]


def goodness(row: Row) -> float:
    """The estimate, negated where lower is better."""
    value = row.estimate or 0.0
    return -value if lower_is_better(row.measure) else value


def _headline(run: Run, facts: TaskFacts) -> Headline | None:
    every = [row for row in run.rows if (row.task, row.slice) == (facts.name, "all")]
    primary = run.primary(facts.name)
    main = [row for row in every if str(row.measure) == primary and row.estimate is not None]
    contenders = [row for row in main if run.strategies[row.strategy] is None]
    if not contenders:
        return None
    top = max(_drawn(facts, contenders), key=goodness)
    cell = [row for row in main if (row.generator, row.k) == (top.generator, top.k)]
    without_documents = [row for row in main if row.k == 0 and row not in cell]
    return Headline(
        facts,
        tuple(cell),
        tuple(without_documents),
        _missing(run, every, top),
        _of_cell(of_contenders(run), top),
        _of_cell(against_controls(run), top),
    )


def _drawn(facts: TaskFacts, contenders: Sequence[Row]) -> Sequence[Row]:
    """Contenders without those whose pictures are documents, where others draw: a real picture's
    nearness to real ones says nothing of drawing."""
    drawn = [row for row in contenders if facts.output == "image" and not row.copies]
    return drawn or contenders


def _missing(run: Run, every: Sequence[Row], top: Row) -> dict[str, str]:
    """Contender -> why it has no number in the cell of the best one."""
    return {
        row.strategy: str(row.absence or "") or f"all {row.n_failed:,} failed"
        for row in every
        if run.strategies[row.strategy] is None
        and row.estimate is None
        and (row.measure, row.generator, row.k) == (top.measure, top.generator, top.k)
    }


def _of_cell(pairs: Sequence[Json], top: Row) -> tuple[Json, ...]:
    cell = CellKey.of_row(top)
    return tuple(pair for pair in pairs if CellKey.of_pair(pair) == cell)
