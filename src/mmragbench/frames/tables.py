"""The tables of one run, each a function from its folder to a data frame.

Categories are in the suite's order. What is missing is NaN (`<NA>` in columns of integers and of
texts); what failed has its reason in a column of its own; 0 is a measured 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmragbench.reporting.facts.costs import PHASES
from mmragbench.run_folder.files import read_table, reading
from mmragbench.run_folder.report_data import RunFolder

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


def summary(run: RunFolder) -> pd.DataFrame:
    """Every number that the run reports."""
    return frame(run.files.rows("summary.json"), SUMMARY, order(run))


def comparisons(run: RunFolder) -> pd.DataFrame:
    """Every pair of contenders, then contenders against controls, corrected within their families."""
    return frame([*run.comparisons, *run.against_controls], COMPARISONS, order(run))


def failures(run: RunFolder) -> pd.DataFrame:
    """Every query that a generator did not answer."""
    return frame(run.failures, FAILURES, order(run))


def scores(run: RunFolder) -> pd.DataFrame:
    """Every measure on every query that has a value of its own."""
    parts = []
    for key, folder in cells(run):
        if path := run.files.path(f"{folder}/scores.parquet"):
            part = read_table(path).to_pandas().astype({"measure": "object"})
            parts.append(part.assign(**{name: key[name] for name in SYSTEM}))
    return joined(parts, SCORES, order(run))


def rankings(run: RunFolder) -> pd.DataFrame:
    """Every hit. Blanks in documents' ids are `%20`, as `run.trec` has them."""
    import pandas as pd

    parts = []
    names = ["query", "Q0", "document", "rank", "score", "tag"]
    settings: dict[str, Any] = {"sep": " ", "names": names, "quoting": 3, "keep_default_na": False}
    types = {name: "int64" if name == "rank" else "str" for name in names}  # text is read exactly
    for key, folder in cells(run):
        file = run.files.path(f"{folder}/run.trec")
        if file is not None and file.stat().st_size:
            with reading(file):
                part = pd.read_csv(file, dtype=types, **settings)
            if changed := _escaped(run, key["task"]):
                part["query"] = part["query"].map(lambda id, of=changed: of.get(id, id))
            parts.append(part.assign(task=key["task"], strategy=key["strategy"]))
    return joined(parts, RANKINGS, order(run))


def outputs(run: RunFolder) -> pd.DataFrame:
    """Every answer, or the error in its place; `image` is a thumbnail's path below the run folder."""
    rows = (
        {**key, **row} for key, folder in cells(run) for row in run.lines(folder, "outputs.jsonl")
    )
    return frame(rows, OUTPUTS, order(run))


def queries(run: RunFolder) -> pd.DataFrame:
    """Every query, the group that it is resampled with, and the slices that it is in."""
    parts = []
    for task in run.tasks:
        if file := run.files.path(f"tasks/{task}/queries.parquet"):
            part = read_table(file).to_pandas()
            parts.append(part.assign(task=task, slices=part["slices"].map(list)))
    return joined(parts, QUERIES, order(run))


def costs(run: RunFolder) -> pd.DataFrame:
    """What each model was asked in each phase of each cell, and what that cost; `seconds` are the
    models' own."""
    rows = (
        {**key, "phase": phase, **row}
        for key, cost in _stored_costs(run)
        for phase in PHASES
        for row in cost.get(phase) or []
    )
    counts = {name: 0 for name, kind in COSTS.items() if kind == "int64"}
    return frame(({**counts, "dollars": 0.0, **row} for row in rows), COSTS, order(run))


def times(run: RunFolder) -> pd.DataFrame:
    """Seconds by the clock of each phase of each cell, models included."""
    rows = (
        {**key, "phase": phase, "seconds": cost["seconds"][phase]}
        for key, cost in _stored_costs(run)
        for phase in PHASES
        if phase in (cost.get("seconds") or {})
    )
    return frame(rows, TIMES, order(run))


TABLES: Mapping[str, Callable[[RunFolder], pd.DataFrame]] = {
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


def cells(run: RunFolder) -> Iterator[tuple[dict[str, Any], str]]:
    """The folders of the rankings and of the outputs below them, in the suite's order."""
    systems = dict.fromkeys((r.task, r.strategy, r.generator, r.k) for r in run.rows)
    named = dict.fromkeys((task, strategy, None, None) for task, strategy, *_ in systems)
    for task, strategy, generator, k in [*named, *(s for s in systems if s[2] is not None)]:
        folder = f"cells/{task}/{strategy}"
        below = f"{folder}/{generator}-k{k}" if generator is not None else folder
        yield {"task": task, "strategy": strategy, "generator": generator, "k": k}, below


def order(run: RunFolder) -> Order:
    """Tasks, strategies, generators, slices and measures in the order of the summary, which is the
    suite's."""
    found = {
        name: list(dict.fromkeys(str(value) for row in run.rows if (value := getattr(row, name))))
        for name in ("task", "strategy", "generator", "slice", "measure")
    }
    return {**found, "a": found["strategy"], "b": found["strategy"]}


def frame(rows: Iterable[Mapping[str, Any]], columns: Columns, order: Order) -> pd.DataFrame:
    """Rows with just these columns, in these dtypes; also where there is no row."""
    import pandas as pd

    found = list(rows)
    table = pd.DataFrame({name: [row.get(name) for row in found] for name in columns})
    return _typed(table, columns, order)


def joined(parts: Sequence[pd.DataFrame], columns: Columns, order: Order) -> pd.DataFrame:
    """Data frames below one another."""
    import pandas as pd

    if not parts:
        return frame([], columns, order)
    untyped = [part.reindex(columns=list(columns)) for part in parts]
    return _typed(pd.concat(untyped, ignore_index=True), columns, order)


def _typed(found: pd.DataFrame, columns: Columns, order: Order) -> pd.DataFrame:
    """Categories are those that occur; what `order` does not have comes last."""
    import pandas as pd

    for name, kind in columns.items():
        if kind == "category":
            plain = found[name].astype("object")
            there = plain.dropna().unique().tolist()
            known = [value for value in order.get(name, ()) if value in set(there)]
            found[name] = pd.Categorical(plain, categories=list(dict.fromkeys([*known, *there])))
        else:
            found[name] = found[name].astype(kind)  # type: ignore[call-overload]
    return found


def _escaped(run: RunFolder, task: str) -> dict[str, str]:
    """Queries' ids that TREC's format can't hold, as written -> as they are."""
    from mmragbench.formats.trec import escaped

    file = run.files.path(f"tasks/{task}/queries.parquet")
    if file is None:
        return {}
    ids = read_table(file, ["query"])["query"].to_pylist()
    return {written: id for id in ids if (written := escaped(id)) != id}


def _stored_costs(run: RunFolder) -> Iterator[tuple[dict[str, Any], Any]]:
    for key, folder in cells(run):
        cost = run.read(folder, "cost.json")
        if cost:
            yield key, cost
