"""The baseline of a gate: the numbers of an accepted run, small enough to be committed and reviewed.

It is two files. `baseline.json` has a line for each task and each cell, for whoever reads the change
in a pull request; `baseline.parquet` beside it has what is needed to compare query by query. Values
are stored in single precision, and those of a new run are rounded alike, so that a run that is made
again differs by exactly nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from mmragbench._files import write_atomically
from mmragbench._printable import one_line, shortened
from mmragbench.errors import DataError, unknown
from mmragbench.gating.stored_values import (
    Table,
    TaskItems,
    Values,
    read_table,
    write_table,
)
from mmragbench.records import Measure
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Evidence, Key, Row
from mmragbench.run_folder.reading import Run, TaskFacts


class NoBaseline(DataError):
    """A file is no baseline, or the table beside it belongs to another one."""

    def __init__(self, problem: str, path: Path) -> None:
        super().__init__(f"{problem}; write one with `mmragbench gate RUN --save {path}`")
        self.problem = problem


class Strict(BaseModel):
    """A model of stored JSON that refuses unknown fields and is not changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaskLine(Strict):
    """A task's data: how much there is, and a digest of each part."""

    task: str
    relevance: str
    relevance_digest: str | None
    queries: int = Field(ge=1)
    query_ids: str
    documents: int = Field(ge=0)
    document_ids: str
    data: str


class CellLine(Strict):
    """A cell of the stored run: its number, how many queries it rests on, and its signature."""

    task: str
    strategy: str
    generator: str | None
    k: int | None
    measure: str
    estimate: float
    n: int
    n_failed: int
    signature: str

    @field_validator("measure")
    @classmethod
    def _is_measure(cls, text: str) -> str:
        Measure.parse(text)
        return text

    @classmethod
    def of(cls, row: Row) -> CellLine:
        """The line of a row of `summary.json` that has a number."""
        fields = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**fields | {"measure": str(row.measure)})

    @property
    def key(self) -> Key:
        return Key(self.task, self.strategy, self.generator, self.k, self.measure)


class Summary(Strict):
    """The content of `baseline.json`.

    Attributes:
        table: SHA-256 of the Parquet file beside it.
    """

    format: Literal["mmragbench-baseline-2"] = "mmragbench-baseline-2"
    suite: str
    mmragbench: str
    table: str
    tasks: tuple[TaskLine, ...]
    cells: tuple[CellLine, ...] = Field(min_length=1)

    def text(self) -> str:
        """JSON with a line for each task and each cell, so that a change of one is a change of one
        line."""
        fields = (f"{_json(name)}: {_lines(value)}" for name, value in self.model_dump().items())
        return "{\n" + ",\n".join(fields) + "\n}\n"


@dataclass(frozen=True)
class Baseline:
    """The numbers of an accepted run, and the values that they are the means of.

    Attributes:
        suite, mmragbench: the run's suite and version.
        items: task -> its queries and documents.
        values: cell -> its values in the order of its task's queries.
    """

    suite: str
    mmragbench: str
    tasks: tuple[TaskLine, ...]
    cells: tuple[CellLine, ...]
    items: Mapping[str, TaskItems]
    values: Mapping[Key, Values]

    @classmethod
    def of(cls, run: Run, measures: Sequence[str] = (), controls: bool = False) -> Baseline:
        """The baseline of a run's contenders, and of its controls if wanted; of some measures, or of
        all.

        Raises:
            DataError: the run lacks a measure, or was written by an older version.
        """
        evidence = [
            number
            for number in run.evidence(measures)
            if controls or number.strategy not in run.controls
        ]
        if not evidence:
            raise DataError(
                f"{run.path} has no number to keep: its contenders have none (the reasons are in its "
                "summary.json); --controls keeps those of controls"
            )
        rows = {row.key: row for row in run.rows if row.slice == "all"}
        cells = tuple(CellLine.of(rows[number.key]) for number in evidence)
        names = list(dict.fromkeys(cell.task for cell in cells))
        data = {name: task_data(run, name) for name in names}
        return cls(
            suite=run.suite["name"],
            mmragbench=run.manifest["mmragbench"],
            tasks=tuple(task.line for task in data.values()),
            cells=cells,
            items={name: task.items for name, task in data.items()},
            values={
                number.key: values_of(number, data[number.task].items.queries)
                for number in evidence
            },
        )

    @property
    def measures(self) -> list[str]:
        """The measures of its cells, each once, in order."""
        return list(dict.fromkeys(cell.measure for cell in self.cells))

    def only(self, measures: Sequence[str]) -> Baseline:
        """The same baseline with the cells of some measures; with all, where none are named.

        Raises:
            DataError: it has no cell of such a measure.
        """
        for name in measures:
            if name not in self.measures:
                raise DataError(unknown("measure of the baseline", name, self.measures))
        cells = tuple(cell for cell in self.cells if not measures or cell.measure in measures)
        return replace(self, cells=cells)

    def without(self, strategies: Container[str]) -> Baseline:
        """The same baseline without the cells of some strategies."""
        cells = tuple(cell for cell in self.cells if cell.strategy not in strategies)
        return replace(self, cells=cells)

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read both files of a baseline.

        Raises:
            NoBaseline: a file is missing or not of this version, or they were not saved together.
        """
        summary = _summary(path)
        try:
            content = table_path(path).read_bytes()
        except OSError as error:
            problem = f"{path} needs {table_path(path).name} beside it ({error.strerror})"
            raise NoBaseline(problem, path) from error
        if sha256(content).hexdigest() != summary.table:
            raise NoBaseline(f"{table_path(path)} was not saved together with {path.name}", path)
        try:
            table = read_table(content)
            _check_sizes(summary, table)
        except Exception as error:  # broken bytes may raise anything
            problem = f"{table_path(path)} is not a baseline's table ({one_line(error, 200)})"
            raise NoBaseline(problem, path) from error
        columns = {task: iter(arrays) for task, arrays in table.values.items()}
        return cls(
            suite=summary.suite,
            mmragbench=summary.mmragbench,
            tasks=summary.tasks,
            cells=summary.cells,
            items=table.items,
            values={cell.key: next(columns[cell.task]) for cell in summary.cells},
        )

    def write(self, path: Path) -> None:
        """Write both files; the table first, since the other one has its digest."""
        values = {
            task.task: [self.values[cell.key] for cell in self.cells if cell.task == task.task]
            for task in self.tasks
        }
        content = write_table(Table(self.items, values))
        summary = Summary(
            suite=self.suite,
            mmragbench=self.mmragbench,
            table=sha256(content).hexdigest(),
            tasks=self.tasks,
            cells=self.cells,
        )
        write_atomically(table_path(path), content)
        write_atomically(path, summary.text())


def table_path(path: Path) -> Path:
    """The Parquet file that belongs to a baseline's JSON file."""
    return path.with_suffix(".parquet")


def _summary(path: Path) -> Summary:
    if path.is_dir():
        raise DataError(
            f"{path} is a folder, where a baseline's file is wanted; `mmragbench gate RUN --save FILE` "
            "writes one"
        )
    try:
        return Summary.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NoBaseline(f"there is no baseline {path} ({error.strerror})", path) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        reason = "is missing" if first["type"] == "missing" else first["msg"]
        problem = f"{shortened(place, 80)}: {shortened(reason, 200)}"
        raise NoBaseline(f"{path} is not a baseline of this version: {problem}", path) from error


def _check_sizes(summary: Summary, table: Table) -> None:
    """Raise ValueError where a table is not as large as its summary says."""
    cells = Counter(cell.task for cell in summary.cells)
    names = {task.task for task in summary.tasks}
    if set(table.items) != names or not cells.keys() <= names:
        raise ValueError("it has other tasks")
    for task in summary.tasks:
        items, columns = table.items[task.task], table.values[task.task]
        digests = (items.query_digests, items.gold_digests)
        queries = {len(items.queries), *map(len, digests), *map(len, columns)}
        documents = {len(items.documents), len(items.document_digests)}
        if queries != {task.queries} or documents != {task.documents}:
            raise ValueError(f"{task.task} has other items than its summary says")
        if len(columns) != cells[task.task]:
            raise ValueError(f"{task.task} has other cells than its summary says")


class TaskData(NamedTuple):
    """What a baseline keeps of a task's data: its line in the JSON file, its items in the table."""

    line: TaskLine
    items: TaskItems


def task_data(run: Run, task: str) -> TaskData:
    """What a baseline keeps of a run's task.

    Raises:
        DataError: the run was written by an older version.
    """
    queries, documents = run.queries(task), run.documents(task)
    if not {"asked", "gold"} <= set(queries[0]):
        raise DataError(f"{run.path} has no digests of its queries: run the suite again")
    run.must_have(paths.in_task(task, paths.TASK))
    items = TaskItems(
        queries=[row["query"] for row in queries],
        query_digests=[row["asked"] for row in queries],
        gold_digests=[row["gold"] for row in queries],
        documents=[row["document"] for row in documents],
        document_digests=[row["content"] for row in documents],
    )
    return TaskData(_task_line(task, run.tasks[task], items), items.shortened())


def _task_line(task: str, facts: TaskFacts, items: TaskItems) -> TaskLine:
    """A task's line; the items' digests have all of their digits."""
    queries = zip(items.queries, items.query_digests, items.gold_digests, strict=True)
    documents = zip(items.documents, items.document_digests, strict=True)
    return TaskLine(
        task=task,
        relevance=facts.relevance,
        relevance_digest=(facts.relevance_digest or "")[:16] or None,
        queries=len(items.queries),
        query_ids=_digest(sorted(items.queries)),
        documents=len(items.documents),
        document_ids=_digest(sorted(items.documents)),
        data=_digest(sorted(queries), sorted(documents)),
    )


def values_of(number: Evidence, queries: Sequence[str]) -> Values:
    """One value for each query, in single precision; nan where there is none.

    Their mean is the number: for FID and KID, and for Bleu, the values are influences. FID and KID
    are computed on these queries, whatever others the run has.
    """
    values = _of_distance(number, queries) if number.features else number.values
    return np.asarray([values.get(query, np.nan) for query in queries], dtype=np.float32)


def _of_distance(number: Evidence, queries: Sequence[str]) -> dict[str, float]:
    from mmragbench.statistics import distance_values

    if number.by_seed:
        by_seed = [_of_distance(own, queries) for own in number.by_seed]
        shared = [query for query in by_seed[0] if all(query in values for values in by_seed)]
        return {query: float(np.mean([own[query] for own in by_seed])) for query in shared}
    distance = number.measure.info.distance
    if not (distance and number.features):
        return {}
    generated, real = number.features
    both = [query for query in queries if query in real and query in generated]
    if len(both) < 2:
        return {}
    x, y = (np.stack([side[query] for query in both]) for side in (real, generated))
    return dict(zip(both, distance_values(x, y, distance).tolist(), strict=True))


def _digest(*parts: object) -> str:
    return sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(value: object) -> str:
    """A value as JSON; of a list, each value on a line of its own."""
    if not isinstance(value, list | tuple):
        return _json(value)
    return "[\n" + ",\n".join(map(_json, value)) + "\n]"
