"""Tasks of a finished run, loaded again from its dataset: a run folder has no queries and no gold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmragbench._printable import shortened
from mmragbench.cache.cache import Cache
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.loop import prepared
from mmragbench.engine.meter import Meter
from mmragbench.errors import DataError, SuiteError
from mmragbench.formats import trec
from mmragbench.planning.binding import bind
from mmragbench.planning.suite import SuiteFieldError, read
from mmragbench.records import Hits, Ranking, Task
from mmragbench.run_folder import paths
from mmragbench.run_folder.reading import Run, open_run

DIGESTS = {
    "queries_digest": "queries",
    "memory_digest": "documents",
    "gold_digest": "gold (relevance, references, slices)",
}


@dataclass(frozen=True)
class RunTasks:
    """A run folder with its tasks, by name."""

    run: Run
    tasks: Mapping[str, Task]

    @property
    def strategies(self) -> list[str]:
        """The suite's strategies, in its order."""
        return list(self.run.suite["strategies"])

    def ranked(self, task: str) -> Iterator[tuple[str, Path]]:
        """Strategies that retrieved anything, with their `run.trec`."""
        for strategy in self.strategies:
            path = self.run.files.path(paths.in_cell(task, strategy, paths.RANKINGS))
            if path is not None and path.stat().st_size:
                yield strategy, path

    def unranked(self, task: str) -> list[str]:
        """The strategies that retrieved nothing."""
        ranked = {strategy for strategy, _ in self.ranked(task)}
        return [strategy for strategy in self.strategies if strategy not in ranked]

    def rankings(self, task: str, path: Path) -> Iterator[Ranking]:
        """The rankings of a `run.trec`, with the task's own ids.

        Raises:
            DataError: two ids of the task are one in TREC's format.
        """
        queries = trec.originals(query.id for query in self.tasks[task].queries)
        documents = trec.originals(document.id for document in self.tasks[task].memory)
        for ranking in trec.read(path):
            hits = Hits.of(ranking.hits)
            ids = [documents[id] for id in hits.ids]
            yield Ranking(queries[ranking.query], Hits(ids, hits.scores))

    def scored(self, task: str) -> Iterator[tuple[str, Mapping[str, int]]]:
        """The queries with a relevant document, which alone are scored, with their grades."""
        qrels = self.tasks[task].qrels
        for query in self.tasks[task].queries:
            grades = qrels.get(query.id, {})
            if max(grades.values(), default=0) > 0:
                yield query.id, grades


def load_tasks(run: Path, overrides: Sequence[str] = (), trust: bool = False) -> RunTasks:
    """A run with its tasks, built again from its `suite.yaml`; calls no model.

    Args:
        overrides: where the data is now: `dataset.root=/elsewhere`.
        trust: import a dataset that the run names by a dotted path. Whoever made the run folder
            chose it, and with it which code is run here.

    Raises:
        DataError: it is no run folder, its data is not there, or is not what the run was made with.
        SuiteError: the dataset can't be built, or is one that needs trust.
    """
    folder = open_run(run, paths.MANIFEST)
    suite, source = read(run / paths.SUITE, overrides)
    use = str(suite.dataset.get("use", "dataset"))
    if ":" in use and not use.startswith("<") and not trust:
        raise SuiteError(
            f"the suite of {run} names a dataset by its path, {shortened(use, 80)!r}, whose code an "
            "export would run; if you trust the maker of this folder, add --trust"
        )
    try:
        bound = bind("dataset", suite.dataset, ("dataset",), suite)
        available = dict(Assembly(suite, Cache(), Meter()).build(bound).tasks())
    except SuiteFieldError as error:
        raise source.error(error.place, error.message) from error
    except DataError as error:
        raise DataError(
            f"{error} (an export needs the run's data again; if it has moved, say where: "
            "dataset.root=FOLDER)"
        ) from error
    tasks = {name: available[name] for name in suite.tasks if name in available}
    _check(folder, tasks)
    return RunTasks(folder, tasks)


def _check(folder: Run, tasks: Mapping[str, Task]) -> None:
    """Compare the data with the manifest's digests, so that no number rests on other data."""
    stored = folder.manifest.get("data") or {}
    for name in stored:
        if name not in tasks:
            raise DataError(f"the dataset no longer has {name}, which {folder.path} was run on")
    for name, task in prepared(tasks, depth=lambda _: 0).items():
        _compare(f"{folder.path}, {name}", stored.get(name) or {}, task.digests())


def _compare(where: str, stored: Mapping[str, Any], now: Mapping[str, str]) -> None:
    for kind, digest in now.items():
        if stored.get(kind) is None:
            raise DataError(
                f"{where}: its manifest has no {kind}, so that nobody can tell whether this is the "
                "run's data; run the suite again with this version (what is cached is looked up)"
            )
        if stored[kind] != digest:
            raise DataError(
                f"{where}: the {DIGESTS[kind]} are not those of the run any more; run the suite "
                "again, or say where its data lies: dataset.root=FOLDER"
            )


NO_QRELS = "no document is judged relevant to any query"


NO_RANKINGS = "retrieved nothing"
