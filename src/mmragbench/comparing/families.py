"""The families of tests that are corrected together (Holm), and the comparisons that result.

A family belongs to one task and answers one question:

- `primary`: contenders with each other by the task's primary measure, under every generator and k,
  on all queries. The task's answer rests on it.
- `secondary`: the same by all other measures.
- `primary against random`, `secondary against random`, and so for each control: contenders with it.
- `slices`, `slices against random`: all of this on every slice of the task. Exploratory.

A measure that says the same as another is tested once, in the family of the first, and both have
its verdict. Two systems with the same value on every query are identical, and in no family. So a
pair has one verdict, whatever else was measured beside it and whatever is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from mmragbench.comparing.hypotheses import Columns, Groups, Hypothesis, originals, tested
from mmragbench.comparing.pairs import NotComparable, Pair, Result
from mmragbench.errors import MmragbenchError
from mmragbench.run_folder.numbers import Cell, Evidence
from mmragbench.run_folder.reading import Run
from mmragbench.signature import differences
from mmragbench.statistics import Comparison, holm

PRIMARY, SECONDARY, SLICES, FORCED = "primary", "secondary", "slices", "forced"
TOGETHER = "score both on what both have (score … --against), name other measures (--measures)"
"""What to do about systems that were scored apart, and not alike."""


def within(run: Run) -> list[Pair]:
    """All comparisons within a run, from its scores: contenders with each other, then with each
    control; on all queries, then on each slice; by the primary measure, then by the others."""
    cells: dict[Cell, list[Evidence]] = {}
    for evidence in run.evidence():
        cells.setdefault(evidence.cell, []).append(evidence)
    first = sorted(cells.values(), key=lambda members: not _is_primary(run, members[0]))
    hypotheses = [h for members in first for h in _hypotheses(run, members)]
    places = dict.fromkeys((row.task, row.slice) for row in run.rows)
    order = {place: i for i, place in enumerate(places)}
    controls = run.controls
    hypotheses.sort(key=lambda h: (h.b.strategy in controls, order[h.a.task, h.slice]))
    return judged(hypotheses, run.groups)


def _hypotheses(run: Run, members: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """The hypotheses of one cell, on all queries and on each slice."""
    controls = run.controls
    contenders = [e for e in members if e.strategy not in controls]
    pairs = [(b, a) for a, b in combinations(contenders, 2)]
    pairs += [(a, b) for b in members if b.strategy in controls for a in contenders]
    rank = PRIMARY if _is_primary(run, members[0]) else SECONDARY
    for slice in run.slices(members[0].task):
        for a, b in pairs:
            against = f" against {b.strategy}" if b.strategy in controls else ""
            family = f"{rank if slice == 'all' else SLICES}{against}"
            yield Hypothesis(a, b, (a.strategy, b.strategy), family, slice)


def between(
    first: Run,
    second: Run,
    slice: str = "all",
    measures: Sequence[str] = (),
    force: bool = False,
) -> list[Pair]:
    """The comparisons of two runs' common cells, `first - second`, in families as within a run. Each
    control with itself is apart from the contenders; forced comparisons are apart from all others.

    Args:
        slice, measures: those that are shown; the choice moves no verdict.
        force: compare what has unlike signatures, too.

    Raises:
        NotComparable: signatures of what is to be shown differ in something that matters.
        MmragbenchError: the runs share no cell, or have no such measure or slice.
    """
    first.check(slice, measures)
    second.check("all", measures)
    others = {(e.strategy, e.cell): e for e in second.evidence()}
    ordered = sorted(first.evidence(), key=lambda e: not _is_primary(first, e))
    shared = [(e, others[e.strategy, e.cell]) for e in ordered if (e.strategy, e.cell) in others]
    if not any(not measures or str(a.measure) in measures for a, _ in shared):
        raise MmragbenchError(f"{first.path} and {second.path} have no cell in common")
    hypotheses: list[Hypothesis] = []
    for pair in shared:
        unlike = _unlike(*pair)
        if unlike and not force:
            _refuse(pair[0], unlike, measures)
        elif slice in first.slices(pair[0].task):
            hypotheses += _between(first, second, pair, slice, unlike)
    pairs = judged(hypotheses, first.groups)
    return [p for p in pairs if p.slice == slice and (not measures or p.measure in measures)]


def among(run: Run, measures: Sequence[str] = (), force: bool = False) -> list[Pair]:
    """The comparisons of systems that were scored apart from each other (`run_folder.score_files`):
    the earlier with the later, on the items that both have, in families as within a run.

    Args:
        measures: those that are shown; the choice moves no verdict.
        force: compare what has unlike signatures, too.

    Raises:
        NotComparable: signatures of what is to be shown differ in something that matters.
        MmragbenchError: no two of them are in one task; or the run has no such measure.
    """
    run.check("all", measures)
    cells: dict[Cell, list[Evidence]] = {}
    for evidence in sorted(run.evidence(), key=lambda e: not _is_primary(run, e)):
        cells.setdefault(evidence.cell, []).append(evidence)
    hypotheses: list[Hypothesis] = []
    for a, b in (pair for members in cells.values() for pair in combinations(members, 2)):
        unlike = _unlike(a, b) or _other_set(a, b)
        if unlike and not force:
            _refuse(a, unlike, measures, TOGETHER)
        else:
            family = FORCED if unlike else PRIMARY if _is_primary(run, a) else SECONDARY
            names = (a.strategy, b.strategy)
            hypotheses.append(Hypothesis(a, b, names, family, forced=unlike or None))
    if not any(h for h in hypotheses if not measures or str(h.a.measure) in measures):
        tasks = ", ".join(f"{name} on {task}" for task, name in _systems(run))
        raise MmragbenchError(f"no two systems were scored against the same gold: {tasks}")
    pairs = judged(hypotheses, run.groups)
    return [pair for pair in pairs if not measures or pair.measure in measures]


def _systems(run: Run) -> dict[tuple[str, str], None]:
    """The tasks and systems of a run."""
    return dict.fromkeys((row.task, row.strategy) for row in run.rows)


def _between(
    first: Run, second: Run, ab: tuple[Evidence, Evidence], slice: str, unlike: str
) -> Iterator[Hypothesis]:
    a, b = ab
    rank = PRIMARY if _is_primary(first, a) else SECONDARY
    of = f" of {a.strategy}" if a.strategy in first.controls else ""
    names = (f"{a.strategy} in {first.path.name}", f"{b.strategy} in {second.path.name}")
    for own in ["all"] if slice == "all" else first.slices(a.task)[1:]:
        family = FORCED if unlike else f"{rank if own == 'all' else SLICES}{of}"
        yield Hypothesis(a, b, names, family, own, unlike or None)


def _is_primary(run: Run, e: Evidence) -> bool:
    return str(e.measure) == run.primary(e.task)


def _other_set(a: Evidence, b: Evidence) -> str:
    """Why two numbers of whole sets cannot be compared; empty where they can."""
    other = a.of_set and a.values.keys() != b.values.keys()
    return "its set has other items in one than in the other" if other else ""


def _refuse(
    a: Evidence, unlike: str, measures: Sequence[str], advice: str = "measure both alike"
) -> None:
    """Refuse two numbers that are shown and have unlike signatures. Others are in no family."""
    if not measures or str(a.measure) in measures:
        raise NotComparable(
            f"{a.task} · {a.strategy} · {a.measure} can't be compared: {unlike}; "
            f"{advice}, or overrule with --force"
        )


def _unlike(a: Evidence, b: Evidence) -> str:
    """The differences between two signatures, in words; empty where none matters."""
    unlike = differences(a.signature, b.signature, paired=True)
    return ", ".join(
        f"{name} is {x or 'not given'} in one and {y or 'not given'} in the other"
        for name, (x, y) in unlike.items()
    )


def judged(hypotheses: Sequence[Hypothesis], groups: Groups) -> list[Pair]:
    """The comparisons that hypotheses lead to, corrected within each family of each task. Of measures that
    say the same, the first one is tested."""
    columns = Columns(groups)
    copies = originals(hypotheses, columns)
    distinct = [h for h in hypotheses if copies[h.cell].cell == h.cell]
    results = dict(_corrected(list(tested(distinct, columns))))
    pairs = []
    for h in hypotheses:
        original, factor = copies[h.cell]
        if result := results.get((original, h.names, h.slice)):
            pairs.append(Pair.of(h, result, factor))
    return pairs


def _corrected(
    tests: Sequence[tuple[Hypothesis, Comparison]],
) -> Iterator[tuple[tuple[Cell, tuple[str, str], str], Result]]:
    families: dict[tuple[str, str], list[tuple[Hypothesis, Comparison]]] = {}
    for h, comparison in tests:
        if comparison.identical:
            yield (h.cell, h.names, h.slice), Result(comparison)
        else:
            families.setdefault((h.a.task, h.family), []).append((h, comparison))
    for (_, family), members in families.items():
        adjusted = holm([comparison.p_value for _, comparison in members])
        for (h, comparison), p_holm in zip(members, adjusted, strict=True):
            result = Result(comparison, family, len(members), p_holm)
            yield (h.cell, h.names, h.slice), result
