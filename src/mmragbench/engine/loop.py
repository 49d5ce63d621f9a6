"""The loop: retrieve, generate, score, for every strategy on every task; reuse what is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mmragbench import __version__
from mmragbench import _crashes as crashes
from mmragbench._validation import check_rankings
from mmragbench.cache.cache import Cache
from mmragbench.cache.identity import code_digest, digest, memory_digest, queries_digest
from mmragbench.contracts import Strategy, Traits
from mmragbench.engine.assembly import Assembly, Bound
from mmragbench.engine.meter import Meter, as_json
from mmragbench.engine.results import (
    Cost,
    Generated,
    Rankings,
    Retrieved,
    scored_from_bytes,
    scored_to_bytes,
)
from mmragbench.errors import CRASH, ContractError, MmragbenchError, NotApplicable
from mmragbench.measuring.scoring import Scored, score, with_info
from mmragbench.planning.plan import Plan
from mmragbench.records import Document, Measure, Ranking, Task
from mmragbench.registry import Component


@dataclass(frozen=True)
class Memory:
    """A task's memory: its digest and its documents by id, for all tasks that share it."""

    contents: Sequence[Document]

    @cached_property
    def digest(self) -> str:
        return memory_digest(self.contents)

    @cached_property
    def documents(self) -> dict[str, Document]:
        return {document.id: document for document in self.contents}


@dataclass(frozen=True)
class Posed:
    """A task with the digests of what it consists of."""

    task: Task
    depth: int
    held: Memory

    @property
    def memory(self) -> str:
        return self.held.digest

    @cached_property
    def queries(self) -> str:
        return queries_digest(self.task.queries)

    @cached_property
    def gold(self) -> str:
        """Everything that an answer is scored with; what relevance is made from, where it says so
        (`digest`), in place of all of it."""
        task = self.task
        qrels: Any = getattr(task.qrels, "digest", None)
        if qrels is None:
            qrels = {query.id: dict(task.qrels.get(query.id, {})) for query in task.queries}
        targets = {query: image.digest or image.id for query, image in task.targets.items()}
        return digest([task.relevance, qrels, task.references, targets, task.slices, self.memory])

    @property
    def documents(self) -> dict[str, Document]:
        return self.held.documents


@dataclass
class Cell:
    """A strategy on a task, with the generators' cells below it."""

    task: str
    strategy: str
    retrieved: Retrieved
    scored: Scored = field(default_factory=dict)
    generated: dict[tuple[str, int], tuple[Generated, Scored]] = field(default_factory=dict)


class Loop:
    """Runs the cells of a plan. Every stage is looked up by its identity first."""

    def __init__(self, plan: Plan, tasks: Mapping[str, Task], cache: Cache, meter: Meter) -> None:
        self._plan, self._cache, self._meter = plan, cache, meter
        self.assembly = Assembly(plan.suite, cache, meter)
        held: dict[int, Memory] = {}
        self.posed = {
            name: Posed(
                task := tasks[name],
                plan.depth(name),
                held.setdefault(id(task.memory), Memory(task.memory)),
            )
            for name in plan.tasks
        }
        self._indexed: tuple[str, Strategy, Cost] | None = None
        self.crashed: list[dict[str, str]] = []

    def cell(self, name: str, strategy: str) -> Cell:
        """Retrieve, then generate and score."""
        posed, bound = self.posed[name], self._plan.strategies[strategy]
        key, retrieved = self._retrieve(posed, bound)
        cell = Cell(name, strategy, retrieved)
        measures = self._plan.tasks[name].retrieval
        if measures and retrieved.reason is None and retrieved.found_any:
            cell.scored = self._score(measures, posed, key, retrieved.rankings, Generated())
        for generator, k in self._plan.tasks[name].cells:
            cell.generated[generator, k] = self._generate(posed, key, retrieved, generator, k)
        return cell

    def known(self, name: str, strategy: str) -> bool:
        """Whether a cell's rankings are in the cache already."""
        return self.retrieved(name, strategy) is not None

    def retrieved(self, name: str, strategy: str) -> Retrieved | None:
        """A cell's rankings, where they are in the cache already."""
        key = self._retrieval_key(self.posed[name], self._plan.strategies[strategy])
        stored = self._cache.load(key)
        return Retrieved.from_bytes(stored) if stored else None

    def _retrieval_key(self, posed: Posed, bound: Bound) -> str:
        gold = posed.gold if "task" in bound.given else None
        asked = [posed.memory, posed.queries, posed.depth, gold]
        return digest(["ranked", __version__, self.assembly.identity(bound), asked])

    def _retrieve(self, posed: Posed, bound: Bound) -> tuple[str, Retrieved]:
        key = self._retrieval_key(posed, bound)
        if stored := self._cache.load(key):
            return key, Retrieved.from_bytes(stored)
        result = self._guarded(posed, bound, Retrieved, lambda: self._really_retrieve(posed, bound))
        if not _crashed(result.reason) and not _failed(result.cost):
            self._cache.save(key, result.to_bytes())
        return key, result

    def _really_retrieve(self, posed: Posed, bound: Bound) -> Retrieved:
        strategy, cost = self._index(posed, bound)
        rankings, retrieval = self._metered(
            "retrieve", lambda: strategy.retrieve(posed.task.queries, posed.depth)
        )
        known = set(posed.documents)
        checked = check_rankings(rankings, posed.task.queries, known, posed.depth)
        return Retrieved(Rankings(checked), _merged(cost, retrieval))

    def _index(self, posed: Posed, bound: Bound) -> tuple[Strategy, Cost]:
        """A strategy with this memory in it; the last one is kept, since tasks share memories."""
        identity = self.assembly.identity(bound)
        key = digest([identity, posed.memory, posed.gold if "task" in bound.given else None])
        if self._indexed is None or self._indexed[0] != key:
            self._indexed = None
            strategy: Strategy = self.assembly.build(bound, task=posed.task)
            _, cost = self._metered("index", lambda: strategy.index(posed.task.memory))
            self._indexed = (key, strategy, cost)
        return self._indexed[1], self._indexed[2]

    def _generate(
        self, posed: Posed, retrieval: str, retrieved: Retrieved, generator: str, k: int
    ) -> tuple[Generated, Scored]:
        bound = self._plan.generators[generator]
        if retrieved.reason is not None:
            return Generated(reason=retrieved.reason), {}
        asked = [retrieval, k, posed.task.output]
        key = digest(["generate", __version__, self.assembly.identity(bound), asked])
        stored = self._cache.load(key)
        result = Generated.from_bytes(stored) if stored else None
        if result is None or result.moved:
            result = self._guarded(
                posed, bound, Generated, lambda: self._really_generate(posed, retrieved, bound, k)
            )
            if not _crashed(result.reason) and not any(o.error for o in result.outputs):
                self._cache.save(key, result.to_bytes())
        if result.reason is not None:
            return result, {}
        measures = self._plan.tasks[posed.task.name].generation
        return result, self._score(measures, posed, key, retrieved.rankings, result)

    def _really_generate(
        self, posed: Posed, retrieved: Retrieved, bound: Bound, k: int
    ) -> Generated:
        if Traits(bound.component.make).reads == 0 and retrieved.found_any:
            raise NotApplicable(
                f"{bound.component.name} reads nothing that is retrieved; "
                "its number is in the row of a strategy that retrieves nothing"
            )
        generator = self.assembly.build(bound, output=posed.task.output)
        contexts = [
            [posed.documents[id] for id in ranking.ids[:k]] for ranking in retrieved.rankings
        ]
        outputs, cost = self._metered(
            "generate", lambda: generator.generate(posed.task.queries, contexts)
        )
        nothing = not retrieved.found_any and all(output.error for output in outputs)
        if nothing and not _failed(cost):  # else a model was asked, and its failures are the reason
            raise NotApplicable(f"{bound.component.name} needs hits, and nothing was retrieved")
        return Generated(outputs, cost)

    def _score(
        self,
        measures: Mapping[Measure, Component],
        posed: Posed,
        of: str,
        rankings: Sequence[Ranking],
        generated: Generated,
    ) -> Scored:
        key = self._score_key(measures, posed, of, generated)
        if stored := self._cache.load(key):
            return with_info(scored_from_bytes(stored), measures)
        with self._meter.stage():
            scored = score(
                measures, posed.task, rankings, generated.outputs, self._features, posed.depth
            )
        reasons = {s.reason for s in scored["all"] if s.reason and _crashed(s.reason)}
        self.crashed += [
            {"task": posed.task.name, "component": "a measure", "error": reason}
            for reason in sorted(reasons)
        ]
        if not reasons:
            self._cache.save(key, scored_to_bytes(scored))
        return scored

    def _score_key(
        self, measures: Mapping[Measure, Component], posed: Posed, of: str, generated: Generated
    ) -> str:
        names = {str(measure): code_digest(c.make) for measure, c in measures.items()}
        models = {
            m.features: self.assembly.model_identity("encoder", m.features)
            for m in measures
            if m.features
        }
        errors = [output.query for output in generated.outputs if output.error]
        code = code_digest(score)
        return digest(["score", __version__, code, of, posed.gold, names, models, errors])

    def _features(self, name: str) -> Any:
        return self.assembly.model("encoder", name)

    def _metered(self, stage: str, work: Callable[[], Any]) -> tuple[Any, Cost]:
        """Do the work; its cost is its own time, and the models' time whenever that was spent."""
        with self._meter.stage() as usage:
            began = time.perf_counter()
            result = work()
            wall = time.perf_counter() - began
            own = wall - sum(line.spent for line in usage.values())
            seconds = max(own, 0.0) + sum(line.seconds for line in usage.values())
            return result, {stage: as_json(usage), "seconds": {stage: seconds}}

    def _guarded(self, posed: Posed, bound: Bound, empty: Any, work: Callable[[], Any]) -> Any:
        """A pairing that makes no sense has a reason; a component that crashes ends its cell, not
        the run."""
        try:
            return work()
        except NotApplicable as error:
            return empty(reason=str(error))
        except BaseException as error:
            crashes.pass_on(error)
            if isinstance(error, MmragbenchError) and not isinstance(error, ContractError):
                raise
            name = bound.component.name
            reason = f"{CRASH}{name}: {crashes.said(error)}"
            crashes.log(f"{posed.task.name} · {name}", error)
            self.crashed.append(
                {
                    "task": posed.task.name,
                    "component": name,
                    "error": reason,
                    "place": crashes.place(error, bound.component.make),
                }
            )
            return empty(reason=reason)


def _crashed(reason: str | None) -> bool:
    return reason is not None and reason.startswith(CRASH)


def _failed(cost: Cost) -> bool:
    """Whether a model left something unanswered, which another run may mend. A model that is made
    of others makes no calls: what it cannot read of their answers, it will not read next time."""
    stages = (usage for stage, usage in cost.items() if stage != "seconds")
    return any(line["failed"] and line["calls"] for usage in stages for line in usage)


def _merged(first: Cost, second: Cost) -> Cost:
    return {**first, **second, "seconds": {**first["seconds"], **second["seconds"]}}
