"""The contract of stores: exact search against a full sort by numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from mmragbench.checking.batch_rules import BATCH_RULES
from mmragbench.checking.rules import Breaches, short, warn
from mmragbench.checking.subjects import AnswerType, Chunk, Contract, Item, Subject
from mmragbench.contracts import Vectors
from mmragbench.records import Hit

K = 6
RECALL = 0.95
"""Below this, an approximate store changes what strategies find."""


def content() -> tuple[list[str], Vectors]:
    """Sixty rows of small whole numbers: many ties, and exact sums."""
    rows = np.random.default_rng(0).integers(-2, 3, (60, 6)).astype(np.float32)
    return [str(i) for i in range(len(rows))], rows


def query_rows() -> Vectors:
    """Seven rows to search with."""
    return np.random.default_rng(1).integers(-2, 3, (7, 6)).astype(np.float32)


def _are_hits(_: Item, answer: Any) -> bool:
    known = set(content()[0])
    keys = [(hit.score, hit.id) for hit in answer if isinstance(hit, Hit)]
    fit = all(id in known and np.isfinite(score) for score, id in keys)
    return fit and len(keys) == len(answer) and keys == sorted(keys, reverse=True)


HITS = AnswerType(
    "a list of Hits: ids that were added, with finite scores, best first, ties by id descending",
    _are_hits,
    lambda one, other: list(one) == list(other),
    "Return [Hit(id, float(score)) for score, id in sorted(pairs, reverse=True)]",
)


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Rows to search with."""
    yield Chunk("search", tuple((row,) for row in query_rows()), partial(_search, subject), HITS)


def _search(subject: Subject) -> Callable[..., Any]:
    store = filled(subject)
    return lambda rows: store.search(np.asarray(rows, np.float32).reshape(-1, 6), K)


def filled(subject: Subject, parts: int = 1) -> Any:
    """A store with the content, added in so many parts."""
    store = subject.build()
    ids, rows = content()
    for part in np.array_split(np.arange(len(ids)), parts):
        store.add([ids[at] for at in part], rows[part])
    return store


def exact_search(query: Vectors, k: int) -> list[Hit]:
    """The nearest rows by a full sort."""
    ids, rows = content()
    pairs = sorted(zip((rows @ query).tolist(), ids, strict=True), reverse=True)
    return [Hit(id, score) for score, id in pairs[:k]]


CONTRACT = Contract("speed, size, and what is left on disk", chunks, [*BATCH_RULES])


@CONTRACT.rule("Turn distances into inner products; do not normalise rows")
def scores_are_inner_products(subject: Subject) -> Breaches:
    """A hit's score is the inner product of its row and the query's."""
    rows = dict(zip(*content(), strict=True))
    for query, hits in zip(query_rows(), subject.chunks[0].first, strict=False):
        for id, score in hits:
            product = float(rows[id] @ query) if id in rows else score
            if abs(score - product) >= 1e-3:
                yield f"the score of {id} is {score:g}, not {product:g}"


@CONTRACT.rule("Search exactly, or more widely; take ties at the last place by id")
def the_nearest_are_found(subject: Subject) -> Breaches:
    """The hits are those of a full sort; an approximate store may miss few."""
    answers = [[tuple(hit) for hit in hits] for hits in subject.chunks[0].first]
    exact = [[tuple(hit) for hit in exact_search(query, K)] for query in query_rows()]
    pairs = list(zip(answers, exact, strict=False))
    if all(hits == best for hits, best in pairs):
        return
    recalls = [len({id for id, _ in hits} & {id for id, _ in best}) / K for hits, best in pairs]
    recall = f"{np.mean(recalls):.0%} of the {K} nearest of {len(content()[0])} rows are found"
    if np.mean(recalls) < RECALL:
        yield recall
    warn(f"approximate: {recall}")


@CONTRACT.rule("`add` appends")
def rows_may_come_in_parts(subject: Subject) -> Breaches:
    """Adding in three parts is the same as adding at once."""
    in_parts, whole = (filled(subject, parts).search(query_rows(), K) for parts in (3, 1))
    if [list(hits) for hits in in_parts] != [list(hits) for hits in whole]:
        yield "the hits differ"


@CONTRACT.rule("Leave out the places that a library fills with -1")
def all_there_is_where_k_is_larger(subject: Subject) -> Breaches:
    """With k beyond the number of rows, each comes once, and nothing else."""
    ids, _ = content()
    for hits in filled(subject).search(query_rows(), len(ids) + 9):
        if sorted(hit[0] for hit in hits) != sorted(ids):
            yield f"of {len(ids)} rows, {len(hits)} hits come for k = {len(ids) + 9}"


@CONTRACT.rule("Return [[] for row in vectors] before anything was added")
def an_empty_store_has_no_hits(subject: Subject) -> Breaches:
    """A store without rows gives an empty list for each query."""
    answers = subject.build().search(query_rows(), K)
    if [len(hits) for hits in answers] != [0] * len(query_rows()):
        yield f"it gave {short(answers)}"


@CONTRACT.rule("Keep rows on the instance, in a folder or table of its own")
def stores_are_apart(subject: Subject) -> Breaches:
    """What is added to one store is not in the next."""
    filled(subject)
    if any(len(hits) for hits in subject.build().search(query_rows(), K)):
        yield "a new store has the rows of another"


@CONTRACT.rule("Copy before you normalise")
def added_rows_stay_as_they_were(subject: Subject) -> Breaches:
    """`add` and `search` do not change the arrays that they are given."""
    store, (ids, rows), queries = subject.build(), content(), query_rows()
    store.add(ids, rows)
    store.search(queries, K)
    same = np.array_equal(rows, content()[1]) and np.array_equal(queries, query_rows())
    if not same or ids != content()[0]:
        yield "they were changed in place"
