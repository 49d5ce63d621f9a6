"""Rankings against relevance judgements: trec_eval's measures, through `ir_measures`.

All values lie in 0 to 1. `R@k` is true recall (the share of the relevant documents that are
among the first k); `Success@k` is the hit rate that CLIP papers call recall. Policies, stated in
the signatures:

- `ties:id-desc`: hits of one score are ordered by id, descending, as in trec_eval. Rankings come
  ordered like that, and their ranks are handed over instead of their scores: trec_eval reads
  scores in single precision, where two different ones may become equal.
- `norel:unscored`: a query without a relevant document has neither a value nor an error.
- `empty:0`: a query that was answered with no hits scores 0; one with no ranking is an error.
- `docs:500`: the size of the memory, since a larger gallery is a harder one; left out where
  rankings come without it.
- `unjudged:nonrel`: a document without a judgement is not relevant; a relevant document that is not
  in the memory counts among those that should have been retrieved, as in trec_eval.

Grades are whole numbers from -1,000 to 1,000: trec_eval's memory grows with the highest grade.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmragbench._batching import batches
from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.judgements import MAX_GRADE
from mmragbench.records import Absence, Measure, Output, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature, version

Values = dict[str, dict[str, float]]
"""Measure -> query -> value."""

PART = 256
"""Rankings that are scored together: a query may have thousands of relevant documents."""


@registered(
    *("RR", "RR@k", "nDCG", "nDCG@k", "AP", "AP@k", "Rprec"),
    unit="×100",
    margin=0.02,
    display={"RR": "MRR", "AP": "mAP", "Rprec": "R-Prec"},
)
@registered("P@k", margin=0.02)
@registered("R@k", "Success@k", unit="%", margin=0.02)
def retrieval(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    depth: int | None = None,
    **_: Any,
) -> list[Scores]:
    """Recall, hit rate, precision (at k, at the number of relevant documents), reciprocal rank, nDCG
    and average precision.

    `depth` is the number of hits that were asked for, if known: it is part of the signature of a
    measure without a cutoff. Otherwise it is the length of the longest ranking.

    Raises:
        DataError: a grade lies beyond what trec_eval can score.
    """
    values: Values = {str(measure): {} for measure in measures}
    query_ids = {query.id for query in task.queries}
    unranked = set(query_ids)
    reasons: dict[str, str] = {}
    longest = 0
    for part in batches(rankings, PART):
        own = [ranking for ranking in part if ranking.query in query_ids]
        reasons |= {ranking.query: ranking.error for ranking in own if ranking.error is not None}
        by_query = {ranking.query: ranking for ranking in own if ranking.error is None}
        unranked -= by_query.keys()
        graded = {query: _checked(query, task.qrels.get(query, {})) for query in by_query}
        judged = {query: grades for query, grades in graded.items() if _any_relevant(grades)}
        ranked = {query: by_query[query] for query in judged}
        longest = max(longest, *(len(ranking.hits) for ranking in ranked.values()), 0)
        for name, values_of_part in _evaluate(measures, judged, ranked).items():
            values[name] |= values_of_part
    scorable = (query for query in unranked if _any_relevant(task.qrels.get(query, {})))
    errors = {query: reasons.get(query, "no ranking") for query in scorable}
    scores = [
        _scores(measure, task, errors, values[str(measure)], depth or longest)
        for measure in measures
    ]
    return [replace(s, warning=_shallow(s.measure, task, depth, longest)) for s in scores]


def _shallow(measure: Measure, task: Task, depth: int | None, longest: int) -> str | None:
    """A warning where every ranking ends before the measure does, as far as documents go; None where
    none has to."""
    if depth is None or longest >= min(measure.cutoff or depth, len(task.memory)):
        return None
    return (
        f"{measure}: no ranking has more than {longest:,} hits; what a deeper one would have found "
        "counts as not retrieved"
    )


def _checked(query: str, grades: Mapping[str, int]) -> Mapping[str, int]:
    """The grades themselves, if they may be scored: a file's were checked, others may be anything."""
    highest = max(grades.values(), default=0)
    if max(highest, -min(grades.values(), default=0)) > MAX_GRADE:
        raise DataError(
            f"query {quoted(query)} has a grade beyond {MAX_GRADE:,}, which is none; grades are "
            f"whole numbers from {-MAX_GRADE:,} to {MAX_GRADE:,}"
        )
    return grades


def _any_relevant(grades: Mapping[str, int]) -> bool:
    return max(grades.values(), default=0) >= 1


def _evaluate(
    measures: Sequence[Measure],
    qrels: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Ranking],
) -> Values:
    """All measures in one pass of trec_eval over the queries that have hits; 0 for the others."""
    import ir_measures

    names = {str(measure): ir_measures.parse_measure(_computed(measure)) for measure in measures}
    values: Values = {name: dict.fromkeys(rankings, 0.0) for name in names}
    by_measure: dict[object, list[str]] = {}
    for name, computed in names.items():
        by_measure.setdefault(computed, []).append(name)
    run = {query: _ranks(ranking) for query, ranking in rankings.items() if ranking.hits}
    judged = {query: dict(qrels[query]) for query in run}
    for metric in _calculate(by_measure, judged, run):
        for name in by_measure[metric.measure]:
            values[name][metric.query_id] = metric.value
    for measure in measures:
        if measure.name == "RR" and measure.cutoff:
            _cut(values[str(measure)], measure.cutoff)
    return values


def _calculate(computed: Iterable[object], qrels: object, run: object) -> Iterable[Any]:
    import ir_measures

    return ir_measures.pytrec_eval.iter_calc(list(computed), qrels, run) if run else ()


def _computed(measure: Measure) -> str:
    """What trec_eval computes for it: reciprocal rank has no cutoff there."""
    return "RR" if measure.name == "RR" else str(measure)


def _cut(reciprocal: dict[str, float], cutoff: int) -> None:
    """Reciprocal rank at a cutoff: 0 where the first relevant document comes later."""
    for query, value in reciprocal.items():
        if value and round(1 / value) > cutoff:
            reciprocal[query] = 0.0


def _ranks(ranking: Ranking) -> dict[str, float]:
    """The order as scores that single precision holds exactly; of a repeated hit, the first (the
    worst come first here, and are written over)."""
    ids = ranking.ids
    return dict(zip(reversed(ids), map(float, range(-len(ids), 0)), strict=True))


def _scores(
    measure: Measure, task: Task, errors: Mapping[str, str], values: Mapping[str, float], depth: int
) -> Scores:
    described = signature(
        measure,
        relevance=task.relevance.replace(":", "="),
        docs=len(task.memory) or None,
        depth=measure.cutoff or depth,
        ties="id-desc",
        norel="unscored",
        empty="0",
        unjudged="nonrel",
        n=len(values),
        ir_measures=version("ir_measures"),
        pytrec_eval=version("pytrec_eval-terrier"),
    )
    scores = (Score(query.id, values.get(query.id), errors.get(query.id)) for query in task.queries)
    best = {query: _best(measure, task.qrels[query]) for query in values}
    return Scores(
        measure,
        described,
        tuple(scores),
        absence=None if values else Absence("no query could be scored"),
        bounds=(0.0, max(best.values(), default=1.0)),
        best=best if len(set(best.values())) > 1 else {},
    )


def _best(measure: Measure, grades: Mapping[str, int]) -> float:
    """What the best ranking has: recall and precision at a cutoff can't always reach 1."""
    relevant, cutoff = sum(grade >= 1 for grade in grades.values()), measure.cutoff or 0
    if measure.name == "R":
        return min(1.0, cutoff / relevant)
    return min(1.0, relevant / cutoff) if measure.name == "P" else 1.0
