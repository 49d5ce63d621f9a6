"""The baseline of a gate: what a run reached, small enough to be committed and reviewed.

It is two files. `baseline.json` has a line for each task and each cell, for whoever reads the change
in a pull request; `baseline.parquet` beside it has what is needed to compare query by query. Values
are stored in single precision, and those of a new run are rounded alike, so that a run that is made
again differs by exactly nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

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
from mmragbench.errors import DataError
from mmragbench.gating.baseline_table import (
    DOCUMENT_DIGITS,
    QUERY_DIGITS,
    TaskItems,
    Values,
    read_table,
    write_table,
)
from mmragbench.records import Measure
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Evidence, Key, Row
from mmragbench.run_folder.reading import Run


class NoBaseline(DataError):
    """There is no baseline in a file, or the table beside it is another one's."""

    def __init__(self, problem: str, path: Path) -> None:
        super().__init__(f"{problem}; write one with `mmragbench gate RUN --save {path}`")
        self.problem = problem


class Strict(BaseModel):
    """Nothing unknown, nothing changed later."""

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
    """A number of the run."""

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
        """From a row that has a number."""
        own = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**own | {"measure": str(row.measure)})

    @property
    def key(self) -> Key:
        return Key(self.task, self.strategy, self.generator, self.k, self.measure)


class Summary(Strict):
    """What `baseline.json` says.

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
    """What a run reached.

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
    def of(cls, run: Run, measures: Sequence[str] = ()) -> Baseline:
        """A run's baseline; of some measures, or of all.

        Raises:
            DataError: the run lacks a measure, or was written by an older version.
        """
        evidence = list(run.evidence(measures))
        if not evidence:
            raise DataError(
                f"{run.path} has no number to keep: see the reasons in its summary.json"
            )
        rows = {row.key: row for row in run.rows if row.slice == "all"}
        cells = tuple(CellLine.of(rows[e.key]) for e in evidence)
        names = list(dict.fromkeys(cell.task for cell in cells))
        tasks, items = zip(*(task_of(run, name) for name in names), strict=True)
        by_task = dict(zip(names, items, strict=True))
        values = {e.key: values_of(e, by_task[e.task].queries) for e in evidence}
        version = run.manifest["mmragbench"]
        return cls(run.suite["name"], version, tasks, cells, by_task, values)

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a baseline.

        Raises:
            NoBaseline: a file is missing, is none of this version, or the two are not of one save.
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
            items, values = read_table(content)
            _check_sizes(summary, items, values)
        except Exception as error:  # broken bytes may raise anything
            problem = f"{table_path(path)} is not a baseline's table ({one_line(error, 200)})"
            raise NoBaseline(problem, path) from error
        columns = {task: iter(arrays) for task, arrays in values.items()}
        by_cell = {cell.key: next(columns[cell.task]) for cell in summary.cells}
        return cls(summary.suite, summary.mmragbench, summary.tasks, summary.cells, items, by_cell)

    def write(self, path: Path) -> None:
        """Write both files; the table first, since the other one has its digest."""
        values = {
            task.task: [self.values[cell.key] for cell in self.cells if cell.task == task.task]
            for task in self.tasks
        }
        content = write_table(self.items, values)
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
    try:
        return Summary.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NoBaseline(f"there is no baseline {path} ({error.strerror})", path) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        problem = f"{shortened(place, 80)}: {shortened(first['msg'], 200)}"
        raise NoBaseline(f"{path} is not a baseline of this version: {problem}", path) from error


def _check_sizes(
    summary: Summary, items: Mapping[str, TaskItems], values: Mapping[str, Sequence[Values]]
) -> None:
    """Raises ValueError where a table is not as large as its summary says."""
    cells = Counter(cell.task for cell in summary.cells)
    if set(items) != {task.task for task in summary.tasks} or not cells.keys() <= set(items):
        raise ValueError("it has other tasks")
    for task in summary.tasks:
        stored, columns = items[task.task], values[task.task]
        queries = {len(stored.queries), len(stored.asked), len(stored.gold), *map(len, columns)}
        documents = {len(stored.documents), len(stored.contents)}
        if queries != {task.queries} or documents != {task.documents}:
            raise ValueError(f"{task.task} has other items than its summary says")
        if len(columns) != cells[task.task]:
            raise ValueError(f"{task.task} has other cells than its summary says")


def task_of(run: Run, task: str) -> tuple[TaskLine, TaskItems]:
    """What a baseline keeps of a task.

    Raises:
        DataError: the run was written by an older version.
    """
    queries, documents = run.queries(task), run.documents(task)
    if not {"asked", "gold"} <= set(queries[0]):
        raise DataError(f"{run.path} has no digests of its queries: run the suite again")
    run.must_have(paths.in_task(task, paths.TASK))
    facts = run.tasks[task]
    ids = [row["query"] for row in queries]
    memory = [row["document"] for row in documents]
    asked, gold = ([row[part] for row in queries] for part in ("asked", "gold"))
    contents = [row["content"] for row in documents]
    line = TaskLine(
        task=task,
        relevance=facts.relevance,
        relevance_digest=(facts.relevance_digest or "")[:16] or None,
        queries=len(ids),
        query_ids=_digest(sorted(ids)),
        documents=len(memory),
        document_ids=_digest(sorted(memory)),
        data=_digest(
            sorted(zip(ids, asked, gold, strict=True)), sorted(zip(memory, contents, strict=True))
        ),
    )
    items = TaskItems(
        queries=ids,
        asked=[digest[:QUERY_DIGITS] for digest in asked],
        gold=[digest[:QUERY_DIGITS] for digest in gold],
        documents=memory,
        contents=[digest[:DOCUMENT_DIGITS] for digest in contents],
    )
    return line, items


def values_of(number: Evidence, queries: Sequence[str]) -> Values:
    """One value for each query, in single precision; nan where there is none. Their mean is the
    number: for FID and KID, and for Bleu, the values are influences. FID and KID are those of these
    queries, whatever others the run has."""
    values = _of_distance(number, queries) if number.features else number.values
    return np.asarray([values.get(query, np.nan) for query in queries], dtype=np.float32)


def _of_distance(number: Evidence, queries: Sequence[str]) -> dict[str, float]:
    from mmragbench.statistics import distance_values

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
    """JSON; a list with a line for each of its values."""
    if not isinstance(value, list | tuple):
        return _json(value)
    return "[\n" + ",\n".join(map(_json, value)) + "\n]"
