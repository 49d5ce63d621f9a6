"""What one strategy answered on one task, read from its folder: hits, outputs, per-query scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from mmragbench.run_folder.files import read_table, reading
from mmragbench.run_folder.report_data import Json, RunFolder

BLANKS = str.maketrans({" ": "%20", "\t": "%09", "\n": "%0A", "\r": "%0D"})

Setting = tuple[str | None, int | None]
"""A generator and its k; (None, None) for retrieval."""

RETRIEVAL: Setting = (None, None)


@dataclass(frozen=True, slots=True)
class Hits:
    """A query's first hits, best first, and how many the run has."""

    first: tuple[tuple[str, float], ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """All by query; `hits` by the query's id as `written`.

    `scores` hold a value, an error (text), or nothing for a query that the measure does not score.
    """

    hits: Mapping[str, Hits]
    outputs: Mapping[Setting, Mapping[str, Json]]
    scores: Mapping[tuple[Setting, str], Mapping[str, float | str]]

    @classmethod
    def read(cls, run: RunFolder, task: str, strategy: str, depth: int) -> Answers:
        """Of a ranking, the first `depth` hits are kept."""
        folder = f"cells/{task}/{strategy}"
        names = [Path(name) for name in run.files.below(folder, "outputs.jsonl")]
        settings = {_setting(name.parent): name.parent.as_posix() for name in names}
        scores = {}
        for setting, name in {RETRIEVAL: folder, **settings}.items():
            for measure, values in _scores(run.files.path(f"{name}/scores.parquet")).items():
                scores[setting, measure] = values
        outputs = {
            setting: {raw["query"]: raw for raw in run.lines(name, "outputs.jsonl")}
            for setting, name in settings.items()
        }
        return cls(_hits(run.files.path(f"{folder}/run.trec"), depth), outputs, scores)


def _setting(folder: Path) -> Setting:
    """Generator and k from a folder's name, `consensus-k4`."""
    generator, _, k = folder.name.rpartition("-k")
    return (generator, int(k)) if generator and k.isdigit() else (folder.name, None)


def written(id: str) -> str:
    """An id as it stands in a TREC run, whose fields end at blanks."""
    return id.translate(BLANKS)


def _hits(path: Path | None, depth: int) -> dict[str, Hits]:
    """A TREC run's first hits by query. The file may have millions of lines: it is read in columns."""
    if path is None or not path.stat().st_size:
        return {}
    with reading(path):
        return _first_hits(path, depth)


def _first_hits(path: Path, depth: int) -> dict[str, Hits]:
    import pyarrow.compute as pc
    from pyarrow import csv, float64, int32, string

    kinds = {"query": string(), "document": string(), "rank": int32(), "score": float64()}
    table = csv.read_csv(
        path,
        csv.ReadOptions(column_names=["query", "q0", "document", "rank", "score", "tag"]),
        csv.ParseOptions(delimiter=" ", quote_char=False),
        csv.ConvertOptions(column_types=kinds, include_columns=list(kinds), null_values=[]),
    )
    counts = pc.value_counts(table["query"]).flatten()
    totals = dict(zip(*(column.to_pylist() for column in counts), strict=True))
    first = table.filter(pc.field("rank") <= depth)
    first = first.sort_by([("query", "ascending"), ("rank", "ascending")])
    found: dict[str, list[tuple[str, float]]] = {}
    columns = (first[name].to_pylist() for name in ("query", "document", "score"))
    for query, document, score in zip(*columns, strict=True):
        found.setdefault(query, []).append((document, score))
    # ranks may begin at 0
    return {query: Hits(tuple(hits[:depth]), totals[query]) for query, hits in found.items()}


def _scores(path: Path | None) -> Mapping[str, Mapping[str, float | str]]:
    """Measure -> query -> value or error."""
    found: dict[str, dict[str, float | str]] = {}
    for query, measure, value, error in _rows(path):
        of_measure = found.setdefault(measure, {})
        if error is not None:
            of_measure[query] = error
        elif value is not None and not isnan(value):
            of_measure[query] = value
    return found


def _rows(path: Path | None) -> Iterator[tuple[str, str, float | None, str | None]]:
    if path is not None:
        table = read_table(path, ["query", "measure", "value", "error"])
        yield from zip(*(column.to_pylist() for column in table.columns), strict=True)
