"""The evidence behind the numbers of a run: scores per query, groups, slices, features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from mmragbench.comparing.primary import Number, primary_measure
from mmragbench.contracts import Vectors
from mmragbench.errors import DataError, not_a_run, unknown
from mmragbench.records import Control, Measure
from mmragbench.run_folder.files import (
    AGAIN,
    Files,
    NotStored,
    read_features,
    read_suite,
    read_table,
    reading,
    stored_info,
)

Cell = tuple[str, str | None, int | None, str]
"""Task, generator, k, measure."""


@dataclass(frozen=True)
class Evidence:
    """One number of a run, and what it was computed from.

    Attributes:
        values: per query; for a measure of the set, values whose mean it is (its influences);
            empty for distances, which have features instead.
        features: for FID and KID: the features of the generated images and of the real ones, each
            by query.
        bounds: the lowest and the highest value that a query can have, where they are known.
        of_set: whether the number is the whole set's own and not the mean of a value per query, so
            that other queries beside it change what `values` say of a query.
    """

    task: str
    strategy: str
    generator: str | None
    k: int | None
    measure: Measure
    estimate: float
    signature: str
    values: Mapping[str, float]
    features: tuple[Mapping[str, Vectors], Mapping[str, Vectors]] | None = None
    bounds: tuple[float, float] | None = None
    of_set: bool = False

    @property
    def cell(self) -> Cell:
        """What two numbers must share to be compared: everything but the strategy."""
        return (self.task, self.generator, self.k, str(self.measure))


@dataclass(frozen=True)
class RunFolder:
    """A finished run, read piece by piece.

    Attributes:
        path: the folder.
        unfinished: the files of a run that is being written; by default they are those of one that
            ended, and tested.
    """

    path: Path
    unfinished: Files | None = None

    @cached_property
    def files(self) -> Files:
        return self.unfinished or Files.of(self.path)

    @cached_property
    def suite(self) -> dict[str, Any]:
        path = self._must_have("suite.yaml")
        suite = read_suite(path)
        with reading(path):
            _ = suite["name"], [spec.get("use") for spec in suite["strategies"].values()]
        return suite

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        path = self._must_have("summary.json")
        rows = self.files.rows("summary.json")
        with reading(path):
            for row in rows:
                _ = [row[name] for name in COLUMNS], Measure.parse(row["measure"]), stored_info(row)
        return rows

    @cached_property
    def manifest(self) -> dict[str, Any]:
        self._must_have("manifest.json")
        manifest: dict[str, Any] = self.files.json("manifest.json")
        return manifest

    @property
    def strategies(self) -> list[str]:
        return list(self.suite["strategies"])

    @cached_property
    def controls(self) -> dict[str, Control]:
        """The strategies that are controls -> what each stands for."""
        stated = {row["strategy"]: row.get("control") for row in self.rows}
        return {strategy: control for strategy, control in stated.items() if control}

    def evidence(self, measures: Sequence[str] = ()) -> Iterator[Evidence]:
        """Everything in the summary that has a number, on all queries; of some measures only, if
        any are named.

        Raises:
            DataError: a measure that the run does not have.
        """
        self.check("all", measures)
        for row in self.rows:
            wanted = not measures or row["measure"] in measures
            if wanted and row["slice"] == "all" and row["estimate"] is not None:
                yield self._evidence(row)

    def check(self, slice: str, measures: Sequence[str]) -> None:
        """Make sure that the run has a slice and measures of these names.

        Raises:
            DataError: it does not.
        """
        for kind, names in (("slice", [slice]), ("measure", measures)):
            known = list(dict.fromkeys(row[kind] for row in self.rows))
            for name in names:
                if name not in known:
                    raise DataError(unknown(f"{kind} of {self.path}", name, known))

    def primary(self, task: str) -> str | None:
        """The measure that the task's answer rests on; None where there is no number."""
        return self._primary.get(task)

    @cached_property
    def _primary(self) -> dict[str, str | None]:
        numbers: dict[str, list[Number]] = {}
        for row in self.rows:
            if row["slice"] == "all":
                number = (row["measure"], row["generator"], row["estimate"])
                numbers.setdefault(row["task"], []).append(number)
        return {task: primary_measure(self.suite, task, own) for task, own in numbers.items()}

    def groups(self, task: str, slice: str = "all") -> dict[str, str]:
        """Query -> group, for the queries of a slice.

        Raises:
            DataError: the task has no such slice, or the run was written by an older version.
        """
        rows = self.queries(task)
        chosen = [row for row in rows if slice == "all" or slice in row["slices"]]
        if not chosen:
            slices = sorted({name for row in rows for name in row["slices"]})
            raise DataError(f"{task} has no slice {slice!r}; it has all, {', '.join(slices)}")
        return {row["query"]: row["group"] for row in chosen}

    def queries(self, task: str) -> list[dict[str, Any]]:
        """The rows of a task's `queries.parquet`, in its order.

        Raises:
            DataError: the run was written by an older version.
        """
        return _read_queries(*self._stored(f"tasks/{task}/queries.parquet"))

    def documents(self, task: str) -> list[dict[str, str]]:
        """The rows of a task's `documents.parquet`, in its order.

        Raises:
            DataError: the run was written by an older version.
        """
        path, _ = self._stored(f"tasks/{task}/documents.parquet")
        rows: list[dict[str, str]] = read_table(path, ["document", "content"]).to_pylist()
        return rows

    def task(self, task: str) -> dict[str, Any]:
        """A task's `task.json`."""
        self._must_have(f"tasks/{task}/task.json")
        facts: dict[str, Any] = self.files.json(f"tasks/{task}/task.json")
        return facts

    def slices(self, task: str) -> list[str]:
        """`all`, and the slices that the task's numbers are given for."""
        names = dict.fromkeys(row["slice"] for row in self.rows if row["task"] == task)
        return ["all", *(name for name in names if name != "all")]

    def _evidence(self, row: dict[str, Any]) -> Evidence:
        measure = Measure.parse(row["measure"]).with_info(stored_info(row))
        folder = f"cells/{row['task']}/{row['strategy']}"
        if row["generator"] is not None:
            folder = f"{folder}/{row['generator']}-k{row['k']}"
        features = None
        if measure.info.distance:
            name = f"features-{measure.features}.npz"
            features = (
                self._features(f"{folder}/{name}"),
                self._features(f"tasks/{row['task']}/{name}"),
            )
        columns, influences = self._values(folder) if features is None else ({}, frozenset())
        bounds = row.get("bounds")
        described = {
            key: row[key] for key in ("task", "strategy", "generator", "k", "estimate", "signature")
        }
        return Evidence(
            **described,
            measure=measure,
            values=columns.get(str(measure), {}),
            features=features,
            bounds=(bounds[0], bounds[1]) if bounds else None,
            of_set=features is not None or str(measure) in influences,
        )

    def _values(self, folder: str) -> Columns:
        return _read_values(*self._stored(f"{folder}/scores.parquet"))

    def _features(self, name: str) -> dict[str, Vectors]:
        return read_features(self._stored(name)[0])

    def _stored(self, name: str) -> tuple[Path, str]:
        """A file, and what changes when it does: the same run made again is read again."""
        path = self.files.path(name)
        if path is None:
            raise NotStored(f"{self.path / name} is not there: {AGAIN}")
        return path, self.files.digest(name)

    def _must_have(self, name: str) -> Path:
        path = self.files.path(name)
        if path is None:
            raise DataError(not_a_run(self.path, name))
        return path


COLUMNS = (
    "task", "strategy", "generator", "k", "slice", "measure", "estimate", "n", "n_failed",
    "signature",
)  # fmt: skip
"""What a row of `summary.json` has at least."""


@lru_cache(maxsize=8)
def _read_queries(path: Path, _digest: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(path).to_pylist()
    return rows


Columns = tuple[dict[str, dict[str, float]], frozenset[str]]
"""Measure -> query -> value, or influence where the measure has such; and which ones have."""


@lru_cache(maxsize=256)
def _read_values(path: Path, _digest: str) -> Columns:
    found: dict[str, dict[str, float]] = {}
    names = ["query", "measure", "value", "influence"]
    table = read_table(path, names)
    influences = set()
    columns = (table[name].to_pylist() for name in names)  # far quicker than row by row
    for query, measure, own, influence in zip(*columns, strict=True):
        if influence is not None:
            influences.add(measure)
        value = own if influence is None else influence
        if value is not None:
            found.setdefault(measure, {})[query] = value
    return found, frozenset(influences)
