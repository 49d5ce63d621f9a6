"""Files that `score --output` writes, and what they are for the gate and for comparisons: a run, whose
strategies are the systems that were scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mmragbench import __version__
from mmragbench._files import write_json
from mmragbench._printable import shortened
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.formats.json_values import read_json
from mmragbench.records import Better, Distance, Measure
from mmragbench.run_folder.files import Files, unlisted
from mmragbench.run_folder.numbers import Evidence, Json, Row
from mmragbench.run_folder.reading import Run, open_run

EXPECTED = "a run folder, or a JSON file that `mmragbench score … --output` wrote"
NAME = "score"
"""The name of such files' suite, in baselines."""


class Strict(BaseModel):
    """A model of stored JSON that refuses unknown fields and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScoredRow(BaseModel):
    """What is needed of a row; further fields may be there."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    generator: None
    k: None
    slice: Literal["all"]
    measure: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int | None
    n_failed: int
    signature: str
    better: Better
    unit: str
    margin: str
    display: str | None = None
    distance: Distance | None = None
    reason: str | None = None
    absence: Literal["not applicable", "crashed"] | None = None
    bounds: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None


class System(Strict):
    """A system that was scored.

    Attributes:
        name: the stem of its file or folder.
        source: its path.
        gold: the stem of the file or folder that it was scored against; `gold_digest` is of the content.
        rows: as in `summary.json`.
        queries: the ids of the items that were scored.
        groups: of each query, what it is resampled with.
        gold_digests: of each query's own gold.
        values: measure -> a value for each query; None where it has none.
        of_set: the measures whose values are influences (see `Scores`).
    """

    name: str
    source: str
    task: str
    gold: str
    gold_digest: str
    rows: tuple[dict[str, Any], ...]
    queries: tuple[str, ...]
    groups: tuple[str, ...]
    gold_digests: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]
    of_set: tuple[str, ...] = ()

    @field_validator("rows")
    @classmethod
    def _are_rows(cls, rows: tuple[Json, ...]) -> tuple[Json, ...]:
        for row in rows:
            Measure.parse(ScoredRow.model_validate(row).measure)
        return rows

    @model_validator(mode="after")
    def _fits(self) -> System:
        columns = (self.groups, self.gold_digests, *self.values.values())
        if len(set(self.queries)) < len(self.queries):
            raise ValueError(f"{self.name} has a query twice")
        if any(len(column) != len(self.queries) for column in columns):
            raise ValueError(f"{self.name} has not one value a query")
        return self

    def numbers(self, measure: str) -> dict[str, float]:
        """Query -> its value by a measure, where it has one."""
        pairs = zip(self.queries, self.values.get(measure, ()), strict=False)
        return {query: value for query, value in pairs if value is not None}


class ScoreFile(Strict):
    """The content of a file: one system, or two and their paired differences."""

    format: Literal["mmragbench-scores-1"] = "mmragbench-scores-1"
    mmragbench: str = __version__
    systems: tuple[System, ...]
    comparisons: tuple[dict[str, Any], ...] = ()

    def write(self, path: Path) -> None:
        """Write the file, atomically."""
        write_json(path, self.model_dump())

    @classmethod
    def read(cls, path: Path) -> ScoreFile:
        """Read such a file.

        Raises:
            DataError: it is not there, or another one.
        """
        content = read_json(path, EXPECTED)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "it"
            problem = f"{shortened(place, 80)}: {shortened(first['msg'], 200)}"
            raise DataError(
                f"{path} is not such a file ({problem}); expected {EXPECTED}"
            ) from error


Results = Path | str | Sequence[Path | str]
"""A run folder, or files that `score --output` wrote."""


@contextmanager
def opened(results: Results, *also: str) -> Iterator[Run]:
    """A run folder, as `open_run` opens it; or one or more files that `score` wrote, as a run.

    Raises:
        MmragbenchError: they are neither, folders and files are mixed, or a folder that somebody
            changed cannot be read meanwhile.
    """
    given = [results] if isinstance(results, str | Path) else results
    paths = [Path(path) for path in given]
    if paths and all(path.is_file() for path in paths):
        yield Scored.of(paths)
        return
    if len(paths) != 1:
        raise MmragbenchError(
            f"{', '.join(map(str, paths))}: give one run folder, or files that `score --output` wrote"
        )
    with unlisted(paths[0]):
        yield open_run(paths[0], *also)


@dataclass(frozen=True, eq=False)
class Scored(Run):
    """Systems that were scored, as a run: each is a strategy, and each gold a task.

    Systems are in one task where they were scored against the same content, or against files of one
    name; tasks of one kind have the gold's name behind theirs.
    """

    systems: tuple[System, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Scored:
        """The systems of some files."""
        systems = [system for path in paths for system in ScoreFile.read(path).systems]
        by_name: dict[tuple[str, str], set[str]] = {}
        tasks = list(_task_names(systems))
        for system, task in zip(systems, tasks, strict=True):
            by_name.setdefault((task, system.name), set()).add(system.source)
        named = [
            system.model_copy(
                update={
                    "task": task,
                    "name": system.source if len(by_name[task, system.name]) > 1 else system.name,
                }
            )
            for system, task in zip(systems, tasks, strict=True)
        ]
        distinct = {(system.task, system.name): system for system in named}
        if len(distinct) < len(named):
            raise MmragbenchError(
                f"{', '.join(map(str, paths))}: the outputs {named[0].source} are in them twice; "
                "give each system once"
            )
        return cls(paths[0], systems=tuple(named))

    def renamed(self, names: Mapping[str, str]) -> Scored:
        """The same with other names for the systems of some tasks (task -> name)."""
        systems = (s.model_copy(update={"name": names.get(s.task, s.name)}) for s in self.systems)
        return replace(self, systems=tuple(systems))

    @cached_property
    def files(self) -> Files:
        return Files(self.path, {})

    @cached_property
    def suite(self) -> Json:
        strategies = {system.name: {"use": NAME} for system in self.systems}
        return {"name": NAME, "strategies": strategies, "tasks": {s.task: {} for s in self.systems}}

    @cached_property
    def manifest(self) -> Json:
        return {"mmragbench": __version__}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        return tuple(
            Row.of({**row, "task": system.task, "strategy": system.name})
            for system in self.systems
            for row in system.rows
        )

    def _evidence(self, row: Row, estimate: float) -> Evidence:
        system = next(s for s in self.systems if (s.task, s.name) == (row.task, row.strategy))
        measure = str(row.measure)
        return Evidence(
            task=row.task,
            strategy=row.strategy,
            generator=None,
            k=None,
            measure=row.measure,
            estimate=estimate,
            signature=row.signature,
            values=system.numbers(measure),
            bounds=row.bounds,
            of_set=measure in system.of_set,
        )

    def queries(self, task: str) -> list[Json]:
        """A row for each query that a system of the task was scored on."""
        rows: dict[str, Json] = {}
        for system in self.systems:
            if system.task == task:
                for query, group, gold in zip(
                    system.queries, system.groups, system.gold_digests, strict=True
                ):
                    row = {"query": query, "group": group, "slices": [], "asked": "", "gold": gold}
                    rows.setdefault(query, row)
        return list(rows.values())

    def documents(self, task: str) -> list[Json]:
        """None: they are not in the files."""
        return []

    def must_have(self, name: str) -> Path:
        """The first of the files, whatever is asked: they hold all there is."""
        return self.path


def _task_names(systems: Sequence[System]) -> Iterator[str]:
    """The task of each system: its kind, and the gold's name where the kind has several."""
    first: dict[tuple[str, str], System] = {}
    golds: dict[str, dict[str, None]] = {}
    owners = []
    for system in systems:
        kind = system.task
        owner = first.get((kind, system.gold_digest)) or first.get((kind, system.gold)) or system
        first.setdefault((kind, system.gold_digest), owner)
        first.setdefault((kind, system.gold), owner)
        golds.setdefault(kind, {})[owner.gold] = None
        owners.append(owner)
    for owner in owners:
        yield owner.task if len(golds[owner.task]) < 2 else f"{owner.task} {owner.gold}"
