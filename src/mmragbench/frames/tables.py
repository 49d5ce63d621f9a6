"""The tables of one run, each a function from its folder to a data frame.

Categories are in the suite's order. What is missing is NaN (`<NA>` in columns of integers and of
texts); what failed has its reason in a column of its own; 0 is a measured 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.formats import trec
from mmragbench.reporting.facts.costs import PHASES
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, str]
"""Column -> dtype."""

Order = Mapping[str, Sequence[str]]
"""Column -> the order of its categories."""

CELL: Columns = {"task": "category", "strategy": "category"}
SYSTEM: Columns = {**CELL, "generator": "category", "k": "Int64"}

SUMMARY: Columns = {
    **SYSTEM,
    "slice": "category",
    "measure": "category",
    "estimate": "float64",
    "low": "float64",
    "high": "float64",
    "n": "int64",
    "n_failed": "int64",
    "reason": "string",
    "absence": "category",
    "warning": "string",
    "signature": "string",
}
OVER_SEEDS: Columns = {"sd": "float64", "seeds": "Int64"}
"""Columns of the summary where numbers are means over several seeds."""
SCORES: Columns = {
    **SYSTEM,
    "query": "string",
    "measure": "category",
    "value": "float64",
    "influence": "float64",
    "error": "string",
}
COMPARISONS: Columns = {
    "task": "category",
    "generator": "category",
    "k": "Int64",
    "slice": "category",
    "measure": "category",
    "a": "category",
    "b": "category",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "conservative": "bool",
    "family": "category",
    "tests": "Int64",
    "p_value": "float64",
    "p_holm": "float64",
    "verdict": "category",
    "n": "int64",
    "needed": "Int64",
}
COSTS: Columns = {
    **SYSTEM,
    "phase": "category",
    "role": "category",
    "model": "category",
    "calls": "int64",
    "items": "int64",
    "cached": "int64",
    "failed": "int64",
    "seconds": "float64",
    "tokens_in": "int64",
    "tokens_out": "int64",
    "dollars": "float64",
    "retries": "int64",
}
TIMES: Columns = {**SYSTEM, "phase": "category", "seconds": "float64"}
OUTPUTS: Columns = {
    **SYSTEM,
    "query": "string",
    "text": "string",
    "image": "string",
    "error": "string",
    "shown": "object",
    "prompt": "string",
}
RANKINGS: Columns = {
    **CELL,
    "query": "string",
    "rank": "int64",
    "document": "string",
    "score": "float64",
}
QUERIES: Columns = {"task": "category", "query": "string", "group": "string", "slices": "object"}
FAILURES: Columns = {**SYSTEM, "query": "string", "error": "string"}


def summary(run: Run) -> pd.DataFrame:
    """Every number that the run reports."""
    columns = {**SUMMARY, **OVER_SEEDS} if run.seeds else SUMMARY
    return frame(run.files.rows(paths.SUMMARY), columns, order(run))


def comparisons(run: Run) -> pd.DataFrame:
    """Every pair of contenders, then contenders against controls, corrected within their families."""
    return frame([*of_contenders(run), *against_controls(run)], COMPARISONS, order(run))


def failures(run: Run) -> pd.DataFrame:
    """Every query that a generator did not answer."""
    columns = {**FAILURES, "seed": "Int64"} if run.seeds else FAILURES
    return frame(run.failures, columns, order(run))


def scores(run: Run) -> pd.DataFrame:
    """Every measure on every query that has a value of its own."""
    parts = []
    for system in systems(run):
        if table := run.table(system.file(paths.SCORES)):
            part = table.to_pandas().astype({"measure": "object"})
            parts.append(part.assign(**system._asdict()))
    return joined(parts, SCORES, order(run))


def rankings(run: Run) -> pd.DataFrame:
    """Every hit. Blanks in documents' ids are `%20`, as `run.trec` has them."""
    parts = []
    for system in systems(run):
        file = run.files.path(system.file(paths.RANKINGS))
        if file is not None and file.stat().st_size:
            part = trec.table(file).to_pandas()
            if ids := _escaped(run, system.task):
                part["query"] = part["query"].map(lambda id, of=ids: of.get(id, id))
            parts.append(part.assign(task=system.task, strategy=system.strategy))
    return joined(parts, RANKINGS, order(run))


def outputs(run: Run) -> pd.DataFrame:
    """Every answer, or the error in its place; `image` is a thumbnail's path below the run folder."""
    rows = (
        {**system._asdict(), **row}
        for system in systems(run)
        for row in run.lines(system.file(paths.OUTPUTS))
    )
    return frame(rows, OUTPUTS, order(run))


def queries(run: Run) -> pd.DataFrame:
    """Every query, the group that it is resampled with, and the slices that it is in."""
    parts = []
    for task in run.tasks:
        if table := run.table(paths.in_task(task, paths.QUERIES)):
            part = table.to_pandas()
            parts.append(part.assign(task=task, slices=part["slices"].map(list)))
    return joined(parts, QUERIES, order(run))


def costs(run: Run) -> pd.DataFrame:
    """The calls and the cost of each model in each phase of each cell; `seconds` are the models' own."""
    rows = (
        {**system._asdict(), "phase": phase, **row}
        for system, cost in _stored_costs(run)
        for phase in PHASES
        for row in cost.get(phase) or []
    )
    counts = {name: 0 for name, kind in COSTS.items() if kind == "int64"}
    return frame(({**counts, "dollars": 0.0, **row} for row in rows), COSTS, order(run))


def times(run: Run) -> pd.DataFrame:
    """Seconds by the clock of each phase of each cell, models included."""
    rows = (
        {**system._asdict(), "phase": phase, "seconds": cost["seconds"][phase]}
        for system, cost in _stored_costs(run)
        for phase in PHASES
        if phase in (cost.get("seconds") or {})
    )
    return frame(rows, TIMES, order(run))


TABLES: Mapping[str, Callable[[Run], pd.DataFrame]] = {
    table.__name__: table
    for table in (
        summary,
        scores,
        comparisons,
        costs,
        times,
        outputs,
        rankings,
        queries,
        failures,
    )
}


class System(NamedTuple):
    """A strategy on a task, and a generator after it; without one, the rankings."""

    task: str
    strategy: str
    generator: str | None = None
    k: int | None = None

    def file(self, name: str) -> str:
        """One of its files."""
        setting = Setting(self.generator, self.k)
        return paths.in_cell(self.task, self.strategy, name, setting=setting)


def systems(run: Run) -> list[System]:
    """The rankings, then the outputs, in the suite's order."""
    rankings = [System(row.task, row.strategy) for row in run.rows]
    outputs = [System(r.task, r.strategy, r.generator, r.k) for r in run.rows if r.generator]
    return list(dict.fromkeys([*rankings, *outputs]))


def order(run: Run) -> Order:
    """Tasks, strategies, generators, slices and measures in the order of the summary, which is the
    suite's."""
    names = {
        name: list(dict.fromkeys(str(value) for row in run.rows if (value := getattr(row, name))))
        for name in ("task", "strategy", "generator", "slice", "measure")
    }
    return {**names, "a": names["strategy"], "b": names["strategy"]}


def frame(rows: Iterable[Mapping[str, Any]], columns: Columns, order: Order) -> pd.DataFrame:
    """A data frame of rows with just these columns, in these dtypes; also where there is no row."""
    import pandas as pd

    listed = list(rows)
    table = pd.DataFrame({name: [row.get(name) for row in listed] for name in columns})
    return _typed(table, columns, order)


def joined(parts: Sequence[pd.DataFrame], columns: Columns, order: Order) -> pd.DataFrame:
    """Data frames below one another."""
    import pandas as pd

    if not parts:
        return frame([], columns, order)
    untyped = [part.reindex(columns=list(columns)) for part in parts]
    return _typed(pd.concat(untyped, ignore_index=True), columns, order)


def _typed(table: pd.DataFrame, columns: Columns, order: Order) -> pd.DataFrame:
    """The table with its columns' dtypes; categories are those that occur, in `order`, others last."""
    import pandas as pd

    for name, kind in columns.items():
        if kind == "category":
            plain = table[name].astype("object")
            values = plain.dropna().unique().tolist()
            known = [value for value in order.get(name, ()) if value in set(values)]
            table[name] = pd.Categorical(plain, categories=list(dict.fromkeys([*known, *values])))
        else:
            table[name] = table[name].astype(kind)  # type: ignore[call-overload]
    return table


def _escaped(run: Run, task: str) -> dict[str, str]:
    """Escaped id -> id, of the queries whose ids TREC's format cannot hold as they are."""
    table = run.table(paths.in_task(task, paths.QUERIES), ["query"])
    ids = [] if table is None else table["query"].to_pylist()
    return {escaped: id for id in ids if (escaped := trec.escaped(id)) != id}


def _stored_costs(run: Run) -> Iterator[tuple[System, Json]]:
    for system in systems(run):
        if cost := run.json(system.file(paths.COST)):
            yield system, cost
