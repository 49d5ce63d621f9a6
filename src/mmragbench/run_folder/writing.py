"""What a run leaves behind (DESIGN 8): files in the field's own formats."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmragbench._files import write_atomically
from mmragbench.contracts import Vectors
from mmragbench.engine.loop import Cell
from mmragbench.formats import trec
from mmragbench.measuring.scoring import Scored
from mmragbench.records import Exclusion, Output, OutputKind, Scores, Task
from mmragbench.run_folder import digests as contents
from mmragbench.run_folder.thumbnails import thumbnail, thumbnails

if TYPE_CHECKING:
    pass
from mmragbench._files import Row, write_json, write_lines, write_rows, write_table


def write_cell(run: Path, cell: Cell, output: OutputKind = "caption") -> None:
    """`cells/<task>/<strategy>/…`; nothing for a cell that is not applicable."""
    folder = run / "cells" / cell.task / cell.strategy
    if cell.retrieved.absence is None:
        write_json(folder / "cost.json", cell.retrieved.cost)
        write_atomically(folder / "run.trec", trec.lines(cell.retrieved.rankings, cell.strategy))
        _write_scores(folder, cell.scored)
    for (generator, k), (generated, scored) in cell.generated.items():
        if generated.absence is None:
            below = folder / f"{generator}-k{k}"
            write_json(below / "cost.json", generated.cost)
            thumbnails(run, (output.image for output in generated.outputs))
            write_lines(below / "outputs.jsonl", (_output(run, o) for o in generated.outputs))
            if any(o.text is not None for o in generated.outputs):
                _write_texts(below, generated.outputs, output)
            _write_scores(below, scored)


def _write_texts(folder: Path, outputs: Sequence[Output], kind: OutputKind) -> None:
    """`captions.json` in COCO's results format; `answers.json` in SQuAD's format of predictions."""
    if kind == "answer":
        write_json(
            folder / "answers.json", {o.query: o.text for o in outputs if o.text is not None}
        )
    else:
        write_json(folder / "captions.json", coco_results(outputs))


def coco_results(outputs: Sequence[Output]) -> list[Row]:
    """COCO's results format; ids that are numbers are written as numbers. Errors are left out."""
    return [
        {"image_id": coco_id(o.query), "caption": o.text} for o in outputs if o.text is not None
    ]


def coco_id(id: str) -> int | str:
    """COCO's ids are numbers; an id that is no number, or is not written like one, stays a text."""
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


def _write_scores(folder: Path, scored: Scored) -> None:
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
    write_table(folder / "scores.parquet", table)


def _append(columns: Mapping[str, list[Any]], scores: Scores) -> None:
    for score in scores.scores:
        columns["query"].append(score.query)
        columns["measure"].append(str(scores.measure))
        columns["value"].append(score.value)
        columns["influence"].append(scores.influences.get(score.query))
        columns["error"].append(score.error)


def write_tasks(run: Path, tasks: Mapping[str, Task]) -> None:
    """`tasks/<task>/task.json`, `queries.parquet` and `documents.parquet`; `exclusions.json`."""
    exclusions: list[Row] = []
    for name, task in tasks.items():
        write_json(
            run / "tasks" / name / "task.json",
            {
                "name": name,
                "relevance": task.relevance,
                "relevance_digest": contents.relevance(task),
                "output": task.output,
                "n_queries": len(task.queries),
                "n_documents": len(task.memory),
                "totals": dict(task.totals),
                "slices": {slice: len(ids) for slice, ids in task.slices.items()},
            },
        )
        _write_queries(run / "tasks" / name, task)
        _write_documents(run / "tasks" / name, task)
        exclusions += [_exclusion(name, exclusion) for exclusion in task.exclusions]
    write_rows(run / "exclusions.json", exclusions)


def _write_queries(folder: Path, task: Task) -> None:
    """`queries.parquet`: each query's group (resampled together), its slices, and the digests of
    what it asks and of what its answers are scored with."""
    import pyarrow as pa

    slices = [[name for name, ids in task.slices.items() if q.id in ids] for q in task.queries]
    columns = {
        "query": [query.id for query in task.queries],
        "group": [query.group or query.id for query in task.queries],
        "slices": slices,
        "asked": [contents.of_query(query) for query in task.queries],
        "gold": list(contents.of_gold(task)),
    }
    types = [
        ("query", pa.string()),
        ("group", pa.string()),
        ("slices", pa.list_(pa.string())),
        ("asked", pa.string()),
        ("gold", pa.string()),
    ]
    write_table(folder / "queries.parquet", pa.table(columns, schema=pa.schema(types)))


def _write_documents(folder: Path, task: Task) -> None:
    """`documents.parquet`: each document's id and the digest of its content, in order."""
    import pyarrow as pa

    ids, digests = [], []
    for document in task.memory:
        ids.append(document.id)
        digests.append(contents.of_document(document))
    write_table(folder / "documents.parquet", pa.table({"document": ids, "content": digests}))


def write_features(folder: Path, name: str, queries: Sequence[str], rows: Vectors) -> None:
    """`features-<name>.npz`: what FID and KID were computed on, for comparisons; a row a query."""
    import numpy as np

    content = io.BytesIO()
    np.savez(content, queries=np.asarray(queries, dtype=str), features=rows)
    write_atomically(folder / f"features-{name}.npz", content.getvalue())


def _exclusion(task: str, exclusion: Exclusion) -> Row:
    return {"task": task, **asdict(exclusion)}
