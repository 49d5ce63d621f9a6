"""Why two runs can't be compared as they should: what is missing, what changed under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mmragbench.comparing.evidence import RunFolder
from mmragbench.gating.baseline import Baseline, CellLine, Key, TaskItems, TaskLine, task_of
from mmragbench.gating.packing import Values
from mmragbench.signature import differences

Kind = Literal["missing query", "missing document", "changed data", "missing cell", "failed query",
               "signature"]  # fmt: skip
NAMED = 5
"""Ids that a sentence names."""


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


def in_data(baseline: Baseline, run: RunFolder, there: Sequence[str]) -> list[Problem]:
    """What is missing or changed in the data of the tasks that the run has, too."""
    found: list[Problem] = []
    for line in baseline.tasks:
        if line.task in there:
            now, items = task_of(run, line.task)
            if now != line:
                found += _in_task(line, baseline.items[line.task], now, items)
    return found


def _in_task(before: TaskLine, old: TaskItems, now: TaskLine, new: TaskItems) -> Iterator[Problem]:
    gone: list[Problem] = []
    for kind, was, there in (
        ("query", old.query_ids, set(new.query_ids)),
        ("document", old.document_ids, set(new.document_ids)),
    ):
        if ids := [id for id in was if id not in there]:
            text = f"{_some(len(ids), kind)} of {len(was):,} missing: {named(ids)}"
            name: Kind = "missing query" if kind == "query" else "missing document"
            gone.append(Problem(name, before.task, text, tuple(ids)))
    yield from gone
    changed = list(_changed(before.task, old, new))
    yield from changed
    if before.relevance != now.relevance:
        text = f"relevance is {before.relevance} in the baseline and {now.relevance} now"
        yield Problem("changed data", before.task, text)
    elif before.relevance_digest != now.relevance_digest and not gone and not changed:
        text = f"the relevance ({now.relevance}) is made from other data, or by other code"
        yield Problem("changed data", before.task, text)
    elif before.data != now.data and not gone and not changed and now.queries == before.queries:
        # A change that the first digits of an item's digest do not show, or more documents.
        if now.documents > before.documents:
            text = f"{now.documents - before.documents:,} documents more than in the baseline"
        else:
            text = "the data are not those of the baseline"
        yield Problem("changed data", before.task, text)


PARTS: Mapping[Literal["asked", "gold", "contents"], tuple[str, str]] = {
    "asked": ("query", "with another picture or text"),
    "gold": ("query", "with other references or relevant documents"),
    "contents": ("document", "with another picture or other texts"),
}


def _changed(task: str, old: TaskItems, new: TaskItems) -> Iterator[Problem]:
    for part, (kind, what) in PARTS.items():
        was, now = old.digests(part), new.digests(part)
        if ids := [id for id, digest in was.items() if now.get(id, digest) != digest]:
            text = f"{_some(len(ids), kind)} {what}: {named(ids)}"
            yield Problem("changed data", task, text, tuple(ids))


def missing_cells(
    cells: Sequence[CellLine], rows: Mapping[Key, Mapping[str, Any]]
) -> list[Problem]:
    """Numbers that the baseline has and the run has not, with the run's reason; one problem for all
    measures of a system that have the same reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        row = rows.get(cell.key, {})
        if row.get("estimate") is None:
            reason = row.get("reason") or "the run has no such cell"
            grouped.setdefault((system(cell), reason), []).append(cell.measure)
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
    text = f"{_some(len(ids), 'query')} scored in the baseline and not now: {named(ids)}"
    return Problem("failed query", system(cell), text, ids)


def in_signatures(pairs: Sequence[tuple[CellLine, str]]) -> list[Problem]:
    """What differs between the baseline's signature and the run's, told once for each fact."""
    grouped: dict[tuple[str, str | None, str | None], dict[str, int]] = {}
    for cell, now in pairs:
        for name, (old, new) in differences(cell.signature, now, paired=True).items():
            counts = grouped.setdefault((name, old, new), {})
            counts[cell.measure] = counts.get(cell.measure, 0) + 1
    return [
        Problem(
            "signature",
            ", ".join(counts),
            f"{name} is {old or 'not said'} in the baseline and {new or 'not said'} now "
            f"({_some(sum(counts.values()), 'cell')})",
        )
        for (name, old, new), counts in grouped.items()
    ]


def system(cell: CellLine) -> str:
    """`captioning · shared-space/nearest-k1`"""
    made = f"/{cell.generator}-k{cell.k}" if cell.generator is not None else ""
    return f"{cell.task} · {cell.strategy}{made}"


def named(ids: Sequence[str]) -> str:
    """The first ids, and how many more there are."""
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more


def _some(count: int, noun: str) -> str:
    plural = "queries" if noun == "query" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
