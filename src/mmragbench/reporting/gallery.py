"""Sampled queries with what each strategy retrieved and generated, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmragbench.reporting.album import Album
from mmragbench.reporting.folder import Json, RunFolder, TaskFacts, measure_of
from mmragbench.reporting.tables import setting
from mmragbench.reporting.units import decimals, shown

HITS = 4
"""How many of each ranking's hits are shown."""


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
class ShownOutput:
    """What one generator answered, or its error."""

    setting: str
    text: str | None
    picture: str | None
    error: str | None
    prompt: str | None
    scores: tuple[str, ...]


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
    references: tuple[str, ...]
    slices: tuple[str, ...]
    n_relevant: int | None
    columns: tuple[Column, ...]


def gallery(run: RunFolder, facts: TaskFacts, album: Album) -> list[Card]:
    """The task's sampled queries; those of a slice come first."""
    sample = sorted(run.lines("tasks", facts.name, "gallery.jsonl"), key=_in_no_slice)
    ids = {query["id"] for query in sample}
    documents = {raw["id"]: raw for raw in run.lines("tasks", facts.name, "documents.jsonl")}
    cells = {name: _Cell.read(run, facts.name, name, ids, album) for name in run.strategies}
    return [_card(run, query, cells, documents, album) for query in sample]


def _in_no_slice(query: Json) -> bool:
    return not query.get("slices")


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a strategy's folder holds for the sampled queries, by query."""

    hits: Mapping[str, list[tuple[str, float]]]
    outputs: Mapping[str, list[ShownOutput]]

    @classmethod
    def read(cls, run: RunFolder, task: str, strategy: str, ids: set[str], album: Album) -> _Cell:
        folder = run.path / "cells" / task / strategy
        outputs: dict[str, list[ShownOutput]] = {}
        order = list(dict.fromkeys((row.generator, row.k) for row in run.rows if row.task == task))
        for path in sorted(folder.glob("*/outputs.jsonl"), key=lambda path: _place(path, order)):
            scores = _scores(path.with_name("scores.parquet"), ids)
            for raw in run.lines(*path.relative_to(run.path).parts):
                if raw["query"] in ids:
                    output = _output(raw, path.parent, scores.get(raw["query"], ()), album)
                    outputs.setdefault(raw["query"], []).append(output)
        return cls(_hits(folder / "run.trec", ids), outputs)


def _setting(folder: Path) -> tuple[str, int | None]:
    """Generator and k from a folder's name, `consensus-k4`."""
    generator, _, k = folder.name.rpartition("-k")
    return (generator, int(k)) if generator and k.isdigit() else (folder.name, None)


def _place(path: Path, order: list[tuple[str | None, int | None]]) -> tuple[int, str]:
    """The summary's order; what the summary does not know comes last."""
    known = _setting(path.parent)
    return order.index(known) if known in order else len(order), path.parent.name


def _card(
    run: RunFolder,
    query: Json,
    cells: Mapping[str, _Cell],
    documents: Mapping[str, Json],
    album: Album,
) -> Card:
    columns = []
    for strategy, cell in cells.items():
        hits = tuple(
            ShownHit(score, _relevant(query, id), _piece(id, documents.get(id) or {}, album))
            for id, score in cell.hits.get(query["id"], [])
        )
        outputs = tuple(cell.outputs.get(query["id"], []))
        if hits or outputs:
            columns.append(Column(strategy, run.strategies[strategy], hits, outputs))
    return Card(
        query=Piece(query["id"], album.place(query.get("image")), _texts(query.get("text"))),
        references=tuple(query.get("references") or ()),
        slices=tuple(query.get("slices") or ()),
        n_relevant=query.get("n_relevant"),
        columns=tuple(columns),
    )


def _piece(id: str, raw: Json, album: Album) -> Piece:
    return Piece(id, album.place(raw.get("image")), tuple(raw.get("texts") or ()))


def _texts(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


def _relevant(query: Json, document: str) -> bool | None:
    listed = query.get("relevant") or []
    if document in listed:
        return True
    return False if len(listed) >= (query.get("n_relevant") or 0) else None


def _hits(path: Path, ids: set[str]) -> dict[str, list[tuple[str, float]]]:
    """The first hits of a TREC run, by query."""
    found: dict[str, list[tuple[int, str, float]]] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                query, _, document, rank, score, *_ = line.split()
                if query in ids:
                    found.setdefault(query, []).append((int(rank), document, float(score)))
    return {
        query: [(document, score) for _, document, score in sorted(hits)[:HITS]]
        for query, hits in found.items()
    }


def _output(raw: Json, folder: Path, scores: tuple[str, ...], album: Album) -> ShownOutput:
    return ShownOutput(
        setting=setting(*_setting(folder)),
        text=raw.get("text"),
        picture=album.place(raw.get("image"), folder),
        error=raw.get("error"),
        prompt=raw.get("prompt"),
        scores=scores,
    )


def _scores(path: Path, ids: set[str]) -> dict[str, tuple[str, ...]]:
    """The first measure's value on each sampled query, as `CIDEr 83.1`."""
    if not path.is_file() or not ids:
        return {}
    import pandas

    frame = pandas.read_parquet(path, columns=["query", "measure", "value"])
    frame = frame[frame["query"].isin(ids) & frame["value"].notna()]
    found: dict[str, tuple[str, ...]] = {}
    for query, name, value in frame.itertuples(index=False):
        measure = measure_of(str(name))
        places = decimals(measure, [float(value)])
        found.setdefault(str(query), (f"{measure} {shown(measure, float(value), places)}",))
    return found
