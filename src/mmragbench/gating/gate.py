"""The gate: does a run hold what its baseline reached?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmragbench._places import check_file
from mmragbench.comparing.margins import OTHERWISE, Margin, margins_for
from mmragbench.errors import CRASH, DataError, MmragbenchError, unknown
from mmragbench.gating.baseline import (
    Baseline,
    CellLine,
    Key,
    evidence_key,
    key_of,
    values_of,
)
from mmragbench.gating.cells import Cell, Paired, judge, missing
from mmragbench.gating.packing import unpack_values
from mmragbench.gating.problems import (
    Problem,
    Side,
    failed,
    in_data,
    in_sets,
    in_signatures,
    missing_cells,
)
from mmragbench.run_folder.evidence import Evidence, RunFolder
from mmragbench.run_folder.files import unlisted


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
    """Write a run's baseline; of some measures, or of all.

    Raises:
        MmragbenchError: it is no finished run, lacks a measure, or a component crashed in it; or the
            file can't be written.
    """
    check_file("the baseline", Path(path))
    with unlisted(Path(run)):
        folder = RunFolder(Path(run))
        _refuse_crashes(folder, measures)
        baseline = Baseline.of(folder, measures)
    baseline.write(Path(path))
    return baseline


def _refuse_crashes(run: RunFolder, measures: Sequence[str]) -> None:
    """A cell that crashed would be in no baseline, and never be missed."""
    crashed = {
        key_of(row): row["reason"]
        for row in run.rows
        if (row.get("reason") or "").startswith(CRASH)
        and (not measures or row["measure"] in measures)
    }
    if crashed:
        first, reason = next(iter(crashed.items()))
        named = " · ".join(str(part) for part in first if part is not None)
        raise DataError(
            f"{run.path}: {len(crashed):,} numbers are missing since a component crashed, so that a "
            f"baseline would not defend them; first {named}: {reason[:150]}; mend it and run the "
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
    folder, kept = RunFolder(Path(run)), Baseline.read(Path(baseline))
    with unlisted(Path(run)):
        if folder.suite["name"] != kept.suite:
            raise MmragbenchError(
                f"{baseline} is a baseline of the suite {kept.suite[:80]!r}, and {run} is a run of "
                f"{folder.suite['name']!r}; give a run of the same suite, or save another baseline"
            )
        lines = _chosen(kept, measures)
        return _gate(folder, kept, lines, margins or {}, require_power)


def _gate(
    run: RunFolder,
    baseline: Baseline,
    lines: Sequence[tuple[CellLine, str]],
    margins: Mapping[str, float | str | Margin],
    require_power: float | None,
) -> Gate:
    names = list(dict.fromkeys(line.measure for line, _ in lines))
    stated = {row["measure"]: row["margin"] for row in run.rows}
    allowed = margins_for({name: stated.get(name, OTHERWISE) for name in names}, margins)
    rows = {key_of(row): row for row in run.rows if row["slice"] == "all"}
    there = {key[0] for key in rows}
    wanted = [name for name in names if any(key[4] == name for key in rows)]
    found = {evidence_key(e): e for e in run.evidence(wanted)} if wanted else {}
    groups = {task.task: run.groups(task.task) for task in baseline.tasks if task.task in there}
    sides = [
        Side(line, _scored(baseline, line, packed), found[line.key])
        for line, packed in lines
        if line.key in found
    ]
    pairs = [_pair(run, side, groups[side.line.task], allowed) for side in sides]
    losses = [failed(pair.line, pair.queries, pair.before, pair.now) for pair in pairs]
    alike = [pair for pair, side in zip(pairs, sides, strict=True) if side.comparable]
    judged = {_key(cell): cell for cell in judge(alike, require_power or 0.8)}
    return Gate(
        run=run.path,
        suite=baseline.suite,
        cells=tuple(judged.get(line.key) or _unjudged(line, found, allowed) for line, _ in lines),
        problems=(
            *in_data(baseline, run, {side.line.task for side in sides}),
            *missing_cells([line for line, _ in lines], rows),
            *dict.fromkeys(lost for lost in losses if lost),
            *in_sets(sides),
            *in_signatures(sides),
        ),
        margins=allowed,
        new=tuple(_new(baseline, rows)),
        require_power=require_power,
    )


def _new(baseline: Baseline, rows: Mapping[Key, Mapping[str, Any]]) -> Iterator[str]:
    """The run's numbers that the baseline has not."""
    known = {line.key for line in baseline.cells}
    for key, row in rows.items():
        if key not in known and row["estimate"] is not None:
            yield " · ".join(str(part) for part in key if part is not None)


def _chosen(baseline: Baseline, measures: Sequence[str]) -> list[tuple[CellLine, str]]:
    known = list(dict.fromkeys(line.measure for line in baseline.cells))
    for name in measures:
        if name not in known:
            raise DataError(unknown("measure of the baseline", name, known))
    lines = zip(baseline.cells, baseline.values, strict=True)
    return [(line, packed) for line, packed in lines if not measures or line.measure in measures]


def _scored(baseline: Baseline, line: CellLine, packed: str) -> dict[str, float]:
    """Query -> its value in the baseline, where it has one."""
    values = unpack_values(packed)
    queries = np.asarray(baseline.items[line.task].query_ids, dtype=object)
    there = np.isfinite(values)
    return dict(zip(queries[there].tolist(), values[there].tolist(), strict=True))


def _pair(
    run: RunFolder, side: Side, groups: Mapping[str, str], margins: Mapping[str, Margin]
) -> Paired:
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


def _family(run: RunFolder, line: CellLine) -> str:
    """The cells of a task that answer one question, as in a report: those of its primary measure,
    and those of all others; each control's are apart."""
    rank = "primary" if line.measure == run.primary(line.task) else "secondary"
    control = line.strategy in run.controls
    return f"{rank} of {line.strategy}" if control else rank


def _key(cell: Cell) -> Key:
    return (cell.task, cell.strategy, cell.generator, cell.k, cell.measure)


def _unjudged(line: CellLine, found: Mapping[Key, Evidence], margins: Mapping[str, Margin]) -> Cell:
    margin = margins[line.measure].of(line.estimate)
    if line.key in found:
        return missing(line, margin, found[line.key].estimate, "not comparable")
    return missing(line, margin, None, "missing")
