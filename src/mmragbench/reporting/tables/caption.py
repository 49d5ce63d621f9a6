"""The caption of a paper's table, and the remarks below it, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmragbench.reporting.facts import issues
from mmragbench.reporting.facts.models import described
from mmragbench.reporting.facts.shown_families import within
from mmragbench.reporting.facts.units import decimals, is_distance, number
from mmragbench.reporting.tables.cells import Source
from mmragbench.reporting.tables.content import TableContent
from mmragbench.reporting.tables.table import AVERAGE_RANK, Column, hundredfold
from mmragbench.reporting.words.phrases import listed, seeds_of, setting
from mmragbench.run_folder.numbers import Row
from mmragbench.signature import OURS, parse

INTERVALS = {
    "subscript": "Subscripts: ",
    "brackets": "In brackets: ",
    "plusminus": "±: the larger distance from the estimate to an end of its interval; intervals are ",
}
OVER_SEEDS = "; of means over seeds combined with Student's interval of the seeds' means"
SIZES = ("n", "n_real", "n_generated", OURS)
"""Facts of a signature that the caption says once for all."""


def caption(table: TableContent) -> Iterator[str]:
    """The caption's sentences: what is shown, and sizes; in full also seeds and models."""
    sizes = _sizes(table)
    inside = f" ({next(iter(sizes))})" if len(sizes) == 1 else ""
    yield f"{_what(table)}{inside}."
    if len(sizes) > 1:
        yield f"{'; '.join(f'{listed(labels)}: {size}' for size, labels in sizes.items())}."
    if table.request.style.note == "full":
        yield from _circumstances(table)


def _circumstances(table: TableContent) -> Iterator[str]:
    if table.generated and any(row.k for row in table.rows):
        yield "k: documents given to the generator."
    seeds = dict.fromkeys(seeds_of(source.run) for source in table.sources)
    yield from (f"{named[:1].upper()}{named[1:]}." for named in seeds if named)
    names = list(dict.fromkeys(row.strategy for row in table.rows if row.estimate is not None))
    models = (described(source.run, names, table.rows) for source in table.sources)
    yield from dict.fromkeys(filter(None, models))


def remarks(table: TableContent) -> Iterator[str]:
    """All sentences below the table: marks, strategies without a line, exclusions, signatures."""
    intervals = table.request.style.intervals
    if intervals in INTERVALS and any(row.low is not None for row in table.rows):
        yield INTERVALS[intervals] + _level(table) + "."
    if intervals == "sd":
        yield "±: standard deviation over seeds; numbers without it do not depend on the seed."
    yield from _marks(table)
    yield from _scale(table)
    yield from _average_ranks(table)
    if controls := [f"{name} ({role})" for name, role in table.strategies().items() if role]:
        yield f"Controls in italics: {', '.join(controls)}."
    if table.obstacles:
        yield f"Side by side, because they can't be compared: {'; '.join(table.obstacles)}."
    yield from _left_out(table.left_out)
    yield from _excluded(table.sources)
    yield from dict.fromkeys(row.warning for row in table.rows if row.warning)
    yield from _limits(table)
    yield f"Signatures: {'; '.join(short_signatures(table.columns))}."


def _limits(table: TableContent) -> Iterator[str]:
    """Sentences on distances: what their intervals are of, and FID extrapolated."""
    distances = dict.fromkeys(row.measure for row in table.rows if is_distance(row.measure))
    if distances:
        names = " and ".join(measure.label for measure in distances)
        yield f"{names}: intervals are of the distance expected at this number of images."
    for measure in distances:
        beyond = [row for row in table.rows if row.measure == measure and "bias" in row.limit]
        if beyond:
            places = decimals(measure, [row.estimate or 0.0 for row in beyond])
            limits = "; ".join(_limit(table, row, places) for row in beyond)
            yield (
                f"{measure.label} extrapolated to an unlimited number (Chong and Forsyth 2020): "
                f"{limits}."
            )


def _limit(table: TableContent, row: Row, places: int) -> str:
    ends = [row.limit["low"], row.limit["high"]]
    interval = "" if None in ends else f" [{', '.join(number(end, places) for end in ends)}]"
    where = f" ({setting(table.name(row.generator), row.k)})" if row.generator else ""
    return f"{table.name(row.strategy)}{where} {number(row.limit['estimate'], places)}{interval}"


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
            measures.setdefault((column.group, facts), []).append(column.measure.label)
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
    """`Retrieval for captioning (silver relevance: shared categories) on scenes, emblems only`."""
    facts = table.sources[0].run.tasks[table.task]
    name = table.name(table.task)
    for_outputs = facts.output != "none"
    part = name if table.generated else f"{'retrieval for ' * for_outputs}{name}"
    part += "" if table.generated or for_outputs else " retrieval"
    names = list(dict.fromkeys(table.name(source.run.name) for source in table.sources))
    silver = facts.silver if not table.generated else None
    relevance = f" (silver relevance: {silver})" if silver else ""
    only = f", {table.request.slice} only" if table.request.slice != "all" else ""
    return f"{part[:1].upper()}{part[1:]}{relevance} on {listed(names)}{only}"


def _sizes(table: TableContent) -> dict[str, list[str]]:
    """How many queries and documents -> the runs that have so many."""
    labels: dict[str, list[str]] = {}
    for source in table.sources:
        labels.setdefault(_size(source, table), []).append(source.label)
    labels.pop("", None)
    return labels


def _size(source: Source, table: TableContent) -> str:
    """`1,000 queries, 5,000 documents`, as far as they are known."""
    facts, slice = source.run.tasks[table.task], table.request.slice
    n = facts.n_queries if slice == "all" else dict(facts.slices).get(slice)
    counts = {"queries": n, "documents": facts.n_documents}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count is not None)


def _level(table: TableContent) -> str:
    """The kind of the intervals, by what the manifest says."""
    stored = table.sources[0].run.manifest.get("statistics") or {}
    resamples = f" of {stored['resamples']:,} resamples" if "resamples" in stored else ""
    level = f"{stored.get('level', 0.95) * 100:g} %"
    of = {
        what: [row.measure.label for row in table.rows if row.interval_of == what]
        for what in ("pseudo-values", "influences")
    }
    others = "".join(
        f"; of {what} for {', '.join(dict.fromkeys(measures))}"
        for what, measures in of.items()
        if measures
    )
    return (
        f"{level} bootstrap intervals{resamples}, by groups of queries{others}; Wilson's for "
        "ungrouped rates" + (OVER_SEEDS if any(row.sd is not None for row in table.rows) else "")
    )


def _marks(table: TableContent) -> Iterator[str]:
    cells = table.cells
    group = "its group" if len(table.blocks) > 1 else "its column"
    if any(cell.best for cell in cells):
        tied = "; underlined: no difference to it was shown" if table.tests.p_holm else ""
        yield f"Bold: best of {group}{tied}."
    if any(cell.stars for cell in cells):
        yield f"Differs from {listed(table.baselines, 'or')}: *: p < .05, **: p < .01, ***: p < .001."
    if any(p is not None for p in table.tests.p_holm.values()):
        yield f"Paired tests, Holm's correction {within(table.tests.families)}."
    yield from _untested(table)


def _scale(table: TableContent) -> Iterator[str]:
    if hundredfold(table.columns):
        yield "Numbers are ×100."


def _average_ranks(table: TableContent) -> Iterator[str]:
    """What the average ranks are over, and how they are made."""
    ranked = [column for column in table.columns if column.measure != AVERAGE_RANK]
    if len(ranked) < len(table.columns):
        sets = len(dict.fromkeys(column.group for column in ranked))
        yield (
            f"{AVERAGE_RANK.name}: the mean of a strategy's ranks over the {len(ranked)} columns of "
            f"{sets} runs, 1 for the best; equal numbers share the mean of their ranks; controls have "
            "none (Demšar 2006)."
        )


def _untested(table: TableContent) -> Iterator[str]:
    """A sentence on measures that were not tested, whose numbers have no marks for that reason."""
    tested = {key[-1] for _, key, _ in table.tests.p_holm}
    rivals = any(
        sum(line.control is None and bool(line.cells[i].text) for line in block.lines) > 1
        for block in table.blocks
        for i in range(len(table.columns))
    )
    measures = dict.fromkeys(c.measure for c in table.columns if c.measure != AVERAGE_RANK)
    missing = [measure.label for measure in measures if str(measure) not in tested]
    if missing and rivals:
        yield f"Not tested: {', '.join(missing)}."
