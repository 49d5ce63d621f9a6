"""`DataFolder`: what a folder of a known layout holds, as a suite can name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mmragbench._printable import one_line
from mmragbench.data.splits import n_drawn

Kind = Literal["pictures", "questions", "passages"]
"""The kind of tasks: pictures with captions, questions with answers, passages with judgements."""

MOST = {"pictures": (500, 2_000), "questions": (200, None), "passages": (500, None)}
"""Kind -> how many queries and memory pictures a first run has at most: about two minutes on two cores."""


class Limit(NamedTuple):
    """How many are drawn, and of how many."""

    number: int
    total: int


@dataclass(frozen=True)
class DataFolder:
    """What a folder holds, and the dataset that reads it.

    Attributes:
        folder: the folder.
        layout: the layout's name, in words.
        kind: the kind of tasks that the data has.
        dataset: the dataset and its arguments, as a suite names them, without limits.
        queries: how many pictures or questions can be queries; 0 where something is missing that a
            suite needs.
        memory: how many pictures can be in the memory; None where it is always whole.
        is_single: queries and memory are drawn from one split: each number is of all its pictures.
        is_partial: more than half of the pictures that are named are missing.
        has_gold: relevant documents are known, so that rankings can be scored.
        parts: what is there, counted, in words.
        missing: what is missing, in words, and what would mend it.
        vectors: a file in the folder with vectors of the pictures and captions.
    """

    folder: Path
    layout: str
    kind: Kind
    dataset: Mapping[str, Any]
    queries: int
    memory: int | None = None
    is_single: bool = False
    is_partial: bool = False
    has_gold: bool = True
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    vectors: str | None = None

    def limits(self, n_queries: int | None = None) -> dict[str, Limit]:
        """The dataset's arguments that make a first run short; those that leave something out.

        Args:
            n_queries: how many queries; by default what fits a run of about two minutes.
        """
        most, most_in_memory = MOST[self.kind]
        share = n_drawn(self.queries) if self.is_single else self.queries
        queries = n_queries or min(most, share)
        limits = {"limit": Limit(queries, self.queries)}
        if most_in_memory is not None and self.memory is not None:
            memory = self.memory - queries if self.is_single else self.memory
            limits["memory_limit"] = Limit(min(most_in_memory, memory), memory)
        return {key: limit for key, limit in limits.items() if limit.number < limit.total}

    def __str__(self) -> str:
        """`my500: pictures with metadata.jsonl: 500 pictures with 500 captions, one split …`."""
        return one_line(f"{self.folder}: {self.layout}: {', '.join(self.parts)}", 400)
