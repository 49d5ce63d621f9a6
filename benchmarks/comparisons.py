"""How long the comparisons of a large run take.

    python benchmarks/comparisons.py FOLDER [QUERIES]

Writes a run folder of one task: six contenders and three controls, twenty measures, 5,000 queries
about 1,000 photographs; then makes its comparisons from the stored scores, and reads them back.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml

from mmragbench._files import write_json, write_rows, write_table
from mmragbench.records import Measure
from mmragbench.registry import exists, find, find_measure

Systems = Mapping[str, Mapping[str, npt.ArrayLike]]
"""Strategy -> measure -> value of each query; NaN where the query failed."""

TASK = "text-to-image"


def write_run(
    folder: Path,
    systems: Systems,
    groups: Sequence[str],
    slices: Mapping[str, Sequence[int]] | None = None,
    **suite: Any,
) -> Path:
    """A finished run of one task whose strategies have these scores; no comparisons yet.

    Args:
        systems: every strategy with the same measures.
        groups: of each query: what it is resampled with.
        slices: name -> places of its queries.
        suite: further keys of the suite, such as `primary`.
    """
    queries, slices = [f"q{i}" for i in range(len(groups))], slices or {}
    rows: list[dict[str, Any]] = []
    for strategy, measures in systems.items():
        control = find("strategy", strategy).control if exists("strategy", strategy) else None
        cell = {
            "task": TASK,
            "strategy": strategy,
            "generator": None,
            "k": None,
            "control": control,
        }
        columns = {name: np.asarray(values, dtype=float) for name, values in measures.items()}
        _write_scores(folder / "cells" / TASK / strategy, queries, columns)
        for slice, places in {"all": range(len(queries)), **slices}.items():
            rows += [
                {**cell, "slice": slice, **_stated(name), **_numbers(values[list(places)])}
                for name, values in columns.items()
            ]
    within = [[name for name, places in slices.items() if i in places] for i in range(len(queries))]
    table = pa.table({"query": queries, "group": list(groups), "slices": within})
    write_table(folder / "tasks" / TASK / "queries.parquet", table)
    facts = {"name": TASK, "n_queries": len(queries), "output": "none"}
    write_json(folder / "tasks" / TASK / "task.json", facts)
    write_rows(folder / "summary.json", rows)
    write_json(folder / "manifest.json", {"mmragbench": "0"})
    listed = {"measures": list(next(iter(systems.values())))}
    named = {"strategies": {name: {"use": name} for name in systems}, "tasks": {TASK: listed}}
    (folder / "suite.yaml").write_text(yaml.safe_dump({"name": folder.name, **named, **suite}))
    return folder


def _stated(measure: str) -> dict[str, str]:
    return {"measure": measure, **find_measure(Measure.parse(measure)).info.row()}


def _numbers(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    failed = int(np.isnan(values).sum())
    estimate, n = float(np.nanmean(values)), len(values) - failed
    return {"estimate": estimate, "n": n, "n_failed": failed, "signature": "made", "bounds": [0, 1]}


def _write_scores(
    folder: Path, queries: Sequence[str], columns: Mapping[str, npt.NDArray[np.float64]]
) -> None:
    values = np.concatenate(list(columns.values()))
    table = pa.table(
        {
            "query": list(queries) * len(columns),
            "measure": pa.array(np.repeat(list(columns), len(queries))).dictionary_encode(),
            "value": pa.array(values, mask=np.isnan(values)),
            "influence": pa.nulls(len(values), pa.float64()),
            "error": pa.nulls(len(values), pa.string()),
        }
    )
    write_table(folder / "scores.parquet", table)


def large(queries: int) -> Systems:
    """Scores from 0 to 1, some measures of hits and some between; no two say the same."""
    draw = np.random.default_rng(0)
    hard = draw.normal(size=queries)
    names = [f"contender-{i}" for i in range(6)] + ["random", "oracle", "no-retrieval"]
    systems: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
    for skill, name in enumerate(names):
        noise = draw.normal(size=(20, queries)) + hard + skill / 50
        columns = np.where(np.arange(20)[:, None] < 10, noise > 0, 1 / (1 + np.exp(-noise)))
        systems[name] = {f"Success@{i + 1}": column for i, column in enumerate(columns)}
    return systems


def main(folder: str, queries: str = "5000") -> None:
    from mmragbench.comparing.families import within
    from mmragbench.comparing.stored import comparisons
    from mmragbench.run_folder.reading import open_run

    n = int(queries)
    run = write_run(Path(folder) / "run", large(n), [f"photograph-{i // 5}" for i in range(n)])
    began = time.perf_counter()
    pairs = within(open_run(run))
    print(f"{len(pairs)} pairs on {n:,} queries: {time.perf_counter() - began:.1f} s")
    write_rows(run / "comparisons.json", [pair.row() for pair in pairs])
    began = time.perf_counter()
    assert comparisons(open_run(run)) == pairs
    size = (run / "comparisons.json").stat().st_size
    print(f"read again ({size / 1e6:.1f} MB): {time.perf_counter() - began:.2f} s")
    print(json.dumps(sorted({(p.family, p.tests) for p in pairs if p.family})))


if __name__ == "__main__":
    main(*sys.argv[1:])
