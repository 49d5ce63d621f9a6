"""Rules for stores: exact search against a full sort by numpy."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Odd, expect, short
from mmragbench.contracts import Vectors
from mmragbench.records import Hit

K = 6
RECALL = 0.95
"""Below this, an approximate store changes what strategies find."""

UNCHECKED = "speed, size, and what is left on disk"


def content() -> tuple[list[str], Vectors]:
    """Sixty rows of small whole numbers: many ties, and exact sums."""
    rows = np.random.default_rng(0).integers(-2, 3, (60, 6)).astype(np.float32)
    return [str(i) for i in range(len(rows))], rows


def asked() -> Vectors:
    return np.random.default_rng(1).integers(-2, 3, (7, 6)).astype(np.float32)


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Rows to search with."""

    def new() -> Callable[..., Any]:
        store = filled(subject)
        return lambda rows: store.search(np.asarray(rows, np.float32).reshape(-1, 6), K)

    yield Chunk("search", tuple((row,) for row in asked()), new, lambda a, b: list(a) == list(b))


def filled(subject: Subject, parts: int = 1) -> Any:
    store = subject.build()
    ids, rows = content()
    for part in np.array_split(np.arange(len(ids)), parts):
        store.add([ids[at] for at in part], rows[part])
    return store


def sort(query: Vectors, k: int) -> list[Hit]:
    """What exact search finds."""
    ids, rows = content()
    pairs = sorted(zip((rows @ query).tolist(), ids, strict=True), reverse=True)
    return [Hit(id, score) for score, id in pairs[:k]]


def hits_are_hits(subject: Subject) -> None:
    """Each row's answer is a list of Hits: known ids with finite scores, best first, ties by id."""
    known = set(content()[0])
    for row in subject.chunks[0].first:
        expect(
            all(isinstance(hit, Hit) and hit.id in known and np.isfinite(hit.score) for hit in row),
            "Hits with ids that were added and finite scores",
            f"it gave {short(row)}",
            "Return [Hit(id, float(score)) ...]",
        )
        keys = [(hit[1], hit[0]) for hit in row]
        expect(
            keys == sorted(keys, reverse=True),
            "hits by score, then by id, both descending",
            f"it gave {short(row, 160)}",
            "sorted(pairs of score and id, reverse=True)",
        )


def scores_are_inner_products(subject: Subject) -> None:
    """A hit's score is the inner product of its row and the query's."""
    ids, rows = content()
    place = {id: at for at, id in enumerate(ids)}
    for query, row in zip(asked(), subject.chunks[0].first, strict=False):
        for hit in row:
            wanted = float(rows[place[hit[0]]] @ query) if hit[0] in place else hit[1]
            expect(
                abs(hit[1] - wanted) < 1e-3,
                f"the inner product {wanted:g} as the score of {hit[0]}",
                f"it is {hit[1]:g}",
                "Turn distances into inner products; do not normalise rows",
            )


def the_nearest_are_found(subject: Subject) -> None:
    """The same hits as a full sort; an approximate store may miss few (a warning)."""
    pairs = list(zip(asked(), subject.chunks[0].first, strict=False))
    found = [len({h[0] for h in row} & {h.id for h in sort(q, K)}) / K for q, row in pairs]
    if all([tuple(hit) for hit in row] == [tuple(hit) for hit in sort(q, K)] for q, row in pairs):
        return
    recall = float(np.mean(found)) if found else 0.0
    expect(
        recall >= RECALL,
        f"the {K} nearest of {len(content()[0])} rows",
        f"{recall:.0%} of them were found",
        "Search exactly, or more widely; take ties at the last place by id",
    )
    warnings.warn(f"approximate: {recall:.0%} of the {K} nearest were found", Odd, stacklevel=2)


def rows_may_come_in_parts(subject: Subject) -> None:
    """Adding in three parts is the same as adding at once."""
    found, whole = (filled(subject, parts).search(asked(), K) for parts in (3, 1))
    expect(
        [list(row) for row in found] == [list(row) for row in whole],
        "the same hits whether rows are added at once or in parts",
        "they differ",
        "`add` appends",
    )


def all_there_is_where_k_is_larger(subject: Subject) -> None:
    """With k beyond the number of rows, each comes once, and nothing else."""
    ids, _ = content()
    for row in filled(subject).search(asked(), len(ids) + 9):
        expect(
            sorted(hit[0] for hit in row) == sorted(ids),
            f"all {len(ids)} rows once for k={len(ids) + 9}",
            f"there are {len(row)}",
            "Leave out the places that a library fills with -1",
        )


def an_empty_store_has_no_hits(subject: Subject) -> None:
    """One empty list a row."""
    found = subject.build().search(asked(), K)
    expect(
        [len(row) for row in found] == [0] * len(asked()),
        "an empty list for each row",
        f"it gave {short(found)}",
        "Return [[] for row in vectors] before anything was added",
    )


def stores_are_apart(subject: Subject) -> None:
    """What is added to one store is not in the next."""
    filled(subject)
    found = subject.build().search(asked(), K)
    expect(
        not any(len(row) for row in found),
        "a new store that is empty",
        "it has the rows of another",
        "Keep rows on the instance, in a folder or table of its own",
    )


def added_rows_stay_as_they_were(subject: Subject) -> None:
    """`add` and `search` do not change the arrays that they are given."""
    store, (ids, rows), queries = subject.build(), content(), asked()
    store.add(ids, rows)
    store.search(queries, K)
    expect(
        _equal(rows, content()[1]) and _equal(queries, asked()) and ids == content()[0],
        "arrays that are left alone",
        "they were changed in place",
        "Copy before you normalise",
    )


def _equal(some: Vectors, others: Vectors) -> bool:
    return bool(np.array_equal(some, others))


RULES = (
    *FIRST,
    hits_are_hits,
    *LAWS,
    scores_are_inner_products,
    the_nearest_are_found,
    rows_may_come_in_parts,
    all_there_is_where_k_is_larger,
    an_empty_store_has_no_hits,
    stores_are_apart,
    added_rows_stay_as_they_were,
)
