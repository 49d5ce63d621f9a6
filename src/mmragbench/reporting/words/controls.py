"""Sentences on the controls: whether retrieval helps, which strategies are no better than chance, and
which have a better number than the ceiling."""

from __future__ import annotations

from collections.abc import Iterator

from mmragbench._digits import counted
from mmragbench.reporting.facts.headline import Headline, goodness
from mmragbench.reporting.facts.units import is_distance
from mmragbench.reporting.words.no_difference import UNDECIDED, no_difference
from mmragbench.reporting.words.phrases import NAMED, shortened, with_verb
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
        undecided = _undecided(f"{same}{value}", pairs, scale)
        if clauses := "; ".join(_clauses(pairs, scale)):
            yield f"{_lead(pairs)}: against {same}{value}, {clauses}."
            yield from undecided
        else:
            yield " ".join([f"{_lead(pairs)}.", *undecided])
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
    return "That retrieval helps was not shown"


def _clauses(pairs: list[Json], scale: Scale) -> Iterator[str]:
    """`a is better by 4.1 [2.0, 6.3], b by 3.0 [1.1, 4.9]`, then what is worse, then what is identical."""
    for verdict in ("better", "worse"):
        chosen = [pair for pair in pairs if pair["verdict"] == verdict]
        chosen.sort(key=lambda pair: -abs(pair["difference"]))
        parts = [f"{pair['a']} {{}}by {scale.gap(pair, name=False)}" for pair in chosen[:NAMED]]
        if others := chosen[NAMED:]:
            least = scale.size(abs(others[-1]["difference"]), name=False)
            parts.append(f"{counted(len(others), 'other')} by {least} or more")
        if parts:
            yield ", ".join([parts[0].format(f"is {verdict} "), *(p.format("") for p in parts[1:])])
    if equal := _named(pairs, "identical"):
        yield f"{with_verb(equal)} identical to it on all {pairs[0]['n']:,} queries"


def _chance(run: Run, headline: Headline, scale: Scale) -> Iterator[str]:
    pairs = _against(run, headline, "chance")
    chance = headline.row(pairs[0]["b"]) if pairs else None
    value = f" ({headline.measure.label} {scale.value(chance)})" if chance else ""
    if equal := _named(pairs, "identical"):
        yield f"{with_verb(equal)} identical to chance{value} on all {pairs[0]['n']:,} queries."
    yield from _undecided(f"chance{value}", pairs, scale)
    if worse := _named(pairs, "worse"):
        yield f"{with_verb(worse)} worse than chance{value}."


def _undecided(control: str, pairs: list[Json], scale: Scale) -> Iterator[str]:
    """The sentence on those of which no difference to a control was shown, if there are any."""
    if tied := [pair for pair in pairs if pair["verdict"] == UNDECIDED]:
        names = shortened(_named(tied, UNDECIDED), last="or")
        yield no_difference(f"{control} and {names}", tied, scale)


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
