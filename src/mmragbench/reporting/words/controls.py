"""Sentences on the controls: whether retrieval helps, which strategies are no better than chance, and
which have a better number than the ceiling."""

from __future__ import annotations

from collections.abc import Iterator

from mmragbench.reporting.facts.headline import Headline, goodness
from mmragbench.reporting.facts.units import is_distance
from mmragbench.reporting.words.phrases import listed, with_verb
from mmragbench.reporting.words.scale import Scale
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run


def control_sentences(run: Run, headline: Headline, scale: Scale) -> Iterator[str]:
    """A sentence for each control that has something to say; nothing where a strategy stands above
    chance and below the ceiling, as it should. Distances between sets of images have neither: in the
    long run, random photographs of the same world are the best answer there is."""
    if is_distance(headline.measure):
        return
    yield from _floor(run, headline, scale)
    yield from _chance(run, headline, scale)
    yield from _ceiling(run, headline, scale)


def _floor(run: Run, headline: Headline, scale: Scale) -> Iterator[str]:
    """Sentences on the generator with and without retrieval; where the latter has no number, on the
    other generators that are shown nothing."""
    pairs = _against(run, headline, "floor")
    if pairs:
        floor = headline.row(pairs[0]["b"])
        value = f" ({headline.measure.label} {scale.value(floor)})" if floor else ""
        same = f"{headline.generator} with nothing retrieved" if headline.generator else "the floor"
        yield f"{_lead(pairs)}: against {same}{value}, {'; '.join(_clauses(pairs, scale))}."
        return
    for row in headline.without_documents:
        yield (
            f"With nothing retrieved, {row.generator} has {headline.measure.label} {scale.value(row)}; "
            f"it is another generator than {headline.generator}, so this is not what retrieval adds."
        )


def _lead(pairs: list[Json]) -> str:
    verdicts = {pair["verdict"] for pair in pairs}
    if verdicts == {"better"}:
        return "Retrieval helps"
    if "better" in verdicts:
        return "Retrieval helps some strategies"
    if "worse" in verdicts:
        return "Retrieval does harm" if verdicts == {"worse"} else "Retrieval does harm to some"
    if verdicts == {"identical"}:
        return "Retrieval changed no value"
    return "Whether retrieval helps can't be told"


def _clauses(pairs: list[Json], scale: Scale) -> Iterator[str]:
    """`a is better by 4.1 [2.0, 6.3], b by 3.0 [1.1, 4.9]`, then what is worse, then the rest."""
    for verdict in ("better", "worse"):
        chosen = [pair for pair in pairs if pair["verdict"] == verdict]
        chosen.sort(key=lambda pair: -abs(pair["difference"]))
        if chosen:
            first, *rest = (f"{pair['a']} {{}}by {scale.gap(pair, name=False)}" for pair in chosen)
            yield ", ".join([first.format(f"is {verdict} "), *(part.format("") for part in rest)])
    if equal := _named(pairs, "identical"):
        yield f"{with_verb(equal)} identical to it on all {pairs[0]['n']:,} queries"
    if tied := _named(pairs, "can't tell"):
        yield f"{listed(tied)} can't be told from it with {pairs[0]['n']:,} queries"


def _chance(run: Run, headline: Headline, scale: Scale) -> Iterator[str]:
    pairs = _against(run, headline, "chance")
    chance = headline.row(pairs[0]["b"]) if pairs else None
    value = f" ({headline.measure.label} {scale.value(chance)})" if chance else ""
    if equal := _named(pairs, "identical"):
        yield f"{with_verb(equal)} identical to chance{value} on all {pairs[0]['n']:,} queries."
    if tied := _named(pairs, "can't tell"):
        yield f"{listed(tied)} can't be told from chance{value} with {pairs[0]['n']:,} queries."
    if worse := _named(pairs, "worse"):
        yield f"{with_verb(worse)} worse than chance{value}."


def _named(pairs: list[Json], verdict: str) -> list[str]:
    return [pair["a"] for pair in pairs if pair["verdict"] == verdict]


def _ceiling(run: Run, headline: Headline, scale: Scale) -> Iterator[str]:
    """A sentence on contenders with a better number than the oracle's: relevance is no upper bound of
    other measures."""
    ceiling = next((r for r in headline.rows if run.strategies[r.strategy] == "ceiling"), None)
    if ceiling is None:
        return
    beyond = [
        row.strategy
        for row in headline.rows
        if run.strategies[row.strategy] is None and goodness(row) > goodness(ceiling)
    ]
    if not beyond:
        return
    pairs = {pair["a"]: pair["verdict"] for pair in _against(run, headline, "ceiling")}
    better = [name for name in beyond if pairs.get(name) == "better"]
    rest = [name for name in beyond if name not in better]
    parts = [f"{with_verb(better)} better than"] if better else []
    numbers = ("has a better number than", "have better numbers than")
    parts += [with_verb(rest, *numbers)] if rest else []
    rule = headline.task.silver or "gold relevance"
    yield (
        f"{', and '.join(parts)} the ceiling ({headline.measure.label} {scale.value(ceiling)}): "
        f"{ceiling.strategy} ranks by {rule}, which is no upper bound for {headline.measure.label}."
    )


def _against(run: Run, headline: Headline, role: str) -> list[Json]:
    return [pair for pair in headline.controls if run.strategies.get(pair["b"]) == role]
