"""Slices of a task's queries that a suite asks for by name: by length, by modality, by category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from statistics import median
from typing import Literal

from mmragbench.records import Query, Task

Kind = Literal["length", "modality", "categories"]

MOST = 10
"""Categories that get a slice: those with the most queries."""

Slices = Mapping[str, frozenset[str]]


def sliced(task: Task, kinds: Iterable[Kind]) -> Task:
    """The task with these slices beside the dataset's own. A slice that would hold all queries, or
    none, is left out."""
    slices: dict[str, frozenset[str]] = {}
    for kind in kinds:
        slices |= {
            n: ids for n, ids in KINDS[kind](task).items() if 0 < len(ids) < len(task.queries)
        }
    return replace(task, slices={**slices, **task.slices}) if slices else task


def _by_length(task: Task) -> Slices:
    """`short-text` and `long-text`: up to the median number of words, and above it; of the query's
    own text, else of its reference captions or answers. Queries with neither are in no slice."""
    words = {query.id: n for query in task.queries if (n := _words(task, query)) is not None}
    if not words:
        return {}
    middle = median(words.values())
    short = frozenset(id for id, n in words.items() if n <= middle)
    return {"short-text": short, "long-text": frozenset(words) - short}


def _words(task: Task, query: Query) -> float | None:
    if query.text is not None:
        return len(query.text.content.split())
    references = task.references.get(query.id)
    if not references:
        return None
    return sum(len(text.split()) for text in references) / len(references)


def _by_modality(task: Task) -> Slices:
    """`image-query`, `text-query`, `image+text-query`: what the user asks with."""
    names = {query.id: _modality(query) for query in task.queries}
    return {
        f"{name}-query": frozenset(id for id, own in names.items() if own == name)
        for name in sorted(set(names.values()) - {""})
    }


def _modality(query: Query) -> str:
    parts = (("image", query.image), ("text", query.text))
    return "+".join(name for name, part in parts if part is not None)


def _by_category(task: Task) -> Slices:
    """`category:dog`: queries whose image shows one, for the categories with the most queries."""
    counts = Counter(name for names in task.categories.values() for name in names)
    most = sorted(counts, key=lambda name: (-counts[name], name))[:MOST]
    return {
        f"category:{name}": frozenset(id for id, own in task.categories.items() if name in own)
        for name in most
    }


KINDS: Mapping[Kind, Callable[[Task], Slices]] = {
    "length": _by_length,
    "modality": _by_modality,
    "categories": _by_category,
}
