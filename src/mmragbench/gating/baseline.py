"""The baseline of a gate: what a run reached, small enough to be committed and reviewed.

One line a task and a cell come first, for whoever reads the change in a pull request; below them
what a machine needs to compare query by query. Values are kept in single precision, and those of a
new run are rounded alike, so that a run that is made again differs by exactly nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from mmragbench._files import write_atomically
from mmragbench.errors import DataError
from mmragbench.gating.packing import (
    Values,
    pack_digests,
    pack_ids,
    pack_values,
    unpack_digests,
    unpack_ids,
    unpack_values,
)
from mmragbench.records import Measure
from mmragbench.run_folder.evidence import Evidence, RunFolder

QUERY_DIGITS, DOCUMENT_DIGITS = 8, 4
"""Of an item's digest: enough to say which ones changed; the task's own digest says that none did."""

Key = tuple[str, str, str | None, int | None, str]
"""Task, strategy, generator, k, measure."""


class NoBaseline(DataError):
    """There is no baseline in a file."""


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

    @property
    def key(self) -> Key:
        return (self.task, self.strategy, self.generator, self.k, self.measure)


class TaskItems(Strict):
    """A task's queries and documents, packed: ids, and the first digits of their digests."""

    queries: str
    asked: str
    gold: str
    documents: str
    contents: str

    @cached_property
    def query_ids(self) -> list[str]:
        return unpack_ids(self.queries)

    @cached_property
    def document_ids(self) -> list[str]:
        return unpack_ids(self.documents)

    def digests(self, part: Literal["asked", "gold", "contents"]) -> dict[str, str]:
        """Query or document -> the first digits of its digest."""
        width = DOCUMENT_DIGITS if part == "contents" else QUERY_DIGITS
        ids = self.document_ids if part == "contents" else self.query_ids
        return dict(zip(ids, unpack_digests(getattr(self, part), width), strict=True))


class Baseline(Strict):
    """A baseline file.

    Attributes:
        values: for each of `cells`, its values in the order of its task's queries, packed.
    """

    format: Literal["mmragbench-baseline-1"]
    suite: str
    mmragbench: str
    tasks: tuple[TaskLine, ...]
    cells: tuple[CellLine, ...] = Field(min_length=1)
    values: tuple[str, ...]
    items: dict[str, TaskItems]

    @model_validator(mode="after")
    def _fits(self) -> Baseline:
        lengths = {task.task: task.queries for task in self.tasks}
        if set(lengths) != set(self.items) or len(self.values) != len(self.cells):
            raise ValueError("tasks and items, or cells and values, are not the same number")
        for task in self.tasks:
            items = self.items[task.task]
            known = len(items.digests("asked")), len(items.digests("gold"))
            stored = len(items.digests("contents"))
            if {*known} != {task.queries} or stored != task.documents:
                raise ValueError(f"{task.task} has other items than it says")
        for cell, packed in zip(self.cells, self.values, strict=True):
            if len(unpack_values(packed)) != lengths.get(cell.task):
                raise ValueError(f"{cell.key} has not one value for each query")
        return self

    @classmethod
    def of(cls, run: RunFolder, measures: Sequence[str] = ()) -> Baseline:
        """A run's baseline; of some measures, or of all.

        Raises:
            DataError: the run lacks a measure, or was written by an older version.
        """
        evidence = list(run.evidence(measures))
        if not evidence:
            raise DataError(
                f"{run.path} has no number to keep: see the reasons in its summary.json"
            )
        rows = {key_of(row): row for row in run.rows if row["slice"] == "all"}
        names = list(dict.fromkeys(found.task for found in evidence))
        lines, items = zip(*(task_of(run, name) for name in names), strict=True)
        order = {name: items[at].query_ids for at, name in enumerate(names)}
        cells = [rows[evidence_key(found)] for found in evidence]
        return cls(
            format="mmragbench-baseline-1",
            suite=run.suite["name"],
            mmragbench=run.manifest["mmragbench"],
            tasks=lines,
            cells=tuple(
                CellLine(**{name: row[name] for name in CellLine.model_fields}) for row in cells
            ),
            values=tuple(pack_values(values_of(found, order[found.task])) for found in evidence),
            items=dict(zip(names, items, strict=True)),
        )

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a baseline.

        Raises:
            DataError: the file is missing, or is not a baseline.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise NoBaseline(
                f"there is no baseline {path} ({error.strerror}); write one with "
                f"`mmragbench gate RUN --save {path}`"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise NoBaseline(
                f"{path} is not a baseline of this version: {place[:80] or 'it'}: "
                f"{first['msg'][:200]}; write one with `mmragbench gate RUN --save`"
            ) from error

    def write(self, path: Path) -> None:
        """A line a task, a cell, a column, so that a change of one is a change of one line."""
        plain = self.model_dump()
        items = plain.pop("items")
        parts = [f"{_json(name)}: {_listed(value)}" for name, value in plain.items()]
        listed = ",\n".join(f"{_json(name)}: {_spread(value)}" for name, value in items.items())
        parts.append(f'"items": {{\n{listed}\n}}')
        write_atomically(path, "{\n" + ",\n".join(parts) + "\n}\n")


def key_of(row: dict[str, Any]) -> Key:
    """The key of a row of `summary.json`."""
    return (row["task"], row["strategy"], row["generator"], row["k"], row["measure"])


def evidence_key(found: Evidence) -> Key:
    """The key of a number with its evidence."""
    return (found.task, found.strategy, found.generator, found.k, str(found.measure))


def task_of(run: RunFolder, task: str) -> tuple[TaskLine, TaskItems]:
    """What a baseline keeps of a task.

    Raises:
        DataError: the run was written by an older version.
    """
    queries, documents = run.queries(task), run.documents(task)
    if not {"asked", "gold"} <= set(queries[0]):
        raise DataError(f"{run.path} has no digests of its queries: run the suite again")
    facts = run.task(task)
    ids = [row["query"] for row in queries]
    memory = [row["document"] for row in documents]
    asked, gold = ([row[part] for row in queries] for part in ("asked", "gold"))
    contents = [row["content"] for row in documents]
    line = TaskLine(
        task=task,
        relevance=facts["relevance"],
        relevance_digest=(facts.get("relevance_digest") or "")[:16] or None,
        queries=len(ids),
        query_ids=_digest(sorted(ids)),
        documents=len(memory),
        document_ids=_digest(sorted(memory)),
        data=_digest(
            sorted(zip(ids, asked, gold, strict=True)), sorted(zip(memory, contents, strict=True))
        ),
    )
    items = TaskItems(
        queries=pack_ids(ids),
        asked=pack_digests(asked, QUERY_DIGITS),
        gold=pack_digests(gold, QUERY_DIGITS),
        documents=pack_ids(memory),
        contents=pack_digests(contents, DOCUMENT_DIGITS),
    )
    return line, items


def values_of(found: Evidence, queries: Sequence[str]) -> Values:
    """One value for each query, in single precision; nan where there is none. Their mean is the
    number: for FID and KID, and for Bleu, the values are influences. FID and KID are those of these
    queries, whatever others the run has."""
    values = _of_distance(found, queries) if found.features else found.values
    return np.asarray([values.get(query, np.nan) for query in queries], dtype=np.float32)


def _of_distance(found: Evidence, queries: Sequence[str]) -> dict[str, float]:
    from mmragbench.statistics import distance_values

    distance = found.measure.info.distance
    if not (distance and found.features):
        return {}
    generated, real = found.features
    both = [query for query in queries if query in real and query in generated]
    if len(both) < 2:
        return {}
    x, y = (np.stack([side[query] for query in both]) for side in (real, generated))
    return dict(zip(both, distance_values(x, y, distance).tolist(), strict=True))


def _digest(*parts: object) -> str:
    return sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _listed(value: object) -> str:
    if not isinstance(value, list | tuple):
        return _json(value)
    return "[\n" + ",\n".join(map(_json, value)) + "\n]"


def _spread(value: dict[str, str]) -> str:
    return (
        "{\n" + ",\n".join(f" {_json(name)}: {_json(text)}" for name, text in value.items()) + "}"
    )
