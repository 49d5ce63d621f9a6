"""A run folder, read: the one reader, on which comparisons, gates, reports, exports and frames stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmragbench.errors import DataError, not_a_run, unknown
from mmragbench.records import Control, Measure
from mmragbench.run_folder import paths
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
from mmragbench.run_folder.numbers import Evidence, Json, Row
from mmragbench.run_folder.paths import Setting

if TYPE_CHECKING:
    import pyarrow as pa

    from mmragbench.contracts import Vectors

ORDER: tuple[Control | None, ...] = (None, "ceiling", "chance", "floor")
"""In which tables show contenders (None), then the kinds of controls."""

SILVER = {"categories": "shared categories", "cider": "CIDEr between captions"}
"""The rules of silver relevance, in words."""

COLUMNS = (
    "task", "strategy", "generator", "k", "slice", "measure", "estimate", "n", "n_failed",
    "signature",
)  # fmt: skip
"""What a row of `summary.json` has at least."""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What `task.json` says: where relevance comes from, what is generated, how many of what."""

    name: str
    relevance: str = "gold"
    output: str = "none"
    n_queries: int | None = None
    n_documents: int | None = None
    slices: tuple[tuple[str, int], ...] = ()
    totals: tuple[tuple[str, int], ...] = ()
    relevance_digest: str | None = None

    @classmethod
    def of(cls, name: str, raw: Json) -> TaskFacts:
        """From the JSON object; empty where there is none."""
        return cls(
            name=name,
            relevance=raw.get("relevance") or "gold",
            output=raw.get("output") or "none",
            n_queries=raw.get("n_queries"),
            n_documents=raw.get("n_documents"),
            slices=tuple((raw.get("slices") or {}).items()),
            totals=tuple((raw.get("totals") or {}).items()),
            relevance_digest=raw.get("relevance_digest"),
        )

    @property
    def silver(self) -> str | None:
        """The rule that stands in for gold relevance, or None where relevance is gold."""
        kind, _, rule = self.relevance.partition(":")
        return SILVER.get(rule, rule or "derived") if kind == "silver" else None

    @property
    def extended(self) -> str | None:
        """The name of the extended positives that gold relevance comes from, or None."""
        return self.relevance.partition("+")[2] or None


def open_run(path: Path | str, *also: str) -> Run:
    """A run that has numbers: `suite.yaml` and `summary.json` are there, with all that comparisons
    need of them, and so are the files named besides.

    Raises:
        DataError: a file is not there, or is not as a run writes it.
    """
    run = Run(Path(path))
    suite, summary = (run.must_have(name) for name in (paths.SUITE, paths.SUMMARY))
    for name in also:
        run.must_have(name)
    with reading(suite):
        _ = run.suite["name"], [spec.get("use") for spec in run.suite["strategies"].values()]
    with reading(summary):
        for row in run.files.rows(paths.SUMMARY):
            _ = [row[name] for name in COLUMNS], Measure.parse(row["measure"]), stored_info(row)
    return run


@dataclass(frozen=True, eq=False)
class Run:
    """A stored run, read piece by piece when a piece is asked for.

    What the run did not write is empty (`suite`, `rows`, `failures`, `json`, ...), as far as a report
    can do without it; what a test can't do without (`evidence`, `groups`, `queries`, `documents`)
    raises NotStored. A file that is not as the run wrote it is a DataError.

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
    def suite(self) -> Json:
        """The suite as resolved."""
        path = self.files.path(paths.SUITE)
        return {} if path is None else read_suite(path)

    @cached_property
    def manifest(self) -> Json:
        return self.json(paths.MANIFEST) or {}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        return tuple(Row.of(raw) for raw in self.files.rows(paths.SUMMARY))

    @cached_property
    def exclusions(self) -> list[Json]:
        return self.files.rows(paths.EXCLUSIONS)

    @cached_property
    def failures(self) -> list[Json]:
        """The queries without an answer."""
        return [row for row in self.files.rows(paths.FAILURES) if "traceback" not in row]

    @cached_property
    def crashes(self) -> list[Json]:
        """What components raised: task, component, error, file, line and traceback."""
        return [row for row in self.files.rows(paths.FAILURES) if "traceback" in row]

    @cached_property
    def name(self) -> str:
        return str(self.suite.get("name") or self.manifest.get("suite") or self.path.name)

    @cached_property
    def tasks(self) -> dict[str, TaskFacts]:
        """The tasks in the suite's order; tasks that only the summary knows come last."""
        stored = sorted(Path(n).parent.name for n in self.files.below(paths.TASKS, paths.TASK))
        scored = (row.task for row in self.rows)
        names = dict.fromkeys([*(self.suite.get("tasks") or {}), *scored, *stored])
        facts = {name: self.json(paths.in_task(name, paths.TASK)) or {} for name in names}
        return {name: TaskFacts.of(name, raw) for name, raw in facts.items()}

    @cached_property
    def strategies(self) -> dict[str, Control | None]:
        """Strategy -> what it controls for (None: a contender). Contenders come first."""
        named = dict.fromkeys(self.suite.get("strategies") or {})
        controls = named | {row.strategy: row.control for row in self.rows}
        return dict(sorted(controls.items(), key=lambda item: ORDER.index(item[1])))

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """The measures by name, with what they say of their numbers."""
        return {str(row.measure): row.measure for row in self.rows}

    @cached_property
    def controls(self) -> dict[str, Control]:
        """The strategies that are controls -> what each stands for."""
        return {name: role for name, role in self.strategies.items() if role is not None}

    def primary(self, task: str) -> str | None:
        """The measure that the task's answer rests on; None where there is no number."""
        return self._primary.get(task)

    @cached_property
    def _primary(self) -> dict[str, str | None]:
        rows: dict[str, list[Row]] = {task: [] for task in self.tasks}
        for row in self.rows:
            if row.slice == "all":
                rows[row.task].append(row)
        return {task: primary_measure(self.suite, task, own) for task, own in rows.items()}

    def slices(self, task: str) -> list[str]:
        """`all`, and the slices that the task's numbers are given for."""
        names = dict.fromkeys(row.slice for row in self.rows if row.task == task)
        return ["all", *(name for name in names if name != "all")]

    def check(self, slice: str, measures: Sequence[str]) -> None:
        """Make sure that the run has a slice and measures of these names.

        Raises:
            DataError: it does not.
        """
        for kind, names in (("slice", [slice]), ("measure", measures)):
            known = list(dict.fromkeys(str(getattr(row, kind)) for row in self.rows))
            for name in names:
                if name not in known:
                    raise DataError(unknown(f"{kind} of {self.path}", name, known))

    def evidence(self, measures: Sequence[str] = ()) -> Iterator[Evidence]:
        """Everything in the summary that has a number, on all queries; of some measures only, if
        any are named.

        Raises:
            DataError: a measure that the run does not have, or a file behind a number.
        """
        self.check("all", measures)
        for row in self.rows:
            wanted = not measures or str(row.measure) in measures
            if wanted and row.slice == "all" and row.estimate is not None:
                yield self._evidence(row, row.estimate)

    def _evidence(self, row: Row, estimate: float) -> Evidence:
        evidence = self._of_seed(row, estimate)
        if row.sd is None:
            return evidence
        seeds = tuple(self._of_seed(row, estimate, seed) for seed in self.seeds)
        return replace(evidence, by_seed=seeds)

    def _of_seed(self, row: Row, estimate: float, seed: int | None = None) -> Evidence:
        """What a number was computed from; over all seeds, or under one of them."""
        setting = Setting(row.generator, row.k)
        scores, features = QueryScores({}, {}, {}), None
        if row.measure.info.distance:
            file = paths.features(row.measure.features)
            generated = self._file(row.task, row.strategy, file, setting, seed)
            features = self._features(generated), self._features(paths.in_task(row.task, file))
        else:
            measured = self.scores(row.task, row.strategy, setting, seed)
            scores = measured.get(str(row.measure), scores)
        return Evidence(
            task=row.task,
            strategy=row.strategy,
            generator=row.generator,
            k=row.k,
            measure=row.measure,
            estimate=estimate,
            signature=row.signature,
            values=scores.addends,
            features=features,
            bounds=row.bounds,
            of_set=features is not None or bool(scores.influences),
        )

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that the numbers are means over; empty where there is one."""
        return list(self.suite.get("seeds") or [])

    def scores(
        self, task: str, strategy: str, setting: Setting, seed: int | None = None
    ) -> dict[str, QueryScores]:
        """A cell's scores of each query, by measure: over all seeds, or under one of them.

        Raises:
            DataError: the run has no scores there.
        """
        return _read_scores(*self._stored(self._file(task, strategy, paths.SCORES, setting, seed)))

    def _file(self, task: str, strategy: str, file: str, setting: Setting, seed: int | None) -> str:
        """The name of a cell's file; of one seed's, where that has one of its own."""
        name = paths.in_cell(task, strategy, file, setting=setting)
        own = None if seed is None else paths.in_seed(seed, name)
        return own if own and self.files.path(own) else name

    def _features(self, name: str) -> dict[str, Vectors]:
        return read_features(self._stored(name)[0])

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

    def queries(self, task: str) -> list[Json]:
        """The rows of a task's `queries.parquet`, in its order.

        Raises:
            DataError: the run was written by an older version.
        """
        return _read_rows(*self._stored(paths.in_task(task, paths.QUERIES)))

    def documents(self, task: str) -> list[Json]:
        """The rows of a task's `documents.parquet`, in its order.

        Raises:
            DataError: the run was written by an older version.
        """
        return _read_rows(*self._stored(paths.in_task(task, paths.DOCUMENTS)))

    def json(self, name: str) -> Any:
        """A JSON file of the run; None where it wrote no such file."""
        return self.files.json(name)

    def lines(self, name: str) -> Iterator[Json]:
        """The objects of a JSON Lines file; none where the run wrote no such file."""
        return self.files.lines(name)

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        """A Parquet file, or some of its columns; None where the run wrote no such file."""
        path = self.files.path(name)
        return None if path is None else read_table(path, columns)

    def must_have(self, name: str) -> Path:
        """A file without which a folder is no run.

        Raises:
            DataError: it is not there.
        """
        path = self.files.path(name)
        if path is None:
            raise DataError(not_a_run(self.path, name))
        return path

    def _stored(self, name: str) -> tuple[Path, str]:
        """A file, and what changes when it does: the same run made again is read again."""
        path = self.files.path(name)
        if path is None:
            raise NotStored(f"{self.path / name} is not there: {AGAIN}")
        return path, self.files.digest(name)


def primary_measure(suite: Json, task: str, rows: Sequence[Row]) -> str | None:
    """The suite's `primary`; where it names none for the task, the first measure as listed that has
    a number, of what was generated before rankings. None where there is no number.

    Args:
        suite: as `suite.yaml` has it.
        rows: the task's, on all queries, in the order of `summary.json`.
    """
    named = suite.get("primary") or {}
    if measure := named if isinstance(named, str) else named.get(task):
        return str(measure)
    of_rankings: dict[str, bool] = {}
    scored: dict[str, bool] = {}
    for row in rows:
        name = str(row.measure)
        of_rankings[name] = row.generator is None
        scored[name] = scored.get(name, False) or row.estimate is not None
    known = [name for name in of_rankings if scored[name]]
    return min(known, key=of_rankings.__getitem__, default=None)


class QueryScores(NamedTuple):
    """One measure's scores, each by query: values; influences, where the measure has such; errors in
    place of values."""

    values: dict[str, float]
    influences: dict[str, float]
    errors: dict[str, str]

    @property
    def addends(self) -> dict[str, float]:
        """The values whose mean is the number."""
        return {**self.values, **self.influences} if self.influences else self.values


@lru_cache(maxsize=8)
def _read_rows(path: Path, _digest: str) -> list[Json]:
    rows: list[Json] = read_table(path).to_pylist()
    return rows


@lru_cache(maxsize=256)
def _read_scores(path: Path, _digest: str) -> dict[str, QueryScores]:
    names = ["measure", "query", "value", "influence", "error"]
    with reading(path):  # columns are far quicker than rows
        columns = [column.to_pylist() for column in read_table(path).select(names).columns]
    scores: dict[str, QueryScores] = {}
    for measure, query, value, influence, error in zip(*columns, strict=True):
        own = scores.setdefault(measure, QueryScores({}, {}, {}))
        if value is not None and not isnan(value):
            own.values[query] = value
        if influence is not None:
            own.influences[query] = influence
        if error is not None:
            own.errors[query] = error
    return scores
