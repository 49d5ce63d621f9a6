"""The evidence behind the numbers of a run: scores per query, groups, slices, features."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmragbench.contracts import Vectors
from mmragbench.errors import DataError, not_a_run, unknown
from mmragbench.records import Measure

DISTANCES = ("FID", "KID")
"""Measures of two sets of images; lower is better, and compared on features."""


@dataclass(frozen=True)
class Evidence:
    """One number of a run, and what it was computed from.

    Attributes:
        values: per query; for a measure of the set, values whose mean it is (its influences);
            empty for distances, which have features instead.
        features: for FID and KID: the features of the generated images and of the real ones, each
            by query.
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

    @property
    def cell(self) -> tuple[str, str | None, int | None, str]:
        """What two numbers must share to be compared: everything but the strategy."""
        return (self.task, self.generator, self.k, str(self.measure))


@dataclass(frozen=True)
class RunFolder:
    """A finished run, read piece by piece."""

    path: Path

    @cached_property
    def suite(self) -> dict[str, Any]:
        import yaml

        loaded: dict[str, Any] = yaml.safe_load(self._text("suite.yaml"))
        return loaded

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self._text("summary.json"))
        return rows

    @cached_property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self._text("manifest.json"))
        return manifest

    @property
    def strategies(self) -> list[str]:
        return list(self.suite["strategies"])

    def controls(self) -> dict[str, str]:
        """`no-retrieval`, `random` and `oracle`, as far as the suite has them -> their names."""
        uses = {name: spec.get("use", name) for name, spec in self.suite["strategies"].items()}
        return {
            use: name for name, use in uses.items() if use in ("no-retrieval", "random", "oracle")
        }

    def evidence(self, measures: Sequence[str] = ()) -> Iterator[Evidence]:
        """Everything in the summary that has a number, on all queries; of some measures only, if
        any are named.

        Raises:
            DataError: a measure that the run does not have.
        """
        known = list(dict.fromkeys(row["measure"] for row in self.rows))
        for name in measures:
            if name not in known:
                raise DataError(unknown(f"measure of {self.path}", name, known))
        for row in self.rows:
            wanted = not measures or row["measure"] in measures
            if wanted and row["slice"] == "all" and row["estimate"] is not None:
                yield self._evidence(row)

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
        return _read_queries(*_stamped(self.path / "tasks" / task / "queries.parquet"))

    def documents(self, task: str) -> list[dict[str, str]]:
        """The rows of a task's `documents.parquet`, in its order.

        Raises:
            DataError: the run was written by an older version.
        """
        import pyarrow.parquet as pq

        file, _ = _stamped(self.path / "tasks" / task / "documents.parquet")
        rows: list[dict[str, str]] = pq.read_table(file).to_pylist()
        return rows

    def task(self, task: str) -> dict[str, Any]:
        """A task's `task.json`."""
        facts: dict[str, Any] = json.loads(self._text(f"tasks/{task}/task.json"))
        return facts

    def slices(self, task: str) -> list[str]:
        """`all`, and the slices that the task's numbers are given for."""
        return list(dict.fromkeys(row["slice"] for row in self.rows if row["task"] == task))

    def _evidence(self, row: dict[str, Any]) -> Evidence:
        measure = Measure.parse(row["measure"])
        folder = self.path / "cells" / row["task"] / row["strategy"]
        if row["generator"] is not None:
            folder = folder / f"{row['generator']}-k{row['k']}"
        features = None
        if measure.name in DISTANCES:
            name = f"features-{measure.features}.npz"
            features = (
                _features(folder / name),
                _features(self.path / "tasks" / row["task"] / name),
            )
        values = {} if features else self._values(folder).get(str(measure), {})
        described = {
            key: row[key] for key in ("task", "strategy", "generator", "k", "estimate", "signature")
        }
        return Evidence(**described, measure=measure, values=values, features=features)

    def _values(self, folder: Path) -> dict[str, dict[str, float]]:
        return _read_values(*_stamped(folder / "scores.parquet"))

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(not_a_run(self.path, name)) from error


def _stamped(file: Path) -> tuple[str, int]:
    """The file, and when it was written: the same run made again is read again."""
    if not file.is_file():
        raise DataError(f"{file} is not there: run the suite again with this version")
    return str(file), file.stat().st_mtime_ns


@lru_cache(maxsize=8)
def _read_queries(file: str, _written: int) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


@lru_cache(maxsize=256)
def _read_values(file: str, _written: int) -> dict[str, dict[str, float]]:
    """Measure -> query -> value, or influence where the measure has such."""
    import pyarrow.parquet as pq

    found: dict[str, dict[str, float]] = {}
    for row in pq.read_table(file).to_pylist():
        value = row["value"] if row["influence"] is None else row["influence"]
        if value is not None:
            found.setdefault(row["measure"], {})[row["query"]] = value
    return found


def _features(file: Path) -> dict[str, Vectors]:
    if not file.is_file():
        raise DataError(f"{file} is not there: run the suite again with this version")
    with np.load(file, allow_pickle=False) as arrays:
        return dict(zip(arrays["queries"].tolist(), arrays["features"], strict=True))
