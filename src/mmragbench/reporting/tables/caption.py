"""The caption of a paper's table, and the remarks below it, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmragbench.reporting.facts import issues
from mmragbench.reporting.facts.models import described
from mmragbench.reporting.facts.shown_families import within
from mmragbench.reporting.facts.units import decimals, is_distance, number
from mmragbench.reporting.tables.cells import Source
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.tables.table import Block, Column
from mmragbench.reporting.tables.table_tests import TableTests
from mmragbench.reporting.words.phrases import seeds_of, setting
from mmragbench.run_folder.numbers import Row
from mmragbench.signature import OURS, parse

INTERVALS = {
    "subscript": "Subscripts: ",
    "brackets": "In brackets: ",
    "plusminus": "±: the larger distance from the estimate to an end of its interval; intervals are ",
    "none": "",
}
OVER_SEEDS = "; of means over seeds combined with Student's interval of the seeds' means"
SIZES = ("n", "n_real", "n_generated", OURS)
"""Facts of a signature that the caption says once for all."""


@dataclass(frozen=True)
class TableContent:
    """The numbers of a paper's table, and where they come from.

    Attributes:
        obstacles: why runs stand side by side, if they do.
        left_out: reason -> the (strategy, setting) pairs that have no line because of it.
    """

    task: str
    generated: bool
    sources: Sequence[Source]
    columns: Sequence[Column]
    blocks: Sequence[Block]
    tests: TableTests
    obstacles: Sequence[str]
    left_out: Mapping[str, Sequence[tuple[str, str]]]
    request: Request

    @property
    def rows(self) -> list[Row]:
        return [row for source in self.sources for row in source.rows]

    def strategies(self) -> dict[str, str | None]:
        """Strategy -> what it is a control for, of all that have a line."""
        return {line.strategy: line.control for block in self.blocks for line in block.lines}


def caption(table: TableContent) -> Iterator[str]:
    """The caption's sentences: what is shown, sizes, models."""
    yield _what(table)
    yield from _sizes(table)
    names = list(table.strategies())
    models = (described(source.run, names, table.rows) for source in table.sources)
    yield from dict.fromkeys(filter(None, models))


def remarks(table: TableContent) -> Iterator[str]:
    """The sentences below the table: marks, strategies without a line, exclusions, signatures."""
    if table.request.style == "sd":
        yield "±: standard deviation over seeds; numbers without it do not depend on the seed."
    elif table.request.style != "none" and any(row.low is not None for row in table.rows):
        yield INTERVALS[table.request.style] + _level(table) + "."
    yield from _marks(table)
    if controls := [f"{name} ({role})" for name, role in table.strategies().items() if role]:
        yield f"Controls in italics: {', '.join(controls)}."
    if table.obstacles:
        yield f"Side by side, because they can't be compared: {'; '.join(table.obstacles)}."
    yield from _left_out(table.left_out)
    yield from _excluded(table.sources)
    yield from dict.fromkeys(row.warning for row in table.rows if row.warning)
    yield from _limits(table.rows)
    yield f"Signatures: {'; '.join(short_signatures(table.columns))}."


def _limits(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences on distances: what their intervals are of, and FID extrapolated."""
    distances = dict.fromkeys(str(row.measure) for row in rows if is_distance(row.measure))
    if distances:
        names = " and ".join(distances)
        yield f"{names}: intervals are of the distance expected at this number of images."
    for measure in distances:
        beyond = [row for row in rows if str(row.measure) == measure and "bias" in row.limit]
        if beyond:
            places = decimals(beyond[0].measure, [row.estimate or 0.0 for row in beyond])
            limits = "; ".join(_limit(row, places) for row in beyond)
            yield (
                f"{measure} extrapolated to an unlimited number (Chong and Forsyth 2020): {limits}."
            )


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
            same = [place for place, names in by_place.items() if place and names == strategies]
            where = f" with {' / '.join(same)}" if same else ""
            yield f"Without a number{where}: {', '.join(strategies)} ({reason})."


def _excluded(sources: Sequence[Source]) -> Iterator[str]:
    """What each run could not use of the data."""
    for source in sources:
        if left_out := "; ".join(left.counts for left in issues.left_out(source.run)):
            where = f" ({source.label})" if source.label else ""
            yield f"Left out of the data{where}: {left_out}."


def short_signatures(columns: Sequence[Column]) -> Iterator[str]:
    """The facts behind each measure, measures with the same facts together."""
    measures: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        if column.signature:
            facts = _facts(column.signature, column.measure.cutoff)
            measures.setdefault((column.group, facts), []).append(str(column.measure))
    for (group, facts), names in measures.items():
        where = f" ({group})" if group else ""
        yield f"{', '.join(names)}{where}: {facts}"
    versions = {parse(c.signature).get(OURS) for c in columns if c.signature} - {None}
    yield from (f"{OURS} {version}" for version in sorted(map(str, versions)))


def _facts(signature: str, cutoff: int | None) -> str:
    facts = parse(signature)
    facts.pop("measure")
    if cutoff is not None and facts.get("depth") == str(cutoff):
        del facts["depth"]
    return " ".join(f"{name}:{value}" for name, value in facts.items() if name not in SIZES)


def _what(table: TableContent) -> str:
    facts = table.sources[0].run.tasks[table.task]
    part = "" if table.generated else ", retrieval"
    names = list(dict.fromkeys(source.run.name for source in table.sources))
    silver = facts.silver if not table.generated else None
    relevance = f" (silver relevance: {silver})" if silver else ""
    only = f", {table.request.slice} only" if table.request.slice != "all" else ""
    return f"{facts.name}{part}{relevance}, on {', '.join(names)}{only}."


def _sizes(table: TableContent) -> Iterator[str]:
    """n, and how many documents; k stands in the groups' heads."""
    labels: dict[str, list[str]] = {}
    for source in table.sources:
        labels.setdefault(_size(source, table), []).append(source.label)
    labels.pop("", None)
    for size, names in labels.items():
        yield f"{size} ({', '.join(names)})." if len(labels) > 1 else f"{size}."
    if table.generated and any(row.k for row in table.rows):
        yield "k: documents given to the generator."
    seeds = dict.fromkeys(seeds_of(source.run) for source in table.sources)
    yield from (f"{named[:1].upper()}{named[1:]}." for named in seeds if named)


def _size(source: Source, table: TableContent) -> str:
    """`1,000 queries, 5,000 documents in the memory`, as far as they are known."""
    facts, slice = source.run.tasks[table.task], table.request.slice
    n = facts.n_queries if slice == "all" else dict(facts.slices).get(slice)
    counts = {"queries": n, "documents in the memory": facts.n_documents}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count is not None)


def _level(table: TableContent) -> str:
    """The kind of the intervals, by what the manifest says."""
    stored = table.sources[0].run.manifest.get("statistics") or {}
    resamples = f" of {stored['resamples']:,} resamples" if "resamples" in stored else ""
    level = f"{stored.get('level', 0.95) * 100:g} %"
    of = {
        what: [row.measure for row in table.rows if row.interval_of == what]
        for what in ("pseudo-values", "influences")
    }
    others = "".join(
        f"; of {what} for {', '.join(dict.fromkeys(map(str, measures)))}"
        for what, measures in of.items()
        if measures
    )
    return (
        f"{level} bootstrap intervals{resamples}, by groups of queries{others}; Wilson's for "
        "ungrouped rates" + (OVER_SEEDS if any(row.sd is not None for row in table.rows) else "")
    )


def _marks(table: TableContent) -> Iterator[str]:
    cells = [cell for block in table.blocks for line in block.lines for cell in line.cells]
    group = "its group" if len(table.blocks) > 1 else "its column"
    if any(cell.best for cell in cells):
        tied = "; underlined: no difference to it was shown" if table.tests.p_holm else ""
        yield f"Bold: best of {group}{tied}."
    if any(cell.stars for cell in cells):
        names = " or ".join(sorted({s.baseline for s in table.sources if s.baseline}))
        yield f"Differs from {names}: *: p < .05, **: p < .01, ***: p < .001."
    if any(p is not None for p in table.tests.p_holm.values()):
        yield f"Paired tests, Holm's correction {within(table.tests.families)}."
    yield from _untested(table)


def _untested(table: TableContent) -> Iterator[str]:
    """A sentence on measures that were not tested, whose numbers have no marks for that reason."""
    tested = {key[-1] for _, key, _ in table.tests.p_holm}
    rivals = any(
        sum(line.control is None and bool(line.cells[i].text) for line in block.lines) > 1
        for block in table.blocks
        for i in range(len(table.columns))
    )
    names = dict.fromkeys(str(column.measure) for column in table.columns)
    missing = [name for name in names if name not in tested]
    if missing and rivals:
        yield f"Not tested: {', '.join(missing)}."
