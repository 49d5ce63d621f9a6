"""What has to be said about a table: the caption's sentences, and the remarks below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmragbench.reporting.facts.families import within
from mmragbench.reporting.facts.units import decimals, is_distance, number
from mmragbench.reporting.page import issues as troubles
from mmragbench.reporting.paper.models import described
from mmragbench.reporting.tables.family import Tests
from mmragbench.reporting.tables.paper_table import Block, Column
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.tables.tables import setting
from mmragbench.run_folder.report_data import Row, RunFolder, TaskFacts
from mmragbench.signature import OURS, parse

INTERVALS = {
    "subscript": "Subscripts: ",
    "brackets": "In brackets: ",
    "plusminus": "±: the larger distance from the estimate to an end of its interval; intervals are ",
    "none": "",
}
SIZES = ("n", "n_real", "n_generated", OURS)
"""Facts of a signature that the caption says once for all."""


@dataclass(frozen=True)
class Shown:
    """What a table is made of.

    Attributes:
        facts: each run's facts on the task, with its label.
        apart: why runs stand side by side, if they do.
        baselines: whom the stars compare with, in any of the runs.
    """

    facts: tuple[tuple[TaskFacts, RunFolder, str], ...]
    generated: bool
    rows: Sequence[Row]
    tests: Tests
    apart: tuple[str, ...]
    baselines: frozenset[str]
    request: Request


def caption(table: Shown, blocks: Sequence[Block]) -> Iterator[str]:
    """The caption, sentence by sentence: what, how many, and by which models."""
    yield _what(table)
    yield from _sizes(table)
    names = _strategies(blocks)
    yield from dict.fromkeys(
        filter(None, (described(run, names, table.rows) for _, run, _ in table.facts))
    )


def remarks(
    table: Shown,
    columns: Sequence[Column],
    blocks: Sequence[Block],
    left_out: Mapping[str, Sequence[tuple[str, str]]],
) -> Iterator[str]:
    """Below the table: how to read it, who has no line and why, how everything was measured."""
    if table.request.style != "none" and any(row.low is not None for row in table.rows):
        yield INTERVALS[table.request.style] + _level(table) + "."
    yield from _marks(table, columns, blocks)
    controls = dict.fromkeys(
        f"{line.strategy} ({line.control})" for b in blocks for line in b.lines if line.control
    )
    if controls:
        yield f"Controls in italics: {', '.join(controls)}."
    if table.apart:
        yield f"Side by side, because they can't be compared: {'; '.join(table.apart)}."
    yield from _left_out(left_out)
    yield from _excluded(table)
    yield from dict.fromkeys(row.warning for row in table.rows if row.warning)
    yield from _limits(table.rows)
    yield f"Signatures: {'; '.join(short_signatures(columns))}."


def _limits(rows: Sequence[Row]) -> Iterator[str]:
    """What the interval of a distance is of, and FID beyond this number of images."""
    distances = dict.fromkeys(str(row.measure) for row in rows if is_distance(row.measure))
    if distances:
        names = " and ".join(distances)
        yield f"{names}: intervals are of the distance expected at this number of images."
    for measure in distances:
        beyond = [row for row in rows if str(row.measure) == measure and "bias" in row.limit]
        if beyond:
            places = decimals(beyond[0].measure, [row.estimate or 0.0 for row in beyond])
            told = "; ".join(_limit(row, places) for row in beyond)
            yield f"{measure} extrapolated to an unlimited number (Chong and Forsyth 2020): {told}."


def _limit(row: Row, places: int) -> str:
    ends = [row.limit["low"], row.limit["high"]]
    interval = "" if None in ends else f" [{', '.join(number(end, places) for end in ends)}]"
    where = f" ({setting(row.generator, row.k)})" if row.generator else ""
    return f"{row.strategy}{where} {number(row.limit['estimate'], places)}{interval}"


def _left_out(left_out: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[str]:
    """Strategies without a line, settings with the same strategies and reason together."""
    for reason, places in left_out.items():
        by_place: dict[str, tuple[str, ...]] = {}
        for strategy, place in places:
            by_place[place] = (*by_place.get(place, ()), strategy)
        for strategies in dict.fromkeys(by_place.values()):
            same = [place for place, found in by_place.items() if place and found == strategies]
            where = f" with {' / '.join(same)}" if same else ""
            yield f"Without a number{where}: {', '.join(strategies)} ({reason})."


def _excluded(table: Shown) -> Iterator[str]:
    """What each run could not use of the data."""
    for _, run, label in table.facts:
        if left := "; ".join(each.counts for each in troubles.left_out(run)):
            yield f"Left out of the data{f' ({label})' if label else ''}: {left}."


def short_signatures(columns: Sequence[Column]) -> Iterator[str]:
    """The facts behind each measure, measures with the same facts together."""
    facts: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        if column.signature:
            told = _facts(column.signature, column.measure.cutoff)
            facts.setdefault((column.group, told), []).append(str(column.measure))
    for (group, told), measures in facts.items():
        where = f" ({group})" if group else ""
        yield f"{', '.join(measures)}{where}: {told}"
    versions = {parse(c.signature).get(OURS) for c in columns if c.signature} - {None}
    yield from (f"{OURS} {version}" for version in sorted(map(str, versions)))


def _facts(signature: str, cutoff: int | None) -> str:
    found = parse(signature)
    found.pop("measure")
    if cutoff is not None and found.get("depth") == str(cutoff):
        del found["depth"]
    return " ".join(f"{name}:{value}" for name, value in found.items() if name not in SIZES)


def _what(table: Shown) -> str:
    facts = table.facts[0][0]
    part = "" if table.generated else ", retrieval"
    names = list(dict.fromkeys(run.name for _, run, _ in table.facts))
    silver = facts.silver if not table.generated else None
    said = f" (silver relevance: {silver})" if silver else ""
    only = f", {table.request.slice} only" if table.request.slice != "all" else ""
    return f"{facts.name}{part}{said}, on {', '.join(names)}{only}."


def _sizes(table: Shown) -> Iterator[str]:
    """n, and how many documents; k stands in the groups' heads."""
    found: dict[str, list[str]] = {}
    for facts, _, label in table.facts:
        n = facts.n_queries
        if table.request.slice != "all":
            n = dict(facts.slices).get(table.request.slice)
        counts = {"queries": n, "documents in the memory": facts.n_documents}
        said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count is not None)
        if said:
            found.setdefault(said, []).append(label)
    for said, where in found.items():
        of = f" ({', '.join(where)})" if len(found) > 1 else ""
        yield f"{said}{of}."
    if table.generated and any(row.k for row in table.rows):
        yield "k: documents given to the generator."
    seeds = dict.fromkeys(run.manifest.get("seed") for _, run, _ in table.facts)
    told = [str(seed) for seed in seeds if seed is not None]
    if told:
        yield f"Seed {', '.join(told)}."


def _level(table: Shown) -> str:
    """What kind of intervals they are, by what the manifests say."""
    stored = table.facts[0][1].manifest.get("statistics") or {}
    resamples = f" of {stored['resamples']:,} resamples" if "resamples" in stored else ""
    level = f"{stored.get('level', 0.95) * 100:g} %"
    of = {
        what: [row.measure for row in table.rows if row.interval_of == what]
        for what in ("pseudo-values", "influences")
    }
    apart = "".join(
        f"; of {what} for {', '.join(dict.fromkeys(map(str, measures)))}"
        for what, measures in of.items()
        if measures
    )
    return (
        f"{level} bootstrap intervals{resamples}, by groups of queries{apart}; Wilson's for "
        "ungrouped rates"
    )


def _marks(table: Shown, columns: Sequence[Column], blocks: Sequence[Block]) -> Iterator[str]:
    numbers = [number for block in blocks for line in block.lines for number in line.numbers]
    group = "its group" if len(blocks) > 1 else "its column"
    if any(number.best for number in numbers):
        tied = "; underlined: can't be told apart from it" if table.tests.p_holm else ""
        yield f"Bold: best of {group}{tied}."
    if any(number.stars for number in numbers):
        names = " or ".join(sorted(table.baselines))
        yield f"Differs from {names}: *: p < .05, **: p < .01, ***: p < .001."
    if any(p is not None for p in table.tests.p_holm.values()):
        yield f"Paired tests, Holm's correction {within(table.tests.families)}."
    yield from _untested(table, columns, blocks)


def _untested(table: Shown, columns: Sequence[Column], blocks: Sequence[Block]) -> Iterator[str]:
    """Measures that keep nothing to be tested by: their numbers lack marks, which says nothing."""
    tested = {key[-1] for _, key, _ in table.tests.p_holm}
    rivals = any(
        sum(line.control is None and bool(line.numbers[i].text) for line in block.lines) > 1
        for block in blocks
        for i in range(len(columns))
    )
    names = dict.fromkeys(str(column.measure) for column in columns)
    missing = [name for name in names if name not in tested]
    if missing and rivals:
        yield f"Not tested: {', '.join(missing)}."


def _strategies(blocks: Iterable[Block]) -> list[str]:
    return list(dict.fromkeys(line.strategy for block in blocks for line in block.lines))
