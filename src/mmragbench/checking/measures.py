"""Rules for measures: values, errors and absence stay three things, and numbers say what made them."""

from __future__ import annotations

import copy
import math
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from mmragbench.checking.inputs import picture, tasks
from mmragbench.checking.stand_ins import Encoder
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Odd, Skip, expect, short
from mmragbench.errors import NotApplicable
from mmragbench.measuring.scoring import estimate
from mmragbench.records import Better, Measure, Output, OutputKind, Ranking, Scores, Task
from mmragbench.registry import find_measure

CUTOFFS = (1, 5)
POSED = {"caption": "captioning", "answer": "question-answering", "image": "image-generation"}
UNCHECKED = "whether the numbers are right: compare them with another implementation"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """None: a measure gets the whole set at once."""
    return iter(())


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
            found: list[Scores] = evaluate(self.measures, self.task, rankings, outputs, **given)
        except NotApplicable as reason:
            raise Skip(str(reason)) from reason
        reasons = [scores.reason for scores in found if getattr(scores, "reason", None)]
        if found and len(reasons) == len(found) and len(results) == len(self.task.queries):
            raise Skip(f"nothing is computed here: {reasons[0]}")
        return found

    @cached_property
    def best(self) -> list[Scores]:
        """What it makes of the gold, asked once."""
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
        if self.kind == "image":
            return Output(query, image=self.task.targets[query])
        return Output(query, text=self.task.references[query][0])

    def _other(self, at: int, query: str) -> Any:
        if self.kind == "none":
            others = [d.id for d in self.task.memory if d.id not in self.task.qrels[query]]
            return Ranking.of(query, [(id, -float(n)) for n, id in enumerate(others)])
        if self.kind == "image":
            return Output(query, image=picture(80 + at))
        return Output(query, text=f"nothing of that sort {at}")


@lru_cache(maxsize=2)
def cases(subject: Subject) -> list[Case]:
    """One for each kind of output that is scored, or one for rankings."""
    kinds: tuple[OutputKind, ...] = subject.component.scores or ("none",)
    chosen = tuple(_measures(subject.component.name))
    return [Case(kind, tasks()[POSED.get(kind, "captioning")], chosen, subject) for kind in kinds]


def _measures(name: str) -> Iterator[Measure]:
    """`R@k` at two cutoffs; `FID` on the kit's features."""
    if name.endswith("@k"):
        yield from (Measure(name.removesuffix("@k"), cutoff=cutoff) for cutoff in CUTOFFS)
        return
    measure = Measure.parse(name)
    try:
        find_measure(measure)
    except Exception:
        measure = Measure(name, features="kit")
    yield measure


def one_result_a_measure(subject: Subject) -> None:
    """A Scores for each measure that is asked for, in order."""
    for case in cases(subject):
        found = case.best
        expect(
            [getattr(scores, "measure", None) for scores in found] == list(case.measures),
            f"Scores of {', '.join(map(str, case.measures))}",
            f"they are {short(found)}",
            "Return [Scores(measure, ...) for measure in measures]",
        )


def signatures_say_what_was_done(subject: Subject) -> None:
    """A number carries its signature: the measure and all that could change it."""
    for _, scores in _scored(subject):
        expect(
            isinstance(scores.signature, str) and scores.signature.startswith(scores.measure.name),
            f"a signature that begins with {scores.measure}",
            f"it is {short(scores.signature)}",
            "mmragbench.signature.signature(measure, n=..., version=...)",
        )


def one_score_a_query(subject: Subject) -> None:
    """Scores per query are one for each query, in order; a measure of the set may have none."""
    for case, scores in _scored(subject):
        named = [score.query for score in scores.scores]
        wanted = [query.id for query in case.task.queries]
        of_set = scores.total is not None and set(named) <= set(wanted)
        expect(
            named == wanted or of_set,
            f"scores of the queries {wanted}",
            f"they are of {named}",
            "One Score(query.id, value) for each of task.queries",
        )


def values_are_numbers(subject: Subject) -> None:
    """Values and totals are finite; a score has a value or an error, not both."""
    for _, scores in _scored(subject):
        values = [score.value for score in scores.scores if score.value is not None]
        values += [] if scores.total is None else [scores.total]
        expect(
            bool(values) and all(isinstance(v, float | int) and math.isfinite(v) for v in values),
            f"finite values of {scores.measure}",
            f"they are {short(values)}",
            "Where there is no number, give an error (for a query) or a reason (for the set)",
        )
        both = [s.query for s in scores.scores if s.value is not None and s.error is not None]
        expect(
            not both,
            "a value or an error",
            f"query {both[:1]} has both",
            "Score(query, error=reason) has no value",
        )


def a_failure_is_no_zero(subject: Subject) -> None:
    """A query whose output failed, or is missing, has an error and no value."""
    for case in cases(subject):
        failed, missing, *others = case.perfect()
        results = [Output(failed.query, error="it failed"), *others]
        if case.kind == "none":
            results = others
        for scores in case.score(results):
            by_query = {score.query: score for score in scores.scores}
            for query in (failed.query, missing.query):
                found = by_query.get(query)
                expect(
                    found is not None and found.value is None and bool(found.error),
                    f"an error for a query without a result ({scores.measure})",
                    f"query {query} has {short(found)}",
                    "Failed, missing and zero are three things: Score(query, error=reason)",
                )


def nothing_to_score_is_no_number(subject: Subject) -> None:
    """Without any result there is a reason, or errors alone, and no value."""
    for case in cases(subject):
        for scores in case.score([]):
            values = [score.value for score in scores.scores if score.value is not None]
            expect(
                not values and scores.total is None,
                f"no number without a result ({scores.measure})",
                f"it is {short(values or scores.total)}",
                "Scores(measure, signature, scores, reason='nothing was generated')",
            )


def the_same_again(subject: Subject) -> None:
    """The same results have the same scores."""
    for case in cases(subject):
        first, again = case.score(case.wrong()), case.score(case.wrong())
        expect(
            _numbers(first) == _numbers(again),
            "the same scores when asked again",
            "they differ",
            "Seed what draws lots, and say the seed in the signature",
        )


def the_order_of_results_does_not_matter(subject: Subject) -> None:
    """Results belong to their queries, not to their places."""
    for case in cases(subject):
        results = [*case.perfect()[:3], *case.wrong()[3:]]
        shuffled = random.Random(1).sample(results, len(results))
        first, again = _numbers(case.score(results)), _numbers(case.score(shuffled))
        expect(
            all(math.isclose(first[at], again.get(at, math.nan), abs_tol=1e-6) for at in first),
            "the same scores when outputs come in another order",
            "they differ",
            "Find a query's output by output.query",
        )


def right_and_wrong_differ(subject: Subject) -> None:
    """The gold itself scores better than something else, in the direction that the measure states (a
    warning)."""
    better = subject.component.info.better
    for case in cases(subject):
        wrong = case.score(case.wrong())
        if _numbers(case.best) == _numbers(wrong):
            message = f"{case.measures[0]} is the same for right and for wrong results"
            warnings.warn(message, Odd, stacklevel=2)
        elif not case.measures[0].features or subject.component.info.distance:
            for scores, other in zip(case.best, wrong, strict=True):
                _warn_of_direction(scores, other, better)


def _warn_of_direction(gold: Scores, other: Scores, better: Better) -> None:
    a, b = estimate(gold)[0], estimate(other)[0]
    if a is not None and b is not None and (a < b if better == "higher" else a > b):
        message = (
            f"{gold.measure} of the gold is {a:.4g} and of something else {b:.4g}, and {better} is "
            "better; if it is the other way, say so: @measures(..., better=...)"
        )
        warnings.warn(message, Odd, stacklevel=2)


def results_stay_as_they_were(subject: Subject) -> None:
    """The lists of rankings and outputs are not changed."""
    for case in cases(subject):
        given = case.wrong()
        before = copy.deepcopy(given)
        case.score(given)
        expect(given == before, "results that are left alone", "they were changed", "Copy first")


def _scored(subject: Subject) -> Iterator[tuple[Case, Scores]]:
    for case in cases(subject):
        for scores in case.best:
            yield case, scores


def _numbers(found: Sequence[Scores]) -> dict[tuple[str, str], float]:
    numbers = {
        (str(scores.measure), score.query): score.value
        for scores in found
        for score in scores.scores
        if score.value is not None
    }
    totals = {(str(s.measure), ""): s.total for s in found if s.total is not None}
    return numbers | totals


RULES = (
    one_result_a_measure,
    signatures_say_what_was_done,
    one_score_a_query,
    values_are_numbers,
    a_failure_is_no_zero,
    nothing_to_score_is_no_number,
    the_same_again,
    the_order_of_results_does_not_matter,
    right_and_wrong_differ,
    results_stay_as_they_were,
)
