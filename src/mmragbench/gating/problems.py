"""Why two runs can't be compared as they should: what is missing, what changed under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mmragbench.gating.baseline import Baseline, CellLine, TaskLine, task_of
from mmragbench.gating.baseline_table import TaskItems, Values
from mmragbench.gating.cells import system_of
from mmragbench.reporting.words.phrases import counted
from mmragbench.run_folder.numbers import Evidence, Key, Row
from mmragbench.run_folder.reading import Run
from mmragbench.signature import differences

Kind = Literal["missing query", "missing document", "changed data", "missing cell", "failed query",
               "other queries", "signature"]  # fmt: skip
NAMED = 5
"""Ids that a sentence names."""
REMEDY = "compare the baseline's queries and documents alone, or save another baseline"

WHY = {
    "corpus": "CIDEr's document frequencies come from the references of all queries",
    "docs": "the more documents there are, the harder a hit is",
}
"""Facts of a signature that change with the queries or documents -> why their numbers do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the baseline has and the run has not, or has otherwise.

    Attributes:
        where: the task, and what else tells where.
        text: one sentence.
        ids: all queries or documents that are meant.
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
class Side:
    """A number of the baseline and the run's.

    Attributes:
        before: query -> its value in the baseline.
        found: the run's evidence.
    """

    line: CellLine
    before: Mapping[str, float]
    found: Evidence

    @property
    def queries_now(self) -> Set[str]:
        """The queries that the run's number was computed on."""
        if self.found.features is None:
            return self.found.values.keys()
        generated, real = self.found.features
        return generated.keys() & real.keys()

    @property
    def unlike(self) -> dict[str, tuple[str | None, str | None]]:
        """What differs between the signatures in anything that matters."""
        return differences(self.line.signature, self.found.signature, paired=True)

    @property
    def other_queries(self) -> str | None:
        """Why a number of a whole set can't be compared; None where it can.

        FID and KID are computed anew on the baseline's queries, if the run has them all. The values
        of other such numbers (Bleu, METEOR) are each query's part in the set as it was.
        """
        if not self.found.of_set:
            return None
        size = len(self.before)
        if gone := len(self.before.keys() - self.queries_now):
            return f"{gone:,} of the {size:,} queries of the baseline's set are not in the run's"
        more = len(self.queries_now) - size
        if more and self.found.features is None:
            return f"the set has {counted(more, 'query')} more than the baseline's {size:,}"
        return None

    @property
    def comparable(self) -> bool:
        """Whether the two numbers were measured alike, on what makes them comparable."""
        return not self.unlike and self.other_queries is None


def in_data(baseline: Baseline, run: Run, tasks: Set[str]) -> list[Problem]:
    """What is missing or changed in the data of some tasks, which both have."""
    found: list[Problem] = []
    for line in baseline.tasks:
        if line.task in tasks:
            now, items = task_of(run, line.task)
            if now != line:
                found += _in_task(line, baseline.items[line.task], now, items)
    return found


def _in_task(before: TaskLine, old: TaskItems, now: TaskLine, new: TaskItems) -> Iterator[Problem]:
    gone: list[Problem] = []
    for kind, was, there in (
        ("query", old.queries, set(new.queries)),
        ("document", old.documents, set(new.documents)),
    ):
        if ids := [id for id in was if id not in there]:
            text = f"{counted(len(ids), kind)} of {len(was):,} missing: {named(ids)}"
            name: Kind = "missing query" if kind == "query" else "missing document"
            gone.append(Problem(name, before.task, text, tuple(ids)))
    yield from gone
    changed = list(_changed(before.task, old, new))
    yield from changed
    if more := len(set(new.documents) - set(old.documents)):
        text = (
            f"{counted(more, 'document')} more than in the baseline: what is found may be another"
        )
        changed.append(Problem("changed data", before.task, text))
        yield changed[-1]
    if unnamed := _unnamed(before, now, named=bool(gone or changed)):
        yield Problem("changed data", before.task, unnamed)


def _unnamed(before: TaskLine, now: TaskLine, named: bool) -> str | None:
    """A change of the data that no query or document shows."""
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


PARTS: Mapping[Literal["asked", "gold", "contents"], tuple[str, str]] = {
    "asked": ("query", "with another picture or text"),
    "gold": ("query", "with other references or relevant documents"),
    "contents": ("document", "with another picture or other texts"),
}


def _changed(task: str, old: TaskItems, new: TaskItems) -> Iterator[Problem]:
    for part, (kind, what) in PARTS.items():
        was, now = old.digests(part), new.digests(part)
        if ids := [id for id, digest in was.items() if now.get(id, digest) != digest]:
            text = f"{counted(len(ids), kind)} {what}: {named(ids)}"
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
    """Queries that the run has, that had a value, and have none now."""
    lost = np.isfinite(before) & ~np.isfinite(now)
    ids = tuple(query for query, gone in zip(queries, lost, strict=True) if gone)
    if not ids:
        return None
    text = f"{counted(len(ids), 'query')} scored in the baseline and not now: {named(ids)}"
    return Problem("failed query", system_of(cell.key), text, ids)


def in_sets(sides: Sequence[Side]) -> list[Problem]:
    """Numbers of whole sets that can't be compared, since the sets are of other queries."""
    grouped: dict[tuple[str, str], dict[str, None]] = {}
    for side in sides:
        if why := side.other_queries:
            grouped.setdefault((side.line.task, why), {})[side.line.measure] = None
    return [
        Problem("other queries", f"{task} · {', '.join(measures)}", f"{why}; {REMEDY}")
        for (task, why), measures in grouped.items()
    ]


def in_signatures(sides: Sequence[Side]) -> list[Problem]:
    """What differs between the baseline's signatures and the run's, told once for each fact."""
    grouped: dict[tuple[str, str | None, str | None], dict[str, int]] = {}
    for side in sides:
        for name, (old, new) in side.unlike.items():
            counts = grouped.setdefault((name, old, new), {})
            counts[side.line.measure] = counts.get(side.line.measure, 0) + 1
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
