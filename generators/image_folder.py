"""Pictures that another system made, from folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmragbench.contracts import ByStrategy, Generator
from mmragbench.data.intake import take_in
from mmragbench.data.picture_folders import list_pictures, named_files
from mmragbench.data.stored_outputs import (
    existing,
    for_strategy,
    matched,
    refuse_output,
    unasked,
)
from mmragbench.records import Document, Exclusion, Image, Output, Query, Task
from mmragbench.registry import generator


@generator
class ImageFolder:
    """Pictures that another system made, in any language: a folder a strategy.

    A picture's name without its ending is the query's id. A query without a picture, or whose file
    cannot be read, has failed.

    Args:
        folders: strategy -> its folder.
        otherwise: the generator that draws for all other strategies, so that its systems and these
            are compared with each other.
    """

    def __init__(
        self,
        task: Task,
        strategy: str,
        folders: ByStrategy,
        otherwise: Generator | None = None,
    ) -> None:
        self._otherwise = otherwise
        self.exclusions: list[Exclusion] = []
        path = for_strategy(folders, strategy, otherwise is not None)
        self.elsewhere = path is not None
        if path is not None:
            refuse_output(task, ("image",), "a folder of pictures")
            self._folder = existing(path, Path.is_dir)
            self._files = named_files(list_pictures(self._folder)).files
            matched(self._folder, "queries", [query.id for query in task.queries], self._files)

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        if not self.elsewhere and self._otherwise is not None:
            return self._otherwise.generate(queries, contexts)
        names = matched(self._folder, "queries", [query.id for query in queries], self._files)
        self.exclusions = unasked(self._folder, "pictures", self._files, names.values())
        pictures, unreadable = take_in([Image(id, self._files[n]) for id, n in names.items()])
        images = {image.id: replace(image, id=names[image.id]) for image in pictures}
        errors = {exclusion.id: exclusion.kind for exclusion in unreadable}
        return [_output(query.id, images, errors) for query in queries]


def _output(query: str, images: dict[str, Image], errors: dict[str, str]) -> Output:
    if query in images:
        return Output(query, image=images[query])
    return Output(query, error=errors.get(query, "not in the system's folder of pictures"))
