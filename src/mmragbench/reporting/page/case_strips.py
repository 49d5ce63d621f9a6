"""The strip of cases below the answers: for each task three queries as pictures and texts, with what the
strategies retrieved and generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmragbench.records import Measure
from mmragbench.reporting.facts.headline import Headline, goodness
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.outcomes import rounded
from mmragbench.reporting.facts.rivals import Rivals
from mmragbench.reporting.facts.telling_cases import TellingCase, telling_cases
from mmragbench.reporting.facts.units import decimals, lower_is_better, shown, unit
from mmragbench.reporting.page.embedded_pictures import EmbeddedPictures
from mmragbench.reporting.page.explorer_cases import Cases
from mmragbench.reporting.page.links import ExplorerLink
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.paths import RETRIEVAL, Setting

MAX_STRATEGIES = 4
"""How many strategies' answers a case shows; the explorer shows all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one strategy retrieved first and generated, and the value of it.

    Attributes:
        hit, output: texts; None where there is none.
        hit_picture, output_picture: as `data:` addresses.
        relevant: whether the first hit is relevant.
    """

    strategy: str
    value: str
    hit: str | None
    hit_picture: str | None
    relevant: bool
    output: str | None
    output_picture: str | None


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One query of a strip.

    Attributes:
        title: what the query shows, as the words of its link.
        target: the real picture that was to be generated.
        reference: the first one.
        others: how many more strategies the explorer shows.
    """

    title: str
    href: str
    query: str
    text: str | None
    picture: str | None
    target: str | None
    reference: str | None
    answers: tuple[Answer, ...]
    others: int


@dataclass(frozen=True, slots=True)
class CaseStrip:
    """One task's cases, and the measure by which they were chosen; `primary` is the task's primary
    measure where it has no value for a single query."""

    task: str
    measure: Measure
    unit: str
    setting: str
    primary: Measure | None
    cases: tuple[ShownCase, ...]


def case_strips(
    headlines: Sequence[Headline],
    shown_cases: Mapping[str, tuple[Cases, Sequence[str]]],
    pictures: EmbeddedPictures,
) -> list[CaseStrip]:
    """A strip for each task that has a telling case among the queries that the explorer shows."""
    strips = []
    for headline in headlines:
        if headline.task.name in shown_cases:
            cases, queries = shown_cases[headline.task.name]
            strip = _Chosen(headline, cases).strip(queries, pictures)
            strips += [strip] if strip and strip.cases else []
    return strips


class _Chosen:
    """A task's contenders and their values by query: by the primary measure, else by the first that has
    any. The best contender comes first, then its rival, then the others from the best to the worst.
    """

    def __init__(self, headline: Headline, cases: Cases) -> None:
        self.headline, self.cases = headline, cases
        primary = Setting(headline.generator, headline.k), str(headline.measure)
        keys = dict.fromkeys([primary, *cases.measures])
        self.key = next((key for key in keys if self._values(key)), primary)
        self.values = self._values(self.key)
        self.contenders = list(self.values)
        self.rival = self._rival()
        if self.rival:
            self.contenders.remove(self.rival)
            self.contenders.insert(1, self.rival)

    def _values(self, key: tuple[Setting, str]) -> dict[str, dict[str, float]]:
        """Contender -> query -> value, from the best number to the worst."""
        run, answers = self.cases.run, self.cases.answers
        rows = [row for row in self.headline.rows if run.strategies[row.strategy] is None]
        ranked = [row.strategy for row in sorted(rows, key=goodness, reverse=True)]
        values = {
            name: {
                query: rounded(value)
                for query, value in answers[name].scores.get(key, {}).items()
                if isinstance(value, float)
            }
            for name in ranked
            if name in answers
        }
        return {name: own for name, own in values.items() if own}

    def _rival(self) -> str:
        """The baseline or the next contender, if its values differ from those of the best one; else the
        first whose do. Empty where there is none."""
        best, *others = self.contenders or [""]
        usual = Rivals(self.cases.run).of(CellKey.of_row(self.headline.rows[0]), best)
        names = [name for name in dict.fromkeys([usual, *others]) if name in others]
        return next((name for name in names if self.values[name] != self.values[best]), "")

    @property
    def measure(self) -> Measure:
        return self.cases.run.measures[self.key[1]]

    def strip(self, queries: Sequence[str], pictures: EmbeddedPictures) -> CaseStrip | None:
        """The strip; None where no contender has a value for a query."""
        if not self.values:
            return None
        sign = -1 if lower_is_better(self.measure) else 1
        values = {
            name: {query: sign * value for query, value in own.items()}
            for name, own in self.values.items()
        }
        chosen = list(telling_cases(values, self.contenders[0], self.rival, queries))
        stored = self.cases.of({case.query for case in chosen})
        primary = self.headline.measure
        return CaseStrip(
            task=self.headline.task.name,
            measure=self.measure,
            unit=unit(self.measure),
            setting=setting(*self.key[0]),
            primary=None if self.measure == primary else primary,
            cases=tuple(self._shown(case, stored[case.query], pictures) for case in chosen),
        )

    def _shown(self, case: TellingCase, raw: Json, pictures: EmbeddedPictures) -> ShownCase:
        best = self.contenders[0]
        titles = {
            "wins": f"{best} is better than {self.rival}",
            "loses": f"{best} is worse than {self.rival}",
            "fails": "All do badly" if len(self.contenders) > 1 else f"{best} does badly",
        }
        answers = tuple(self._answers(raw, pictures))
        return ShownCase(
            title=titles[case.kind],
            href=str(self._link(case.query)),
            query=case.query,
            text=raw["text"],
            picture=pictures.address(raw["image"]),
            target=pictures.address(raw["target"]),
            reference=next(iter(raw["references"]), None),
            answers=answers,
            others=len(self.contenders) - len(answers),
        )

    def _link(self, query: str) -> ExplorerLink:
        where, measure = self.key
        name = "" if where == RETRIEVAL else str(where)
        return ExplorerLink(
            task=self.headline.task.name,
            measure=measure,
            setting=name,
            a=self.contenders[0],
            b=self.rival,
            query=query,
        )

    def _answers(self, raw: Json, pictures: EmbeddedPictures) -> Iterator[Answer]:
        """The answers of the best, its rival and the next ones."""
        by_strategy = dict(zip(self.cases.answers, range(len(self.cases.answers)), strict=True))
        stored = {answer["strategy"]: answer for answer in raw["answers"]}
        names = self.contenders[:MAX_STRATEGIES]
        numbers = {name: self.values[name].get(raw["id"]) for name in names}
        places = decimals(self.measure, [v for v in numbers.values() if v is not None])
        for name in names:
            answer, value = stored.get(by_strategy[name]), numbers[name]
            written = "not scored" if value is None else shown(self.measure, value, places)
            yield self._answer(name, written, answer or {"hits": [], "outputs": []}, pictures)

    def _answer(self, name: str, value: str, answer: Json, pictures: EmbeddedPictures) -> Answer:
        id, _, relevant = answer["hits"][0] if answer["hits"] else ("", 0, False)
        document = self.cases.documents.get(id, {})
        where = Setting(self.headline.generator, self.headline.k)
        settings = self.cases.settings
        outputs = (o for o in answer["outputs"] if settings[o["setting"]] == where)
        output: Json = next(outputs, {})
        image = output.get("image")
        generated = pictures.address(image) or pictures.address(
            image and f"{output['folder']}/{image}"
        )
        return Answer(
            strategy=name,
            value=value,
            hit=next(iter(document.get("texts") or []), None),
            hit_picture=pictures.address(document.get("image")),
            relevant=bool(relevant),
            output=output.get("text") or output.get("error"),
            output_picture=generated,
        )
