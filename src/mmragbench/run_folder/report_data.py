"""A run folder, read: each piece when it is asked for, and empty where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mmragbench.comparing.primary import primary_measure
from mmragbench.records import Control, Measure
from mmragbench.run_folder.files import Files, NotStored, read_suite, stored_info

ORDER: tuple[Control | None, ...] = (None, "ceiling", "chance", "floor")
"""In which tables show contenders (None), then the kinds of controls."""

SILVER = {"categories": "shared categories", "cider": "CIDEr between captions"}
"""The rules of silver relevance, in words."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One number of `summary.json`, or the reason why there is none; `limit` and `halves` stand
    beside FID (`docs/reference/run-folder.md`)."""

    task: str
    strategy: str
    generator: str | None
    k: int | None
    slice: str
    measure: Measure
    estimate: float | None
    n: int
    n_failed: int
    signature: str
    reason: str | None
    low: float | None
    high: float | None
    warning: str | None = None
    limit: Json = field(default_factory=dict, hash=False)
    halves: Json = field(default_factory=dict, hash=False)
    control: Control | None = None
    interval_of: str | None = None

    @classmethod
    def of(cls, raw: Json) -> Row:
        """From the JSON object; what later releases add is read when it is there. Raises as
        `stored_info` does."""
        return cls(
            task=raw["task"],
            strategy=raw["strategy"],
            generator=raw.get("generator"),
            k=raw.get("k"),
            slice=raw.get("slice") or "all",
            measure=measure_of(str(raw["measure"])).with_info(stored_info(raw)),
            estimate=raw.get("estimate"),
            n=raw.get("n") or 0,
            n_failed=raw.get("n_failed") or 0,
            signature=raw.get("signature") or "",
            reason=raw.get("reason"),
            low=raw.get("low"),
            high=raw.get("high"),
            warning=raw.get("warning"),
            limit=raw.get("limit") or {},
            halves=raw.get("halves") or {},
            control=raw.get("control"),
            interval_of=raw.get("interval_of"),
        )


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

    @property
    def silver(self) -> str | None:
        """The rule that stands in for gold relevance, or None where relevance is gold."""
        kind, _, rule = self.relevance.partition(":")
        return SILVER.get(rule, rule or "derived") if kind == "silver" else None

    @property
    def extended(self) -> str | None:
        """The name of the extended positives that gold relevance comes from, or None."""
        return self.relevance.partition("+")[2] or None


@dataclass(frozen=True)
class RunFolder:
    """A stored run. Nothing is written, and what its run did not write is no error; a file that is
    not as the run wrote it is one (DataError)."""

    path: Path

    @cached_property
    def files(self) -> Files:
        return Files.of(self.path)

    @cached_property
    def suite(self) -> Json:
        """The suite as resolved."""
        path = self.files.path("suite.yaml")
        return {} if path is None else read_suite(path)

    @cached_property
    def manifest(self) -> Json:
        return self.read("manifest.json") or {}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        return tuple(Row.of(raw) for raw in self.files.rows("summary.json"))

    @cached_property
    def exclusions(self) -> list[Json]:
        return self.files.rows("exclusions.json")

    @cached_property
    def failures(self) -> list[Json]:
        return self.files.rows("failures.json")

    def primary(self, task: str) -> str | None:
        """The measure that the task's answer rests on; None where there is no number."""
        rows = [row for row in self.rows if (row.task, row.slice) == (task, "all")]
        numbers = ((str(row.measure), row.generator, row.estimate) for row in rows)
        return primary_measure(self.suite, task, numbers)

    @cached_property
    def comparisons(self) -> list[Json]:
        """Pairs of contenders; which are corrected together, `comparing.families` says."""
        return [pair for pair in self._known_pairs if self.strategies.get(pair["b"]) is None]

    @cached_property
    def against_controls(self) -> list[Json]:
        """Contenders (`a`) against controls (`b`)."""
        return [pair for pair in self._known_pairs if self.strategies.get(pair["b"]) is not None]

    @property
    def _known_pairs(self) -> list[Json]:
        """Those by measures that the summary has."""
        return [pair for pair in self._pairs if pair["measure"] in self.measures]

    @cached_property
    def _pairs(self) -> list[Json]:
        """As stored; those of a run from before there were families are made anew, if its scores are
        there."""
        rows = self.files.rows("comparisons.json")
        if all("family" in row for row in rows):
            return rows
        from mmragbench.comparing import families
        from mmragbench.run_folder import evidence

        if not self.suite:
            return [_without_family(row) for row in rows]
        try:
            return [pair.row() for pair in families.within(evidence.RunFolder(self.path))]
        except NotStored:
            return [_without_family(row) for row in rows]

    @cached_property
    def name(self) -> str:
        return str(self.suite.get("name") or self.manifest.get("suite") or self.path.name)

    @cached_property
    def tasks(self) -> dict[str, TaskFacts]:
        """The tasks in the suite's order; tasks that only the summary knows come last."""
        stored = sorted(path.parent.name for path in self.path.glob("tasks/*/task.json"))
        scored = (row.task for row in self.rows)
        names = [*(self.suite.get("tasks") or {}), *scored, *stored]
        return {name: self._facts(name) for name in dict.fromkeys(names)}

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

    def read(self, *parts: str) -> Any:
        """A JSON file of the run, or None."""
        return self.files.json("/".join(parts))

    def lines(self, *parts: str) -> Iterator[Json]:
        """The objects of a JSON-lines file; none where the file is missing."""
        return self.files.lines("/".join(parts))

    def _facts(self, task: str) -> TaskFacts:
        raw = self.read("tasks", task, "task.json") or {}
        return TaskFacts(
            name=task,
            relevance=raw.get("relevance") or "gold",
            output=raw.get("output") or "none",
            n_queries=raw.get("n_queries"),
            n_documents=raw.get("n_documents"),
            slices=tuple((raw.get("slices") or {}).items()),
            totals=tuple((raw.get("totals") or {}).items()),
        )


def measure_of(text: str) -> Measure:
    """The measure of that name; a name of a form that we do not know is kept whole."""
    try:
        return Measure.parse(text)
    except ValueError:
        return Measure(text)


def _without_family(pair: Json) -> Json:
    """A comparison as it was stored before there were families. Two that are the same on every query
    were told by an interval of nothing."""
    nothing = pair["difference"] == pair["low"] == pair["high"] == 0
    said = "identical" if pair.get("identical", nothing) else pair["verdict"]
    return {**pair, "family": None, "tests": None, "verdict": said}
