"""The decomposition of differences: shares of the headroom; parts due to retrieval and to generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mmragbench.comparing.hypotheses import values_by_seed
from mmragbench.comparing.systems import System
from mmragbench.errors import MmragbenchError
from mmragbench.records import Control
from mmragbench.run_folder.numbers import Evidence
from mmragbench.run_folder.reading import Run
from mmragbench.statistics import Comparison, compare_all, holm
from mmragbench.statistics.ratios import Ratio, ratio


@dataclass(frozen=True)
class Gain:
    """A strategy's number between the floor's and the ceiling's.

    Attributes:
        floor: the number without retrieval; for rankings, of chance.
        floor_of: the strategy (and generator) whose number that is.
        gained: by how much the strategy is better than the floor; `missing`: the ceiling than the
            strategy.
        share: gained / (ceiling - floor): the share of the headroom gained, 0 to 1 between the
            two; None where no headroom is shown (the interval of ceiling - floor holds 0).
        low, high: the share's 95 % interval, Fieller's; None for a measure that keeps no values by
            query, and where the share is the same on all queries.
    """

    task: str
    generator: str | None
    k: int | None
    measure: str
    strategy: str
    floor_of: str
    floor: float
    estimate: float
    ceiling: float
    gained: float
    missing: float
    share: float | None
    low: float | None
    high: float | None

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def gains(run: Run, measures: Sequence[str] = ()) -> list[Gain]:
    """The share of the headroom that each strategy gains, for each measure that has a floor and a
    ceiling, on the queries that all three have answered. Distances are left out, because a better
    one is not nearer to the oracle's."""
    evidence = list(run.evidence(measures))
    ceilings = {e.cell: e for e in evidence if run.controls.get(e.strategy) == "ceiling"}
    shares = []
    for e in evidence:
        ceiling, floor = ceilings.get(e.cell), _floor(e, evidence, run.controls)
        contends = e.strategy not in run.controls and not e.measure.info.distance
        if contends and ceiling and floor:
            shares.append(_gain(run, e, floor, ceiling))
    return shares


def _floor(
    strategy: Evidence, evidence: Sequence[Evidence], controls: Mapping[str, Control]
) -> Evidence | None:
    """The floor under a strategy's number: without retrieval, by the same generator or else by the one
    that answers without documents; under rankings, chance."""
    alike = [e for e in evidence if (e.task, e.measure) == (strategy.task, strategy.measure)]
    if strategy.generator is None:
        return next((e for e in alike if controls.get(e.strategy) == "chance"), None)
    without = [e for e in alike if controls.get(e.strategy) == "floor"]
    return next(
        (e for e in without if e.generator == strategy.generator), next(iter(without), None)
    )


def _gain(run: Run, e: Evidence, floor: Evidence, ceiling: Evidence) -> Gain:
    three, groups = (floor, e, ceiling), run.groups(e.task)
    shared = [query for query in groups if all(query in side.values for side in three)]
    if shared:
        columns = np.stack(np.broadcast_arrays(*(values_by_seed(side, shared) for side in three)))
        below, own, above = (float(column.mean()) for column in columns)
        clusters = [groups[query] for query in shared]
        share = ratio(columns[1] - columns[0], columns[2] - columns[0], clusters)
    else:
        below, own, above = (side.estimate for side in three)
        share = Ratio((own - below) / (above - below) if above != below else None, None, None)
    sign = -1 if e.measure.info.better == "lower" else 1
    share = share if sign * (above - below) > 0 else Ratio(None, None, None)
    by = f" ({floor.generator})" if floor.generator else ""
    return Gain(
        task=e.task,
        generator=e.generator,
        k=e.k,
        measure=str(e.measure),
        strategy=e.strategy,
        floor_of=f"{floor.strategy}{by}",
        floor=below,
        estimate=own,
        ceiling=above,
        gained=sign * (own - below),
        missing=sign * (above - own),
        share=share.value,
        low=share.low,
        high=share.high,
    )


@dataclass(frozen=True)
class Part:
    """One part of a difference, with its 95 % interval and its test; `p_holm` is corrected over all
    parts that are shown together. Both p-values are None where no query has other than 0."""

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    p_holm: float | None
    n: int


@dataclass(frozen=True)
class Swap:
    """The difference of two systems, split: (retrieval, generator) of A less that of B. Exploratory:
    its parts are in none of the run's families.

    Attributes:
        total: A - B. `retrieval` is what exchanging the retrieval does, averaged over the two
            generators; `generation` the other way round. They add up to the total exactly.
        interaction: how much more A's generator gains by A's retrieval than B's generator does.
    """

    task: str
    measure: str
    a: str
    b: str
    total: Part
    retrieval: Part
    generation: Part
    interaction: Part

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


CONTRASTS = {
    "total": (1, 0, 0, -1),
    "retrieval": (0.5, 0.5, -0.5, -0.5),
    "generation": (0.5, -0.5, 0.5, -0.5),
    "interaction": (1, -1, -1, 1),
}
"""Part -> weights of (retrieval of A, generator of A), (A, B), (B, A) and (B, B)."""


def swap(run: Run, a: System, b: System, measures: Sequence[str] = ()) -> list[Swap]:
    """Cross retrieval of A with the generator of B, and the other way round, per query.

    Raises:
        MmragbenchError: the run lacks one of the four combinations.
    """
    cells = {
        (e.task, str(e.measure), System.of(e)): e
        for e in run.evidence(measures)
        if e.generator and e.values
    }
    crossed = [System(x.strategy, y.setting) for x in (a, b) for y in (a, b)]
    contrasts = []
    for task, measure in dict.fromkeys((task, measure) for task, measure, _ in cells):
        four = [e for system in crossed if (e := cells.get((task, measure, system)))]
        if len(four) == len(crossed):
            contrasts.append((task, measure, _contrasts(run, four)))
    if not contrasts:
        known = sorted({str(system) for *_, system in cells})
        raise MmragbenchError(
            f"{run.path} lacks one of the four combinations of {a} and {b}; "
            f"run both generators after both strategies. It has {', '.join(known)}"
        )
    parts = iter(_corrected([c for *_, comparisons in contrasts for c in comparisons]))
    return [
        Swap(task, measure, str(a), str(b), *(next(parts) for _ in comparisons))
        for task, measure, comparisons in contrasts
    ]


def _contrasts(run: Run, four: Sequence[Evidence]) -> list[Comparison]:
    """The four parts' comparisons with zero, in the order of CONTRASTS."""
    groups = run.groups(four[0].task)
    shared = [query for query in groups if all(query in e.values for e in four)]
    values = np.broadcast_arrays(*(values_by_seed(e, shared) for e in four))
    columns = [np.tensordot(weights, values, axes=1) for weights in CONTRASTS.values()]
    return compare_all(columns, [groups[query] for query in shared], [None] * len(columns))


def _corrected(comparisons: Sequence[Comparison]) -> Iterator[Part]:
    adjusted = iter(holm([c.p_value for c in comparisons if not c.identical]))
    for c in comparisons:
        p_value, p_holm = (None, None) if c.identical else (c.p_value, next(adjusted))
        yield Part(c.difference, c.low, c.high, p_value, p_holm, c.n)
