"""Paired tests of many differences at once, from the scores that a run stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mmragbench.run_folder.numbers import Cell, Evidence
from mmragbench.statistics import Comparison, compare_all, compare_distances
from mmragbench.statistics.comparisons import of_difference
from mmragbench.statistics.intervals import Bounds, scale_of
from mmragbench.statistics.resampling import Array

if TYPE_CHECKING:
    from mmragbench.contracts import Vectors

Groups = Callable[[str, str], Mapping[str, str]]
"""Task and slice -> query -> the group that it is resampled with; `Run.groups` is one."""


@dataclass(frozen=True)
class Hypothesis:
    """The hypothesis that `a` and `b` are equal on a slice; a test in `family` may reject it.

    Attributes:
        names: of `a` and `b`, as they are shown.
        forced: what differs between their signatures, where they are compared all the same.
    """

    a: Evidence
    b: Evidence
    names: tuple[str, str]
    family: str
    slice: str = "all"
    forced: str | None = None

    @property
    def cell(self) -> Cell:
        return self.a.cell


def values_by_seed(e: Evidence, queries: Sequence[str]) -> Array:
    """The values of queries that all seeds answered: (seeds, queries) where the number is a mean over
    seeds, else (queries,)."""
    sides = e.by_seed or (e,)
    values = np.array([[own.values[query] for query in queries] for own in sides])
    return values if e.by_seed else np.asarray(values[0])


class Columns:
    """The values by query behind numbers, as arrays over all queries of a task; NaN where there is none."""

    def __init__(self, groups: Groups) -> None:
        self.groups = cache(groups)
        self._known: dict[
            int, tuple[Evidence, Array]
        ] = {}  # keeps the evidence, so that no id is reused

    def values(self, e: Evidence) -> Array:
        if id(e) not in self._known:
            column = [e.values.get(query, np.nan) for query in self.groups(e.task, "all")]
            self._known[id(e)] = e, np.array(column, dtype=np.float64)
        return self._known[id(e)][1]

    def by_seed(self, e: Evidence) -> Array:
        """(seeds, queries), where the number is a mean over seeds; else `values`."""
        return np.stack([self.values(own) for own in e.by_seed]) if e.by_seed else self.values(e)

    def differences(self, hypothesis: Hypothesis) -> Array:
        """`a - b`, seed by seed where a number is a mean over seeds; over all of them, where the two
        have unlike numbers of seeds."""
        a, b = self.by_seed(hypothesis.a), self.by_seed(hypothesis.b)
        if a.ndim == b.ndim and a.shape != b.shape:
            a, b = self.values(hypothesis.a), self.values(hypothesis.b)
        return np.asarray(a - b)

    def bounds(self, hypothesis: Hypothesis) -> Bounds | None:
        """The bounds of the difference, as far as they are known."""
        columns = map(self.by_seed, (hypothesis.a, hypothesis.b))
        known = hypothesis.a.bounds or scale_of(*(x[np.isfinite(x)] for x in columns))
        return of_difference(known)

    def places(self, task: str, slice: str) -> list[int]:
        """The positions of a slice's queries among all."""
        order = {query: place for place, query in enumerate(self.groups(task, "all"))}
        return [order[query] for query in self.groups(task, slice)]


def tested(
    hypotheses: Sequence[Hypothesis], columns: Columns
) -> Iterator[tuple[Hypothesis, Comparison]]:
    """The paired tests of hypotheses, on the queries that both sides have.

    Hypotheses whose sides share no query (sets of images: fewer than two), or whose measure keeps no
    values to compare by (METEOR's corpus value), have no test.
    """
    by_slice: dict[tuple[str, str], list[Hypothesis]] = {}
    for hypothesis in hypotheses:
        by_slice.setdefault((hypothesis.a.task, hypothesis.slice), []).append(hypothesis)
    for (task, slice), members in by_slice.items():
        groups = columns.groups(task, slice)
        distances = [h for h in members if h.a.features]
        means = [h for h in members if not h.a.features]
        yield from _means(means, columns, columns.places(task, slice), list(groups.values()))
        for hypothesis in distances:
            if (comparison := _distance(hypothesis, groups)) is not None:
                yield hypothesis, comparison


def _means(
    hypotheses: Sequence[Hypothesis], columns: Columns, places: list[int], groups: list[str]
) -> Iterator[tuple[Hypothesis, Comparison]]:
    """Tests of means; those that share their queries are computed in one pass."""
    _, clusters = np.unique(groups, return_inverse=True)  # numbers are quicker to group by
    batches: dict[bytes, list[tuple[Hypothesis, Array]]] = {}
    for hypothesis in hypotheses:
        differences = columns.differences(hypothesis)[..., places]
        shared = np.isfinite(np.atleast_2d(differences)).all(axis=0)
        if shared.any():
            batches.setdefault(shared.tobytes(), []).append((hypothesis, differences[..., shared]))
    for shared_bytes, batch in batches.items():
        members, differences_of = zip(*batch, strict=True)
        shared_clusters = clusters[np.frombuffer(shared_bytes, dtype=bool)]
        comparisons = compare_all(
            differences_of, shared_clusters, [columns.bounds(h) for h in members]
        )
        yield from zip(members, comparisons, strict=True)


def _distance(hypothesis: Hypothesis, groups: Mapping[str, str]) -> Comparison | None:
    a, b = hypothesis.a, hypothesis.b
    distance = a.measure.info.distance
    if not (distance and a.features and b.features):
        return None
    first, second = (
        [own.features[0] for own in side.by_seed or [side] if own.features] for side in (a, b)
    )
    real = a.features[1]
    sets = [*first, *second, real]
    shared = [query for query in groups if all(query in features for features in sets)]
    if len(shared) < 2:
        return None

    def rows(features: Mapping[str, Vectors]) -> Vectors:
        return np.stack([features[query] for query in shared])

    x, y = (np.stack([rows(features) for features in side]) for side in (first, second))
    clusters = [groups[query] for query in shared]
    return compare_distances(rows(real), x, y, distance, clusters)


class Original(NamedTuple):
    """The first cell of a setting that says the same as another cell, whose values are `factor` times
    its own."""

    cell: Cell
    factor: float


def originals(hypotheses: Sequence[Hypothesis], columns: Columns) -> dict[Cell, Original]:
    """Each cell -> the cell that is tested for it.

    Two measures say the same where their values per query are proportional over all systems at
    once, to nine digits: Success@1 and R@1 where all queries have as many relevant documents, RR
    and AP where they have one. They are one hypothesis under two names.
    """
    cells: dict[Cell, dict[tuple[str, str], Evidence]] = {}
    for h in hypotheses:  # two runs may call two systems by one name
        (a, b), systems = h.names, cells.setdefault(h.cell, {})
        systems |= {("a", a): h.a, ("b", b): h.b}
    first: dict[object, tuple[Cell, float]] = {}
    tested_cells = {}
    for cell, systems in cells.items():
        values = np.stack([columns.values(systems[name]) for name in sorted(systems)])
        scale = float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))
        shape = np.nan_to_num(np.round(values / (scale or 1.0), 9), nan=9.0) + 0.0  # -0.0 is 0.0
        key = (cell[:3], *sorted(systems), shape.tobytes()) if scale else cell
        original, size = first.setdefault(key, (cell, scale))
        tested_cells[cell] = Original(original, scale / size if size else 1.0)
    return tested_cells
