"""All audits of a run, as plain data: `audits.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from mmragbench import _crashes as crashes
from mmragbench._files import write_json
from mmragbench.audits.copies import copies
from mmragbench.audits.encoders import Encoders
from mmragbench.audits.leak import HOWS, Leaks, Pair, leak, without
from mmragbench.audits.modality import Kinds, gap, modality
from mmragbench.contracts import Progress
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.loop import Cell
from mmragbench.engine.results import Generated
from mmragbench.errors import MmragbenchError
from mmragbench.measuring.caption_index import CaptionIndex
from mmragbench.measuring.scoring import score
from mmragbench.planning.plan import Plan
from mmragbench.records import Absence, Image, Scores, Task
from mmragbench.run_folder import paths
from mmragbench.run_folder.thumbnails import thumbnail

PICTURED = 12
"""Leaked pairs that are stored with thumbnails, those first that a reader may doubt; all are named."""

EXAMPLES = 5
"""Recurring captions that are quoted."""

Json = dict[str, Any]
Cells = Mapping[tuple[str, str], Cell]
Rescore = Callable[[Cell, Generated, frozenset[str]], dict[str, Scores]]


def write(
    folder: Path,
    plan: Plan,
    tasks: Mapping[str, Task],
    cells: Cells,
    assembly: Assembly,
    progress: Progress | None = None,
) -> None:
    """Audit a run and write `<run>/audits.json`; audits that crashed say so in the file."""
    used = {name: tasks[name] for name in plan.tasks}
    encoders = Encoders(plan, assembly)
    rescore = partial(_rescored, plan, tasks, assembly)
    audits = audit(used, cells, encoders, partial(thumbnail, folder), progress, rescore)
    write_json(folder / paths.AUDITS, audits)


def _rescored(
    plan: Plan,
    tasks: Mapping[str, Task],
    assembly: Assembly,
    cell: Cell,
    generated: Generated,
    leaked: frozenset[str],
) -> dict[str, Scores]:
    """A cell's measures of outputs on all but the leaked queries, by name."""
    task = tasks[cell.task]
    rest = task.subset(frozenset(query.id for query in task.queries) - leaked)
    measures = plan.tasks[cell.task].generation
    features = partial(assembly.model, "encoder")
    scored = score(measures, rest, cell.retrieved.rankings, generated.outputs, features)
    return {str(scores.measure): scores for scores in scored["all"]}


def audit(
    tasks: Mapping[str, Task],
    cells: Cells,
    encoders: Encoders,
    picture: Callable[[Image], str | None],
    progress: Progress | None = None,
    rescore: Rescore | None = None,
) -> Json:
    """`{"tasks": {task: {"leak": ..., "copy": [...], "modality": ...}}}`.

    Args:
        tasks: by name.
        cells: by task and strategy.
        encoders: those that have cached vectors.
        picture: stores a thumbnail and names it.
        progress: shows how far the audits are.
        rescore: scores a cell's outputs again, on all but some queries.
    """
    read: dict[int, CaptionIndex] = {}
    by_task: dict[str, Json] = {}
    for name, task in tasks.items():
        if progress:
            progress.begin(f"audits of {name}", 0)
        own = [cell for (of, _), cell in cells.items() if of == name]
        captions = read.get(id(task.memory)) or CaptionIndex(task.memory)
        read[id(task.memory)] = captions
        audits: dict[str, Callable[[], Any]] = {
            "leak": partial(_leak, task, own, captions, encoders, picture, progress, rescore),
            "copy": partial(_copy, task, own, captions),
            "modality": partial(_modality, task, own, encoders),
        }
        by_task[name] = {
            kind: _guarded(f"{kind} audit", name, work) for kind, work in audits.items()
        }
    return {"tasks": by_task}


def _guarded(name: str, task: str, work: Callable[[], Any]) -> Any:
    """An audit that crashes is an error in the report; the run's numbers are there all the same."""
    try:
        return work()
    except BaseException as error:
        crashes.pass_on(error)
        crashes.record(error, name, task=task)
        is_ours = isinstance(error, MmragbenchError)
        reason = str(error) if is_ours else crashes.summary(error)
        return {"error": str(Absence(reason, "crashed"))}


def _leak(
    task: Task,
    cells: Sequence[Cell],
    captions: CaptionIndex,
    encoders: Encoders,
    picture: Callable[[Image], str | None],
    progress: Progress | None,
    rescore: Rescore | None,
) -> Json:
    name, encoder = encoders.of_pictures(task)
    leaks = leak(task, encoder, captions, progress)
    leaked = [
        pair
        for how in reversed(HOWS)
        for pair in leaks.pairs
        if pair.how == how and not pair.wanted
    ]
    return {
        "asked": leaks.n_queries,
        "held": leaks.n_pictures,
        "roles": list(leaks.roles),
        "unreadable": leaks.unreadable,
        "encoder": name,
        "queries": leaks.by,
        "leaked": sorted(leaks.queries),
        "wanted": len({pair.query for pair in leaks.pairs if pair.wanted}),
        "pairs": [_pair(p, picture if i < PICTURED else None) for i, p in enumerate(leaked)],
        "misses": [_pair(pair, picture) for pair in leaks.misses],
        "references": _references(leaks),
        "without": _without(cells, leaks, rescore) if leaks.queries else [],
    }


def _pair(pair: Pair, picture: Callable[[Image], str | None] | None) -> Json:
    stored = (
        {"image": picture(pair.image), "found": picture(pair.document_image)} if picture else {}
    )
    keys = ("query", "role", "document", "how", "bits", "levels", "cosine")
    return {key: getattr(pair, key) for key in keys} | stored


def _references(leaks: Leaks) -> Json:
    references = leaks.references
    return {
        "captions": references.captions,
        "recurring": len(references.recurring),
        "whole": list(references.whole),
        "chance": references.chance,
        "examples": [
            {"query": query, "caption": caption, "documents": ids[:3], "n_documents": len(ids)}
            for query, caption, ids in references.recurring[:EXAMPLES]
        ],
    }


def _without(cells: Sequence[Cell], leaks: Leaks, rescore: Rescore | None) -> list[Json]:
    leaked = frozenset(leaks.queries)
    rows = []
    for cell in cells:
        of: Json = {"strategy": cell.strategy, "generator": None, "k": None}
        rows += [of | row for row in without(cell.scored, leaked)]
        for (generator, k), (generated, scored) in cell.generated.items():
            again = rescore(cell, generated, leaked) if rescore and scored else None
            of = {"strategy": cell.strategy, "generator": generator, "k": k}
            rows += [of | row for row in without(scored, leaked, again)]
    return rows


def _copy(task: Task, cells: Sequence[Cell], captions: CaptionIndex) -> list[Json]:
    return [
        {"strategy": cell.strategy, "generator": generator, "k": k}
        | asdict(copies(task, generated.outputs, captions))
        for cell in cells
        for (generator, k), (generated, _) in cell.generated.items()
        if generated.absence is None
    ]


def _modality(task: Task, cells: Sequence[Cell], encoders: Encoders) -> Json:
    columns = ("hits", "relevant", "n")
    kinds = Kinds(task)
    by_strategy = {c.strategy: modality(task, c.retrieved.rankings, kinds=kinds) for c in cells}
    memory = modality(task, (), kinds=kinds)
    gaps = {name: gap(task.memory, encoder) for name, encoder in encoders.of_memory(task).items()}
    return {
        "memory": memory.memory,
        "mixed": memory.mixed,
        "k": memory.k,
        "strategies": [
            {"strategy": strategy, **{key: getattr(of, key) for key in columns}}
            for strategy, of in by_strategy.items()
            if of.n
        ],
        "gaps": {name: g._asdict() for name, g in gaps.items() if g},
    }
