"""One task's queries as the explorer shows them: each with what every strategy answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mmragbench.formats.trec import escaped
from mmragbench.reporting.facts.units import decimals, factor, lower_is_better, unit
from mmragbench.reporting.page.stored_answers import Answers, Hits
from mmragbench.reporting.page.strips import strips
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Json, measure_of
from mmragbench.run_folder.paths import RETRIEVAL, Setting
from mmragbench.run_folder.reading import Run, TaskFacts


@dataclass(frozen=True)
class Cases:
    """A task's stored queries, in the order in which they should be shown.

    `depth` is how many hits a strategy are shown.
    """

    run: Run
    facts: TaskFacts
    depth: int

    @cached_property
    def answers(self) -> dict[str, Answers]:
        """By strategy; those that answered nothing are left out."""
        read = {
            name: Answers.read(self.run, self.facts.name, name, self.depth)
            for name in self.run.strategies
        }
        return {name: found for name, found in read.items() if found.hits or found.outputs}

    @cached_property
    def documents(self) -> dict[str, Json]:
        """What the run stored of the documents that were found, by id as TREC's format has it."""
        lines = self.run.lines(paths.in_task(self.facts.name, paths.SHOWN_DOCUMENTS))
        return {escaped(raw["id"]): raw for raw in lines}

    @cached_property
    def settings(self) -> list[Setting]:
        """The generators and their k, in the summary's order."""
        rows = (row for row in self.run.rows if row.task == self.facts.name)
        known = dict.fromkeys(Setting(row.generator, row.k) for row in rows)
        there = dict.fromkeys(key for found in self.answers.values() for key in found.outputs)
        return [*(key for key in known if key in there), *(k for k in there if k not in known)]

    @cached_property
    def measures(self) -> list[tuple[Setting, str]]:
        """Those that have a value for a query, retrieval's first."""
        scored = dict.fromkeys(key for found in self.answers.values() for key in found.scores)
        known = [key for key in scored if key[1] in self.run.measures]
        order = [RETRIEVAL, *self.settings]
        return sorted(known, key=lambda key: order.index(key[0]) if key[0] in order else len(order))

    def index(self, colours: Mapping[str, str]) -> Json:
        """What the page has to know of the task before a query is shown."""
        return {
            "name": self.facts.name,
            "answers": self.facts.output == "answer",
            "silver": self.facts.silver,
            "strategies": [
                {"name": name, "colour": colours[name], "control": self.run.strategies[name]}
                for name in self.answers
            ],
            "settings": [setting(*key) for key in self.settings],
            "measures": [self._measure(*key) for key in self.measures],
            "main": self._main,
            "silent": self._silent,
        }

    def _measure(self, where: Setting, name: str) -> Json:
        measure = self.run.measures[name]
        values = (found.scores.get((where, name), {}).values() for found in self.answers.values())
        numbers = [value for each in values for value in each if isinstance(value, float)]
        return {
            "name": name,
            "unit": unit(measure),
            "factor": factor(measure),
            "places": decimals(measure, numbers),
            "lower": lower_is_better(measure),
            "setting": self.settings.index(where) if where in self.settings else None,
        }

    @property
    def _main(self) -> int:
        """The number of the measure that the page's first look shows; else the first."""
        strip = next((s for s in strips(self.run) if s.task == self.facts.name), None)
        for number, (where, name) in enumerate(self.measures):
            if strip and (setting(*where), measure_of(name)) == (strip.setting, strip.measure):
                return number
        return 0

    @property
    def _silent(self) -> list[tuple[str, str]]:
        """Strategies without an answer, and the reasons."""
        rows = (row for row in self.run.rows if row.task == self.facts.name)
        silent = {
            r.strategy: str(r.absence) for r in rows if r.absence and r.strategy not in self.answers
        }
        return [(strategy, str(reason)) for strategy, reason in silent.items()]

    def __iter__(self) -> Iterator[Json]:
        for query in self.run.lines(paths.in_task(self.facts.name, paths.SHOWN_QUERIES)):
            yield {
                "id": query["id"],
                "text": query.get("text"),
                "image": query.get("image"),
                "target": query.get("target"),
                "references": query.get("references") or [],
                "slices": query.get("slices") or [],
                "relevant": query.get("n_relevant"),
                "answers": [answer for answer in self._answers(query) if answer],
            }

    def _answers(self, query: Json) -> Iterator[Json | None]:
        relevant = _Relevance(query)
        for number, (strategy, found) in enumerate(self.answers.items()):
            hits = found.hits.get(escaped(query["id"]), Hits())
            outputs = list(self._outputs(strategy, found, query["id"]))
            yield (hits.total > 0 or len(outputs) > 0 or None) and {
                "strategy": number,
                "hits": [
                    [id, float(f"{score:.4g}"), relevant.of(id, rank)]
                    for rank, (id, score) in enumerate(hits.first, start=1)
                ],
                "total": hits.total,
                "outputs": outputs,
                "scores": [
                    _rounded(found.scores.get(m, {}).get(query["id"])) for m in self.measures
                ],
            }

    def _outputs(self, strategy: str, found: Answers, query: str) -> Iterator[Json]:
        for number, key in enumerate(self.settings):
            raw = found.outputs.get(key, {}).get(query)
            if raw is not None:
                kept = {name: raw.get(name) for name in ("text", "image", "error", "prompt")}
                folder = paths.in_cell(self.facts.name, strategy, setting=key)
                yield {"setting": number, "folder": folder, **kept}


def _rounded(value: float | str | None) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def failed(case: Json) -> bool:
    """Whether a strategy has an error in place of an answer or a value."""
    return any(
        any(output["error"] is not None for output in answer["outputs"])
        or any(isinstance(score, str) for score in answer["scores"])
        for answer in case["answers"]
    )


class _Relevance:
    """What is stored of documents' relevance; of many relevant ones only those that were hit."""

    def __init__(self, query: Json) -> None:
        listed = query.get("relevant") or []
        self._known = {escaped(id) for id in listed}
        self._complete = len(listed) >= (query.get("n_relevant") or 0)
        self._marked = query.get("marked") or 0

    def of(self, document: str, rank: int) -> bool | None:
        """Relevant, not relevant, or None where the run does not say."""
        told = self._complete or rank <= self._marked
        return True if document in self._known else False if told else None
