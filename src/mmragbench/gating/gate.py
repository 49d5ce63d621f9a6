"""The gate: does a run hold what its baseline reached?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmragbench._places import check_file
from mmragbench._printable import shortened
from mmragbench.comparing.margins import OTHERWISE, Margin, margins_for
from mmragbench.errors import DataError, MmragbenchError, unknown
from mmragbench.gating.baseline import (
    Baseline,
    CellLine,
    table_path,
    values_of,
)
from mmragbench.gating.cells import Cell, Paired, judge, missing
from mmragbench.gating.problems import (
    Problem,
    Side,
    failed,
    in_data,
    in_sets,
    in_signatures,
    missing_cells,
)
from mmragbench.run_folder import paths
from mmragbench.run_folder.files import unlisted
from mmragbench.run_folder.numbers import Evidence, Key, Row
from mmragbench.run_folder.reading import Run, open_run


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    Attributes:
        run, suite: the run folder, and its suite's name.
        cells: every cell of the baseline (of the measures asked for), in its order.
        problems: what is missing, changed or measured otherwise.
        margins: measure -> the margin that was used.
        new: cells that the run has and the baseline has not; they are not judged.
        require_power: the power below which a cell that holds is not called a pass; None if
            anything goes.
    """

    run: Path
    suite: str
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...]
    margins: Mapping[str, Margin]
    new: tuple[str, ...] = ()
    require_power: float | None = None

    @property
    def holds(self) -> bool:
        """Whether CI may go on: every cell holds, nothing is missing or changed, and the suite is
        large enough, if that was required."""
        return not (self.problems or self.failing or self.underpowered)

    @property
    def failing(self) -> tuple[Cell, ...]:
        """Cells that do not hold: regressed first, then those that can't be told. Cells that are
        missing or not comparable are among the problems."""
        chosen = [c for c in self.cells if c.verdict in ("regressed", "can't tell")]
        return tuple(sorted(chosen, key=lambda cell: cell.verdict != "regressed"))

    @property
    def unfailing(self) -> tuple[Cell, ...]:
        """Cells whose margin is at least what the baseline has to lose: they pass whatever happens,
        unless a loss is shown."""
        return tuple(cell for cell in self.cells if not cell.can_fail)

    @property
    def underpowered(self) -> tuple[Cell, ...]:
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
            "cells": [cell.row() for cell in self.cells],
            "new": list(self.new),
        }


def save_baseline(run: Path | str, path: Path | str, measures: Sequence[str] = ()) -> Baseline:
    """Write a run's baseline, of some measures or of all: a JSON file for people, and a Parquet file
    of the same name beside it.

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
    with unlisted(Path(run)):
        folder = open_run(run, paths.MANIFEST)
        _refuse_crashes(folder, measures)
        baseline = Baseline.of(folder, measures)
    baseline.write(path)
    return baseline


def _refuse_crashes(run: Run, measures: Sequence[str]) -> None:
    """A cell that crashed would be in no baseline, and never be missed."""
    crashed = {
        row.key: str(row.absence)
        for row in run.rows
        if row.absence and row.absence.crashed and (not measures or str(row.measure) in measures)
    }
    if crashed:
        first, reason = next(iter(crashed.items()))
        named = " · ".join(str(part) for part in first if part is not None)
        raise DataError(
            f"{run.path}: {len(crashed):,} numbers are missing since a component crashed, so that a "
            f"baseline would not defend them; first {named}: {shortened(reason, 150)}; mend it and run the "
            "suite again, or name the measures that a baseline should have (--measures)"
        )


def gate(
    run: Path | str,
    baseline: Path | str,
    margins: Mapping[str, float | str | Margin] | None = None,
    require_power: float | None = None,
    measures: Sequence[str] = (),
) -> Gate:
    """Test a run against a baseline: non-inferiority, cell by cell.

    Args:
        run: a run folder.
        baseline: a file that `save_baseline` wrote, from the same suite.
        margins: measure (`R@10`, or `R` for all of its cutoffs) -> the loss that matters: `0.02`
            on the measure's scale, or `"5%"` of the baseline's number.
        require_power: 0 to 1; cells that hold with less power do not count as a pass.
        measures: only these; by default all that the baseline has.

    Raises:
        MmragbenchError: misuse: no run, no baseline, another suite's, an unknown measure, a margin
            that is none.
    """
    if require_power is not None and not 0 < require_power < 1:
        raise MmragbenchError(f"a power lies between 0 and 1, like 0.8; got {require_power:g}")
    saved = Baseline.read(Path(baseline))
    with unlisted(Path(run)):
        folder = open_run(run)
        if folder.suite["name"] != saved.suite:
            raise MmragbenchError(
                f"{baseline} is a baseline of the suite {shortened(saved.suite, 80)!r}, and {run} is a run of "
                f"{folder.suite['name']!r}; give a run of the same suite, or save another baseline"
            )
        lines = _chosen(saved, measures)
        return _gate(folder, saved, lines, margins or {}, require_power)


def _gate(
    run: Run,
    baseline: Baseline,
    lines: Sequence[CellLine],
    margins: Mapping[str, float | str | Margin],
    require_power: float | None,
) -> Gate:
    names = list(dict.fromkeys(line.measure for line in lines))
    stated = {str(row.measure): row.measure.info.margin for row in run.rows}
    allowed = margins_for({name: stated.get(name, OTHERWISE) for name in names}, margins)
    rows = {row.key: row for row in run.rows if row.slice == "all"}
    tasks = {key.task for key in rows}
    wanted = [name for name in names if any(key.measure == name for key in rows)]
    evidence = {e.key: e for e in run.evidence(wanted)} if wanted else {}
    groups = {task.task: run.groups(task.task) for task in baseline.tasks if task.task in tasks}
    sides = [
        Side(line, _scored(baseline, line), evidence[line.key])
        for line in lines
        if line.key in evidence
    ]
    pairs = [_pair(run, side, groups[side.line.task], allowed) for side in sides]
    losses = [failed(pair.line, pair.queries, pair.before, pair.now) for pair in pairs]
    alike = [pair for pair, side in zip(pairs, sides, strict=True) if side.comparable]
    judged = {cell.key: cell for cell in judge(alike, require_power or 0.8)}
    return Gate(
        run=run.path,
        suite=baseline.suite,
        cells=tuple(judged.get(line.key) or _unjudged(line, evidence, allowed) for line in lines),
        problems=(
            *in_data(baseline, run, {side.line.task for side in sides}),
            *missing_cells(lines, rows),
            *dict.fromkeys(lost for lost in losses if lost),
            *in_sets(sides),
            *in_signatures(sides),
        ),
        margins=allowed,
        new=tuple(_new(baseline, rows)),
        require_power=require_power,
    )


def _new(baseline: Baseline, rows: Mapping[Key, Row]) -> Iterator[str]:
    """The run's numbers that the baseline has not."""
    known = {line.key for line in baseline.cells}
    for key, row in rows.items():
        if key not in known and row.estimate is not None:
            yield " · ".join(str(part) for part in key if part is not None)


def _chosen(baseline: Baseline, measures: Sequence[str]) -> list[CellLine]:
    known = list(dict.fromkeys(line.measure for line in baseline.cells))
    for name in measures:
        if name not in known:
            raise DataError(unknown("measure of the baseline", name, known))
    return [line for line in baseline.cells if not measures or line.measure in measures]


def _scored(baseline: Baseline, line: CellLine) -> dict[str, float]:
    """Query -> its value in the baseline, where it has one."""
    values = baseline.values[line.key]
    queries = np.asarray(baseline.items[line.task].queries, dtype=object)
    scored = np.isfinite(values)
    return dict(zip(queries[scored].tolist(), values[scored].tolist(), strict=True))


def _pair(run: Run, side: Side, groups: Mapping[str, str], margins: Mapping[str, Margin]) -> Paired:
    line, found = side.line, side.found
    queries = [query for query in side.before if query in groups]
    now = values_of(found, queries)
    added = bool(side.queries_now - side.before.keys()) and np.isfinite(now).any()
    return Paired(
        line=line,
        estimate=float(np.nanmean(now)) if added else found.estimate,
        margin=margins[line.measure].of(line.estimate),
        queries=queries,
        groups=[groups[query] for query in queries],
        before=np.asarray([side.before[query] for query in queries], dtype=np.float32),
        now=now,
        bounds=found.bounds if found.features is None else None,
        lower_is_better=found.measure.info.better == "lower",
        family=_family(run, line),
    )


def _family(run: Run, line: CellLine) -> str:
    """The cells of a task that answer one question, as in a report: those of its primary measure,
    and those of all others; each control's are apart."""
    rank = "primary" if line.measure == run.primary(line.task) else "secondary"
    control = line.strategy in run.controls
    return f"{rank} of {line.strategy}" if control else rank


def _unjudged(
    line: CellLine, evidence: Mapping[Key, Evidence], margins: Mapping[str, Margin]
) -> Cell:
    margin = margins[line.measure].of(line.estimate)
    if line.key in evidence:
        return missing(line, margin, evidence[line.key].estimate, "not comparable")
    return missing(line, margin, None, "missing")
