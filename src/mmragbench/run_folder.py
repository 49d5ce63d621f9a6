"""What a run leaves behind (DESIGN 8): files in the field's own formats."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mmragbench.cache import write_atomically
from mmragbench.contracts import Vectors
from mmragbench.loop import Cell
from mmragbench.records import Exclusion, Output, OutputKind, Ranking, Scores, Task
from mmragbench.stages import Scored
from mmragbench.thumbnails import thumbnail, thumbnails

Row = dict[str, Any]


def write_json(path: Path, value: Any) -> None:
    """Readable JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """A JSON list, a row a line: as readable as a table, and quick to compare."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    write_atomically(path, "[\n" + ",\n".join(lines) + "\n]\n")


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    """JSON lines, atomically."""
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_cell(run: Path, cell: Cell, output: OutputKind = "caption") -> None:
    """`cells/<task>/<strategy>/…`; nothing for a cell that is not applicable."""
    folder = run / "cells" / cell.task / cell.strategy
    if cell.retrieved.reason is None:
        write_json(folder / "cost.json", cell.retrieved.cost)
        write_atomically(folder / "run.trec", trec(cell.retrieved.rankings, cell.strategy))
        _write_scores(folder, cell.scored)
    for (generator, k), (generated, scored) in cell.generated.items():
        if generated.reason is None:
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


def trec(rankings: Sequence[Ranking], tag: str) -> str:
    """A TREC run: `query Q0 document rank score tag`, a hit a line; blanks in ids become `%20`."""
    safe = {" ": "%20", "\t": "%09", "\n": "%0A", "\r": "%0D"}
    table = str.maketrans(safe)
    written = cache(lambda id: id.translate(table))  # a document is hit by many queries
    return "".join(_trec_lines(ranking, written, tag) for ranking in rankings)


def _trec_lines(ranking: Ranking, written: Callable[[str], str], tag: str) -> str:
    before = f"{written(ranking.query)} Q0 "
    hits = enumerate(ranking.hits, start=1)
    return "".join(
        [f"{before}{written(id)} {rank} {score!r} {tag}\n" for rank, (id, score) in hits]
    )


def coco_results(outputs: Sequence[Output]) -> list[Row]:
    """COCO's results format; ids that are numbers are written as numbers. Errors are left out."""
    return [
        {"image_id": int(o.query) if o.query.isdecimal() else o.query, "caption": o.text}
        for o in outputs
        if o.text is not None
    ]


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
    import pyarrow.parquet as pq

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
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "scores.parquet")


def _append(columns: Mapping[str, list[Any]], scores: Scores) -> None:
    for score in scores.scores:
        columns["query"].append(score.query)
        columns["measure"].append(str(scores.measure))
        columns["value"].append(score.value)
        columns["influence"].append(scores.influences.get(score.query))
        columns["error"].append(score.error)


def write_tasks(run: Path, tasks: Mapping[str, Task]) -> None:
    """`tasks/<task>/task.json` and `exclusions.json`."""
    exclusions: list[Row] = []
    for name, task in tasks.items():
        write_json(
            run / "tasks" / name / "task.json",
            {
                "name": name,
                "relevance": task.relevance,
                "output": task.output,
                "n_queries": len(task.queries),
                "n_documents": len(task.memory),
                "slices": {slice: len(ids) for slice, ids in task.slices.items()},
            },
        )
        _write_queries(run / "tasks" / name, task)
        exclusions += [_exclusion(name, exclusion) for exclusion in task.exclusions]
    write_rows(run / "exclusions.json", exclusions)


def _write_queries(folder: Path, task: Task) -> None:
    """`queries.parquet`: each query's group (resampled together) and its slices."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    slices = [[name for name, ids in task.slices.items() if q.id in ids] for q in task.queries]
    columns = {
        "query": [query.id for query in task.queries],
        "group": [query.group or query.id for query in task.queries],
        "slices": slices,
    }
    types = [("query", pa.string()), ("group", pa.string()), ("slices", pa.list_(pa.string()))]
    pq.write_table(pa.table(columns, schema=pa.schema(types)), folder / "queries.parquet")


def write_features(folder: Path, name: str, queries: Sequence[str], rows: Vectors) -> None:
    """`features-<name>.npz`: what FID and KID were computed on, for comparisons; a row a query."""
    import numpy as np

    content = io.BytesIO()
    np.savez(content, queries=np.asarray(queries, dtype=str), features=rows)
    write_atomically(folder / f"features-{name}.npz", content.getvalue())


def _exclusion(task: str, exclusion: Exclusion) -> Row:
    return {"task": task, "kind": exclusion.kind, "id": exclusion.id, "reason": exclusion.reason}
