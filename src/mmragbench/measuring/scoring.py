"""From rankings and outputs to scores, slice by slice, and to the rows of a summary."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmragbench import _crashes as crashes
from mmragbench.contracts import Encoder, Traits
from mmragbench.errors import MmragbenchError, NotApplicable
from mmragbench.records import Absence, Measure, Output, Ranking, Scores, Task
from mmragbench.registry import Component
from mmragbench.signature import extended, updated

Row = dict[str, Any]

TOLERANCE = 1e-6
"""How far beyond its bounds a value may lie by rounding, as a share of their width."""

Scored = dict[str, list[Scores]]
"""Slice -> the measures' scores on it; `all` comes first."""


def score(
    measures: Mapping[Measure, Component],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Callable[[str], Encoder],
    depth: int | None = None,
) -> Scored:
    """Every measure on all queries and on each slice.

    Where a measure's value is the mean of its queries' values, a slice's is their mean over the
    slice (CIDEr keeps the idf of the whole set); a measure of the set is computed on the slice anew.
    `depth` is how many hits were asked for.
    """

    def evaluate(chosen: Mapping[Measure, Component], task_part: Task) -> list[Scores]:
        return _evaluate(chosen, task_part, (rankings, outputs), features, depth)

    scores = evaluate(measures, task)
    scored = {"all": scores}
    for name, ids in task.slices.items():
        of_set = {s.measure: measures[s.measure] for s in scores if s.total is not None}
        again = evaluate(of_set, task.subset(ids)) if of_set else []
        anew = {scores.measure: scores for scores in again}
        scored[name] = [anew.get(s.measure) or _restricted(s, ids) for s in scores]
    groups = {query.id: query.group or query.id for query in task.queries}
    scored = {name: [_with_interval(s, groups) for s in own] for name, own in scored.items()}
    return with_info(scored, measures)


def with_info(scored: Scored, measures: Mapping[Measure, Component]) -> Scored:
    """Scores whose measures have what their definitions say of them; stored ones have the names."""
    return {
        name: [replace(s, measure=s.measure.with_info(measures[s.measure].info)) for s in own]
        for name, own in scored.items()
    }


def _with_interval(scores: Scores, groups: Mapping[str, str]) -> Scores:
    """The 95 % interval of the estimate, unless the measure brought its own: a bootstrap over
    groups, since queries about one image are not independent."""
    if scores.interval is not None or scores.absence is not None:
        return scores
    values = dict(scores.influences)
    if scores.total is None:
        values = {s.query: s.value for s in scores.scores if s.value is not None}
    if not values:
        return replace(scores, interval=(None, None))
    from mmragbench.statistics import bootstrap_interval

    low, high = bootstrap_interval(
        list(values.values()),
        [groups[query] for query in values],
        bounds=scores.bounds,
        best=[scores.best[query] for query in values] if scores.best else None,
    )
    middle = estimate(scores)[0]
    if low is None or high is None or middle is None:
        return replace(scores, interval=(None, None))
    # Two ways to sum the same values may differ in the last digit.
    return replace(scores, interval=(min(low, middle), max(high, middle)))


def _evaluate(
    measures: Mapping[Measure, Component],
    task: Task,
    results: tuple[Sequence[Ranking], Sequence[Output]],
    features: Callable[[str], Encoder],
    depth: int | None,
) -> list[Scores]:
    """One call for each family of measures (and features)."""
    families: dict[tuple[Any, str | None], list[Measure]] = {}
    for measure, component in measures.items():
        families.setdefault((component.make, measure.features), []).append(measure)
    by_measure: dict[Measure, Scores] = {}
    for (evaluate, name), family in families.items():
        given: dict[str, Any] = {}
        try:
            given = {"features": features(name)} if name else {}
            scored = [_storable(s) for s in evaluate(family, task, *results, depth=depth, **given)]
        except NotApplicable as error:
            scored = _without_number(family, Absence(str(error)))
        except MmragbenchError:
            raise
        except BaseException as error:
            crashes.pass_on(error)
            names = ", ".join(map(str, family))
            crashes.record(error, names, evaluate, task.name)
            absence = Absence(f"{names}: {crashes.summary(error)}", "crashed")
            scored = _without_number(family, absence)
        encoder = given.get("features")
        by_measure.update((scores.measure, _signed(scores, encoder)) for scores in scored)
    return [by_measure[measure] for measure in measures]


def _storable(scores: Scores) -> Scores:
    """The scores as plain numbers.

    Raises:
        ValueError: a value is not finite or lies outside of the bounds, or these are no two numbers.
        TypeError: something is no number, or what stands beside it cannot be stored.
    """
    values = [score.value for score in scores.scores if score.value is not None]
    numbers = [*values, *([] if scores.total is None else [scores.total])]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{scores.measure} has a value that is not finite; give an error instead")
    json.dumps(dict(scores.details), allow_nan=False)
    if scores.bounds is not None:
        low, high = map(float, scores.bounds)
        room = TOLERANCE * (high - low)
        if not (math.isfinite(room) and room > 0):
            raise ValueError(f"bounds are two finite numbers or None, not {scores.bounds}")
        if numbers and not low - room <= min(numbers) <= max(numbers) <= high + room:
            raise ValueError(
                f"{scores.measure} has values from {min(numbers):.4g} to {max(numbers):.4g}, outside "
                f"of its bounds ({low:g}, {high:g})"
            )
        scores = replace(scores, bounds=(low, high))
    if all(type(number) is float for number in numbers):
        return scores
    plain = (s if s.value is None else replace(s, value=float(s.value)) for s in scores.scores)
    total = None if scores.total is None else float(scores.total)
    return replace(scores, scores=tuple(plain), total=total)


def _signed(scores: Scores, features: Encoder | None) -> Scores:
    """With the weights of the features (the name in `FID(clip)` is only the suite's word for them)
    and the precision that they were computed in, where it is not 32 bits."""
    traits = Traits(features)
    weights = None if scores.absence is not None else traits.weights
    if weights is None:
        return scores
    short = weights.partition(":")[2][:12] or weights
    numbers = (traits.precision or "fp32").partition("-")[0]
    named = {"weights": short} | ({"precision": numbers} if numbers != "fp32" else {})
    return replace(scores, signature=extended(scores.signature, **named))


def _without_number(family: Sequence[Measure], absence: Absence) -> list[Scores]:
    return [Scores(measure, str(measure), absence=absence) for measure in family]


def _restricted(scores: Scores, ids: frozenset[str]) -> Scores:
    own = tuple(score for score in scores.scores if score.query in ids)
    n = sum(score.value is not None for score in own)
    return replace(scores, scores=own, signature=updated(scores.signature, n=n))


def estimate(scores: Scores) -> tuple[float | None, int, int]:
    """The estimate (None where there is none), n and n_failed."""
    values = [score.value for score in scores.scores if score.value is not None]
    failed = sum(score.error is not None for score in scores.scores)
    if scores.absence is not None:
        return None, 0, failed
    if scores.total is not None:
        return scores.total, len(values) if scores.n is None else scores.n, failed
    return (sum(values) / len(values) if values else None), len(values), failed


def rows(cell: Mapping[str, Any], scored: Scored) -> list[Row]:
    """Summary rows of a cell (`task`, `strategy`, `generator`, `k`)."""
    result = []
    for name, own in scored.items():
        for scores in own:
            value, n, failed = estimate(scores)
            low, high = scores.interval or (None, None)
            row = {
                **cell,
                "slice": name,
                "measure": str(scores.measure),
                "estimate": value,
                "low": low,
                "high": high,
                "n": n,
                "n_failed": failed,
                "signature": scores.signature,
                **scores.measure.info.row(),
                **scores.details,
            }
            if scores.bounds:
                row["bounds"] = list(scores.bounds)
            if scores.influences or scores.measure.info.distance:
                row["interval_of"] = "pseudo-values" if scores.influences else "influences"
            if scores.warning:
                row["warning"] = scores.warning
            if value is None:
                row |= _why(scores.absence or Absence("no query could be scored"))
            result.append(row)
    return result


def _why(absence: Absence) -> Row:
    return {"reason": absence.reason, "absence": absence.kind}


def absent(
    cell: Mapping[str, Any], measures: Mapping[Measure, Component], task: Task, why: Absence
) -> list[Row]:
    """Rows of a cell that has no numbers: null estimates, with the reason."""
    return [
        {
            **cell,
            "slice": name,
            "measure": str(measure),
            "estimate": None,
            "low": None,
            "high": None,
            "n": 0,
            "n_failed": 0,
            "signature": None,
            **component.info.row(),
            **_why(why),
        }
        for name in ["all", *task.slices]
        for measure, component in measures.items()
    ]


def failures(cell: Mapping[str, Any], errors: Mapping[str, str]) -> list[Row]:
    """One row for each query (id -> error) that has no ranking, or no output."""
    return [{**cell, "query": query, "error": error} for query, error in errors.items()]
