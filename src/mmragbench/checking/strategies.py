"""The contract of strategies: the form of rankings, and the memories that they must index."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from mmragbench.checking.batch_rules import BATCH_RULES
from mmragbench.checking.inputs import LazySequence, memory, tasks
from mmragbench.checking.other_process import hits_here, hits_in_another_process
from mmragbench.checking.rules import Breaches, Skip, short, warn
from mmragbench.checking.subjects import AnswerType, Chunk, Contract, Item, Subject
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Hit, Ranking, Task

K = 5
ROUNDING = 1e-4
"""Scores that differ by less are those of another batch size."""


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


def _is_ranking(item: Item, answer: Any) -> bool:
    return isinstance(answer, Ranking) and answer.query == item[0].id


RANKING = AnswerType(
    "a mmragbench.records.Ranking under the id of the query at its place",
    _is_ranking,
    same,
    "Return [Ranking.of(query.id, hits, k) for query in queries]",
)


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Queries on an indexed memory, for each kind of task."""
    for task in tasks().values():
        queries = tuple((query,) for query in task.queries)
        yield Chunk(task.name, queries, partial(_retriever, subject, task), RANKING)


def _retriever(subject: Subject, task: Task) -> Callable[..., Any]:
    strategy = _indexed(subject, task)
    return lambda queries: strategy.retrieve(queries, K)


def _indexed(subject: Subject, task: Task, memory: Sequence[Document] | None = None) -> Any:
    strategy = subject.build(task=task)
    strategy.index(list(task.memory) if memory is None else memory)
    return strategy


def _tasks(subject: Subject) -> Iterator[Task]:
    """The kit's tasks that apply."""
    return (tasks()[chunk.what] for chunk in subject.chunks)


def _rankings(subject: Subject) -> Iterator[tuple[Task, Ranking]]:
    for chunk in subject.chunks:
        for ranking in chunk.first:
            if isinstance(ranking, Ranking):
                yield tasks()[chunk.what], ranking


CONTRACT: Contract = Contract(
    "how good it is, how fast, and how much memory it needs", chunks, [*BATCH_RULES]
)


@CONTRACT.rule("Return document.id, not a row number or a text's id")
def hits_are_in_the_memory(subject: Subject) -> Breaches:
    """Every hit is the id of a document that was indexed."""
    for task, ranking in _rankings(subject):
        known = {document.id for document in task.memory}
        if stray := [id for id, _ in ranking.hits if id not in known]:
            yield f"query {ranking.query} has {short(stray[:3])} ({task.name})"


@CONTRACT.rule("Keep each document's best score")
def no_document_twice(subject: Subject) -> Breaches:
    """A document is in a ranking once at most, however many texts or pictures it has."""
    for task, ranking in _rankings(subject):
        ids = [id for id, _ in ranking.hits]
        if len(set(ids)) < len(ids):
            yield f"query {ranking.query} has {short(ids)} ({task.name})"


@CONTRACT.rule("Return Hit(id, float(score)); leave a document out that has no score")
def scores_are_numbers(subject: Subject) -> Breaches:
    """Every hit is an id with a finite score."""
    for task, ranking in _rankings(subject):
        for hit in ranking.hits:
            number = isinstance(hit, Hit) and isinstance(hit.score, float | int)
            if not (number and math.isfinite(hit.score)):
                yield f"query {ranking.query} has {short(hit)} ({task.name})"


@CONTRACT.rule("Ranking.of(query.id, hits, k) sorts them so")
def best_first(subject: Subject) -> Breaches:
    """Hits come by score, descending; equal scores by id, descending as strings (trec_eval's rule)."""
    for task, ranking in _rankings(subject):
        keys = [(hit[1], hit[0]) for hit in ranking.hits if hit[1] == hit[1]]
        if keys != sorted(keys, reverse=True):
            hits = short([tuple(hit) for hit in ranking.hits], 160)
            yield f"query {ranking.query} has {hits} ({task.name})"


@CONTRACT.rule("Cut at k: Ranking.of(query.id, hits, k)")
def at_most_k(subject: Subject) -> Breaches:
    """No ranking is longer than k, for 1, a few, and more than there are documents."""
    for task in _tasks(subject):
        strategy = _indexed(subject, task)
        for k in (1, 3, len(task.memory) + 7):
            for ranking in strategy.retrieve(list(task.queries), k):
                if len(ranking.hits) > k:
                    count = f"{len(ranking.hits)} hits for k = {k}"
                    yield f"query {ranking.query} has {count} ({task.name})"


@CONTRACT.rule()
def a_short_list_begins_a_longer_one(subject: Subject) -> None:
    """With a smaller k come the first hits of a larger k, unless fusion depends on k."""
    for task in _tasks(subject):
        strategy = _indexed(subject, task)
        short_lists, longer = (strategy.retrieve(list(task.queries), k) for k in (2, K))
        for few, many in zip(short_lists, longer, strict=False):
            if not same(few, Ranking(few.query, many.hits[:2])):
                warn(
                    f"with k=2 query {few.query} finds {short(few.ids)}, with k={K} first "
                    f"{short(many.ids[:2])} ({task.name}): measures at 2 depend on the depth"
                )
                return


@CONTRACT.rule("Return Ranking(query.id) where there is nothing to find")
def an_empty_memory_has_no_hits(subject: Subject) -> Breaches:
    """Without documents every query has an empty ranking, or NotApplicable says why not."""
    for task in _tasks(subject):
        try:
            rankings = _indexed(subject, task, []).retrieve(list(task.queries), K)
        except NotApplicable:
            continue
        counts = [(ranking.query, len(ranking.hits)) for ranking in rankings]
        if counts != [(query.id, 0) for query in task.queries]:
            yield f"it gave {short(rankings)} ({task.name})"


@CONTRACT.rule("Begin `index` with empty stores")
def indexing_again_replaces(subject: Subject) -> Breaches:
    """A second memory takes the place of the first."""
    for task in _tasks(subject):
        strategy, first = _indexed(subject, task), task.memory[0]
        second = memory(20, first.image is not None, bool(first.texts))
        strategy.index(second)
        rankings = strategy.retrieve(list(task.queries), 30)
        stray = {id for ranking in rankings for id in ranking.ids} - {d.id for d in second}
        if stray:
            yield f"it still finds {short(sorted(stray)[:3])} of the first ({task.name})"


@CONTRACT.rule("Use len(), indexing and iteration only")
def any_sequence_is_a_memory(subject: Subject) -> Breaches:
    """Memory and queries are sequences, not lists: large ones are read lazily."""
    for chunk in subject.chunks:
        task = tasks()[chunk.what]
        strategy = _indexed(subject, task, LazySequence(task.memory))
        rankings = strategy.retrieve(LazySequence(task.queries), K)
        if chunk.first_difference(chunk.first, rankings) is not None:
            yield f"from a lazy sequence it gave {short(rankings)} ({task.name})"


@CONTRACT.rule("Work on a copy: sorted(memory, ...) instead of memory.sort(...)")
def the_memory_stays_as_it_was(subject: Subject) -> Breaches:
    """Indexing does not change the list of documents."""
    for task in _tasks(subject):
        documents = list(task.memory)
        before = copy.deepcopy(documents)
        _indexed(subject, task, documents)
        if documents != before:
            yield f"`index` changed the list that it was given ({task.name})"


@CONTRACT.rule("Sort what comes out of sets; seed by zlib.crc32 of an id, not by its hash()")
def the_same_in_another_process(subject: Subject) -> Breaches:
    """Another process finds the same: no order of sets, no `hash()` of strings."""
    if subject.arguments is None:
        raise Skip("it is given as an object: name it package.module:Name to try another process")
    here, other = hits_here(subject), hits_in_another_process(subject.arguments)
    if differing := [task for task, hits in here.items() if hits != other.get(task)]:
        yield f"the hits differ for {', '.join(differing)}"
