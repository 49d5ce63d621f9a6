"""Paired comparisons of a run's strategies, or of two runs' cells, corrected for their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np

from mmragbench.comparing.evidence import DISTANCES, Evidence, RunFolder
from mmragbench.errors import MmragbenchError
from mmragbench.records import Measure
from mmragbench.signature import differences
from mmragbench.statistics import Comparison, Verdict, compare, compare_distances, holm, verdict

Tested = tuple[Evidence, Evidence, str, str, Comparison | None]
"""Two numbers, the names that they are shown under, and their test where there is one."""


class NotComparable(MmragbenchError):
    """Two numbers whose signatures differ in something that matters."""


@dataclass(frozen=True)
class Pair:
    """The difference `a - b` on one cell.

    Attributes:
        difference, low, high: on the measure's own scale, with the 95 % interval.
        p_value: of the paired permutation test; `p_holm` corrected for the whole family shown.
        verdict: what it says of `a`: better, worse, or can't tell.
        needed: for "can't tell": the queries needed for 80 % power at this difference, with the
            family's correction.
        forced: what differs between the signatures, where the comparison was forced.
        identical: the two have the same value on every query.
    """

    task: str
    generator: str | None
    k: int | None
    slice: str
    measure: str
    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    p_value: float
    p_holm: float
    verdict: Verdict
    n: int
    needed: int | None
    forced: str | None = None
    identical: bool = False

    @classmethod
    def of(
        cls,
        where: Mapping[str, Any],
        measure: Measure,
        names: tuple[str, str],
        tested: tuple[Comparison, float],
        family: int,
    ) -> Pair:
        """What a test and its corrected p-value say, in a family of so many."""
        found, p_holm = tested
        said = verdict(found.difference, p_holm, measure.name in DISTANCES)
        return cls(
            **where,
            measure=str(measure),
            a=names[0],
            b=names[1],
            difference=found.difference,
            low=found.low,
            high=found.high,
            p_value=found.p_value,
            p_holm=p_holm,
            verdict=said,
            n=found.n,
            needed=found.needed(family) if said == "can't tell" else None,
            identical=found.identical,
        )

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def within(
    run: RunFolder, baseline: str | None, slice: str = "all", measures: Sequence[str] = ()
) -> list[Pair]:
    """Each strategy against the baseline; where that has no number (or there is none), all pairs of
    strategies, controls aside. Of some measures, or of all where none is named. Holm's correction
    is over what is returned.

    Raises:
        MmragbenchError: the baseline is no strategy of the run, or the slice does not exist.
    """
    if baseline is not None and baseline not in run.strategies:
        known = ", ".join(run.strategies)
        raise MmragbenchError(f"{run.path} has no strategy {baseline!r}; it has {known}")
    cells: dict[tuple[Any, ...], list[Evidence]] = {}
    for found in run.evidence(measures):
        cells.setdefault(found.cell, []).append(found)
    controls = set(run.controls().values())
    pairs = [pair for members in cells.values() for pair in _paired(members, baseline, controls)]
    return corrected([tested(run, a, b, slice) for a, b in pairs], slice)


def families(run: RunFolder) -> list[Pair]:
    """All pairs of contenders, on all queries and on every slice; corrected within each table that
    a report shows: one task's rankings or outputs, on one slice."""
    cells: dict[tuple[Any, ...], list[Evidence]] = {}
    for found in run.evidence():
        cells.setdefault(found.cell, []).append(found)
    tables: dict[tuple[str, bool], list[tuple[Evidence, Evidence]]] = {}
    for (task, generator, *_), members in cells.items():
        pairs = _paired(members, None, set(run.controls().values()))
        tables.setdefault((task, generator is None), []).extend(pairs)
    result = []
    for (task, _), members_pairs in tables.items():
        for slice in run.slices(task):
            result += corrected([tested(run, a, b, slice) for a, b in members_pairs], slice)
    return result


def _paired(
    members: Sequence[Evidence], baseline: str | None, controls: set[str]
) -> list[tuple[Evidence, Evidence]]:
    against = next((e for e in members if e.strategy == baseline), None)
    if against is not None:
        return [(e, against) for e in members if e is not against]
    contenders = [e for e in members if e.strategy not in controls]
    return [(second, first) for first, second in combinations(contenders, 2)]


def between(
    first: RunFolder,
    second: RunFolder,
    slice: str = "all",
    measures: Sequence[str] = (),
    force: bool = False,
) -> list[Pair]:
    """The same cells of two runs: `first - second`.

    Raises:
        NotComparable: signatures differ in something that matters, and it was not forced.
        MmragbenchError: the runs share no cell.
    """
    others = {(found.strategy, found.cell): found for found in second.evidence(measures)}
    shared = [
        (a, others[a.strategy, a.cell])
        for a in first.evidence(measures)
        if (a.strategy, a.cell) in others
    ]
    if not shared:
        raise MmragbenchError(f"{first.path} and {second.path} have no cell in common")
    if not force:
        for a, b in shared:
            _must_match(a, b)
    found = []
    for a, b in shared:
        names = (f"{a.strategy} in {first.path.name}", f"{b.strategy} in {second.path.name}")
        found.append((a, b, *names, _test(first, a, b, slice)))
    return corrected(found, slice)


def _must_match(a: Evidence, b: Evidence) -> None:
    if unlike := _unlike(a, b):
        raise NotComparable(
            f"{a.task} · {a.strategy} · {a.measure} can't be compared: {unlike}; "
            "measure both alike, or overrule with --force"
        )


def _unlike(a: Evidence, b: Evidence) -> str:
    found = differences(a.signature, b.signature, paired=True)
    return ", ".join(f"{name} is {x} in one and {y} in the other" for name, (x, y) in found.items())


def tested(run: RunFolder, a: Evidence, b: Evidence, slice: str) -> Tested:
    """The two, their names, and the paired test of them, yet to be corrected."""
    return a, b, a.strategy, b.strategy, _test(run, a, b, slice)


def _test(run: RunFolder, a: Evidence, b: Evidence, slice: str) -> Comparison | None:
    """The paired test on the queries that both have; None where they share fewer than two, or the
    measure keeps nothing to compare by (METEOR's corpus value)."""
    groups = run.groups(a.task, slice)
    if a.features and b.features:
        (first, real), (second, _) = a.features, b.features
        shared = [query for query in groups if query in first and query in second and query in real]
        if len(shared) < 2:
            return None
        x, y, z = (np.stack([side[query] for query in shared]) for side in (real, first, second))
        kind: Literal["FID", "KID"] = "FID" if a.measure.name == "FID" else "KID"
        return compare_distances(x, y, z, kind, [groups[query] for query in shared])
    shared = [query for query in groups if query in a.values and query in b.values]
    if len(shared) < 2:
        return None
    clusters = [groups[query] for query in shared]
    of_a, of_b = ([side.values[q] for q in shared] for side in (a, b))
    return compare(of_a, of_b, clusters, a.bounds)


def corrected(family: Sequence[Tested], slice: str) -> list[Pair]:
    """Holm's correction over all that is shown; what has nothing to be tested by falls out."""
    kept = [(a, b, x, y, c) for a, b, x, y, c in family if c is not None]
    adjusted = holm([c.p_value for *_, c in kept])
    return [
        _pair((a, b), (x, y), c, p, slice, len(kept))
        for (a, b, x, y, c), p in zip(kept, adjusted, strict=True)
    ]


def _pair(
    ab: tuple[Evidence, Evidence],
    names: tuple[str, str],
    found: Comparison,
    p_holm: float,
    slice: str,
    family: int,
) -> Pair:
    a, b = ab
    where = {"task": a.task, "generator": a.generator, "k": a.k, "slice": slice}
    pair = Pair.of(where, a.measure, names, (found, p_holm), family)
    return replace(pair, forced=_unlike(a, b) or None)
