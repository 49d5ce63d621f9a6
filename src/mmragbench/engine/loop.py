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
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.meter import Meter, as_json
from mmragbench.engine.results import (
    Cost,
    Generated,
    Rankings,
    Retrieved,
    scored_from_bytes,
    scored_to_bytes,
)
from mmragbench.errors import ContractError, MmragbenchError, NotApplicable
from mmragbench.measuring.scoring import Scored, score, with_info
from mmragbench.planning.binding import Bound
from mmragbench.planning.plan import Plan
from mmragbench.records import Absence, Document, Measure, Output, OutputKind, Ranking, Task
from mmragbench.registry import Component


@dataclass(frozen=True)
class Memory:
    """A memory's documents, by id too, and their digest; tasks that share a memory share this."""

    contents: Sequence[Document]

    @cached_property
    def digest(self) -> str:
        return memory_digest(self.contents)

    @cached_property
    def documents(self) -> dict[str, Document]:
        return {document.id: document for document in self.contents}


@dataclass(frozen=True)
class PreparedTask:
    """A task, how many hits it needs, and the digests of what it consists of."""

    task: Task
    depth: int
    memory: Memory

    @cached_property
    def queries_digest(self) -> str:
        return queries_digest(self.task.queries)

    @cached_property
    def gold_digest(self) -> str:
        """Of all that an answer is scored with. Where relevance says what it was made from (its
        `digest`), that stands for it."""
        task = self.task
        qrels: Any = getattr(task.qrels, "digest", None)
        if qrels is None:
            qrels = {query.id: dict(task.qrels.get(query.id, {})) for query in task.queries}
        targets = {query: image.digest or image.id for query, image in task.targets.items()}
        return digest(
            [task.relevance, qrels, task.references, targets, task.slices, self.memory.digest]
        )

    def digests(self) -> dict[str, str]:
        """As a manifest has them."""
        return {
            "memory_digest": self.memory.digest,
            "queries_digest": self.queries_digest,
            "gold_digest": self.gold_digest,
        }


def prepared(tasks: Mapping[str, Task], depth: Callable[[str], int]) -> dict[str, PreparedTask]:
    """The tasks by name, those of one memory with one digest of it.

    Args:
        tasks: name -> task.
        depth: how many hits a task of that name needs.
    """
    memories: dict[int, Memory] = {}
    return {
        name: PreparedTask(
            task, depth(name), memories.setdefault(id(task.memory), Memory(task.memory))
        )
        for name, task in tasks.items()
    }


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
        self.prepared = prepared({name: tasks[name] for name in plan.tasks}, plan.depth)
        self._indexed: tuple[str, Strategy, Cost] | None = None

    def cell(self, name: str, strategy: str) -> Cell:
        """Retrieve, then generate and score."""
        prepared, bound = self.prepared[name], self._plan.strategies[strategy]
        key, retrieved = self._retrieve(prepared, bound)
        cell = Cell(name, strategy, retrieved)
        measures = self._plan.tasks[name].retrieval
        if measures and retrieved.absence is None and retrieved.has_hits:
            cell.scored = self._score(measures, prepared, key, retrieved.rankings, Generated())
        for generator, k in self._plan.tasks[name].cells:
            cell.generated[generator, k] = self._generate(prepared, key, retrieved, generator, k)
        return cell

    def known(self, name: str, strategy: str) -> bool:
        """Whether a cell's rankings are in the cache already."""
        return self.retrieved(name, strategy) is not None

    def retrieved(self, name: str, strategy: str) -> Retrieved | None:
        """A cell's rankings, where they are in the cache already."""
        key = self._retrieval_key(self.prepared[name], self._plan.strategies[strategy])
        stored = self._cache.load(key)
        return Retrieved.from_bytes(stored) if stored else None

    def _retrieval_key(self, prepared: PreparedTask, bound: Bound) -> str:
        gold = prepared.gold_digest if "task" in bound.given else None
        inputs = [prepared.memory.digest, prepared.queries_digest, prepared.depth, gold]
        return digest(["ranked", __version__, self.assembly.identity(bound), inputs])

    def _retrieve(self, prepared: PreparedTask, bound: Bound) -> tuple[str, Retrieved]:
        key = self._retrieval_key(prepared, bound)
        if stored := self._cache.load(key):
            return key, Retrieved.from_bytes(stored)
        result = self._guarded(
            prepared, bound, Retrieved, lambda: self._compute_rankings(prepared, bound)
        )
        if not _crashed(result.absence) and not _failed(result.cost):
            self._cache.save(key, result.to_bytes())
        return key, result

    def _compute_rankings(self, prepared: PreparedTask, bound: Bound) -> Retrieved:
        strategy, cost = self._index(prepared, bound)
        rankings, retrieval = self._metered(
            "retrieve", lambda: strategy.retrieve(prepared.task.queries, prepared.depth)
        )
        known = set(prepared.memory.documents)
        checked = check_rankings(rankings, prepared.task.queries, known, prepared.depth)
        return Retrieved(Rankings(checked), _merged(cost, retrieval))

    def _index(self, prepared: PreparedTask, bound: Bound) -> tuple[Strategy, Cost]:
        """A strategy with this memory in it; the last one is kept, since tasks share memories."""
        identity = self.assembly.identity(bound)
        key = digest(
            [
                identity,
                prepared.memory.digest,
                prepared.gold_digest if "task" in bound.given else None,
            ]
        )
        if self._indexed is None or self._indexed[0] != key:
            self._indexed = None
            strategy: Strategy = self.assembly.build(bound, task=prepared.task)
            _, cost = self._metered("index", lambda: strategy.index(prepared.task.memory))
            self._indexed = (key, strategy, cost)
        return self._indexed[1], self._indexed[2]

    def _generate(
        self, prepared: PreparedTask, retrieval: str, retrieved: Retrieved, generator: str, k: int
    ) -> tuple[Generated, Scored]:
        bound = self._plan.generators[generator]
        if retrieved.absence is not None:
            return Generated(absence=retrieved.absence), {}
        inputs = [retrieval, k, prepared.task.output]
        key = digest(["generate", __version__, self.assembly.identity(bound), inputs])
        stored = self._cache.load(key)
        result = Generated.from_bytes(stored) if stored else None
        if result is None or result.has_stale_image:
            result = self._guarded(
                prepared,
                bound,
                Generated,
                lambda: self._compute_outputs(prepared, retrieved, bound, k),
            )
            if not _crashed(result.absence) and not any(o.error for o in result.outputs):
                self._cache.save(key, result.to_bytes())
        if result.absence is not None:
            return result, {}
        measures = self._plan.tasks[prepared.task.name].generation
        return result, self._score(measures, prepared, key, retrieved.rankings, result)

    def _compute_outputs(
        self, prepared: PreparedTask, retrieved: Retrieved, bound: Bound, k: int
    ) -> Generated:
        if Traits(bound.component.make).reads == 0 and retrieved.has_hits:
            raise NotApplicable(
                f"{bound.component.name} reads nothing that is retrieved; "
                "its number is in the row of a strategy that retrieves nothing"
            )
        generator = self.assembly.build(bound, output=prepared.task.output)
        contexts = [
            [prepared.memory.documents[id] for id in ranking.ids[:k]]
            for ranking in retrieved.rankings
        ]
        outputs, cost = self._metered(
            "generate", lambda: generator.generate(prepared.task.queries, contexts)
        )
        _check_kind(bound.component.name, outputs, prepared.task.output)
        nothing = not retrieved.has_hits and all(output.error for output in outputs)
        if nothing and not _failed(cost):  # else a model was asked, and its failures are the reason
            raise NotApplicable(f"{bound.component.name} needs hits, and nothing was retrieved")
        return Generated(outputs, cost)

    def _score(
        self,
        measures: Mapping[Measure, Component],
        prepared: PreparedTask,
        results_key: str,
        rankings: Sequence[Ranking],
        generated: Generated,
    ) -> Scored:
        key = self._score_key(measures, prepared, results_key, generated)
        if stored := self._cache.load(key):
            return with_info(scored_from_bytes(stored), measures)
        with self._meter.stage():
            scored = score(
                measures, prepared.task, rankings, generated.outputs, self._features, prepared.depth
            )
        if not any(_crashed(scores.absence) for scores in scored["all"]):
            self._cache.save(key, scored_to_bytes(scored))
        return scored

    def _score_key(
        self,
        measures: Mapping[Measure, Component],
        prepared: PreparedTask,
        results_key: str,
        generated: Generated,
    ) -> str:
        names = {str(measure): code_digest(c.make) for measure, c in measures.items()}
        models = {
            m.features: self.assembly.model_identity("encoder", m.features)
            for m in measures
            if m.features
        }
        errors = [output.query for output in generated.outputs if output.error]
        code = code_digest(score)
        return digest(
            ["score", __version__, code, results_key, prepared.gold_digest, names, models, errors]
        )

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

    def _guarded(
        self, prepared: PreparedTask, bound: Bound, empty: Any, work: Callable[[], Any]
    ) -> Any:
        """A pairing that makes no sense has a reason; a component that crashes ends its cell, not
        the run."""
        try:
            return work()
        except NotApplicable as error:
            return empty(absence=Absence(str(error)))
        except BaseException as error:
            crashes.pass_on(error)
            if isinstance(error, MmragbenchError) and not isinstance(error, ContractError):
                raise
            name = bound.component.name
            absence = Absence(f"{name}: {crashes.summary(error)}", "crashed")
            crashes.record(error, name, bound.component.make, prepared.task.name)
            return empty(absence=absence)


def _check_kind(name: str, outputs: Sequence[Output], wanted: OutputKind) -> None:
    """Raises NotApplicable where a generator gives what its task does not want."""
    given = [output for output in outputs if not output.error]
    if given and wanted == "image" and not any(output.image for output in given):
        raise NotApplicable(f"{name} gives texts, and this task wants images")
    if given and wanted != "image" and all(output.image for output in given):
        raise NotApplicable(f"{name} gives images, and this task wants texts")


def _crashed(absence: Absence | None) -> bool:
    return absence is not None and absence.crashed


def _failed(cost: Cost) -> bool:
    """Whether a model left something unanswered, which another run may fix. A model that is made
    of others makes no calls: what it cannot read of their answers, it will not read next time."""
    stages = (usage for stage, usage in cost.items() if stage != "seconds")
    return any(line["failed"] and line["calls"] for usage in stages for line in usage)


def _merged(first: Cost, second: Cost) -> Cost:
    return {**first, **second, "seconds": {**first["seconds"], **second["seconds"]}}
