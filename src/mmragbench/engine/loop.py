"""The loop: retrieve, generate, score, for every strategy on every task; reuse what is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
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
from mmragbench.measuring.seed_means import absence_over_seeds, over_seeds
from mmragbench.planning.binding import Bound
from mmragbench.planning.plan import Plan
from mmragbench.records import (
    Absence,
    Document,
    Exclusion,
    Measure,
    Output,
    OutputKind,
    Ranking,
    Task,
)
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
        parts = [task.relevance, qrels, task.references, targets, task.slices, self.memory.digest]
        return digest([*parts, *_label_parts(task)])

    def digests(self) -> dict[str, str]:
        """As a manifest has them."""
        return {
            "memory_digest": self.memory.digest,
            "queries_digest": self.queries_digest,
            "gold_digest": self.gold_digest,
        }


def _label_parts(task: Task) -> list[Any]:
    """What a digest has of the labels; nothing where the task has none."""
    images = {
        name: [image.digest or image.id for image in pictures]
        for name, pictures in task.label_images.items()
    }
    parts = [task.labels, task.memory_labels, task.original_labels, images]
    return parts if any(parts) else []


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
    """A strategy on a task, with the generators' cells below it.

    Attributes:
        by_seed: where something depends on the seed, the cell of each seed; then the scores are those
            over all seeds, and all else is the first seed's.
    """

    task: str
    strategy: str
    retrieved: Retrieved
    scored: Scored = field(default_factory=dict)
    generated: dict[tuple[str, int], tuple[Generated, Scored]] = field(default_factory=dict)
    by_seed: dict[int, Cell] = field(default_factory=dict)

    def outputs(self) -> Iterator[tuple[int | None, tuple[str, int], Generated]]:
        """Seed, setting and outputs: the first seed's, and those of other seeds that differ from them.
        The seed is None where nothing in the cell depends on it."""
        cells: dict[int | None, Cell] = dict(self.by_seed.items()) or {None: self}
        for seed, cell in cells.items():
            for setting, (generated, _) in cell.generated.items():
                if (
                    cell is next(iter(cells.values()))
                    or generated is not self.generated[setting][0]
                ):
                    yield seed, setting, generated

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """What could not be used of the files that other systems made, each once."""
        outputs = (own.exclusions for own, _ in self.generated.values())
        return tuple(dict.fromkeys(chain(self.retrieved.exclusions, *outputs)))


@dataclass(frozen=True)
class Known:
    """A result, and the key of what it depends on."""

    key: str
    result: Any


class Loop:
    """Runs the cells of a plan, under one seed. Every stage is looked up by its identity first."""

    def __init__(self, plan: Plan, tasks: Mapping[str, Task], cache: Cache, meter: Meter) -> None:
        self.plan, self._cache, self._meter = plan, cache, meter
        self.assembly = Assembly(plan.suite, cache, meter)
        self.prepared = prepared({name: tasks[name] for name in plan.tasks}, plan.depth)
        self._indexed: tuple[str, Strategy, Cost] | None = None
        self._first: dict[tuple[Any, ...], Known] = {}

    @cached_property
    def by_seed(self) -> dict[int, Loop]:
        """The loop of each seed of the suite, of which the first is this one. They share the tasks,
        the models that take no seed, and results that are the same as the first seed's."""
        loops = {self.plan.suite.seed: self}
        for seed, plan in list(self.plan.by_seed.items())[1:]:
            loops[seed] = other = copy(self)
            other.plan, other.assembly = plan, self.assembly.with_seed(seed)
        return loops

    def cell(self, name: str, strategy: str) -> Cell:
        """Retrieve, then generate and score."""
        prepared, place = self.prepared[name], (name, strategy)
        known = self._retrieve(prepared, self.plan.strategies[strategy], place)
        retrieved: Retrieved = known.result
        cell = Cell(name, strategy, retrieved)
        measures = self.plan.tasks[name].retrieval
        if measures and retrieved.absence is None and retrieved.has_hits:
            cell.scored = self._once(
                (*place, "scores"),
                known.key,
                lambda: self._score(measures, prepared, known.key, retrieved.rankings, Generated()),
            ).result
        for generator, k in self.plan.tasks[name].cells:
            cell.generated[generator, k] = self._generate(prepared, known, place, (generator, k))
        return cell

    def cell_over_seeds(self, name: str, strategy: str) -> Cell:
        """The cell over all seeds of the suite; with one seed, `cell`."""
        cells = {seed: loop.cell(name, strategy) for seed, loop in self.by_seed.items()}
        first = cells[self.plan.suite.seed]
        if all(_is_same(first, other) for other in cells.values()):
            return first
        groups = {query.id: query.group or query.id for query in self.prepared[name].task.queries}
        cell = replace(
            first,
            by_seed=cells,
            generated={},
            retrieved=_over_seeds({seed: own.retrieved for seed, own in cells.items()}),
        )
        cell.scored = over_seeds({seed: own.scored for seed, own in cells.items()}, groups)
        for setting in first.generated:
            own = {seed: of_seed.generated[setting] for seed, of_seed in cells.items()}
            outputs = _over_seeds({seed: generated for seed, (generated, _) in own.items()})
            scored = over_seeds({seed: scored for seed, (_, scored) in own.items()}, groups)
            cell.generated[setting] = outputs, scored
        return cell

    def _once(self, place: tuple[Any, ...], key: str, compute: Callable[[], Any]) -> Known:
        """A result in a place of the plan; the first seed's, where this one has the same key, or turns
        out to be the same."""
        first = self._first.get(place)
        if first and first.key == key:
            return first
        known = Known(key, compute())
        first = self._first.setdefault(place, known)
        return first if first is known or _same(first.result, known.result) else known

    def known(self, name: str, strategy: str) -> bool:
        """Whether a cell's rankings are in the cache already."""
        return self.retrieved(name, strategy) is not None

    def retrieved(self, name: str, strategy: str) -> Retrieved | None:
        """A cell's rankings, where they are in the cache already."""
        key = self._retrieval_key(self.prepared[name], self.plan.strategies[strategy])
        stored = self._cache.load(key)
        return Retrieved.from_bytes(stored) if stored else None

    def _retrieval_key(self, prepared: PreparedTask, bound: Bound) -> str:
        gold = prepared.gold_digest if "task" in bound.given else None
        inputs = [prepared.memory.digest, prepared.queries_digest, prepared.depth, gold]
        return digest(["rankings", __version__, self.assembly.identity(bound), inputs])

    def _retrieve(self, prepared: PreparedTask, bound: Bound, place: tuple[str, str]) -> Known:
        key = self._retrieval_key(prepared, bound)
        return self._once(place, key, lambda: self._rankings(prepared, bound, key))

    def _rankings(self, prepared: PreparedTask, bound: Bound, key: str) -> Retrieved:
        if stored := self._cache.load(key):
            return Retrieved.from_bytes(stored)
        result: Retrieved = self._guarded(
            prepared, bound, Retrieved, lambda: self._compute_rankings(prepared, bound)
        )
        if not _crashed(result.absence) and not _failed(result.cost):
            self._cache.save(key, result.to_bytes())
        return result

    def _compute_rankings(self, prepared: PreparedTask, bound: Bound) -> Retrieved:
        strategy, cost = self._index(prepared, bound)
        rankings, retrieval = self._metered(
            "retrieve", lambda: strategy.retrieve(prepared.task.queries, prepared.depth)
        )
        known = set(prepared.memory.documents)
        checked = check_rankings(rankings, prepared.task.queries, known, prepared.depth)
        traits = Traits(strategy)
        total = {} if traits.elsewhere else _merged(cost, retrieval)
        return Retrieved(Rankings(checked), total, exclusions=traits.exclusions)

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
        self,
        prepared: PreparedTask,
        retrieval: Known,
        place: tuple[str, str],
        setting: tuple[str, int],
    ) -> tuple[Generated, Scored]:
        (_, strategy), (generator, k) = place, setting
        bound, retrieved = self.plan.generators[generator], retrieval.result
        if retrieved.absence is not None:
            none = Generated(absence=retrieved.absence)
            return self._once((*place, setting), retrieval.key, lambda: none).result, {}
        inputs = [retrieval.key, k, prepared.task.output]
        inputs += [strategy] if "strategy" in bound.given else []
        inputs += [prepared.gold_digest] if "task" in bound.given else []
        key = digest(["outputs", __version__, self.assembly.identity(bound), inputs])

        def compute() -> Generated:
            return self._compute_outputs(prepared, retrieved, strategy, bound, k)

        known = self._once(
            (*place, setting), key, lambda: self._outputs(prepared, bound, key, compute)
        )
        result: Generated = known.result
        if result.absence is not None:
            return result, {}
        measures = self.plan.tasks[prepared.task.name].generation
        scored = self._once(
            (*place, setting, "scores"),
            known.key,
            lambda: self._score(measures, prepared, known.key, retrieved.rankings, result),
        )
        return result, scored.result

    def _outputs(
        self,
        prepared: PreparedTask,
        bound: Bound,
        key: str,
        compute: Callable[[], Generated],
    ) -> Generated:
        stored = self._cache.load(key)
        result = Generated.from_bytes(stored) if stored else None
        if result is None or result.has_stale_image:
            result = self._guarded(prepared, bound, Generated, compute)
            if not _crashed(result.absence) and not any(o.error for o in result.outputs):
                self._cache.save(key, result.to_bytes())
        return result

    def _compute_outputs(
        self, prepared: PreparedTask, retrieved: Retrieved, strategy: str, bound: Bound, k: int
    ) -> Generated:
        task = prepared.task
        if Traits(bound.component.make).reads == 0 and retrieved.has_hits:
            raise NotApplicable(
                f"{bound.component.name} reads nothing that is retrieved; "
                "its number is in the row of a strategy that retrieves nothing"
            )
        generator = self.assembly.build(bound, output=task.output, task=task, strategy=strategy)
        contexts = [
            [prepared.memory.documents[id] for id in ranking.ids[:k]]
            for ranking in retrieved.rankings
        ]
        outputs, cost = self._metered(
            "generate", lambda: generator.generate(task.queries, contexts)
        )
        _check_kind(bound.component.name, outputs, task.output)
        traits = Traits(generator)
        nothing = not retrieved.has_hits and all(output.error for output in outputs)
        # Where a model or another system was asked, its failures are the reason.
        if nothing and not _failed(cost) and not traits.elsewhere:
            raise NotApplicable(f"{bound.component.name} needs hits, and nothing was retrieved")
        return Generated(outputs, {} if traits.elsewhere else cost, exclusions=traits.exclusions)

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


def _same(first: Any, other: Any) -> bool:
    """Whether two seeds have the same rankings or outputs; what they cost may differ."""
    pairs: tuple[tuple[Any, Any], ...]
    if isinstance(first, Retrieved):
        pairs = (
            (first.absence, other.absence),
            (first.rankings.to_plain(), other.rankings.to_plain()),
        )
    elif isinstance(first, Generated):
        pairs = (first.absence, other.absence), (list(first.outputs), list(other.outputs))
    else:
        return False
    return all(own == others for own, others in pairs)


def _is_same(first: Cell, other: Cell) -> bool:
    """Whether nothing in the cell depends on the seed."""
    return first.retrieved is other.retrieved and all(
        first.generated[setting][0] is generated
        for setting, (generated, _) in other.generated.items()
    )


def _over_seeds(by_seed: Mapping[int, Any]) -> Any:
    """The first seed's rankings or outputs; none, where a seed has none."""
    first: Any = next(iter(by_seed.values()))
    absence = absence_over_seeds({seed: result.absence for seed, result in by_seed.items()})
    return replace(first, absence=absence) if absence else first


def _crashed(absence: Absence | None) -> bool:
    return absence is not None and absence.crashed


def _failed(cost: Cost) -> bool:
    """Whether a model left something unanswered, which another run may fix. A model that is made
    of others makes no calls: what it cannot read of their answers, it will not read next time."""
    stages = (usage for stage, usage in cost.items() if stage != "seconds")
    return any(line["failed"] and line["calls"] for usage in stages for line in usage)


def _merged(first: Cost, second: Cost) -> Cost:
    return {**first, **second, "seconds": {**first["seconds"], **second["seconds"]}}
