"""The gate: a non-inferiority test of every cell of a run against its baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmragbench._places import check_file
from mmragbench._printable import shortened
from mmragbench.comparing.margins import OTHERWISE, Margin, margins_for
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.gating.cell_results import (
    JSON_NAMES,
    CellResult,
    PairedValues,
    Verdict,
    judge,
    untested,
)
from mmragbench.gating.comparability import (
    Counterparts,
    Problem,
    failed,
    in_data,
    in_sets,
    in_signatures,
    missing_cells,
)
from mmragbench.gating.stored_baseline import (
    Baseline,
    CellLine,
    table_path,
    values_of,
)
from mmragbench.reporting.page.links import ExplorerLink
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Key, Row
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run
from mmragbench.run_folder.score_files import Results, Scored, opened


@dataclass(frozen=True)
class Gate:
    """The result of testing a run against a baseline.

    Attributes:
        run, suite: the run folder, and its suite's name.
        cells: the result of every cell of the baseline (of the chosen measures), in its order.
        problems: what is missing, changed or measured otherwise.
        margins: measure -> the margin that was used.
        new: cells that the run has and the baseline has not; they are not judged.
        left_aside: how many cells of the baseline are of controls, which are not judged.
        require_power: the power below which a cell that holds is not called a pass; None if
            anything goes.
    """

    run: Path
    suite: str
    cells: tuple[CellResult, ...]
    problems: tuple[Problem, ...]
    margins: Mapping[str, Margin]
    new: tuple[str, ...] = ()
    require_power: float | None = None
    left_aside: int = 0

    @property
    def holds(self) -> bool:
        """Whether CI may go on: every cell holds, nothing is missing or changed, and the suite is
        large enough, if that was required."""
        return not (self.problems or self.failing or self.underpowered)

    @property
    def failing(self) -> tuple[CellResult, ...]:
        """Cells that do not hold: regressed first, then those that can't be told. Cells that are
        missing or not comparable are among the problems."""
        chosen = [c for c in self.cells if c.verdict in ("regressed", "can't tell")]
        return tuple(sorted(chosen, key=lambda cell: cell.verdict != "regressed"))

    @property
    def unfailing(self) -> tuple[CellResult, ...]:
        """Cells whose margin is at least what the baseline has to lose: they pass whatever happens,
        unless a loss is shown."""
        return tuple(cell for cell in self.cells if not cell.can_fail)

    @property
    def underpowered(self) -> tuple[CellResult, ...]:
        """Cells that hold, on fewer queries than the required power asks for."""
        if self.require_power is None:
            return ()
        return tuple(c for c in self.cells if c.good and (c.power or 0.0) < self.require_power)

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "holds": self.holds,
            "run": str(self.run),
            "suite": self.suite,
            "require_power": self.require_power,
            "margins": {name: str(margin) for name, margin in self.margins.items()},
            "problems": [problem.row() for problem in self.problems],
            "cells": [
                {**cell.row(), JSON_NAMES["regressed_queries"]: self._regressed(cell)}
                for cell in self.cells
            ],
            "new": list(self.new),
            "left_aside": self.left_aside,
        }

    def _regressed(self, cell: CellResult) -> list[dict[str, Any]]:
        """The queries that lost the most, with their places in the report."""
        return [
            {**asdict(query), "link": self.link(cell, query.query)}
            for query in cell.regressed_queries
        ]

    def link(self, cell: CellResult, query: str) -> str | None:
        """The address of a query in the run's report, with what its system answered; None where there
        is no report."""
        page = self.run / "report" / "index.html"
        if not page.is_file():
            return None
        setting = "" if cell.generator is None else str(Setting(cell.generator, cell.k))
        place = ExplorerLink(
            task=cell.task, measure=cell.measure, setting=setting, a=cell.strategy, query=query
        )
        return f"{page}{place}"


def save_baseline(
    run: Results, path: Path | str, measures: Sequence[str] = (), controls: bool = False
) -> Baseline:
    """Write a baseline: a JSON file for people, and a Parquet file of the same name beside it.

    Args:
        run: a run folder, or files that `score --output` wrote.
        path: the JSON file.
        measures: only these; by default all.
        controls: also the cells of controls, which nobody has to defend.

    Raises:
        MmragbenchError: it is no finished run, lacks a measure, or a component crashed in it; or a
            file can't be written.
    """
    path = Path(path)
    if path == table_path(path):
        raise MmragbenchError(
            f"{path}: a baseline is two files; name the one for people, like {path.with_suffix('.json')}"
        )
    for file in (path, table_path(path)):
        check_file("the baseline", file)
    with opened(run, paths.MANIFEST) as folder:
        _refuse_crashes(folder, measures, controls)
        baseline = Baseline.of(folder, measures, controls)
    baseline.write(path)
    return baseline


def _refuse_crashes(run: Run, measures: Sequence[str], controls: bool) -> None:
    """Raise DataError where a component crashed: a baseline would lack the cell, and no later run
    would be missing it."""
    crashed = {
        row.key: str(row.absence)
        for row in run.rows
        if row.absence and row.absence.crashed and (not measures or str(row.measure) in measures)
        if controls or row.control is None
    }
    if crashed:
        first, reason = next(iter(crashed.items()))
        named = " · ".join(str(part) for part in first if part is not None)
        raise DataError(
            f"{run.path}: {len(crashed):,} numbers are missing since a component crashed, so that a "
            f"baseline would not defend them; first {named}: {shortened(reason, 150)}; fix it and run the "
            "suite again, or name the measures that a baseline should have (--measures)"
        )


def gate(
    run: Results,
    baseline: Path | str,
    margins: Mapping[str, float | str | Margin] | None = None,
    require_power: float | None = None,
    measures: Sequence[str] = (),
    controls: bool = False,
) -> Gate:
    """Test a run against a baseline: non-inferiority, cell by cell.

    Args:
        run: a run folder, or files that `score --output` wrote.
        baseline: a file that `save_baseline` wrote, from the same suite.
        margins: measure (`R@10`, or `R` for all of its cutoffs) -> the loss that matters: `0.02`
            on the measure's scale, or `"5%"` of the baseline's number.
        require_power: 0 to 1; cells that hold with less power do not count as a pass.
        measures: only these; by default all that the baseline has.
        controls: test the baseline's controls too; by default they are left aside.

    Raises:
        MmragbenchError: misuse: no run, no baseline, another suite's, an unknown measure, a margin
            that is none.
    """
    if require_power is not None and not 0 < require_power < 1:
        raise MmragbenchError(f"a power lies between 0 and 1, like 0.8; got {require_power:g}")
    stored = Baseline.read(Path(baseline))
    with opened(run) as folder:
        if folder.suite["name"] != stored.suite:
            raise MmragbenchError(
                f"{baseline} is a baseline of the suite {shortened(stored.suite, 80)!r}, and {folder.path} is a "
                f"run of {folder.suite['name']!r}; give a run of the same suite, or save another baseline"
            )
        chosen = stored.only(measures)
        own = (
            folder.renamed(_same_systems(folder, chosen)) if isinstance(folder, Scored) else folder
        )
        return _gate(own, chosen, margins or {}, require_power, controls)


def _same_systems(run: Scored, baseline: Baseline) -> dict[str, str]:
    """Task -> the baseline's name of its system, where both have one alone: whatever its file is
    called, it is the system to be tested."""
    names: dict[str, set[str]] = {}
    for line in baseline.cells:
        names.setdefault(line.task, set()).add(line.strategy)
    systems: dict[str, set[str]] = {}
    for row in run.rows:
        systems.setdefault(row.task, set()).add(row.strategy)
    return {
        task: next(iter(own))
        for task, own in names.items()
        if len(own) == len(systems.get(task, ())) == 1
    }


def _gate(
    run: Run,
    stored: Baseline,
    margins: Mapping[str, float | str | Margin],
    require_power: float | None,
    controls: bool,
) -> Gate:
    """The gate of an open run: pairs its numbers with the baseline's, tests the comparable ones,
    and lists why the others are not."""
    baseline = stored if controls else stored.without(run.controls)
    lines = baseline.cells
    allowed = _margins(run, baseline, margins)
    rows = {
        row.key: row
        for row in run.rows
        if row.slice == "all" and (controls or row.strategy not in run.controls)
    }
    counterparts = _counterparts(run, baseline, rows)
    pairs = _pairs(run, counterparts, allowed)
    comparable = [pairs[numbers.line.key] for numbers in counterparts if numbers.comparable]
    results = {cell.key: cell for cell in judge(comparable, require_power or 0.8)}
    results |= _unjudged(lines, counterparts, allowed, results.keys())
    units = {str(row.measure): row.measure.info.unit for row in run.rows}
    failures = [failed(pair.line, pair.queries, pair.before, pair.now) for pair in pairs.values()]
    return Gate(
        run=run.path,
        suite=baseline.suite,
        cells=tuple(replace(results[line.key], unit=units.get(line.measure, "")) for line in lines),
        problems=(
            *in_data(baseline, run, {numbers.line.task for numbers in counterparts}),
            *missing_cells(lines, rows),
            *dict.fromkeys(failure for failure in failures if failure),
            *in_sets(counterparts),
            *in_signatures(counterparts),
        ),
        margins=allowed,
        new=tuple(_new(baseline, rows)),
        require_power=require_power,
        left_aside=len(stored.cells) - len(lines),
    )


def _margins(
    run: Run, baseline: Baseline, margins: Mapping[str, float | str | Margin]
) -> dict[str, Margin]:
    """Measure -> margin: the caller's, else the one that the measure itself states."""
    stated = {str(row.measure): row.measure.info.margin for row in run.rows}
    defaults = {name: stated.get(name, OTHERWISE) for name in baseline.measures}
    return margins_for(defaults, margins)


def _counterparts(run: Run, baseline: Baseline, rows: Mapping[Key, Row]) -> list[Counterparts]:
    """The numbers that both the baseline and the run have, in the baseline's order."""
    measures_now = {key.measure for key in rows}
    measures = [name for name in baseline.measures if name in measures_now]
    evidence = {number.key: number for number in run.evidence(measures)} if measures else {}
    return [
        Counterparts(line, _scored(baseline, line), evidence[line.key])
        for line in baseline.cells
        if line.key in evidence
    ]


def _new(baseline: Baseline, rows: Mapping[Key, Row]) -> Iterator[str]:
    """The names of the run's numbers that the baseline lacks."""
    for key, row in rows.items():
        if key not in baseline.values and row.estimate is not None:
            yield " · ".join(str(part) for part in key if part is not None)


def _scored(baseline: Baseline, line: CellLine) -> dict[str, float]:
    """Query -> its value in the baseline, where it has one."""
    values = baseline.values[line.key]
    queries = np.asarray(baseline.items[line.task].queries, dtype=object)
    scored = np.isfinite(values)
    return dict(zip(queries[scored].tolist(), values[scored].tolist(), strict=True))


def _pairs(
    run: Run,
    counterparts: Sequence[Counterparts],
    margins: Mapping[str, Margin],
) -> dict[Key, PairedValues]:
    """Cell -> its values before and now, query by query."""
    tasks = dict.fromkeys(numbers.line.task for numbers in counterparts)
    groups = {task: run.groups(task) for task in tasks}
    return {
        numbers.line.key: _pair(run, numbers, groups[numbers.line.task], margins)
        for numbers in counterparts
    }


def _pair(
    run: Run, numbers: Counterparts, groups: Mapping[str, str], margins: Mapping[str, Margin]
) -> PairedValues:
    """A cell's values on the queries that the baseline scored and the run has."""
    line, evidence = numbers.line, numbers.evidence
    queries = [query for query in numbers.before if query in groups]
    now = values_of(evidence, queries)
    added = bool(numbers.queries_now - numbers.before.keys()) and np.isfinite(now).any()
    return PairedValues(
        line=line,
        estimate=float(np.nanmean(now)) if added else evidence.estimate,
        margin=margins[line.measure].of(line.estimate),
        queries=queries,
        groups=[groups[query] for query in queries],
        before=np.asarray([numbers.before[query] for query in queries], dtype=np.float32),
        now=now,
        bounds=evidence.bounds if evidence.features is None else None,
        lower_is_better=evidence.measure.info.better == "lower",
        family=_family(run, line),
    )


def _family(run: Run, line: CellLine) -> str:
    """The cells of a task that answer one question, as in a report: those of its primary measure,
    and those of all others; each control's are apart."""
    rank = "primary" if line.measure == run.primary(line.task) else "secondary"
    control = line.strategy in run.controls
    return f"{rank} of {line.strategy}" if control else rank


def _unjudged(
    lines: Sequence[CellLine],
    counterparts: Sequence[Counterparts],
    margins: Mapping[str, Margin],
    judged: Set[Key],
) -> dict[Key, CellResult]:
    """The results of cells without a test: not comparable, or missing in the run."""
    estimates = {numbers.line.key: numbers.evidence.estimate for numbers in counterparts}
    results = {}
    for line in lines:
        if line.key not in judged:
            margin = margins[line.measure].of(line.estimate)
            verdict: Verdict = "not comparable" if line.key in estimates else "missing"
            results[line.key] = untested(line, margin, estimates.get(line.key), verdict)
    return results
