"""Whether a run can be compared with its baseline: the data, queries, cells and facts in which they
differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from mmragbench._digits import counted
from mmragbench.gating.cell_results import system_of
from mmragbench.gating.stored_baseline import Baseline, CellLine, TaskData, TaskLine, task_data
from mmragbench.gating.stored_values import Part, TaskItems, Values
from mmragbench.run_folder.numbers import Evidence, Key, Row
from mmragbench.run_folder.reading import Run
from mmragbench.signature import differences

Kind = Literal["missing query", "missing document", "changed data", "missing cell", "failed query",
               "other queries", "signature"]  # fmt: skip
NAMED = 5
"""The most ids that a sentence names."""
REMEDY = "compare the baseline's queries and documents alone, or save another baseline"

WHY = {
    "corpus": "CIDEr's document frequencies come from the references of all queries",
    "docs": "the more documents there are, the harder a hit is",
}
"""Fact of a signature that changes with the queries or documents -> why the number does too."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference between the baseline and the run that keeps them from being compared.

    Attributes:
        where: the task, the system or the measures that it concerns.
        text: one sentence.
        ids: all queries or documents that it concerns.
    """

    kind: Kind
    where: str
    text: str
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Counterparts:
    """A cell's number in the baseline, and in the run.

    Attributes:
        line: the baseline's number.
        before: query -> its value in the baseline.
        evidence: the run's number, and what it was computed from.
    """

    line: CellLine
    before: Mapping[str, float]
    evidence: Evidence

    @property
    def queries_now(self) -> Set[str]:
        """The queries that the run's number was computed on."""
        if self.evidence.features is None:
            return self.evidence.values.keys()
        generated, real = self.evidence.features
        return generated.keys() & real.keys()

    @property
    def changed_facts(self) -> dict[str, tuple[str | None, str | None]]:
        """Fact -> its values before and now, where the signatures differ in what matters."""
        return differences(self.line.signature, self.evidence.signature, paired=True)

    @property
    def other_queries(self) -> str | None:
        """Why a number of a whole set can't be compared; None where it can.

        FID and KID are computed anew on the baseline's queries, if the run has them all. The values
        of other such numbers (Bleu, METEOR) are each query's part in the set as it was.
        """
        if not self.evidence.of_set:
            return None
        size = len(self.before)
        if missing := len(self.before.keys() - self.queries_now):
            return f"{missing:,} of the {size:,} queries of the baseline's set are not in the run's"
        more = len(self.queries_now) - size
        if more and self.evidence.features is None:
            return f"the set has {counted(more, 'query')} more than the baseline's {size:,}"
        return None

    @property
    def comparable(self) -> bool:
        """Whether the two numbers were measured alike, on queries that make them comparable."""
        return not self.changed_facts and self.other_queries is None


def in_data(baseline: Baseline, run: Run, tasks: Set[str]) -> list[Problem]:
    """Problems in the data of some tasks, which both have: what is missing, changed or new."""
    problems: list[Problem] = []
    for line in baseline.tasks:
        if line.task in tasks:
            now = task_data(run, line.task)
            if now.line != line:
                problems += _in_task(TaskData(line, baseline.items[line.task]), now)
    return problems


def _in_task(before: TaskData, now: TaskData) -> Iterator[Problem]:
    task, old, new = before.line.task, before.items, now.items
    problems = [
        *_missing_items(task, "query", old.queries, new.queries),
        *_missing_items(task, "document", old.documents, new.documents),
        *_changed(task, old, new),
    ]
    if more := len(set(new.documents) - set(old.documents)):
        text = (
            f"{counted(more, 'document')} more than in the baseline: what is found may be another"
        )
        problems.append(Problem("changed data", task, text))
    yield from problems
    if unnamed := _unnamed(before.line, now.line, named=bool(problems)):
        yield Problem("changed data", task, unnamed)


def _missing_items(
    task: str, noun: Literal["query", "document"], old: Sequence[str], new: Sequence[str]
) -> Iterator[Problem]:
    """A problem for the queries or documents that the baseline has and the run has not."""
    ids_now = set(new)
    if ids := [id for id in old if id not in ids_now]:
        kind: Kind = "missing query" if noun == "query" else "missing document"
        text = f"{counted(len(ids), noun)} of {len(old):,} missing: {named(ids)}"
        yield Problem(kind, task, text, tuple(ids))


def _unnamed(before: TaskLine, now: TaskLine, named: bool) -> str | None:
    """A sentence for a change of the data that shows in no query or document; None without one."""
    if before.relevance != now.relevance:
        return f"relevance is {before.relevance} in the baseline and {now.relevance} now"
    if named:
        return None
    if before.relevance_digest != now.relevance_digest:
        return (
            f"the relevance ({now.relevance}) is made by other code, or from other categories of "
            "the same documents"
        )
    if before.data != now.data and now.queries == before.queries:
        return "the data are not those of the baseline"
    return None


class Change(NamedTuple):
    """How a change of an item's digest is put into words."""

    noun: str
    change: str


CHANGES: Mapping[Part, Change] = {
    "query_digests": Change("query", "with another picture or text"),
    "gold_digests": Change("query", "with other references or relevant documents"),
    "document_digests": Change("document", "with another picture or other texts"),
}


def _changed(task: str, old: TaskItems, new: TaskItems) -> Iterator[Problem]:
    """Problems for the items that both have and whose content changed."""
    for part, (noun, change) in CHANGES.items():
        before, now = old.digests(part), new.digests(part)
        if ids := [id for id, digest in before.items() if now.get(id, digest) != digest]:
            text = f"{counted(len(ids), noun)} {change}: {named(ids)}"
            yield Problem("changed data", task, text, tuple(ids))


def missing_cells(cells: Sequence[CellLine], rows: Mapping[Key, Row]) -> list[Problem]:
    """Numbers that the baseline has and the run has not, with the run's reason; one problem for all
    measures of a system that have the same reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        row = rows.get(cell.key)
        if row is None or row.estimate is None:
            reason = (row and row.reason) or "the run has no such cell"
            grouped.setdefault((system_of(cell.key), reason), []).append(cell.measure)
    return [
        Problem("missing cell", where, f"no {', '.join(measures)}: {reason}")
        for (where, reason), measures in grouped.items()
    ]


def failed(cell: CellLine, queries: Sequence[str], before: Values, now: Values) -> Problem | None:
    """A problem for the queries that were scored in the baseline and are not now."""
    unscored = np.isfinite(before) & ~np.isfinite(now)
    ids = tuple(np.asarray(queries, dtype=object)[unscored].tolist())
    if not ids:
        return None
    text = f"{counted(len(ids), 'query')} scored in the baseline and not now: {named(ids)}"
    return Problem("failed query", system_of(cell.key), text, ids)


def in_sets(counterparts: Sequence[Counterparts]) -> list[Problem]:
    """Numbers of whole sets that can't be compared, since the sets are of other queries."""
    grouped: dict[tuple[str, str], dict[str, None]] = {}
    for numbers in counterparts:
        if reason := numbers.other_queries:
            grouped.setdefault((numbers.line.task, reason), {})[numbers.line.measure] = None
    return [
        Problem("other queries", f"{task} · {', '.join(measures)}", f"{reason}; {REMEDY}")
        for (task, reason), measures in grouped.items()
    ]


def in_signatures(counterparts: Sequence[Counterparts]) -> list[Problem]:
    """Differences between the baseline's signatures and the run's: one problem for each fact."""
    grouped: dict[tuple[str, str | None, str | None], Counter[str]] = {}
    for numbers in counterparts:
        for name, (old, new) in numbers.changed_facts.items():
            grouped.setdefault((name, old, new), Counter())[numbers.line.measure] += 1
    return [
        Problem(
            "signature",
            ", ".join(counts),
            f"{name} is {old or 'not said'} in the baseline and {new or 'not said'} now "
            f"({counted(sum(counts.values()), 'cell')})"
            + (f": {WHY[name]}; {REMEDY}" if name in WHY else ""),
        )
        for (name, old, new), counts in grouped.items()
    ]


def named(ids: Sequence[str]) -> str:
    """The first ids, and how many more there are."""
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
