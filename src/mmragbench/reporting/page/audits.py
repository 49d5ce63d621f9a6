"""The audits as the page shows them: each finding in a sentence, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmragbench.reporting.facts.units import decimals, number, shown, unit
from mmragbench.reporting.page.embedded_pictures import Album
from mmragbench.reporting.tables.tables import setting
from mmragbench.run_folder.report_data import Json, RunFolder

NOUNS = {"image": "query image", "target": "target image", "image target": "query or target image"}
"""What a task's leak audit looks for."""

WORDS = {"bytes": "the same bytes", "pixels": "the same pixels", "near": "near-duplicates"}

UNSEEN = "Crops and mirror images would not be found."

PICTURED = 12
NAMED = 2000


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A query's picture beside a document's: CSS classes, names, and how alike they are."""

    query: str
    document: str
    image: str | None
    found: str | None
    how: str
    alike: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What the leak audit found, once for all tasks where it found the same.

    Attributes:
        tasks: their names.
        text: the finding.
        leaked: whether any query leaks.
        references: the finding on reference captions or right answers; empty where there are none.
        examples: (query, caption, where it stands).
        pairs: leaked pairs; those with pictures come first.
        misses: the closest pairs that are no duplicates.
        without: rows of (setting, measure, estimate, n, estimate without, n without).
    """

    tasks: tuple[str, ...]
    text: str
    leaked: bool
    references: str
    examples: tuple[tuple[str, str, str], ...]
    pairs: tuple[ShownPair, ...]
    misses: tuple[ShownPair, ...]
    without: tuple[tuple[str, ...], ...]

    @property
    def pictured(self) -> tuple[ShownPair, ...]:
        return tuple(pair for pair in self.pairs if pair.image or pair.found)[:PICTURED]

    @property
    def named(self) -> tuple[ShownPair, ...]:
        return self.pairs[:NAMED]


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One generator's share of copies under one strategy."""

    task: str
    strategy: str
    setting: str
    answered: str
    copied: str
    recurring: str


@dataclass(frozen=True, slots=True)
class Audits:
    """The whole section.

    Attributes:
        leaks: findings, task by task.
        copies: lines of the copy table.
        mixed: task -> (strategy, n, one `hits / relevant` a kind) where a memory is mixed.
        uniform: (task, kind) where all documents are of one kind.
        gaps: (task, encoder, distance, matched, unmatched, vectors).
        failed: (audit, reason) of those that crashed.
    """

    leaks: list[Finding]
    copies: list[CopyLine]
    mixed: list[tuple[str, list[tuple[str, ...]]]]
    uniform: list[tuple[str, str]]
    gaps: list[tuple[str, ...]]
    failed: list[tuple[str, str]]


def audits(run: RunFolder, album: Album) -> Audits | None:
    """What `audits.json` says, or None where there is none."""
    stored = run.read("audits.json")
    if not stored:
        return None
    tasks: dict[str, Json] = stored.get("tasks") or {}
    leaks = {name: sound for name, found in tasks.items() if (sound := _sound(found, "leak"))}
    modality = {
        name: sound for name, found in tasks.items() if (sound := _sound(found, "modality"))
    }
    return Audits(
        leaks=_merged([_finding(run, n, f, album) for n, f in leaks.items()]),
        copies=[line for name, found in tasks.items() for line in _copies(name, found)],
        mixed=[(name, _mixed(found)) for name, found in modality.items() if found["mixed"]],
        uniform=[(n, _kind(found)) for n, found in modality.items() if not found["mixed"]],
        gaps=[line for name, found in modality.items() for line in _gaps(name, found)],
        failed=[
            (f"{kind} audit of {name}", str(result["error"]))
            for name, found in tasks.items()
            for kind, result in found.items()
            if isinstance(result, dict) and "error" in result
        ],
    )


def _sound(found: Json, kind: str) -> Json | None:
    result = found.get(kind)
    return result if isinstance(result, dict) and "error" not in result else None


def _merged(findings: list[Finding]) -> list[Finding]:
    """Findings that read the same are told once; leaks are never merged."""
    from dataclasses import replace

    kept: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        key = (finding.text, finding.references, *(finding.tasks if finding.leaked else ()))
        earlier = kept.get(key)
        kept[key] = replace(earlier, tasks=earlier.tasks + finding.tasks) if earlier else finding
    return list(kept.values())


def _finding(run: RunFolder, task: str, found: Json, album: Album) -> Finding:
    facts = run.tasks.get(task)
    what = "right answers" if facts and facts.output == "answer" else "reference captions"
    return Finding(
        tasks=(task,),
        text=_leak_text(found),
        leaked=bool(found["leaked"]),
        references=_references_text(found["references"], what),
        examples=tuple(_example(raw) for raw in found["references"]["examples"]),
        pairs=tuple(_pair(raw, album) for raw in found["pairs"]),
        misses=tuple(_pair(raw, album) for raw in found["misses"]),
        without=tuple(_without(run, found["without"])),
    )


def _leak_text(found: Json) -> str:
    noun = NOUNS.get(" ".join(found["roles"]), "query image")
    if not found["asked"]:
        return "The queries come without a picture, so there is none to look for."
    if not found["held"]:
        return "The memory holds no pictures."
    of = f"{found['asked']:,}"
    by, leaked = found["queries"], len(found["leaked"])
    if leaked:
        parts = ", ".join(f"{by[how]:,} as {WORDS[how]}" for how in WORDS)
        verb = "is" if leaked == 1 else "are"
        text = f"{leaked:,} of {of} {noun}s {verb} in the memory: {parts}."
    else:
        text = (
            f"No copy of a {noun} was found in the memory: 0 of {of} by bytes, pixels or "
            f"near-duplicates, among {found['held']:,} memory images. {UNSEEN}"
        )
    if found["wanted"]:
        text += f" {found['wanted']:,} more are the gold document itself, which is to be found."
    if found["unreadable"]:
        text += f" {found['unreadable']:,} pictures could not be read."
    return text


def _references_text(found: Json, what: str) -> str:
    if not found["captions"]:
        return ""
    share = _share(found["recurring"], found["captions"])
    if what == "right answers":
        return f"{share} right answers are, word for word, all that a text of the memory says."
    text = f"{share} {what} occur word for word in the memory"
    if found["chance"] is not None:
        text += (
            f"; of the memory's own captions {_percent(found['chance'])} occur in another document"
        )
    text += "."
    if found["whole"]:
        text += f" For {_count(len(found['whole']), 'query', 'queries')} all references do."
    return text


def _example(raw: Json) -> tuple[str, str, str]:
    more = raw["n_documents"] - len(raw["documents"])
    where = ", ".join(str(id) for id in raw["documents"])
    return str(raw["query"]), raw["caption"], f"{where} and {more:,} more" if more else where


def _pair(raw: Json, album: Album) -> ShownPair:
    cosine = raw.get("cosine")
    alike = [
        f"{raw['bits']} of 64 hash bits differ",
        f"thumbs differ by up to {raw['levels']} of 255",
    ]
    alike += [] if cosine is None else [f"encoder cosine {cosine:.3f}"]
    return ShownPair(
        query=str(raw["query"]),
        document=str(raw["document"]),
        image=album.place(raw.get("image")),
        found=album.place(raw.get("found")),
        how={"near": "near-duplicate"}.get(raw["how"], WORDS.get(raw["how"], "")),
        alike=", ".join(alike),
    )


def _without(run: RunFolder, rows: list[Json]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        known = row["measure"] in run.measures
        if known and row["slice"] == "all" and row["estimate"] is not None:
            measure, kept = run.measures[row["measure"]], row["without"]
            places = decimals(measure, [row["estimate"]])
            parts = (row["strategy"], setting(row["generator"], row["k"]))
            yield (
                " · ".join(part for part in parts if part),
                f"{measure} {unit(measure)}".rstrip(),
                shown(measure, row["estimate"], places),
                f"{row['n']:,}",
                "to be scored again" if kept is None else shown(measure, kept, places),
                "" if row["n_without"] is None else f"{row['n_without']:,}",
            )


def _copies(task: str, found: Json) -> Iterator[CopyLine]:
    rows = found.get("copy")
    for row in rows if isinstance(rows, list) else ():
        yield CopyLine(
            task,
            row["strategy"],
            setting(row["generator"], row["k"]),
            f"{row['answered']:,}",
            _share(row["copied"], row["shown"]) if row["shown"] else "shown nothing",
            "" if row["recurring"] is None else _share(row["recurring"], row["answered"]),
        )


def _mixed(found: Json) -> list[tuple[str, ...]]:
    kinds = list(found["memory"])
    memory = ("memory", "", *(_percent(found["memory"][kind]) for kind in kinds))
    rows = [memory]
    for row in found["strategies"]:
        pairs = ((row["hits"].get(kind, 0), row["relevant"].get(kind, 0)) for kind in kinds)
        shares = (f"{_percent(hits)} / {_percent(relevant)}" for hits, relevant in pairs)
        rows.append((row["strategy"], f"{row['n']:,}", *shares))
    return rows


def _kind(found: Json) -> str:
    words = {"image": "an image", "text": "a text", "pair": "an image with texts"}
    return next((words[kind] for kind, share in found["memory"].items() if share), "nothing")


def _gaps(task: str, found: Json) -> Iterator[tuple[str, ...]]:
    for encoder, raw in found["gaps"].items():
        cosines = (raw["matched"], raw["unmatched"])
        read = f"{raw['images']:,} images, {raw['texts']:,} texts"
        yield task, encoder, f"{raw['distance']:.3f}", *map(_cosine, cosines), read


def _cosine(value: float | None) -> str:
    return "" if value is None else number(value, 3)


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({_percent(part / whole)})" if whole else "0 of 0"


def _percent(share: Any) -> str:
    return f"{100 * share:.1f} %"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
