"""Extended positives: what else is relevant on COCO, by files that others have published.

COCO's own gold says that a caption fits one image. CxC (Parekh et al. 2021) and ECCV Caption (Chun
et al. 2022) had many more pairs of Karpathy's test split judged, in the form that the package
`eccv_caption` ships: `<name>_caption_to_image.json` and `<name>_image_to_caption.json`, each an
object from a query's id to a list of relevant ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from mmragbench._printable import quoted
from mmragbench.errors import DataError, listed
from mmragbench.formats.json_values import read_json
from mmragbench.formats.values import as_id
from mmragbench.records import Exclusion, Task

ENDINGS = {
    "text-to-image": "_caption_to_image.json",
    "image-to-text": "_image_to_caption.json",
}
"""Task -> what the name of its file ends with."""

Judged = dict[str, list[str]]
"""Query id -> relevant ids."""


def extend(tasks: Mapping[str, Task], path: Path) -> dict[str, Task]:
    """The tasks with the files' positives as the gold of retrieval both ways.

    As in ECCV Caption's own evaluation, what a file says of a query replaces COCO's gold, and
    queries that it does not list are not scored. Relevance is then `gold+<name>`. Ids that are not
    in the gallery or not asked are excluded by name.

    Args:
        tasks: COCO's tasks.
        path: where the files lie, with the name that they begin with: `positives/eccv`.

    Raises:
        DataError: a file is missing or something else, or fits none of the queries.
    """
    name, files = locate(path)
    extended = dict(tasks)
    for task, file in files.items():
        extended[task] = _extended(tasks[task], name, file, read(file))
    return extended


def locate(path: Path) -> tuple[str, dict[str, Path]]:
    """The positives' name, and the file of each task.

    Raises:
        DataError: the files are not both there; names those that are.
    """
    folder, name = path.parent, path.name
    for ending in ENDINGS.values():
        name = name.removesuffix(ending)
    files = {task: folder / f"{name}{ending}" for task, ending in ENDINGS.items()}
    missing = [file.name for file in files.values() if not file.is_file()]
    if missing:
        raise DataError(
            f"{folder} has no {' and no '.join(missing)}; write the folder and the name that both "
            f"files begin with: {_choices(path) or _choices(folder) or 'positives/eccv'}"
        )
    return name, files


def read(path: Path) -> Judged:
    """Query ids and their relevant ids, as strings.

    Raises:
        DataError: the file cannot be read or is not an object of lists of ids.
    """
    expected = "an object from ids to lists of relevant ids"
    content = read_json(path, expected)
    if not isinstance(content, dict) or not all(map(as_id, content)):
        raise DataError(f"{path}: expected {expected}")
    return {query: _ids(path, query, value) for query, value in content.items()}


def _ids(path: Path, query: str, value: object) -> list[str]:
    ids = [as_id(id) for id in value] if isinstance(value, list) else [None]
    if None in ids:
        raise DataError(f"{path}: {quoted(query)} has {quoted(value)}; expected a list of ids")
    return list(dict.fromkeys(filter(None, ids)))


def _extended(task: Task, name: str, file: Path, judged: Judged) -> Task:
    query_ids = dict.fromkeys(query.id for query in task.queries)
    document_ids = {document.id for document in task.memory}
    relevant = {
        query: {id: 1 for id in ids if id in document_ids}
        for query, ids in judged.items()
        if query in query_ids
    }
    qrels = {query: grades for query, grades in relevant.items() if grades}
    if not qrels:
        hint = "do the ids agree?"
        if any(id in query_ids for ids in judged.values() for id in ids):
            hint = "its queries and relevant ids are the other way round"
        raise DataError(
            f"{file}: none of its {len(judged):,} queries is asked here with an id of the gallery: "
            f"it has {listed(judged, 1) or 'none'}, asked is {listed(query_ids, 1)}; {hint} (these "
            "positives are for the test split of Karpathy's file, karpathy: dataset_coco.json)"
        )
    outside = {id: None for ids in judged.values() for id in ids if id not in document_ids}
    unasked = [query for query in judged if query not in query_ids]
    named = (
        *_named("positive outside the gallery", outside, f"{file.name}: relevant, not to be found"),
        *_named("judged query not asked", unasked, f"{file.name}: judged, not among the queries"),
    )
    exclusions = (*task.exclusions, *named)
    return replace(task, qrels=qrels, relevance=f"gold+{name}", exclusions=exclusions)


def _named(kind: str, ids: Iterable[str], reason: str) -> list[Exclusion]:
    return [Exclusion(kind, id, reason, "judgements") for id in ids]


def _choices(folder: Path) -> str:
    """The names of the positives that a folder has."""
    if not folder.is_dir():
        return ""
    first, second = ENDINGS.values()
    names = sorted(file.name.removesuffix(first) for file in folder.glob(f"*{first}"))
    return ", ".join(str(folder / n) for n in names if (folder / f"{n}{second}").is_file())
