"""A second system's outputs on the same gold: both scored on what both have, and compared.

Items are those that each file's own policy leaves in: with `skip`, an item that only one of the two
has is left out of both, and counts as missing in both signatures; with `zero`, all stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mmragbench.comparing.families import judged
from mmragbench.comparing.hypotheses import Hypothesis
from mmragbench.comparing.pairs import Pair
from mmragbench.records import Scores
from mmragbench.run_folder.numbers import Evidence
from mmragbench.submissions.problems import MissingOutputs
from mmragbench.submissions.scoring import Judged
from mmragbench.submissions.submission import Submission

FAMILY = "measures shown"


@dataclass(frozen=True)
class Versus:
    """Two submissions scored alike on their common items, and the paired differences.

    Attributes:
        lone: the items of each that the other lacks, which both are scored without.
        uncompared: measures that have nothing per item in both (METEOR without Java).
    """

    sides: tuple[Judged, Judged]
    pairs: list[Pair]
    lone: tuple[tuple[str, ...], tuple[str, ...]]
    uncompared: list[str]


def versus(first: Submission, second: Submission, judge: Callable[[Submission], Judged]) -> Versus:
    """Score both on the items that both have, and compare them: `first - second`.

    Holm's correction is over the measures that are compared; one that says the same as another
    counts once.

    Raises:
        MissingOutputs: they have no item in common.
    """
    a, b = _shared(first, second)
    sides = judge(a), judge(b)
    groups = {query.id: query.group or query.id for query in a.task.queries}
    systems = [list(_evidence(*each)) for each in zip((a, b), sides, strict=True)]
    hypotheses = [Hypothesis(x, y, (a.name, b.name), FAMILY) for x, y in zip(*systems, strict=True)]
    pairs = judged(hypotheses, lambda task, slice: groups)
    there = {pair.measure for pair in pairs}
    uncompared = [str(h.a.measure) for h in hypotheses if str(h.a.measure) not in there]
    return Versus(sides, pairs, (_lone(first, a), _lone(second, b)), uncompared)


def _shared(first: Submission, second: Submission) -> tuple[Submission, Submission]:
    """Both with the queries that both have, under two different names."""
    there = {query.id for query in second.task.queries}
    ids = frozenset(query.id for query in first.task.queries if query.id in there)
    if not ids:
        a, b = first.problems, second.problems
        raise MissingOutputs(f"{a.source} and {b.source} have no {a.noun} in common")
    if first.name == second.name:
        first = replace(first, name=first.problems.source)
        second = replace(second, name=second.problems.source)
    return _restricted(first, ids), _restricted(second, ids)


def _lone(whole: Submission, shared: Submission) -> tuple[str, ...]:
    there = {query.id for query in shared.task.queries}
    return tuple(query.id for query in whole.task.queries if query.id not in there)


def _restricted(submission: Submission, ids: frozenset[str]) -> Submission:
    task, problems = submission.task, submission.problems
    left_out = [query.id for query in task.queries if query.id not in ids]
    kinds = {**problems.ids, "missing": (*problems.ids.get("missing", ()), *left_out)}
    references = {id: texts for id, texts in task.references.items() if id in ids}
    return replace(
        submission,
        task=replace(task.subset(ids), references=references),
        problems=replace(problems, ids=kinds),
        rankings=[ranking for ranking in submission.rankings if ranking.query in ids],
        outputs=[output for output in submission.outputs if output.query in ids],
    )


def _values(scores: Scores) -> Mapping[str, float]:
    """Per item; for a measure of the set, values whose mean it is."""
    if scores.absence is not None:
        return {}
    if scores.total is not None:
        return scores.influences
    return {score.query: score.value for score in scores.scores if score.value is not None}


def _evidence(submission: Submission, side: Judged) -> Iterator[Evidence]:
    for scores, row in zip(side.scores, side.rows, strict=True):
        yield Evidence(
            task=submission.task.name,
            strategy=submission.name,
            generator=None,
            k=None,
            measure=scores.measure,
            estimate=row["estimate"],
            signature=scores.signature,
            values=_values(scores),
            bounds=scores.bounds,
        )


def remarks(found: Versus, sources: Sequence[str], noun: str) -> Iterator[str]:
    """Lines below the table: how it was tested, what would tell, what was left out."""
    if tests := {pair.tests for pair in found.pairs if pair.tests}:
        yield f"p: paired test; corrected (Holm) for the measures shown: {max(tests)}"
    for pair in found.pairs:
        if pair.verdict == "identical":
            yield f"{pair.measure}: identical on all {pair.n:,} {noun}"
        elif pair.verdict == "can't tell":
            needed = f"{pair.needed:,} {noun} would" if pair.needed else "no number would"
            yield f"{pair.measure}: can't tell; {needed} tell it (80 % power)"
    for source, ids in zip(sources, found.lone, strict=True):
        if ids:
            more = ", ..." if len(ids) > 20 else ""
            named = f"{', '.join(ids[:20])}{more}"
            yield f"{len(ids)} {noun} only in {source}: {named} (left out of both)"
    for name in found.uncompared:
        yield f"{name}: not compared, nothing was measured on {noun} of both"
