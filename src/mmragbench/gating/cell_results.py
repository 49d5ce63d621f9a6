"""Tests of a run's cells against the same cells of the baseline, and their verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from mmragbench.gating.stored_baseline import CellLine
from mmragbench.gating.stored_values import Values
from mmragbench.run_folder.numbers import Key
from mmragbench.run_folder.paths import Setting
from mmragbench.statistics import Design, holm, loss
from mmragbench.statistics.noninferiority import ALPHA
from mmragbench.statistics.resampling import Array, Clusters

Verdict = Literal["unchanged", "holds", "regressed", "can't tell", "not comparable", "missing"]
GOOD: tuple[Verdict, ...] = ("unchanged", "holds")
MOST_REGRESSED = 5
"""The most regressed queries that a cell's result names."""
UNCHANGED_SHARE = 0.01
"""A query whose value moved by at most this share of the margin did not change."""
JSON_NAMES = {"regressed_queries": "fallen"}
"""Field of `CellResult` -> its name in JSON, where that is another one."""


@dataclass(frozen=True, slots=True)
class RegressedQuery:
    """A query whose value got worse: its values before and now."""

    query: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class CellResult:
    """The result of comparing a cell of the run with the baseline's.

    Attributes:
        before, now: the estimates. `now` is None where there is none; where the run has queries
            that the baseline has not, it is the number on the baseline's queries.
        loss: on the queries that both have; positive is worse, whichever direction is better.
        margin: the loss that matters, on the measure's scale.
        verdict: `unchanged` (no query moved by a hundredth of the margin), `holds` (a loss of the
            margin's size is excluded), `regressed` (a loss was shown), `can't tell` (neither), or
            `missing` or `not comparable`, which `problems` of the result explain.
        p_holds: as in `statistics.Loss`, not corrected; None where nothing was tested, or the
            margin excludes nothing.
        p_lost: as in `statistics.Loss`, corrected (Holm) over the family's cells that changed; None
            where nothing was tested.
        n: queries compared. changed: those that moved.
        power: the chance that a loss of the margin's size is shown to be one (`Design.power`); None
            where it is not known, or no such loss is possible.
        needed: queries for a power of 0.8, or of the power that was required.
        regressed_queries: those that lost the most, at most five.
        unit: of the measure; reports show the numbers in it (`reporting.facts.units`), and here they
            are as measured.
        can_fail: whether the baseline has more to lose than the margin. Where it has not, the
            margin excludes nothing, and any loss that is shown is a regression.
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
    regressed_queries: tuple[RegressedQuery, ...] = ()
    can_fail: bool = True
    unit: str = ""

    @property
    def good(self) -> bool:
        """Whether the gate passes it."""
        return self.verdict in GOOD

    @property
    def key(self) -> Key:
        """Which number of the run it is."""
        return Key(self.task, self.strategy, self.generator, self.k, self.measure)

    @property
    def system(self) -> str:
        """`captioning · shared-space/nearest-k1`"""
        return system_of(self.key)

    @property
    def name(self) -> str:
        """The system and the measure."""
        return f"{self.system} · {self.measure}"

    def row(self) -> dict[str, Any]:
        """As plain data, with the names that JSON has."""
        data = asdict(self)
        return {JSON_NAMES.get(name, name): value for name, value in data.items()}


@dataclass(frozen=True, slots=True)
class PairedValues:
    """A cell's values before and now, on the queries that the baseline and the run have; nan where
    one was not scored.

    Attributes:
        bounds: the ends of the measure's scale; None where they are not known.
        family: which of its task's cells it is corrected with.
        lower_is_better: the measure's direction.
    """

    line: CellLine
    estimate: float
    margin: float
    queries: Sequence[str]
    groups: Sequence[str]
    before: Values
    now: Values
    bounds: tuple[float, float] | None = None
    family: str = ""
    lower_is_better: bool = False

    def to_lose(self, before: Array) -> Array | None:
        """The most that each query can lose, on the measure's scale; None where there is no limit."""
        if not self.lower_is_better:
            low = self.bounds[0] if self.bounds else min(0.0, float(before.min()))
            return before - low
        return self.bounds[1] - before if self.bounds else None


class Family(NamedTuple):
    """The tests that are corrected together: a task, and which of its cells."""

    task: str
    name: str


class Comparison(NamedTuple):
    """A cell with uncorrected p-values, and the test's design where its power is known."""

    cell: CellResult
    design: Design | None


class Compared(NamedTuple):
    """A comparison, its family, and its hypothesis, which it shares with cells whose values are
    proportional to its own."""

    cell: CellResult
    design: Design | None
    family: Family
    hypothesis: Hashable


def judge(pairs: Sequence[PairedValues], power: float = 0.8) -> list[CellResult]:
    """Test every cell.

    That the gate passes needs no correction: all cells have to hold, so that a loss of the margin's
    size in any of them passes in 5 % at most (the intersection-union test of Berger 1982). That a
    cell regressed is corrected, by Holm, over the different hypotheses of its family in which
    something changed; power is that at the level where the correction of all of them begins.
    """
    hypotheses = _hypotheses(pairs)
    families: dict[Hashable, Family] = {}
    for pair, hypothesis in zip(pairs, hypotheses, strict=True):
        own = Family(pair.line.task, pair.family)
        families[hypothesis] = min(own, families.get(hypothesis, own))  # primary before secondary
    compared = [
        Compared(*_compare(pair), families[hypothesis], hypothesis)
        for pair, hypothesis in zip(pairs, hypotheses, strict=True)
    ]
    sizes = Counter(families.values())
    return [
        _with_power(_decided(cell), pair.design, sizes[pair.family], power)
        for pair, cell in zip(compared, _corrected(compared), strict=True)
    ]


def system_of(key: Key) -> str:
    """`captioning · shared-space/nearest-k1`"""
    setting = f"/{Setting(key.generator, key.k)}" if key.generator is not None else ""
    return f"{key.task} · {key.strategy}{setting}"


def untested(line: CellLine, margin: float, now: float | None, verdict: Verdict) -> CellResult:
    """A result without a test: the numbers, and a verdict that explains itself."""
    return CellResult(
        **line.key._asdict(), before=line.estimate, now=now, margin=margin, verdict=verdict
    )


def _hypotheses(pairs: Sequence[PairedValues]) -> list[Hashable]:
    """For each cell, the hypothesis that is tested: the same for measures of a task whose values are proportional
    in every query of every system, before and now (R@1 and Success@1 with five relevant documents;
    AP and RR with one)."""
    columns: dict[tuple[str, str], dict[Hashable, Array]] = {}
    for pair in pairs:
        values = np.concatenate([pair.before, pair.now]).astype(np.float64)
        columns.setdefault((pair.line.task, pair.line.measure), {})[pair.line.key[:4]] = values
    shapes = {name: _shape(column) for name, column in columns.items()}
    return [(pair.line.key[:4], shapes[pair.line.task, pair.line.measure]) for pair in pairs]


def _shape(column: Mapping[Hashable, Array]) -> frozenset[tuple[Hashable, bytes]]:
    """The values of all systems by one measure, up to a factor and to what single precision
    rounds."""
    largest = max(np.nanmax(np.abs(values), initial=0.0) for values in column.values()) or 1.0
    return frozenset(
        (system, (np.round(values / largest, 5) + 0.0).tobytes())
        for system, values in column.items()
    )


def _corrected(compared: Sequence[Compared]) -> Iterable[CellResult]:
    """The cells with `p_lost` corrected over the hypotheses of their family."""
    families: dict[Hashable, dict[Hashable, float]] = {}
    for cell, _, family, hypothesis in compared:
        if cell.p_lost is not None:
            families.setdefault(family, {}).setdefault(hypothesis, cell.p_lost)
    adjusted = {
        family: dict(zip(p_values, holm(list(p_values.values())), strict=True))
        for family, p_values in families.items()
    }
    for cell, _, family, hypothesis in compared:
        tested = cell.p_lost is not None
        yield replace(cell, p_lost=adjusted[family][hypothesis]) if tested else cell


def _compare(pair: PairedValues) -> Comparison:
    """The comparison of a cell: uncorrected p-values if anything changed, else `unchanged`."""
    cell = untested(pair.line, pair.margin, pair.estimate, "can't tell")
    both = np.isfinite(pair.before) & np.isfinite(pair.now)
    if not both.any():  # a measure of the set without values per query: only its number is left
        same = abs(pair.line.estimate - pair.estimate) <= UNCHANGED_SHARE * pair.margin
        return Comparison(replace(cell, verdict="unchanged" if same else "can't tell"), None)
    before, now = (side[both].astype(np.float64) for side in (pair.before, pair.now))
    losses = now - before if pair.lower_is_better else before - now
    groups = np.asarray(pair.groups, dtype=str)[both]
    queries = np.asarray(pair.queries, dtype=object)[both]
    regressed = _regressed_queries(queries, before, now, losses)
    moved = int((np.abs(losses) > UNCHANGED_SHARE * pair.margin).sum())
    mean = float(losses.mean())
    cell = replace(cell, loss=mean, n=len(losses), regressed_queries=regressed)
    if not pair.margin > 0:  # 5 % of nothing
        verdict: Verdict = "can't tell" if losses.any() else "unchanged"
        return Comparison(replace(cell, verdict=verdict, changed=moved), None)
    design = _design(pair, before, groups)
    cell = replace(cell, changed=moved, can_fail=_can_fail(pair, before))
    if not moved:
        cell = replace(cell, verdict="unchanged")
        return Comparison(cell, design if cell.can_fail else None)
    test = loss(losses, pair.margin, design.worst, groups)
    if not cell.can_fail:
        return Comparison(replace(cell, p_lost=test.p_lost), None)
    design = replace(design, losses=Clusters.of(losses, groups))
    return Comparison(replace(cell, p_holds=test.p_holds, p_lost=test.p_lost), design)


def _can_fail(pair: PairedValues, before: Array) -> bool:
    """Whether the baseline has more to lose than the margin."""
    to_lose = pair.to_lose(before)
    return to_lose is None or float(to_lose.mean()) > pair.margin


def _design(pair: PairedValues, before: Array, groups: Array) -> Design:
    """The design of the test: its size, and the most that can be lost. Where there is no limit, as
    for a distance, the largest value, or influence, stands for it."""
    to_lose = pair.to_lose(before)
    data = Clusters.of(np.abs(before) if to_lose is None else to_lose, groups)
    largest = float(data.sums.max()) * len(data) / data.n or pair.margin
    scale = pair.bounds[1] - pair.bounds[0] if pair.bounds else 0.0
    return Design(len(data), data.n, pair.margin, max(largest, scale), largest)


def _regressed_queries(
    queries: np.ndarray[Any, Any], before: Array, now: Array, losses: Array
) -> tuple[RegressedQuery, ...]:
    """The queries that lost the most, the largest loss first."""
    order = np.argsort(-losses, kind="stable")[:MOST_REGRESSED]
    return tuple(
        RegressedQuery(str(queries[i]), float(before[i]), float(now[i]))
        for i in order
        if losses[i] > 0
    )


def _decided(cell: CellResult) -> CellResult:
    """The verdict of a cell that was tested."""
    if cell.p_lost is None:
        return cell
    excluded = cell.p_holds is not None and cell.p_holds <= ALPHA
    if cell.p_lost <= ALPHA and not excluded:
        return replace(cell, verdict="regressed")
    return replace(cell, verdict="holds" if excluded or not cell.can_fail else "can't tell")


def _with_power(
    cell: CellResult, design: Design | None, family_size: int, power: float
) -> CellResult:
    """The cell with its power, and the queries needed for the required one."""
    if design is None or design.groups < 2:
        return cell
    at = replace(design, alpha=ALPHA / family_size)
    return replace(cell, power=at.power(), needed=at.needed(power))
