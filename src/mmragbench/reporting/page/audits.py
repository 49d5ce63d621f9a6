"""The audits as the page shows them: each finding in a sentence, then its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from mmragbench._digits import counted
from mmragbench.reporting.facts.units import decimals, shown, unit
from mmragbench.reporting.page.embedded_pictures import EmbeddedPictures
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run

ROLE_NOUNS = {
    "image": "query image",
    "target": "target image",
    "image target": "query or target image",
}
"""The roles of a query's pictures that the leak audit compared -> how they are called."""

DUPLICATE_KINDS = {
    "bytes": "the same bytes",
    "pixels": "the same pixels",
    "near": "near-duplicates",
}

NOT_DETECTED = "Crops and mirror images would not be found."

MAX_PICTURED = 12
"""Pairs of a finding that are shown by their pictures."""

MAX_NAMED = 2000
"""Pairs of a finding that are listed by their names."""


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A query's picture beside a document's: the pictures' numbers in the page, names, and how alike
    they are."""

    query: str
    document: str
    query_picture: int | None
    document_picture: int | None
    how: str
    alike: str

    @property
    def has_picture(self) -> bool:
        return self.query_picture is not None or self.document_picture is not None


class CopyCounts(NamedTuple):
    """How many answers of each of these strategies are copies: of what was shown to the generator, and
    of a caption anywhere in the memory (None where that was not counted)."""

    strategies: tuple[str, ...]
    setting: str
    answered: int
    copied: int
    shown: int
    recurring: int | None


class RecurringText(NamedTuple):
    """A reference of a query that is word for word in the memory, and the documents that have it."""

    query: str
    caption: str
    documents: str


class ScoreWithoutLeaks(NamedTuple):
    """A score on all queries beside the score without the leaked ones, as texts."""

    cell: str
    measure: str
    estimate: str
    n: str
    estimate_without: str
    n_without: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the leak audit, once for all tasks where it reads the same.

    Attributes:
        tasks: their names.
        text: the finding.
        leaked: whether any query leaks.
        references: the finding on reference captions or right answers; empty where there are none.
        examples: texts that recur.
        pairs: leaked pairs; those with pictures come first.
        misses: the closest pairs that are no duplicates.
        without: scores with and without the leaked queries.
    """

    tasks: tuple[str, ...]
    text: str
    leaked: bool
    references: str
    examples: tuple[RecurringText, ...]
    pairs: tuple[ShownPair, ...]
    misses: tuple[ShownPair, ...]
    without: tuple[ScoreWithoutLeaks, ...]

    @property
    def pictured(self) -> tuple[ShownPair, ...]:
        """The first pairs that have a picture."""
        return tuple(pair for pair in self.pairs if pair.has_picture)[:MAX_PICTURED]

    @property
    def named(self) -> tuple[ShownPair, ...]:
        """The first pairs, to be listed."""
        return self.pairs[:MAX_NAMED]


@dataclass(frozen=True, slots=True)
class Audits:
    """The section of audits.

    Attributes:
        leaks: findings, task by task.
        copies: task -> its rows of the copy audit.
        modality: task -> its modality audit, as stored.
        failed: (audit, reason) of those that crashed.
    """

    leaks: list[Finding]
    copies: dict[str, list[CopyCounts]]
    modality: dict[str, Json]
    failed: list[tuple[str, str]]

    @property
    def uniform(self) -> list[tuple[str, str]]:
        """(task, kind) where all documents are of one kind."""
        return [(task, _kind(own)) for task, own in self.modality.items() if not own["mixed"]]


def audits(run: Run, pictures: EmbeddedPictures) -> Audits | None:
    """The findings of `audits.json`, or None where there is none."""
    stored = run.json(paths.AUDITS)
    if not stored:
        return None
    tasks: dict[str, Json] = stored.get("tasks") or {}
    leaks = _completed(tasks, "leak")
    return Audits(
        leaks=_merged([_finding(run, n, raw, pictures) for n, raw in leaks.items()]),
        copies={n: _copies(own["copy"]) for n, own in tasks.items() if _has_rows(own.get("copy"))},
        modality=_completed(tasks, "modality"),
        failed=[
            (f"{kind} audit of {name}", str(result["error"]))
            for name, own in tasks.items()
            for kind, result in own.items()
            if isinstance(result, dict) and "error" in result
        ],
    )


def _copies(rows: list[Json]) -> list[CopyCounts]:
    """The rows by generator, strategies with the same counts in one."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        key = setting(row["generator"], row["k"]), *(row[name] for name in CopyCounts._fields[2:])
        groups.setdefault(key, []).append(row["strategy"])
    order = list(dict.fromkeys(key[0] for key in groups))
    counts = [CopyCounts(tuple(names), *key) for key, names in groups.items()]
    return sorted(counts, key=lambda row: order.index(row.setting))


def _has_rows(result: Any) -> bool:
    """Whether an audit that lists rows has any; one that crashed has none."""
    return isinstance(result, list) and bool(result)


def _completed(tasks: dict[str, Json], kind: str) -> dict[str, Json]:
    """Task -> its audit of one kind, where there is one that did not crash."""
    results = {name: own.get(kind) for name, own in tasks.items()}
    return {n: raw for n, raw in results.items() if isinstance(raw, dict) and "error" not in raw}


def _merged(findings: list[Finding]) -> list[Finding]:
    """The findings, those that read the same merged into one; leaks are never merged."""
    merged: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        key = (finding.text, finding.references, *(finding.tasks if finding.leaked else ()))
        earlier = merged.get(key)
        merged[key] = replace(earlier, tasks=earlier.tasks + finding.tasks) if earlier else finding
    return list(merged.values())


def _finding(run: Run, task: str, audit: Json, pictures: EmbeddedPictures) -> Finding:
    facts = run.tasks.get(task)
    what = "right answers" if facts and facts.output == "answer" else "reference captions"
    return Finding(
        tasks=(task,),
        text=_leak_text(audit),
        leaked=bool(audit["leaked"]),
        references=_references_text(audit["references"], what),
        examples=tuple(_example(raw) for raw in audit["references"]["examples"]),
        pairs=tuple(_pair(raw, pictures) for raw in audit["pairs"]),
        misses=tuple(_pair(raw, pictures) for raw in audit["misses"]),
        without=tuple(_without(run, audit["without"])),
    )


def _leak_text(audit: Json) -> str:
    noun = ROLE_NOUNS.get(" ".join(audit["roles"]), "query image")
    if not audit["asked"]:
        return "The queries come without a picture, so there is none to look for."
    if not audit["held"]:
        return "The memory holds no pictures."
    of = f"{audit['asked']:,}"
    by, leaked = audit["queries"], len(audit["leaked"])
    if leaked:
        parts = ", ".join(f"{by[how]:,} as {DUPLICATE_KINDS[how]}" for how in DUPLICATE_KINDS)
        verb = "is" if leaked == 1 else "are"
        text = f"{leaked:,} of {of} {noun}s {verb} in the memory: {parts}."
    else:
        text = (
            f"No copy of a {noun} was found in the memory: 0 of {of} by bytes, pixels or "
            f"near-duplicates, among {audit['held']:,} memory images. {NOT_DETECTED}"
        )
    if audit["wanted"]:
        text += f" {audit['wanted']:,} more are the gold document itself, which is to be found."
    if audit["unreadable"]:
        text += f" {audit['unreadable']:,} pictures could not be read."
    return text


def _references_text(audit: Json, what: str) -> str:
    if not audit["captions"]:
        return ""
    recurring = share(audit["recurring"], audit["captions"])
    if what == "right answers":
        return f"{recurring} right answers are, word for word, all that a text of the memory says."
    text = f"{recurring} {what} occur word for word in the memory"
    if audit["chance"] is not None:
        text += (
            f"; of the memory's own captions {percent(audit['chance'])} occur in another document"
        )
    text += "."
    if audit["whole"]:
        text += f" For {counted(len(audit['whole']), 'query')} all references do."
    return text


def _example(raw: Json) -> RecurringText:
    more = raw["n_documents"] - len(raw["documents"])
    where = ", ".join(str(id) for id in raw["documents"])
    documents = f"{where} and {more:,} more" if more else where
    return RecurringText(str(raw["query"]), raw["caption"], documents)


def _pair(raw: Json, pictures: EmbeddedPictures) -> ShownPair:
    cosine = raw.get("cosine")
    alike = [
        f"{raw['bits']} of 64 hash bits differ",
        f"thumbs differ by up to {raw['levels']} of 255",
    ]
    alike += [] if cosine is None else [f"encoder cosine {cosine:.3f}"]
    return ShownPair(
        query=str(raw["query"]),
        document=str(raw["document"]),
        query_picture=pictures.place(raw.get("image")),
        document_picture=pictures.place(raw.get("found")),
        how={"near": "near-duplicate"}.get(raw["how"], DUPLICATE_KINDS.get(raw["how"], "")),
        alike=", ".join(alike),
    )


def _without(run: Run, rows: list[Json]) -> Iterator[ScoreWithoutLeaks]:
    for row in rows:
        known = row["measure"] in run.measures
        if known and row["slice"] == "all" and row["estimate"] is not None:
            measure, without = run.measures[row["measure"]], row["without"]
            places = decimals(measure, [row["estimate"]])
            parts = (row["strategy"], setting(row["generator"], row["k"]))
            yield ScoreWithoutLeaks(
                " · ".join(part for part in parts if part),
                f"{measure} {unit(measure)}".rstrip(),
                shown(measure, row["estimate"], places),
                f"{row['n']:,}",
                "to be scored again" if without is None else shown(measure, without, places),
                "" if row["n_without"] is None else f"{row['n_without']:,}",
            )


def _kind(audit: Json) -> str:
    words = {"image": "an image", "text": "a text", "pair": "an image with texts"}
    return next((words[kind] for kind, share in audit["memory"].items() if share), "nothing")


def share(part: int, whole: int) -> str:
    """`3 of 400 (0.8 %)`."""
    return f"{part:,} of {whole:,} ({percent(part / whole)})" if whole else "0 of 0"


def percent(share: Any) -> str:
    """A share as the page shows it: `0.8 %`."""
    return f"{100 * share:.1f} %"
