"""From the scores of several seeds to scores over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmragbench.measuring.scoring import Scored, estimate
from mmragbench.records import Absence, Score, Scores
from mmragbench.signature import extended, updated
from mmragbench.statistics import interval_of_means, seeds_interval


def over_seeds(by_seed: Mapping[int, Scored], groups: Mapping[str, str]) -> Scored:
    """The scores over all seeds, slice by slice; the first seed's, where all are the same object.

    Args:
        by_seed: seed -> scores of the same measures and slices; two seeds at least.
        groups: query -> the group that it is resampled with.
    """
    scored = list(by_seed.values())
    if all(own is scored[0] for own in scored):
        return scored[0]
    if not all(scored):  # one of them has none
        return {}
    return {
        name: [
            scores_over_seeds(dict(zip(by_seed, own, strict=True)), groups)
            for own in zip(*(of_seed[name] for of_seed in scored), strict=True)
        ]
        for name in scored[0]
    }


def scores_over_seeds(by_seed: Mapping[int, Scores], groups: Mapping[str, str]) -> Scores:
    """One measure's scores over several seeds.

    A query's value is the mean over the seeds; it has none, and the first error, where it failed
    under any of them. A number of the whole set (Bleu, FID) is computed for each seed, and then
    averaged. `details` get `seeds` (how many), `sd` (of the seeds' numbers, divided by seeds - 1) and
    `by_seed` (these numbers).
    """
    own = list(by_seed.values())
    first = own[0]
    absence = absence_over_seeds({seed: scores.absence for seed, scores in by_seed.items()})
    if absence is not None:
        return replace(first, absence=absence)
    estimates = [value for scores in own if (value := estimate(scores)[0]) is not None]
    merged = replace(
        first,
        scores=tuple(_queries(by_seed)),
        total=None if first.total is None else float(np.mean([s.total for s in own])),
        influences=_means([scores.influences for scores in own]),
        warning=next((scores.warning for scores in own if scores.warning), None),
        details=_details(own),
    )
    merged = replace(merged, signature=_signature(merged, by_seed))
    if len(estimates) < len(own):
        return merged
    numbers = {"seeds": len(own), "sd": float(np.std(estimates, ddof=1)), "by_seed": estimates}
    merged = replace(merged, details={**merged.details, **numbers})
    return replace(merged, interval=_interval(merged, own, estimates, groups))


def absence_over_seeds(by_seed: Mapping[int, Absence | None]) -> Absence | None:
    """Why there is nothing over all seeds: the reason of the first seed that has none, which is named
    where others have something."""
    reasons = list(by_seed.values())
    if all(reason == reasons[0] for reason in reasons):
        return reasons[0]
    seed, absence = next((seed, absence) for seed, absence in by_seed.items() if absence)
    return Absence(f"{absence.reason} (seed {seed})", absence.kind)


def _signature(merged: Scores, seeds: Mapping[int, Scores]) -> str:
    text = extended(merged.signature, seeds="+".join(map(str, seeds)))
    return updated(text, n=estimate(merged)[1]) if merged.scores else text


def _queries(by_seed: Mapping[int, Scores]) -> list[Score]:
    """Each query's score: the mean, or the error of the first seed that has one."""
    merged = []
    for scores in zip(*(own.scores for own in by_seed.values()), strict=True):
        query, values = scores[0].query, [score.value for score in scores]
        errors = ((seed, s.error) for seed, s in zip(by_seed, scores, strict=True) if s.error)
        if error := next((f"{error} (seed {seed})" for seed, error in errors), None):
            merged.append(Score(query, error=error))
        else:
            known = [value for value in values if value is not None]
            mean = _mean(known) if len(known) == len(values) else None
            merged.append(Score(query, mean))
    return merged


def _mean(values: Sequence[float]) -> float:
    """The mean; exactly the value, where all are the same."""
    return values[0] if len(set(values)) == 1 else float(np.mean(values))


def _means(by_seed: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The means of the queries that have a value under every seed."""
    shared = [query for query in by_seed[0] if all(query in values for values in by_seed)]
    return {query: _mean([values[query] for values in by_seed]) for query in shared}


def _interval(
    merged: Scores, own: Sequence[Scores], estimates: Sequence[float], groups: Mapping[str, str]
) -> tuple[float | None, float | None]:
    """The 95 % interval over queries and seeds, around the estimate."""
    columns = [_addends(scores) for scores in own]
    queries = list(_means(columns))
    if queries:
        values = [[column[query] for query in queries] for column in columns]
        low, high = seeds_interval(values, [groups[query] for query in queries], merged.bounds)
    else:
        low, high = interval_of_means(estimates, [s.interval or (None, None) for s in own])
    middle = estimate(merged)[0]
    if low is None or high is None or middle is None:
        return None, None
    if merged.measure.info.distance == "FID":  # which is never below 0
        low = max(low, 0.0)
    return min(low, middle), max(high, middle)


def _addends(scores: Scores) -> Mapping[str, float]:
    """The values per query whose mean is the number; empty for a number without any."""
    if scores.influences or scores.total is not None:
        return scores.influences
    return {score.query: score.value for score in scores.scores if score.value is not None}


def _details(own: Sequence[Scores]) -> dict[str, Any]:
    """What stands beside the numbers, averaged (`limit` and `halves` of FID)."""
    details = [dict(scores.details) for scores in own]
    merged = {name: _averaged([of_seed.get(name) for of_seed in details]) for name in details[0]}
    limits: list[Any] = [of_seed.get("limit") for of_seed in details]
    if all(limit and "estimate" in limit for limit in limits):
        estimates = [limit["estimate"] for limit in limits]
        ends = interval_of_means(estimates, [(limit["low"], limit["high"]) for limit in limits])
        merged["limit"] |= {"low": ends.low, "high": ends.high}
    return merged


def _averaged(values: Sequence[Any]) -> Any:
    """Numbers averaged, also within mappings; of all else the first."""
    if all(isinstance(value, Mapping) for value in values):
        return {name: _averaged([value.get(name) for value in values]) for name in values[0]}
    if all(isinstance(value, float) for value in values):
        return _mean(values)
    return values[0]
