"""Rankings that another system made, from TREC runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from mmragbench._printable import quoted
from mmragbench.contracts import ByTask
from mmragbench.data.stored_outputs import existing, matched, unasked
from mmragbench.formats.trec import escaped, originals
from mmragbench.formats.trec_runs import read_run
from mmragbench.records import Document, Exclusion, Query, Ranking, Task
from mmragbench.registry import strategy


@strategy
class Rankings:
    """Rankings that another system made, in any language: TREC runs, one for each task.

    Ids are those of queries and documents; a picture's ending may be missing. A query without a line
    has failed, and is not scored. Hits that are no documents of the memory, and queries that the task
    does not ask, are left out and named. A task without a run has no rankings; a generator can read
    such a system's answers all the same.

    Args:
        runs: task -> its TREC run (`query Q0 document rank score tag`, a blank in an id as `%20`);
            or a folder with `<task>.trec`.
    """

    elsewhere = True

    def __init__(self, task: Task, runs: Path | ByTask | None = None) -> None:
        self._path = _run_of(task.name, runs)
        self.exclusions: tuple[Exclusion, ...] = ()
        if self._path is not None:
            self._hits = read_run(self._path).hits
            self._documents = _documents_by_name(self._path, task, self._hits)
            ids = [escaped(query.id) for query in task.queries]
            self._queries = matched(self._path, "queries", ids, self._hits)

    def index(self, memory: Sequence[Document]) -> None:
        pass

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        if self._path is None:
            return [Ranking(query.id) for query in queries]
        names = self._queries.values()
        self.exclusions = (
            *unasked(self._path, "queries", self._hits, names),
            *self._unknown(f"documents of {self._path.name}"),
        )
        return [self._ranking(query.id, k) for query in queries]

    def _ranking(self, query: str, k: int) -> Ranking:
        name = self._queries.get(escaped(query))
        if name is None:
            return Ranking(query, error="no line of the system's run is about this query")
        hits = self._hits[name].items()
        known = ((self._documents[id], s) for id, s in hits if id in self._documents)
        return Ranking.of(query, known, k)

    def _unknown(self, noun: str) -> list[Exclusion]:
        """The hits that are no documents of the memory, each once, with a query that has it."""
        names = self._queries.values()
        first = {id: name for name in names for id in self._hits[name] if id not in self._documents}
        return [
            Exclusion("not in the memory", id, f"a hit of query {quoted(name)}", noun)
            for id, name in first.items()
        ]


def _run_of(task: str, runs: Path | ByTask | None) -> Path | None:
    """The run of a task; None without one.

    Raises:
        DataError: a file or folder that the suite names is not there.
    """
    if isinstance(runs, Path):
        path = existing(runs, Path.is_dir) / f"{task}.trec"
        return path if path.is_file() else None
    return existing(runs[task]) if runs and task in runs else None


def _documents_by_name(
    path: Path, task: Task, hits: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Name of a hit in a run -> the document's id."""
    by_escaped = originals(document.id for document in task.memory)
    names = dict.fromkeys(name for own in hits.values() for name in own)
    return {n: by_escaped[id] for id, n in matched(path, "documents", by_escaped, names).items()}
