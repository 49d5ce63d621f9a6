"""Outcomes as lines of text: numbers one by one, what was not run by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mmragbench.verify.needs import Missing
from mmragbench.verify.outcomes import STATUSES, Outcome

HEAD = ("", "ours", "reference", "difference", "tolerance")


def lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The lines of a report, with counts at the end."""
    computed = [outcome for outcome in outcomes if outcome.status in ("PASS", "FAIL")]
    if computed:
        yield from (*_table(computed), "")
    for status, details in (("NOT RUN", _missing), ("NOT COMPARABLE", _differences)):
        for family in _families(outcomes, status):
            yield f"{status}  {_named(family)}"
            yield from (f"    {line}" for line in details(family))
            yield ""
    counts = Counter(outcome.status for outcome in outcomes)
    yield " · ".join(f"{counts[status]} {status}" for status in STATUSES)


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    width = max(len(outcome.reference.name) for outcome in outcomes)
    yield f"      {HEAD[0]:<{width}}" + "".join(f"{name:>13}" for name in HEAD[1:])
    for outcome in outcomes:
        theirs, tolerance = outcome.reference.value, outcome.reference.tolerance
        ours, difference = "-", "-"
        if outcome.ours is not None:
            ours, difference = f"{outcome.ours:.6f}", f"{outcome.difference:+.1e}"
        numbers = f"{ours:>13}{theirs:>13.6f}{difference:>13}{tolerance:>13.0e}"
        name = f"{outcome.reference.name:<{width}}"
        yield f"{outcome.status}  {name}{numbers}  {outcome.reason or ''}".rstrip()


def _families(outcomes: Sequence[Outcome], status: str) -> Iterable[list[Outcome]]:
    families: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.status == status:
            families.setdefault(outcome.reference.family, []).append(outcome)
    return families.values()


def _missing(family: Sequence[Outcome]) -> Iterator[str]:
    """What all of a family lack, then what some of them lack, by the way to get it."""
    everything = dict.fromkeys(gap for outcome in family for gap in outcome.missing)
    common = [gap for gap in everything if all(gap in outcome.missing for outcome in family)]
    yield from (f"missing: {gap}" for gap in common)
    by_way: dict[str, list[str]] = {}
    for gap in everything:
        if gap not in common:
            by_way.setdefault(gap.get, []).append(gap.what)
    for get, things in by_way.items():
        yield f"missing for some: {Missing(', '.join(things), get)}"


def _differences(family: Sequence[Outcome]) -> Iterator[str]:
    """The reasons why numbers are not comparable, each once, with both numbers."""
    for reason in dict.fromkeys(outcome.reason for outcome in family):
        yield reason or ""
        for outcome in family:
            if outcome.reason == reason:
                ours = "" if outcome.ours is None else f", ours {outcome.ours:.6g}"
                yield f"{outcome.reference.name}: {outcome.reference.value:.6g}{ours}"


def _named(family: Sequence[Outcome]) -> str:
    """`open_clip/mscoco: 90 numbers`, or the one number's name."""
    if len(family) == 1:
        return family[0].reference.name
    return f"{family[0].reference.family}: {len(family)} numbers"
