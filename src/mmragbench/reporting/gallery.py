"""Sampled queries with what each strategy retrieved and generated, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmragbench.reporting.album import Album
from mmragbench.reporting.answers import Answers, ShownOutput, written
from mmragbench.reporting.folder import Json, RunFolder, TaskFacts


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to look at: a picture's CSS class, texts, or both; `id` where neither is stored."""

    id: str
    picture: str | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit in its place; `relevant` is None where the sample does not say."""

    score: float
    relevant: bool | None
    document: Piece


@dataclass(frozen=True, slots=True)
class Column:
    """One strategy's answers to one query."""

    strategy: str
    control: str | None
    hits: tuple[ShownHit, ...]
    outputs: tuple[ShownOutput, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One query, and a column for each strategy that answered."""

    query: Piece
    target: str | None
    references: tuple[str, ...]
    slices: tuple[str, ...]
    n_relevant: int | None
    columns: tuple[Column, ...]


def gallery(run: RunFolder, facts: TaskFacts, album: Album) -> list[Card]:
    """The task's sampled queries; those of a slice come first."""
    sample = sorted(run.lines("tasks", facts.name, "gallery.jsonl"), key=_in_no_slice)
    ids = {query["id"] for query in sample}
    documents = {
        written(raw["id"]): raw for raw in run.lines("tasks", facts.name, "documents.jsonl")
    }
    cells = {name: Answers.read(run, facts.name, name, ids, album) for name in run.strategies}
    return [_card(run, query, cells, documents, album) for query in sample]


def _in_no_slice(query: Json) -> bool:
    return not query.get("slices")


def _card(
    run: RunFolder,
    query: Json,
    cells: Mapping[str, Answers],
    documents: Mapping[str, Json],
    album: Album,
) -> Card:
    columns = []
    relevant = _Relevance(query)
    for strategy, cell in cells.items():
        hits = tuple(
            ShownHit(score, relevant.of(id), _piece(id, documents.get(id) or {}, album))
            for id, score in cell.hits.get(written(query["id"]), [])
        )
        outputs = tuple(cell.outputs.get(query["id"], []))
        if hits or outputs:
            columns.append(Column(strategy, run.strategies[strategy], hits, outputs))
    return Card(
        query=Piece(query["id"], album.place(query.get("image")), _texts(query.get("text"))),
        target=album.place(query.get("target")),
        references=tuple(query.get("references") or ()),
        slices=tuple(query.get("slices") or ()),
        n_relevant=query.get("n_relevant"),
        columns=tuple(columns),
    )


def _piece(id: str, raw: Json, album: Album) -> Piece:
    return Piece(id, album.place(raw.get("image")), tuple(raw.get("texts") or ()))


def _texts(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


class _Relevance:
    """What the sample says of documents; it may name only some of the relevant ones."""

    def __init__(self, query: Json) -> None:
        listed = query.get("relevant") or []
        self._known = {written(id) for id in listed}
        self._complete = len(listed) >= (query.get("n_relevant") or 0)

    def of(self, document: str) -> bool | None:
        """Relevant, not relevant, or None where the sample does not say."""
        return True if document in self._known else False if self._complete else None
