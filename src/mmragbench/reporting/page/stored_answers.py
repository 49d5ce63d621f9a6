"""The answers of one strategy on one task, read from its folder: hits, outputs, per-query scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmragbench.formats import trec
from mmragbench.run_folder import paths
from mmragbench.run_folder.files import NotStored
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.paths import RETRIEVAL, Setting
from mmragbench.run_folder.reading import Run


@dataclass(frozen=True, slots=True)
class Hits:
    """A query's first hits, best first, and how many the run has."""

    first: tuple[tuple[str, float], ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one strategy on one task, by query.

    Attributes:
        hits: by the query's id as TREC's format has it (`trec.escaped`).
        outputs: setting -> query -> the stored output.
        scores: (setting, measure) -> query -> a value, or an error as text; no entry for a query that
            the measure does not score.
    """

    hits: Mapping[str, Hits]
    outputs: Mapping[Setting, Mapping[str, Json]]
    scores: Mapping[tuple[Setting, str], Mapping[str, float | str]]

    @classmethod
    def read(cls, run: Run, task: str, strategy: str, depth: int) -> Answers:
        """Read the folder of a strategy; of each ranking, the first `depth` hits."""
        names = run.files.below(paths.in_cell(task, strategy), paths.OUTPUTS)
        settings = {Setting.parse(Path(name).parent.name): name for name in names}
        scores = {
            (setting, measure): values
            for setting in (RETRIEVAL, *settings)
            for measure, values in _scores(run, task, strategy, setting).items()
        }
        outputs = {
            setting: {raw["query"]: raw for raw in run.lines(name)}
            for setting, name in settings.items()
        }
        return cls(_hits(run, task, strategy, depth), outputs, scores)


def _hits(run: Run, task: str, strategy: str, depth: int) -> dict[str, Hits]:
    """The first hits by query."""
    import pyarrow.compute as pc

    path = run.files.path(paths.in_cell(task, strategy, paths.RANKINGS))
    if path is None:
        return {}
    table = trec.table(path)
    counts = pc.value_counts(table["query"]).flatten()
    totals = dict(zip(*(column.to_pylist() for column in counts), strict=True))
    first = table.filter(pc.field("rank") <= depth)
    first = first.sort_by([("query", "ascending"), ("rank", "ascending")])
    hits: dict[str, list[tuple[str, float]]] = {}
    columns = (first[name].to_pylist() for name in ("query", "document", "score"))
    for query, document, score in zip(*columns, strict=True):
        hits.setdefault(query, []).append((document, score))
    # ranks may begin at 0
    return {query: Hits(tuple(own[:depth]), totals[query]) for query, own in hits.items()}


def _scores(
    run: Run, task: str, strategy: str, setting: Setting
) -> Mapping[str, Mapping[str, float | str]]:
    """Measure -> query -> value or error; none where the run has no scores."""
    try:
        scores = run.scores(task, strategy, setting)
    except NotStored:
        return {}
    return {measure: {**own.values, **own.errors} for measure, own in scores.items()}
