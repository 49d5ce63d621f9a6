"""The sentence for pairs between which no difference was shown."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.reporting.words.phrases import MOST, about
from mmragbench.reporting.words.scale import Scale
from mmragbench.run_folder.numbers import Json

UNDECIDED = "can't tell"
"""The verdict of these pairs, as `comparisons.json` stores it."""


def no_difference(between: str, pairs: Sequence[Json], scale: Scale) -> str:
    """`No difference was shown between a and b with 500 queries: differences above 4.1 CIDEr are
    excluded; about 1,300 queries would show one of 2.0.`

    Args:
        between: the strategies, and what else the sentence says of them.
        pairs: their stored comparisons, at least one.
    """
    counts = sorted({pair["n"] for pair in pairs})
    queries = f"{counts[-1]:,} queries"
    clauses = "; ".join([*_excluded(pairs, scale), *_needed(pairs, scale)])
    text = f"No difference was shown between {between} with {queries}"
    return f"{text}: {clauses}." if clauses else f"{text}."


def _excluded(pairs: Sequence[Json], scale: Scale) -> list[str]:
    """What the intervals exclude; and where one excludes zero too, that the correction decided."""
    ends = [end for pair in pairs for end in (pair["low"], pair["high"]) if end is not None]
    if not ends:
        return []
    clauses = [f"differences above {scale.size(max(map(abs, ends)))} are excluded"]
    beyond = [p for p in pairs if p["low"] is not None and not p["low"] <= 0 <= p["high"]]
    if beyond:
        one = f"the interval of {beyond[0]['a']} − {beyond[0]['b']} excludes zero"
        many = f"{len(beyond)} of the intervals exclude zero"
        tests = beyond[0]["tests"]
        clauses.append(
            f"{one if len(beyond) == 1 else many}, which is not enough among {tests:,} tests"
        )
    return clauses


def _needed(pairs: Sequence[Json], scale: Scale) -> list[str]:
    """How many queries the pair needs that needs the fewest, named where there are several."""
    planned = [pair for pair in pairs if pair["needed"] and pair["needed"] <= MOST]
    if not planned:
        return []
    pair = min(planned, key=lambda pair: (pair["needed"], pair["a"], pair["b"]))
    size = scale.size(abs(pair["difference"]), name=False)
    which = f" ({pair['a']} and {pair['b']})" if len(pairs) > 1 else ""
    return [f"{about(pair['needed'])} queries would show one of {size}{which}"]
