"""What one strategy answered to the sampled queries: its hits, and its generators' outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmragbench.reporting.album import Album
from mmragbench.reporting.folder import Json, RunFolder, measure_of
from mmragbench.reporting.tables import setting
from mmragbench.reporting.units import factor

HITS = 4
"""How many of each ranking's hits are shown."""

BLANKS = str.maketrans({" ": "%20", "\t": "%09", "\n": "%0A", "\r": "%0D"})


@dataclass(frozen=True, slots=True)
class ShownOutput:
    """What one generator answered, or its error.

    `missing` names a picture that was generated and is not in the run folder.
    """

    setting: str
    text: str | None
    picture: str | None
    error: str | None
    prompt: str | None
    scores: tuple[str, ...]
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a strategy's folder holds for the sampled queries, by query."""

    hits: Mapping[str, list[tuple[str, float]]]
    outputs: Mapping[str, list[ShownOutput]]

    @classmethod
    def read(cls, run: RunFolder, task: str, strategy: str, ids: set[str], album: Album) -> Answers:
        folder = run.path / "cells" / task / strategy
        order = list(dict.fromkeys((row.generator, row.k) for row in run.rows if row.task == task))
        outputs: dict[str, list[ShownOutput]] = {}
        for path in sorted(folder.glob("*/outputs.jsonl"), key=lambda path: _place(path, order)):
            scores = _scores(path.with_name("scores.parquet"), ids)
            for raw in run.lines(*path.relative_to(run.path).parts):
                if raw["query"] in ids:
                    output = _output(raw, path.parent, scores.get(raw["query"], ()), album)
                    outputs.setdefault(raw["query"], []).append(output)
        return cls(_hits(folder / "run.trec", set(map(written, ids))), outputs)


def _setting(folder: Path) -> tuple[str, int | None]:
    """Generator and k from a folder's name, `consensus-k4`."""
    generator, _, k = folder.name.rpartition("-k")
    return (generator, int(k)) if generator and k.isdigit() else (folder.name, None)


def _place(path: Path, order: list[tuple[str | None, int | None]]) -> tuple[int, str]:
    """The summary's order; what the summary does not know comes last."""
    known = _setting(path.parent)
    return order.index(known) if known in order else len(order), path.parent.name


def written(id: str) -> str:
    """An id as it stands in a TREC run, whose fields end at blanks."""
    return id.translate(BLANKS)


def _hits(path: Path, ids: set[str]) -> dict[str, list[tuple[str, float]]]:
    """The first hits of a TREC run, by query."""
    found: dict[str, list[tuple[int, str, float]]] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                query, _, rest = line.partition(" ")
                if query in ids:
                    _, document, rank, score, *_ = rest.split()
                    found.setdefault(query, []).append((int(rank), document, float(score)))
    return {
        query: [(document, score) for _, document, score in sorted(hits)[:HITS]]
        for query, hits in found.items()
    }


def _output(raw: Json, folder: Path, scores: tuple[str, ...], album: Album) -> ShownOutput:
    picture = album.place(raw.get("image"), folder)
    return ShownOutput(
        setting=setting(*_setting(folder)),
        text=raw.get("text"),
        picture=picture,
        error=raw.get("error"),
        prompt=raw.get("prompt"),
        scores=scores,
        missing=None if picture else raw.get("image"),
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
        found.setdefault(str(query), (f"{measure} {float(value) * factor(measure):.1f}",))
    return found
