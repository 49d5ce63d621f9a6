"""Two systems' outputs on the same gold: both scored on what both have, and compared.

Items are those that each file's own policy leaves in: with `skip`, an item that only one of the two
has is left out of both, and counts as missing in both signatures; with `zero`, all stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mmragbench.comparing.families import judged
from mmragbench.comparing.hypotheses import Hypothesis
from mmragbench.comparing.pairs import Pair
from mmragbench.run_folder.numbers import Evidence
from mmragbench.submissions.problems import MissingOutputs
from mmragbench.submissions.submission import Submission
from mmragbench.submissions.submission_scores import ScoredSubmission

FAMILY = "measures shown"


@dataclass(frozen=True)
class Versus:
    """Two submissions scored alike on their common items, and the paired differences.

    Attributes:
        submissions: what was scored, on the common items.
        unpaired: the items of each that the other lacks, which both are scored without.
        uncompared: measures that have nothing per item in both (METEOR without Java).
    """

    submissions: tuple[Submission, Submission]
    sides: tuple[ScoredSubmission, ScoredSubmission]
    pairs: list[Pair]
    unpaired: tuple[tuple[str, ...], tuple[str, ...]]
    uncompared: list[str]


def versus(
    first: Submission, second: Submission, score: Callable[[Submission], ScoredSubmission]
) -> Versus:
    """Score both on the items that both have, and compare them: `first - second`.

    Holm's correction is over the measures that are compared; one that says the same as another
    counts once.

    Raises:
        MissingOutputs: they have no item in common.
    """
    a, b = _shared(first, second)
    sides = score(a), score(b)
    groups = {query.id: query.group or query.id for query in a.task.queries}
    numbers = zip(_evidence(a, sides[0]), _evidence(b, sides[1]), strict=True)
    hypotheses = [Hypothesis(x, y, (a.name, b.name), FAMILY) for x, y in numbers]
    pairs = judged(hypotheses, lambda task, slice: groups)
    compared = {pair.measure for pair in pairs}
    uncompared = [str(h.a.measure) for h in hypotheses if str(h.a.measure) not in compared]
    return Versus((a, b), sides, pairs, (_unpaired(first, a), _unpaired(second, b)), uncompared)


def _shared(first: Submission, second: Submission) -> tuple[Submission, Submission]:
    """Both with the queries that both have, under two different names."""
    ids = frozenset(query.id for query in first.task.queries)
    ids &= {query.id for query in second.task.queries}
    if not ids:
        a, b = first.problems, second.problems
        raise MissingOutputs(f"{a.source} and {b.source} have no {a.noun} in common")
    if first.name == second.name:
        first = replace(first, name=first.problems.source)
        second = replace(second, name=second.problems.source)
    return _restricted(first, ids), _restricted(second, ids)


def _unpaired(whole: Submission, shared: Submission) -> tuple[str, ...]:
    """The queries of a submission that the other one lacks."""
    shared_ids = {query.id for query in shared.task.queries}
    return tuple(query.id for query in whole.task.queries if query.id not in shared_ids)


def _restricted(submission: Submission, ids: frozenset[str]) -> Submission:
    """The submission without the queries outside `ids`, which count as missing."""
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


def _evidence(submission: Submission, side: ScoredSubmission) -> Iterator[Evidence]:
    for scores, row in zip(side.scores, side.rows, strict=True):
        yield Evidence(
            task=submission.task.name,
            strategy=submission.name,
            generator=None,
            k=None,
            measure=scores.measure,
            estimate=row["estimate"],
            signature=scores.signature,
            values=scores.addends,
            of_set=bool(scores.influences),
            bounds=scores.bounds,
        )


def remarks(versus: Versus, sources: Sequence[str], noun: str) -> Iterator[str]:
    """Lines below the table: the tests, the queries that a verdict needs, and what was left out."""
    if tests := {pair.tests for pair in versus.pairs if pair.tests}:
        yield f"p: paired test; corrected (Holm) for the measures shown: {max(tests)}"
    for pair in versus.pairs:
        if pair.verdict == "identical":
            yield f"{pair.measure}: identical on all {pair.n:,} {noun}"
        elif pair.verdict == "can't tell":
            needed = f"{pair.needed:,} {noun} would" if pair.needed else "no number would"
            yield f"{pair.measure}: no difference shown; {needed} show one of this size (80 % power)"
    for source, ids in zip(sources, versus.unpaired, strict=True):
        if ids:
            more = ", ..." if len(ids) > 20 else ""
            named = f"{', '.join(ids[:20])}{more}"
            yield f"{len(ids)} {noun} only in {source}: {named} (left out of both)"
    for name in versus.uncompared:
        yield f"{name}: not compared, nothing was measured on {noun} of both"
