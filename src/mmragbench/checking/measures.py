"""The contract of measures: values, errors and absence stay apart, and numbers have signatures."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from mmragbench.checking.inputs import picture, tasks
from mmragbench.checking.rules import Breaches, Skip, short, warn
from mmragbench.checking.stand_ins import Encoder
from mmragbench.checking.subjects import Contract, Subject
from mmragbench.errors import NotApplicable
from mmragbench.measuring.scoring import estimate
from mmragbench.records import Better, Measure, Output, OutputKind, Ranking, Scores, Task
from mmragbench.registry import find_measure

CUTOFFS = (1, 5)
TASKS = {"caption": "captioning", "answer": "question-answering", "image": "image-generation"}
"""Kind of output -> the kit's task of that kind."""


@dataclass(frozen=True, eq=False)
class Case:
    """A task with perfect results for it.

    Attributes:
        kind: what is scored: an output's kind, or `none` for rankings.
        measures: those of the evaluator, with cutoffs and features where it wants them.
    """

    kind: OutputKind
    task: Task
    measures: tuple[Measure, ...]
    subject: Subject

    def score(self, results: Sequence[Any]) -> list[Scores]:
        """What the evaluator makes of rankings or outputs."""
        rankings, outputs = (results, []) if self.kind == "none" else ([], results)
        given = {"features": Encoder()} if self.measures[0].features else {}
        evaluate = self.subject.instance
        try:
            scores: list[Scores] = evaluate(self.measures, self.task, rankings, outputs, **given)
        except NotApplicable as reason:
            raise Skip(str(reason)) from reason
        reasons = [own.absence for own in scores if getattr(own, "absence", None)]
        if scores and len(reasons) == len(scores) and len(results) == len(self.task.queries):
            raise Skip(f"nothing is computed here: {reasons[0]}")
        return scores

    @cached_property
    def best(self) -> list[Scores]:
        """The scores of the gold, computed once."""
        return self.score(self.perfect())

    def perfect(self) -> list[Any]:
        """The gold itself."""
        return [self._gold(query.id) for query in self.task.queries]

    def wrong(self) -> list[Any]:
        """Something else for each query."""
        return [self._other(at, query.id) for at, query in enumerate(self.task.queries)]

    def _gold(self, query: str) -> Any:
        if self.kind == "none":
            return Ranking.of(query, [(id, 1.0) for id in self.task.qrels[query]])
        shown = tuple(self.task.qrels[query])
        if self.kind == "image":
            return Output(query, image=self.task.targets[query], shown=shown)
        return Output(query, text=self.task.references[query][0], shown=shown)

    def _other(self, at: int, query: str) -> Any:
        if self.kind == "none":
            others = [d.id for d in self.task.memory if d.id not in self.task.qrels[query]]
            return Ranking.of(query, [(id, -float(n)) for n, id in enumerate(others)])
        shown = tuple(self.task.qrels[query])
        if self.kind == "image":
            return Output(query, image=picture(80 + at), shown=shown)
        return Output(query, text=f"nothing of that sort {at}", shown=shown)


@lru_cache(maxsize=2)
def cases(subject: Subject) -> list[Case]:
    """A case for each kind of output that is scored, or one for rankings."""
    kinds: tuple[OutputKind, ...] = subject.component.scores or ("none",)
    measures = tuple(_measures(subject.component.name))
    return [Case(kind, tasks()[TASKS.get(kind, "captioning")], measures, subject) for kind in kinds]


def _measures(name: str) -> Iterator[Measure]:
    """`R@k` at two cutoffs; `FID` on the kit's features."""
    for cutoff in CUTOFFS if name.endswith("@k") else (None,):
        measure = replace(Measure.parse(name.removesuffix("@k")), features=None, cutoff=cutoff)
        try:
            find_measure(measure)
        except Exception:
            measure = replace(measure, features="kit")
        yield measure


def _scores(subject: Subject) -> Iterator[tuple[Case, Scores]]:
    """The scores of the gold, with their cases."""
    for case in cases(subject):
        for scores in case.best:
            yield case, scores


def _values(scores: Scores) -> list[float]:
    """All numbers of some scores."""
    numbers = (scores.total, *(score.value for score in scores.scores))
    return [number for number in numbers if number is not None]


def _by_query(results: Sequence[Scores]) -> dict[tuple[str, str], float]:
    """Measure and query (none for the set) -> value."""
    return {
        (str(scores.measure), query): value
        for scores in results
        for query, value in [("", scores.total), *((s.query, s.value) for s in scores.scores)]
        if value is not None
    }


CONTRACT = Contract("whether the numbers are right: compare them with another implementation")


@CONTRACT.rule("Return [Scores(measure, ...) for measure in measures]")
def one_result_a_measure(subject: Subject) -> Breaches:
    """There is a Scores for each measure that is asked for, in order."""
    for case in cases(subject):
        if [getattr(scores, "measure", None) for scores in case.best] != list(case.measures):
            yield f"for {', '.join(map(str, case.measures))} it gave {short(case.best)}"


@CONTRACT.rule("mmragbench.signature.signature(measure, n=..., version=...)")
def signatures_say_what_was_done(subject: Subject) -> Breaches:
    """A number carries its signature: it begins with the measure's name and says all that could
    change the number."""
    for _, scores in _scores(subject):
        signature = scores.signature
        if not (isinstance(signature, str) and signature.startswith(scores.measure.name)):
            yield f"that of {scores.measure} is {short(signature)}"


@CONTRACT.rule("Return one Score(query.id, value) for each of task.queries")
def one_score_a_query(subject: Subject) -> Breaches:
    """Scores per query are one for each query, in order; a measure of the set may have none."""
    for case, scores in _scores(subject):
        named = [score.query for score in scores.scores]
        queries = [query.id for query in case.task.queries]
        if named != queries and (scores.total is None or not set(named) <= set(queries)):
            yield f"they are of {named}, not of {queries}"


@CONTRACT.rule("Where there is no number, give an error (for a query) or a reason (for the set)")
def values_are_numbers(subject: Subject) -> Breaches:
    """Values and totals are finite; a score has a value or an error, not both."""
    for _, scores in _scores(subject):
        values = _values(scores)
        if not values or not all(isinstance(v, float | int) and math.isfinite(v) for v in values):
            yield f"those of {scores.measure} are {short(values)}"
        for score in scores.scores:
            if score.value is not None and score.error is not None:
                yield f"query {score.query} has both"


@CONTRACT.rule("Failed, missing and zero are three things: Score(query, error=reason)")
def a_failure_is_no_zero(subject: Subject) -> Breaches:
    """A query whose output failed, or is missing, has an error and no value."""
    for case in cases(subject):
        failed, missing, *others = case.perfect()
        errors = [] if case.kind == "none" else [Output(failed.query, error="it failed")]
        for scores in case.score([*errors, *others]):
            by_query = {score.query: score for score in scores.scores}
            for query in (failed.query, missing.query):
                score = by_query.get(query)
                if score is None or score.value is not None or not score.error:
                    yield f"query {query} has {short(score)} ({scores.measure})"


@CONTRACT.rule("Scores(measure, signature, scores, absence=Absence('nothing was generated'))")
def nothing_to_score_is_no_number(subject: Subject) -> Breaches:
    """Without any result there is a reason, or errors alone, and no value."""
    for case in cases(subject):
        for scores in case.score([]):
            if values := _values(scores):
                yield f"{scores.measure} is {short(values)}"


@CONTRACT.rule("Seed random numbers, and say the seed in the signature")
def the_same_again(subject: Subject) -> Breaches:
    """The same results have the same scores."""
    for case in cases(subject):
        if _by_query(case.score(case.wrong())) != _by_query(case.score(case.wrong())):
            yield "they differ when asked again"


@CONTRACT.rule("Find a query's output by output.query")
def the_order_of_results_does_not_matter(subject: Subject) -> Breaches:
    """Results belong to their queries, not to their places."""
    for case in cases(subject):
        results = [*case.perfect()[:3], *case.wrong()[3:]]
        shuffled = random.Random(1).sample(results, len(results))
        first, again = _by_query(case.score(results)), _by_query(case.score(shuffled))
        if not all(math.isclose(first[at], again.get(at, math.nan), abs_tol=1e-6) for at in first):
            yield "the scores differ when outputs come in another order"


@CONTRACT.rule()
def right_and_wrong_differ(subject: Subject) -> None:
    """The gold itself scores better than something else, in the direction that the measure states."""
    better = subject.component.info.better
    for case in cases(subject):
        wrong = case.score(case.wrong())
        if _by_query(case.best) == _by_query(wrong):
            warn(f"{case.measures[0]} is the same for right and for wrong results")
        elif not case.measures[0].features or subject.component.info.distance:
            for scores, other in zip(case.best, wrong, strict=True):
                _warn_of_direction(scores, other, better)


def _warn_of_direction(gold: Scores, other: Scores, better: Better) -> None:
    a, b = estimate(gold)[0], estimate(other)[0]
    if a is not None and b is not None and (a < b if better == "higher" else a > b):
        warn(
            f"{gold.measure} of the gold is {a:.4g} and of something else {b:.4g}, and {better} is "
            "better; if it is the other way, say so: @measures(..., better=...)"
        )


@CONTRACT.rule("Work on a copy")
def results_stay_as_they_were(subject: Subject) -> Breaches:
    """The lists of rankings and outputs are not changed."""
    for case in cases(subject):
        results = case.wrong()
        before = copy.deepcopy(results)
        case.score(results)
        if results != before:
            yield "they were changed"
