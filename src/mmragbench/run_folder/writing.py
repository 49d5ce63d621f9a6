"""The writers of a run folder's files, in the field's own formats."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmragbench._files import (
    Row,
    write_atomically,
    write_json,
    write_lines,
    write_rows,
    write_table,
)
from mmragbench.contracts import Vectors
from mmragbench.engine.loop import Cell
from mmragbench.engine.results import Generated
from mmragbench.formats import trec
from mmragbench.measuring.scoring import Scored
from mmragbench.records import Exclusion, Output, OutputKind, Scores, Task
from mmragbench.run_folder import digests, paths
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.thumbnails import thumbnail, write_thumbnails


def write_cell(run: Path, cell: Cell, output: OutputKind = "caption") -> None:
    """Write `cells/<task>/<strategy>/…`; nothing for a cell that is not applicable. Where it depends on
    the seed, write `seeds/<seed>/cells/…` too."""
    folder = run / paths.in_cell(cell.task, cell.strategy)
    if cell.retrieved.absence is None:
        _write_rankings(folder, cell)
        write_scores(folder, cell.scored)
    for setting, (generated, scored) in cell.generated.items():
        if generated.absence is None:
            below = run / paths.in_cell(cell.task, cell.strategy, setting=Setting(*setting))
            _write_outputs(run, below, generated, output)
            write_scores(below, scored)
    for seed, of_seed in cell.by_seed.items():
        _write_seed(run, seed, of_seed, cell, output)


def _write_seed(run: Path, seed: int, of_seed: Cell, cell: Cell, output: OutputKind) -> None:
    """Write one seed's part of a cell, as far as it depends on the seed: the scores, and what they are of
    where that is not written for the cell already."""
    folder = run / paths.in_seed(seed, paths.in_cell(cell.task, cell.strategy))
    if of_seed.retrieved.absence is None:
        if of_seed.retrieved is not cell.retrieved:
            _write_rankings(folder, of_seed)
        if of_seed.scored is not cell.scored:
            write_scores(folder, of_seed.scored)
    for setting, (generated, scored) in of_seed.generated.items():
        below = folder / str(Setting(*setting))
        if generated.absence is None:
            if generated is not cell.generated[setting][0]:
                _write_outputs(run, below, generated, output)
            if scored is not cell.generated[setting][1]:
                write_scores(below, scored)


def _write_rankings(folder: Path, cell: Cell) -> None:
    write_json(folder / paths.COST, cell.retrieved.cost)
    rankings = trec.lines(cell.retrieved.rankings, cell.strategy)
    write_atomically(folder / paths.RANKINGS, rankings)


def _write_outputs(run: Path, folder: Path, generated: Generated, output: OutputKind) -> None:
    write_json(folder / paths.COST, generated.cost)
    write_thumbnails(run, (output.image for output in generated.outputs))
    write_lines(folder / paths.OUTPUTS, (_output(run, o) for o in generated.outputs))
    if any(o.text is not None for o in generated.outputs):
        _write_texts(folder, generated.outputs, output)


def _write_texts(folder: Path, outputs: Sequence[Output], kind: OutputKind) -> None:
    """Write `captions.json` in COCO's results format, or `answers.json` in SQuAD's format of
    predictions."""
    if kind == "answer":
        write_json(folder / paths.ANSWERS, {o.query: o.text for o in outputs if o.text is not None})
    else:
        write_json(folder / paths.CAPTIONS, coco_results(outputs))


def coco_results(outputs: Sequence[Output]) -> list[Row]:
    """Outputs in COCO's results format; ids that are numbers are written as numbers. Errors are left
    out."""
    return [
        {"image_id": coco_id(o.query), "caption": o.text} for o in outputs if o.text is not None
    ]


def coco_id(id: str) -> int | str:
    """An id as COCO has it: a number; one that is no number, or is not written like one, stays a text."""
    return int(id) if id.isdecimal() and str(int(id)) == id else id


def _output(run: Path, output: Output) -> Row:
    return {
        "query": output.query,
        "text": output.text,
        "image": thumbnail(run, output.image),
        "error": output.error,
        "shown": list(output.shown),
        "prompt": output.prompt,
    }


def write_scores(folder: Path, scored: Scored) -> None:
    """Write `scores.parquet`: each query's value, influence or error, by measure; nothing where there are
    no scores."""
    if not scored:
        return
    import pyarrow as pa

    names = ("query", "measure", "value", "influence", "error")
    columns: Mapping[str, list[Any]] = {name: [] for name in names}
    for scores in scored["all"]:
        _append(columns, scores)
    types = [
        ("query", pa.string()),
        ("measure", pa.dictionary(pa.int32(), pa.string())),
        ("value", pa.float64()),
        ("influence", pa.float64()),
        ("error", pa.string()),
    ]
    table = pa.table(dict(columns), schema=pa.schema(types))
    write_table(folder / paths.SCORES, table)


def _append(columns: Mapping[str, list[Any]], scores: Scores) -> None:
    for score in scores.scores:
        columns["query"].append(score.query)
        columns["measure"].append(str(scores.measure))
        columns["value"].append(score.value)
        columns["influence"].append(scores.influences.get(score.query))
        columns["error"].append(score.error)


def write_tasks(run: Path, tasks: Mapping[str, Task]) -> None:
    """Write `tasks/<task>/task.json`, `queries.parquet` and `documents.parquet`; `exclusions.json`."""
    exclusions: list[Row] = []
    for name, task in tasks.items():
        write_json(
            run / paths.in_task(name, paths.TASK),
            {
                "name": name,
                "relevance": task.relevance,
                "relevance_digest": digests.relevance_digest(task),
                "output": task.output,
                "n_queries": len(task.queries),
                "n_documents": len(task.memory),
                "totals": dict(task.totals),
                "slices": {slice: len(ids) for slice, ids in task.slices.items()},
            },
        )
        _write_queries(run / paths.in_task(name), task)
        _write_documents(run / paths.in_task(name), task)
        exclusions += [_exclusion(name, exclusion) for exclusion in task.exclusions]
    write_rows(run / paths.EXCLUSIONS, exclusions)


def _write_queries(folder: Path, task: Task) -> None:
    """Write `queries.parquet`: each query's group (resampled together), its slices, and the digests of its
    own content and of its gold."""
    import pyarrow as pa

    slices = [[name for name, ids in task.slices.items() if q.id in ids] for q in task.queries]
    columns = {
        "query": [query.id for query in task.queries],
        "group": [query.group or query.id for query in task.queries],
        "slices": slices,
        "asked": [digests.query_digest(query) for query in task.queries],
        "gold": list(digests.gold_digests(task)),
    }
    types = [
        ("query", pa.string()),
        ("group", pa.string()),
        ("slices", pa.list_(pa.string())),
        ("asked", pa.string()),
        ("gold", pa.string()),
    ]
    write_table(folder / paths.QUERIES, pa.table(columns, schema=pa.schema(types)))


def _write_documents(folder: Path, task: Task) -> None:
    """Write `documents.parquet`: each document's id and the digest of its content, in order."""
    import pyarrow as pa

    ids, content_digests = [], []
    for document in task.memory:
        ids.append(document.id)
        content_digests.append(digests.document_digest(document))
    columns = {"document": ids, "content": content_digests}
    write_table(folder / paths.DOCUMENTS, pa.table(columns))


def write_features(folder: Path, name: str, queries: Sequence[str], rows: Vectors) -> None:
    """Write `features-<name>.npz`: the features that FID and KID were computed on, a row a query, for
    comparisons."""
    import numpy as np

    content = io.BytesIO()
    np.savez(content, queries=np.asarray(queries, dtype=str), features=rows)
    write_atomically(folder / paths.features(name), content.getvalue())


def _exclusion(task: str, exclusion: Exclusion) -> Row:
    return {"task": task, **asdict(exclusion)}
