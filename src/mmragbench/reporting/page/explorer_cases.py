"""One task's queries as the explorer shows them: each with what every strategy answered."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mmragbench.formats.trec import escaped
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.outcomes import rounded
from mmragbench.reporting.facts.rivals import Rivals
from mmragbench.reporting.facts.units import decimals, factor, lower_is_better, unit
from mmragbench.reporting.page.stored_answers import Answers, Hits
from mmragbench.reporting.page.summary_strips import SummaryStrip, summary_strips
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
        """The answers by strategy; strategies that answered nothing are left out."""
        by_strategy = {
            name: Answers.read(self.run, self.facts.name, name, self.depth)
            for name in self.run.strategies
        }
        return {name: own for name, own in by_strategy.items() if own.hits or own.outputs}

    @cached_property
    def documents(self) -> dict[str, Json]:
        """The stored documents of the hits that are shown, by id as TREC's format has it."""
        hits = (hits for answers in self.answers.values() for hits in answers.hits.values())
        ids = {id for query_hits in hits for id, _ in query_hits.first}
        lines = self.run.lines(paths.in_task(self.facts.name, paths.EXPLORER_DOCUMENTS))
        return {id: raw for raw in lines if (id := escaped(raw["id"])) in ids}

    @cached_property
    def settings(self) -> list[Setting]:
        """The generators and their k, in the summary's order."""
        rows = (row for row in self.run.rows if row.task == self.facts.name)
        known = dict.fromkeys(Setting(row.generator, row.k) for row in rows)
        stored = dict.fromkeys(key for answers in self.answers.values() for key in answers.outputs)
        return [*(key for key in known if key in stored), *(k for k in stored if k not in known)]

    @cached_property
    def measures(self) -> list[tuple[Setting, str]]:
        """The measures that have a value for a query, each under a setting, retrieval's first."""
        scored = dict.fromkeys(key for answers in self.answers.values() for key in answers.scores)
        known = [key for key in scored if key[1] in self.run.measures]
        order = [RETRIEVAL, *self.settings]
        return sorted(known, key=lambda key: order.index(key[0]) if key[0] in order else len(order))

    def index(self, colours: Mapping[str, str]) -> Json:
        """The facts of the task that the page needs before a query is shown."""
        return {
            "name": self.facts.name,
            "answers": self.facts.output == "answer",
            "silver": self.facts.silver,
            "strategies": [
                {
                    "name": name,
                    "colour": colours[name],
                    "control": self.run.strategies[name],
                }
                for name in self.answers
            ],
            "settings": [{"key": str(key), "name": setting(*key)} for key in self.settings],
            "measures": [self._measure(*key) for key in self.measures],
            "main": self._main,
            "pair": self._pair,
            "silent": self._silent,
        }

    def _measure(self, where: Setting, name: str) -> Json:
        measure = self.run.measures[name]
        scores = (answers.scores.get((where, name), {}) for answers in self.answers.values())
        numbers = [value for own in scores for value in own.values() if isinstance(value, float)]
        return {
            "name": name,
            "unit": unit(measure),
            "factor": factor(measure),
            "places": decimals(measure, numbers),
            "lower": lower_is_better(measure),
            "setting": self.settings.index(where) if where in self.settings else None,
        }

    @cached_property
    def _strip(self) -> SummaryStrip | None:
        return next((s for s in summary_strips(self.run) if s.task == self.facts.name), None)

    @property
    def _main(self) -> int:
        """The number of the measure of the task's summary strip; else the first."""
        strip = self._strip
        for number, (where, name) in enumerate(self.measures):
            if strip and (setting(*where), measure_of(name)) == (strip.setting, strip.measure):
                return number
        return 0

    @property
    def _pair(self) -> list[int]:
        """The numbers of the strategies that are compared at first: the best and its first rival with
        other scores, as far as they answered."""
        best = self._strip.best[0] if self._strip else None
        if best is None or best.row is None:
            return []
        names = list(self.answers)
        rivals = Rivals(self.run).all_of(CellKey.of_row(best.row), best.strategy)
        pair = [name for name in (best.strategy, *rivals) if name in names]
        shown = self.measures[self._main :][:1]
        scores = [[self.answers[name].scores.get(key) for key in shown] for name in pair]
        differing = next((i for i, own in enumerate(scores) if own != scores[0]), 1)
        return [names.index(name) for name in (*pair[:1], *pair[differing : differing + 1])]

    @property
    def _silent(self) -> list[tuple[str, str]]:
        """The strategies without an answer, and the reasons."""
        rows = (row for row in self.run.rows if row.task == self.facts.name)
        silent = {
            r.strategy: str(r.absence) for r in rows if r.absence and r.strategy not in self.answers
        }
        return [(strategy, str(reason)) for strategy, reason in silent.items()]

    def __iter__(self) -> Iterator[Json]:
        return map(self._case, self._stored())

    def of(self, queries: Container[str]) -> dict[str, Json]:
        """The cases of some queries, by id."""
        return {raw["id"]: self._case(raw) for raw in self._stored() if raw["id"] in queries}

    def _stored(self) -> Iterator[Json]:
        return self.run.lines(paths.in_task(self.facts.name, paths.EXPLORER_QUERIES))

    def _case(self, query: Json) -> Json:
        return {
            "id": query["id"],
            "text": query.get("text"),
            "image": query.get("image"),
            "target": query.get("target"),
            "references": query.get("references") or [],
            "slices": query.get("slices") or [],
            "relevant": query.get("n_relevant"),
            "answers": list(self._answers(query)),
        }

    def _answers(self, query: Json) -> Iterator[Json]:
        """Each strategy's answer to a query, where it has one."""
        relevant = {escaped(id) for id in query.get("relevant") or []}
        for number, (strategy, answers) in enumerate(self.answers.items()):
            hits = answers.hits.get(escaped(query["id"]), Hits())
            outputs = list(self._outputs(strategy, answers, query["id"]))
            if not (hits.total or outputs):
                continue
            scores = (answers.scores.get(key, {}).get(query["id"]) for key in self.measures)
            yield {
                "strategy": number,
                "hits": [[id, float(f"{score:.4g}"), id in relevant] for id, score in hits.first],
                "total": hits.total,
                "outputs": outputs,
                "scores": list(map(_rounded, scores)),
            }

    def _outputs(self, strategy: str, answers: Answers, query: str) -> Iterator[Json]:
        for number, key in enumerate(self.settings):
            raw = answers.outputs.get(key, {}).get(query)
            if raw is not None:
                folder = paths.in_cell(self.facts.name, strategy, setting=key)
                parts = {name: raw.get(name) for name in ("text", "image", "error", "prompt")}
                yield {"setting": number, "folder": folder, **parts}


def _rounded(value: float | str | None) -> Any:
    return rounded(value) if isinstance(value, float) else value


def failed(case: Json) -> bool:
    """Whether a strategy has an error in place of an answer or a value."""
    return any(
        any(output["error"] is not None for output in answer["outputs"])
        or any(isinstance(score, str) for score in answer["scores"])
        for answer in case["answers"]
    )
