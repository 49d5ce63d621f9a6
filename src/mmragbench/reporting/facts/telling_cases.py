"""Three queries that tell most of a comparison: where the best strategy wins, where it loses, and where
all do badly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

Kind = Literal["wins", "loses", "fails"]

Values = Mapping[str, Mapping[str, float]]
"""Strategy -> query -> value, larger is better."""


class TellingCase(NamedTuple):
    """A query, and what it shows."""

    kind: Kind
    query: str


def telling_cases(
    values: Values, best: str, rival: str, queries: Sequence[str]
) -> Iterator[TellingCase]:
    """The query with the largest gain of `best` over `rival`, the one with its largest loss, and the
    one whose best value among all strategies is the lowest; of equal ones, the smallest id. What does
    not exist is left out: a gain, a loss, or a best value below the mean of `best`.

    `rival` is empty where there is none; `queries` are those to choose from.
    """
    shared = [query for query in queries if all(query in own for own in values.values())]
    if not shared:
        return
    if rival:
        gains = {query: values[best][query] - values[rival][query] for query in shared}
        won = min(shared, key=lambda query: (-gains[query], query))
        lost = min(shared, key=lambda query: (gains[query], query))
        if gains[won] > 0:
            yield TellingCase("wins", won)
        if gains[lost] < 0:
            yield TellingCase("loses", lost)
    highest = {query: max(own[query] for own in values.values()) for query in shared}
    failed = min(shared, key=lambda query: (highest[query], query))
    if highest[failed] < fmean(values[best][query] for query in shared):
        yield TellingCase("fails", failed)
