"""COCO captions: `<task>/annotations.json`, and `<task>/<strategy>/<generator>-k<k>.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from mmragbench.exporting.run_tasks import RunTasks
from mmragbench.exporting.target import Export
from mmragbench.records import Task
from mmragbench.run_folder import paths
from mmragbench.run_folder.writing import coco_id


def write(source: RunTasks, to: Export) -> None:
    """References and results as `pycocotools`' `COCO` and `loadRes` read them.

    A query that was not answered is in no results file. `pycocoevalcap` cannot read that unless
    told to score the answered ones only (`params["image_id"]`), and CIDEr's document frequencies
    are then theirs alone; such a cell is written, and named in `left_out`.
    """
    for name, task in source.tasks.items():
        if task.output != "caption":
            to.left_out[name] = f"produces {task.output}, not captions"
            continue
        content = json.dumps(_annotations(task), ensure_ascii=False, indent=1)
        to.write(f"{name}/annotations.json", [content + "\n"])
        _results(source, name, to)


def _results(source: RunTasks, name: str, to: Export) -> None:
    expected = sum(
        bool(source.tasks[name].references.get(q.id)) for q in source.tasks[name].queries
    )
    for strategy in source.strategies:
        files = source.run.files
        stored = files.below(paths.in_cell(name, strategy), paths.CAPTIONS)
        if not stored:
            to.left_out[f"{name}/{strategy}"] = "no captions"
        for captions in stored:
            cell = PurePosixPath(captions).parent.relative_to(paths.CELLS)
            path = files.folder / captions
            missing = expected - len(files.json(captions))
            to.copy(path, f"{cell}.json")
            if missing > 0:
                to.left_out[f"{missing} of {expected} captions of {cell}"] = (
                    "they failed; set params['image_id'] to those that are there"
                )


def _annotations(task: Task) -> dict[str, Any]:
    return {
        "info": {"description": f"{task.name}: the queries of a run of mmragbench"},
        "licenses": [],
        "type": "captions",
        "images": list(_images(task)),
        "annotations": [
            {"id": number, **row} for number, row in enumerate(_references(task), start=1)
        ],
    }


def _images(task: Task) -> Iterator[dict[str, Any]]:
    for query in task.queries:
        if task.references.get(query.id):
            file = {"file_name": query.image.path.name} if query.image else {}
            yield {"id": coco_id(query.id), **file}


def _references(task: Task) -> Iterator[dict[str, Any]]:
    for query in task.queries:
        for caption in task.references.get(query.id, ()):
            yield {"image_id": coco_id(query.id), "caption": caption}
