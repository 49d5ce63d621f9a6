"""Outcomes as lines of text: numbers one by one, what was not run by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mmragbench.verify.needs import Lack
from mmragbench.verify.outcomes import STATUSES, Outcome

HEAD = ("", "ours", "reference", "difference", "tolerance")


def lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """All of it, and the counts at the end."""
    run = [each for each in outcomes if each.status in ("PASS", "FAIL")]
    if run:
        yield from (*_table(run), "")
    for family in _families(outcomes, "NOT RUN"):
        yield from (*_not_run(family), "")
    for family in _families(outcomes, "NOT COMPARABLE"):
        yield from (*_not_comparable(family), "")
    counts = Counter(each.status for each in outcomes)
    yield " · ".join(f"{counts[status]} {status}" for status in STATUSES)


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    width = max(len(each.reference.name) for each in outcomes)
    yield f"      {HEAD[0]:<{width}}" + "".join(f"{name:>13}" for name in HEAD[1:])
    for each in outcomes:
        theirs, tolerance = each.reference.value, each.reference.tolerance
        start = f"{each.status}  {each.reference.name:<{width}}"
        if each.ours is None:
            yield f"{start}{'-':>13}{theirs:>13.6f}{'-':>13}{tolerance:>13.0e}  {each.reason}"
        else:
            numbers = f"{each.ours:>13.6f}{theirs:>13.6f}{each.difference:>+13.1e}"
            yield f"{start}{numbers}{tolerance:>13.0e}  {each.reason or ''}".rstrip()


def _families(outcomes: Sequence[Outcome], status: str) -> list[list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for each in outcomes:
        if each.status == status:
            found.setdefault(each.reference.family, []).append(each)
    return list(found.values())


def _not_run(family: Sequence[Outcome]) -> Iterator[str]:
    """What all of them lack once, then what only some of them lack."""
    common = [lack for lack in family[0].lacks if all(lack in each.lacks for each in family)]
    others = dict.fromkeys(lack for each in family for lack in each.lacks if lack not in common)
    yield f"NOT RUN  {_named(family)}"
    yield from (f"    missing: {lack}" for lack in common)
    yield from (f"    missing for some: {lack}" for lack in _by_get(others))


def _by_get(lacks: Iterable[Lack]) -> Iterator[str]:
    """Things that are come by in the same way share a line."""
    ways: dict[str, list[str]] = {}
    for lack in lacks:
        ways.setdefault(lack.get, []).append(lack.what)
    for get, whats in ways.items():
        yield str(Lack(", ".join(whats), get))


def _not_comparable(family: Sequence[Outcome]) -> Iterator[str]:
    yield f"NOT COMPARABLE  {_named(family)}"
    reasons: dict[str, list[Outcome]] = {}
    for each in family:
        reasons.setdefault(each.reason or "", []).append(each)
    for reason, group in reasons.items():
        yield f"    {reason}"
        for each in group:
            ours = "" if each.ours is None else f", ours {each.ours:.6g}"
            yield f"    {each.reference.name}: {each.reference.value:.6g}{ours}"


def _named(family: Sequence[Outcome]) -> str:
    """`open_clip/mscoco: 90 numbers`, or the one number's name."""
    if len(family) == 1:
        return family[0].reference.name
    return f"{family[0].reference.family}: {len(family)} numbers"
