"""Captions and answers that another system made, from results files."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.contracts import ByStrategy, Generator
from mmragbench.data.stored_outputs import (
    existing,
    for_strategy,
    matched,
    refuse_output,
    unasked,
)
from mmragbench.formats.text_results import read_answer_results, read_caption_results
from mmragbench.records import Document, Exclusion, Output, Query, Task
from mmragbench.registry import generator


@generator
class ResultsFile:
    """Captions or answers that another system made, in any language: a results file a strategy.

    Captions are in COCO's results format, `[{"image_id": …, "caption": …}]`; answers in VQA's,
    `[{"question_id": …, "answer": …}]`, or SQuAD's of predictions, `{"id": "answer"}`. Ids are those
    of the queries; a picture's ending may be missing. A query without an entry, or with null, has
    failed.

    Args:
        results: strategy -> its file.
        otherwise: the generator that answers for all other strategies, so that its systems and
            these are compared with each other.
    """

    def __init__(
        self,
        task: Task,
        strategy: str,
        results: ByStrategy,
        otherwise: Generator | None = None,
    ) -> None:
        self._otherwise = otherwise
        self.exclusions: list[Exclusion] = []
        path = for_strategy(results, strategy, otherwise is not None)
        self.elsewhere = path is not None
        if path is not None:
            refuse_output(task, ("caption", "answer"), "a results file")
            self._path = existing(path)
            read = read_answer_results if task.output == "answer" else read_caption_results
            self._texts = read(self._path).texts
            matched(self._path, "queries", [query.id for query in task.queries], self._texts)

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        if not self.elsewhere and self._otherwise is not None:
            return self._otherwise.generate(queries, contexts)
        names = matched(self._path, "queries", [query.id for query in queries], self._texts)
        self.exclusions = unasked(self._path, "entries", self._texts, names.values())
        return [self._output(query.id, names.get(query.id, "")) for query in queries]

    def _output(self, query: str, name: str) -> Output:
        text = self._texts.get(name)
        if text is None:
            reason = "null in" if name in self._texts else "not in"
            return Output(query, error=f"{reason} the system's results file")
        return Output(query, text=text)
