"""Leaks: pictures and references of queries that are in the memory already."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from mmragbench.contracts import Encoder, Progress
from mmragbench.measuring.caption_index import CaptionIndex
from mmragbench.measuring.duplicates import SAME, How, Match, matches
from mmragbench.measuring.fingerprints import Pictures, file_of
from mmragbench.measuring.scoring import Scored, estimate
from mmragbench.records import Image, Scores, Task

HOWS: tuple[How, ...] = ("bytes", "pixels", "near")
"""From the strongest evidence to the weakest."""

Subject = tuple[str, str, Image]
"""A picture that is searched in the memory: the query's id, its role and the picture."""

MISSES = 3
"""So many pairs that are closest without being duplicates are kept, by thumb and by encoder."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A query's picture and a memory document's, how they are the same (empty: they only look
    alike), and how alike (`bits`, `levels` and `cosine` as in `Match`).

    Attributes:
        role: whether it is the query's own `image` or the `target` that is to be generated.
        wanted: whether the document is gold for this query, which is then no leak.
    """

    query: str
    role: str
    image: Image
    document: str
    document_image: Image
    how: How
    bits: int
    levels: int
    cosine: float | None
    wanted: bool


class Recurrence(NamedTuple):
    """A reference caption that stands in the memory, and in which documents."""

    query: str
    caption: str
    documents: list[str]


@dataclass(frozen=True)
class References:
    """Reference captions that occur verbatim in the memory (but for case and punctuation).

    Attributes:
        captions: how many there are.
        recurring: those that occur in the memory, the longest first: short ones recur by chance.
        whole: queries all of whose references occur there, which chance does not explain.
        chance: the share of the memory's own captions that occur in another of its documents.
    """

    captions: int = 0
    recurring: tuple[Recurrence, ...] = ()
    whole: tuple[str, ...] = ()
    chance: float | None = None


@dataclass(frozen=True)
class Leaks:
    """The pictures and references of a task's queries that its memory has.

    Attributes:
        n_queries: queries that have a picture (their own, or the target) to look for.
        n_pictures: distinct pictures in the memory.
        roles: whose pictures were looked for: `image` (the queries' own), `target`, or both.
        pairs: query pictures with the memory's documents that hold the same.
        misses: the closest pairs that are no duplicates, to be looked at.
        references: captions; no part of `queries`.
        unreadable: pictures that could not be looked at.
    """

    n_queries: int
    n_pictures: int
    roles: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    misses: tuple[Pair, ...] = ()
    references: References = References()
    unreadable: int = 0

    @cached_property
    def queries(self) -> dict[str, How]:
        """The leaked queries, with the strongest evidence for each."""
        queries: dict[str, How] = {}
        for how in reversed(HOWS):
            queries |= {p.query: how for p in self.pairs if p.how == how and not p.wanted}
        return queries

    @property
    def by(self) -> dict[str, int]:
        """How many queries leak, by the strongest evidence."""
        counts = Counter(self.queries.values())
        return {how: counts[how] for how in HOWS}


def leak(
    task: Task,
    encoder: Encoder | None = None,
    captions: CaptionIndex | None = None,
    progress: Progress | None = None,
) -> Leaks:
    """Look for the queries' pictures (and the targets) and the references in the memory.

    Args:
        task: its queries and its memory.
        encoder: proposes near-duplicates beside the perceptual hash; must read images.
        captions: the memory's, where they have been read already.
        progress: shows how far the fingerprints are.
    """
    references = _references(task, captions or CaptionIndex(task.memory))
    subjects = list(_subjects(task))
    holders = [(d.id, d.image) for d in task.memory if d.image]
    if not subjects or not holders:
        return Leaks(_queries(subjects), 0, _roles(subjects), references=references)
    query_pictures = Pictures.of([image for *_, image in subjects], encoder, progress=progress)
    memory_pictures = Pictures.of([image for _, image in holders], encoder, progress=progress)
    pairs = list(_pairs(task, subjects, holders, (query_pictures, memory_pictures)))
    same = [pair for pair in pairs if pair.how]
    leaked = {pair.query for pair in same}
    return Leaks(
        n_queries=_queries(subjects),
        n_pictures=len(memory_pictures),
        roles=_roles(subjects),
        pairs=tuple(same),
        misses=tuple(_closest([pair for pair in pairs if pair.query not in leaked])),
        references=references,
        unreadable=query_pictures.unreadable + memory_pictures.unreadable,
    )


def _subjects(task: Task) -> Iterator[Subject]:
    for query in task.queries:
        if query.image:
            yield query.id, "image", query.image
        if target := task.targets.get(query.id):
            yield query.id, "target", target


def _queries(subjects: Sequence[Subject]) -> int:
    return len({query for query, *_ in subjects})


def _roles(subjects: Sequence[Subject]) -> tuple[str, ...]:
    return tuple(sorted({role for _, role, _ in subjects}))


def _pairs(
    task: Task,
    subjects: Sequence[Subject],
    holders: Sequence[tuple[str, Image]],
    pictures: tuple[Pictures, Pictures],
) -> Iterator[Pair]:
    query_pictures, memory_pictures = pictures
    by_query: dict[int, list[Match]] = defaultdict(list)
    for match in matches(query_pictures, memory_pictures):
        by_query[match.query].append(match)
    documents: dict[int | None, list[str]] = defaultdict(list)
    for id, image in holders:
        documents[memory_pictures.row.get(file_of(image))].append(id)
    gold = not task.relevance.startswith("silver")
    for query, role, image in subjects:
        row = query_pictures.row.get(file_of(image))
        grades = task.qrels.get(query, {}) if gold else {}
        for match in by_query.get(row, ()) if row is not None else ():
            other = memory_pictures.images[match.memory]
            for id in documents[match.memory][:SAME]:
                wanted = grades.get(id, 0) > 0
                alike = (match.how, match.bits, match.levels, match.cosine)
                yield Pair(query, role, image, id, other, *alike, wanted)


def _closest(pairs: Sequence[Pair]) -> list[Pair]:
    by_thumb = sorted(pairs, key=lambda pair: pair.levels)[:MISSES]
    encoded = [pair for pair in pairs if pair.cosine is not None]
    by_encoder = sorted(encoded, key=lambda pair: -(pair.cosine or 0.0))[:MISSES]
    return list(dict.fromkeys([*by_thumb, *by_encoder]))


def _references(task: Task, captions: CaptionIndex) -> References:
    references = [(query.id, task.references.get(query.id, ())) for query in task.queries]
    recurring = [
        Recurrence(query, caption, captions.documents(caption))
        for query, own in references
        for caption in own
        if caption in captions
    ]
    times = Counter(recurrence.query for recurrence in recurring)
    return References(
        captions=sum(len(own) for _, own in references),
        recurring=tuple(sorted(recurring, key=lambda recurrence: -len(recurrence.caption))),
        whole=tuple(query for query, own in references if own and times[query] == len(own)),
        chance=captions.recurring,
    )


def without(
    scored: Scored, leaked: frozenset[str], again: Mapping[str, Scores] | None = None
) -> list[dict[str, Any]]:
    """Each estimate beside the one without the leaked queries: the mean of the others' scores.

    A measure of the whole set (FID, Bleu) has no such mean. `again` holds those that were scored
    again, by name, on all but the leaked queries; without it they have no second number.
    """
    rows = []
    for name, measured in scored.items():
        for scores in measured:
            value, n, _ = estimate(scores)
            others = [
                s.value for s in scores.scores if s.value is not None and s.query not in leaked
            ]
            rest = sum(others) / len(others) if others else None
            n_rest: int | None = len(others)
            if scores.total is not None or value is None:
                anew = (again or {}).get(str(scores.measure)) if name == "all" else None
                rest, n_rest = estimate(anew)[:2] if anew else (None, None)
            rows.append(
                {
                    "slice": name,
                    "measure": str(scores.measure),
                    "estimate": value,
                    "n": n,
                    "without": rest,
                    "n_without": n_rest,
                }
            )
    return rows
