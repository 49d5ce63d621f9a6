"""A cell of a run against the same cell of the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from mmragbench.comparing.evidence import DISTANCES
from mmragbench.gating.baseline import CellLine
from mmragbench.gating.packing import Values
from mmragbench.records import Measure
from mmragbench.statistics import Design, holm, loss
from mmragbench.statistics.noninferiority import ALPHA

Verdict = Literal["unchanged", "holds", "regressed", "can't tell", "not comparable", "missing"]
GOOD: tuple[Verdict, ...] = ("unchanged", "holds")
WORST = 5
"""Queries that are kept of a cell."""
STILL = 0.01
"""A query whose value moved by less than this share of the margin did not change."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A query that got worse."""

    query: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of a number of the baseline.

    Attributes:
        before, now: the estimates. `now` is None where there is none.
        loss: on the queries that both have; positive is worse, also for FID and KID.
        margin: the loss that matters, on the measure's scale.
        verdict: `unchanged` (no query moved by a hundredth of the margin), `holds` (a loss of the
            margin's size is excluded), `regressed` (a loss was shown), `can't tell` (neither), or
            `missing` or `not comparable`, which `problems` of the result explain.
        p_holds, p_lost: as in `statistics.Loss`, corrected (Holm) over the cells that changed; None
            where nothing was tested.
        n: queries compared. changed: those that moved.
        power: the chance that a loss of the margin's size is shown to be one (`Design.power`).
        needed: queries for a power of 0.8, or of the power that was required.
        fallen: the queries that lost the most.
    """

    task: str
    strategy: str
    generator: str | None
    k: int | None
    measure: str
    before: float
    now: float | None
    margin: float
    verdict: Verdict
    loss: float | None = None
    p_holds: float | None = None
    p_lost: float | None = None
    n: int = 0
    changed: int = 0
    power: float | None = None
    needed: int | None = None
    fallen: tuple[Fallen, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the gate is content with it."""
        return self.verdict in GOOD

    @property
    def system(self) -> str:
        """`captioning · shared-space/nearest-k1`"""
        made = f"/{self.generator}-k{self.k}" if self.generator is not None else ""
        return f"{self.task} · {self.strategy}{made}"

    @property
    def name(self) -> str:
        """The system and the measure."""
        return f"{self.system} · {self.measure}"

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Paired:
    """A cell's values before and now, on the queries that the baseline and the run have; nan where
    one was not scored."""

    line: CellLine
    estimate: float
    margin: float
    queries: Sequence[str]
    groups: Sequence[str]
    before: Values
    now: Values


def judge(pairs: Sequence[Paired], power: float = 0.8) -> list[Cell]:
    """Test every cell; Holm's correction is over the cells in which something changed, and power is
    told at the level where the correction of all cells begins."""
    compared = [_compare(pair) for pair in pairs]
    tested = [cell for cell, _ in compared if cell.p_holds is not None]
    holds = iter(holm([cell.p_holds for cell in tested if cell.p_holds is not None]))
    lost = iter(holm([cell.p_lost for cell in tested if cell.p_lost is not None]))
    result = []
    for cell, design in compared:
        decided = cell
        if cell.p_holds is not None:
            decided = _decided(replace(cell, p_holds=next(holds), p_lost=next(lost)))
        result.append(_with_power(decided, design, len(pairs), power))
    return result


def missing(line: CellLine, margin: float, now: float | None, verdict: Verdict) -> Cell:
    """A cell that can't be compared."""
    where = line.model_dump(include={"task", "strategy", "generator", "k", "measure"})
    return Cell(**where, before=line.estimate, now=now, margin=margin, verdict=verdict)


def _compare(pair: Paired) -> tuple[Cell, Design | None]:
    """Uncorrected p-values, if anything changed; else `unchanged`."""
    cell = missing(pair.line, pair.margin, pair.estimate, "can't tell")
    both = np.isfinite(pair.before) & np.isfinite(pair.now)
    if not both.any():  # a measure of the set that keeps nothing per query: all that can be seen
        same = abs(pair.line.estimate - pair.estimate) <= STILL * pair.margin
        return replace(cell, verdict="unchanged" if same else "can't tell"), None
    before, now = (side[both].astype(np.float64) for side in (pair.before, pair.now))
    sign = -1.0 if Measure.parse(pair.line.measure).name in DISTANCES else 1.0
    losses = sign * (before - now)
    groups = np.asarray(pair.groups, dtype=str)[both]
    fallen = _fallen(np.asarray(pair.queries, dtype=object)[both], before, now, losses)
    moved = int((np.abs(losses) > STILL * pair.margin).sum())
    cell = replace(cell, loss=float(losses.mean()), n=len(losses), changed=moved, fallen=fallen)
    if not pair.margin > 0:  # 5 % of nothing
        unchanged = not losses.any()
        return replace(cell, verdict="unchanged" if unchanged else "can't tell"), None
    worst = _worst(before)
    design = Design(len(set(groups)), len(losses), pair.margin, worst)
    if not moved:
        return replace(cell, verdict="unchanged"), design
    found = loss(losses, pair.margin, worst, groups)
    cell = replace(cell, p_holds=found.p_holds, p_lost=found.p_lost)
    return cell, replace(design, error=found.error)


def _worst(before: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """What a query loses that loses all: the mean of the values above zero (1 for hits)."""
    above = before[before > 0]
    return float(above.mean()) if len(above) else 1.0


def _fallen(
    queries: np.ndarray[Any, Any], before: Any, now: Any, losses: Any
) -> tuple[Fallen, ...]:
    order = np.argsort(-losses, kind="stable")[:WORST]
    return tuple(
        Fallen(str(queries[i]), float(before[i]), float(now[i])) for i in order if losses[i] > 0
    )


def _decided(cell: Cell) -> Cell:
    assert cell.p_holds is not None
    assert cell.p_lost is not None
    if cell.p_holds <= ALPHA:
        return replace(cell, verdict="holds")
    return replace(cell, verdict="regressed" if cell.p_lost <= ALPHA else "can't tell")


def _with_power(cell: Cell, design: Design | None, family: int, power: float) -> Cell:
    if design is None or not np.isfinite(design.error):
        return cell
    at = replace(design, alpha=ALPHA / family)
    return replace(cell, power=at.power(), needed=at.needed(power))
