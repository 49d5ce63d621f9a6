"""Rules for strategies: what a ranking is, and what a memory may be."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import Lazy, memory, tasks
from mmragbench.checking.other_process import found_elsewhere, found_here
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Odd, Skip, expect, short
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Hit, Ranking, Task

K = 5
ROUNDING = 1e-4
"""Scores that differ by less are those of another batch size."""

UNCHECKED = "how good it is, how fast, and how much memory it needs"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Queries on an indexed memory, for each kind of task."""
    for task in tasks().values():
        rows = tuple((query,) for query in task.queries)
        yield Chunk(task.name, rows, _retriever(subject, task), same, "a list of Rankings")


def _retriever(subject: Subject, task: Task) -> Callable[[], Callable[..., Any]]:
    def new() -> Callable[..., Any]:
        strategy = _indexed(subject, task, list(task.memory))
        return lambda queries: strategy.retrieve(queries, K)

    return new


def _indexed(subject: Subject, task: Task, memory: Sequence[Document]) -> Any:
    strategy = subject.build(task=task)
    strategy.index(memory)
    return strategy


def _applying(subject: Subject) -> list[Task]:
    return [tasks()[chunk.what] for chunk in subject.chunks]


def same(one: Ranking, other: Ranking) -> bool:
    """The same ids with the same scores; ids may trade places where scores are tied by rounding."""
    if len(one.hits) != len(other.hits):
        return False
    pairs = list(zip(one.hits, other.hits, strict=True))
    close = all(math.isclose(a.score, b.score, abs_tol=ROUNDING) for a, b in pairs)
    return close and all(a.id == b.id or _tied(one, at) for at, (a, b) in enumerate(pairs))


def _tied(ranking: Ranking, at: int) -> bool:
    """Whether the hit's score is a neighbour's, up to rounding; the last one's may be tied below."""
    score = ranking.hits[at].score
    around = [*ranking.hits[max(at - 1, 0) : at], *ranking.hits[at + 1 : at + 2]]
    last = at == len(ranking.hits) - 1
    return last or any(math.isclose(score, hit.score, abs_tol=ROUNDING) for hit in around)


def rankings_name_their_queries(subject: Subject) -> None:
    """The answers are Rankings, each with the id of the query at its place."""
    for chunk in subject.chunks:
        for (query,), ranking in zip(chunk.rows, chunk.first, strict=False):
            expect(
                isinstance(ranking, Ranking),
                f"a mmragbench.records.Ranking for query {query.id} ({chunk.what})",
                f"it is {short(ranking)}",
                "Return [Ranking.of(query.id, hits, k) for ...]",
            )
            expect(
                ranking.query == query.id,
                f"the ranking of query {query.id} at its place ({chunk.what})",
                f"it is that of {short(ranking.query)}",
                "Return rankings in the order of the queries, under the queries' ids",
            )


def hits_are_in_the_memory(subject: Subject) -> None:
    """Every hit is the id of a document that was indexed."""
    for task, ranking in _rankings(subject):
        known = {document.id for document in task.memory}
        stray = [id for id, _ in ranking.hits if id not in known]
        expect(
            not stray,
            f"ids of the memory's documents ({task.name})",
            f"query {ranking.query} has {short(stray[:3])}",
            "Return document.id, not a row number or a text's id",
        )


def no_document_twice(subject: Subject) -> None:
    """A document is in a ranking once at most, however many texts or pictures it has."""
    for task, ranking in _rankings(subject):
        expect(
            len({id for id, _ in ranking.hits}) == len(ranking.hits),
            f"each document once ({task.name})",
            f"query {ranking.query} has {short([id for id, _ in ranking.hits])}",
            "Keep each document's best score",
        )


def scores_are_numbers(subject: Subject) -> None:
    """Every hit is an id with a finite score."""
    for task, ranking in _rankings(subject):
        for hit in ranking.hits:
            number = isinstance(hit, Hit) and isinstance(hit.score, float | int)
            expect(
                number and math.isfinite(hit.score),
                f"hits with an id and a finite score ({task.name})",
                f"query {ranking.query} has {short(hit)}",
                "Return Hit(id, float(score)); leave a document out that has no score",
            )


def best_first(subject: Subject) -> None:
    """By score, descending; equal scores by id, descending as strings (trec_eval's rule)."""
    for task, ranking in _rankings(subject):
        keys = [(hit[1], hit[0]) for hit in ranking.hits if hit[1] == hit[1]]
        expect(
            keys == sorted(keys, reverse=True),
            f"hits by score, then by id, both descending ({task.name})",
            f"query {ranking.query} has {short([tuple(hit) for hit in ranking.hits], 160)}",
            "Ranking.of(query.id, hits, k) sorts them so",
        )


def at_most_k(subject: Subject) -> None:
    """No ranking is longer than k, for 1, a few, and more than there are documents."""
    for task in _applying(subject):
        strategy = _indexed(subject, task, list(task.memory))
        for k in (1, 3, len(task.memory) + 7):
            for ranking in strategy.retrieve(list(task.queries), k):
                expect(
                    len(ranking.hits) <= k,
                    f"at most {k} hits ({task.name})",
                    f"query {ranking.query} has {len(ranking.hits)}",
                    "Cut at k: Ranking.of(query.id, hits, k)",
                )


def a_short_list_begins_a_longer_one(subject: Subject) -> None:
    """With a smaller k come the first hits of a larger k (a warning: fusion may depend on k)."""
    for task in _applying(subject):
        strategy = _indexed(subject, task, list(task.memory))
        pairs = [strategy.retrieve(list(task.queries), k) for k in (2, K)]
        for few, many in zip(*pairs, strict=False):
            if not same(few, Ranking(few.query, many.hits[:2])):
                warnings.warn(
                    f"with k=2 query {few.query} finds {short(few.ids)}, with k={K} first "
                    f"{short(many.ids[:2])} ({task.name}): measures at 2 depend on the depth",
                    Odd,
                    stacklevel=2,
                )
                return


def an_empty_memory_has_no_hits(subject: Subject) -> None:
    """Without documents every query has an empty ranking, or NotApplicable says why not."""
    for task in _applying(subject):
        try:
            found = _indexed(subject, task, []).retrieve(list(task.queries), K)
        except NotApplicable:
            continue
        expect(
            [(ranking.query, len(ranking.hits)) for ranking in found]
            == [(query.id, 0) for query in task.queries],
            f"an empty ranking for each query of an empty memory ({task.name})",
            f"it gave {short(found)}",
            "Return Ranking(query.id) where there is nothing to find",
        )


def indexing_again_replaces(subject: Subject) -> None:
    """A second memory takes the place of the first."""
    for task in _applying(subject):
        strategy = _indexed(subject, task, list(task.memory))
        sides = task.memory[0]
        other = memory(20, sides.image is not None, bool(sides.texts))
        strategy.index(other)
        known = {document.id for document in other}
        stray = {id for r in strategy.retrieve(list(task.queries), 30) for id in r.ids} - known
        expect(
            not stray,
            f"the second memory alone after indexing twice ({task.name})",
            f"it still finds {short(sorted(stray)[:3])} of the first",
            "Begin `index` with empty stores",
        )


def any_sequence_is_a_memory(subject: Subject) -> None:
    """Memory and queries are sequences, not lists: large ones are read lazily."""
    for task in _applying(subject):
        found = _indexed(subject, task, Lazy(task.memory)).retrieve(Lazy(task.queries), K)
        chunk = next(chunk for chunk in subject.chunks if chunk.what == task.name)
        expect(
            chunk.alike(chunk.first, found) is None,
            f"the same rankings from a lazy sequence as from a list ({task.name})",
            f"it gave {short(found)}",
            "Use len(), indexing and iteration only",
        )


def the_memory_stays_as_it_was(subject: Subject) -> None:
    """Indexing does not change the list of documents."""
    for task in _applying(subject):
        given = list(task.memory)
        before = copy.deepcopy(given)
        _indexed(subject, task, given)
        expect(
            given == before,
            f"a memory that is left alone ({task.name})",
            "`index` changed the list that it was given",
            "Work on a copy: sorted(memory, ...) instead of memory.sort(...)",
        )


def the_same_in_another_process(subject: Subject) -> None:
    """Another process finds the same: no order of sets, no `hash()` of strings."""
    if subject.origin is None:
        raise Skip("it is given as an object: name it package.module:Name to try another process")
    here, there = found_here(subject), found_elsewhere(subject.origin)
    differing = [what for what, found in here.items() if found != there.get(what)]
    expect(
        not differing,
        "the same hits in another process",
        f"they differ for {', '.join(differing)}",
        "Sort what comes out of sets; seed by zlib.crc32 of an id, not by its hash()",
    )


def _rankings(subject: Subject) -> Iterator[tuple[Task, Ranking]]:
    for chunk in subject.chunks:
        for ranking in chunk.first:
            if isinstance(ranking, Ranking):
                yield tasks()[chunk.what], ranking


RULES = (
    *FIRST,
    rankings_name_their_queries,
    *LAWS,
    hits_are_in_the_memory,
    no_document_twice,
    scores_are_numbers,
    best_first,
    at_most_k,
    a_short_list_begins_a_longer_one,
    an_empty_memory_has_no_hits,
    indexing_again_replaces,
    any_sequence_is_a_memory,
    the_memory_stays_as_it_was,
    the_same_in_another_process,
)
