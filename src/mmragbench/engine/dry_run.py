"""The prompts that a run would send to chat models and painters, recorded without sending one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmragbench.contracts import Vectors
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.loop import Loop
from mmragbench.errors import NotApplicable
from mmragbench.planning.binding import Bound
from mmragbench.planning.plan import Plan
from mmragbench.records import (
    Document,
    Drawing,
    Failure,
    Image,
    Modality,
    Prompt,
    Query,
    Reply,
    Task,
    Text,
)

SAMPLE = 100
"""How many queries stand for all where it is not known yet what is retrieved for them."""

REPLY = "A stand-in for an answer that nobody has given yet, about as long as a caption is."
ROLES = ("chat", "painter")


@dataclass
class Prompts:
    """The prompts for one model.

    Attributes:
        exact: key -> prompt, where the prompt is known to the letter.
        estimated: prompts made from other documents than those that will be retrieved, each with
            the number of prompts that it stands for.
    """

    exact: dict[str, Prompt] = field(default_factory=dict)
    estimated: list[tuple[Prompt, float]] = field(default_factory=list)

    def add(self, by_seed: Sequence[Prompts], key: Callable[[Prompt], str] | None) -> None:
        """Add the prompts of a cell under each seed. Where the same documents are retrieved under all
        of them, prompts with the same `key` are one; None, where they are not."""
        first, *others = by_seed
        self.estimated += first.estimated
        keys = {key(prompt) for prompt, _ in first.estimated} if others and key else set()
        for seed in others:
            self.estimated += [e for e in seed.estimated if not (key and key(e[0]) in keys)]
        for seed in by_seed:
            self.exact |= seed.exact

    @property
    def count(self) -> int:
        """How many prompts, at most."""
        return len(self.exact) + round(sum(times for _, times in self.estimated))


class PromptRecorder:
    """Takes the place of a cached chat model or painter: gives the replies that are known, records
    the prompts, and calls nothing.

    Args:
        model: the cached model.
        prompts: where prompts are recorded.
        times: how many prompts each stands for, if it is an estimate; None if it is exact.
    """

    def __init__(self, model: Any, prompts: Prompts, times: float | None = None) -> None:
        self._model, self._prompts, self._times = model, prompts, times

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        """The known replies, and one of a usual length for the others."""
        self._record(prompts)
        known: list[Reply | None] = self._model.recall(prompts)
        return [reply or Reply(REPLY) for reply in known]

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        """No drawings."""
        self._record(prompts)
        return [Failure("not drawn yet")] * len(prompts)

    def _record(self, prompts: Sequence[Prompt]) -> None:
        if self._times is None:
            self._prompts.exact.update((self._model.key(prompt), prompt) for prompt in prompts)
        else:
            self._prompts.estimated += [(prompt, self._times) for prompt in prompts]


class UncalledEncoder:
    """Takes the place of an encoder, and encodes nothing."""

    modalities: frozenset[Modality] = frozenset({"image", "text"})

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Raises NotApplicable: what a model would make of this is not known before a run."""
        raise NotApplicable("nothing is encoded before a run")

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """As `encode_images`."""
        raise NotApplicable("nothing is encoded before a run")


PromptsByModel = dict[tuple[str, str], Prompts]
"""(role, name) -> prompts."""


def dry_run(plan: Plan, tasks: Mapping[str, Task], loop: Loop) -> PromptsByModel:
    """The prompts of each chat model and painter of a plan, at most."""
    prompts: PromptsByModel = {model: Prompts() for model in plan.models if model[0] in ROLES}
    if not prompts:
        return prompts
    for name in plan.tasks:
        for strategy in plan.strategies:
            by_seed = [
                _cell(tasks[name], strategy, of_seed, {model: Prompts() for model in prompts})
                for of_seed in loop.by_seed.values()
            ]
            drawn = (
                len({str(of_seed.plan.strategies[strategy]) for of_seed in loop.by_seed.values()})
                > 1
            )
            for model, total in prompts.items():
                key = None if drawn else loop.assembly.model(*model).key
                total.add([of_cell[model] for of_cell in by_seed], key)
    return prompts


def _cell(task: Task, strategy: str, loop: Loop, prompts: PromptsByModel) -> PromptsByModel:
    """The prompts of one cell under the loop's seed."""
    if not loop.known(task.name, strategy):
        _retrieval(loop.plan, task, loop.plan.strategies[strategy], loop, prompts)
    for generator, k in loop.plan.tasks[task.name].cells:
        _generation(loop.plan.generators[generator], task, (strategy, k), loop, prompts)
    return prompts


def _recorders(
    bound: Bound, assembly: Assembly, prompts: PromptsByModel, times: float | None
) -> dict[str, Any] | None:
    """Parameter -> recorder; None where a component needs models that cannot be recorded. An encoder
    may stand beside them that is only asked about their answers."""
    roles = {role for role, _ in bound.models.values()}
    if not roles & set(ROLES) or roles - {*ROLES, "encoder"}:
        return None
    return {
        parameter: UncalledEncoder()
        if model[0] == "encoder"
        else PromptRecorder(assembly.model(*model), prompts[model], times)
        for parameter, model in bound.models.items()
    }


def _generation(
    bound: Bound, task: Task, cell: tuple[str, int], loop: Loop, prompts: PromptsByModel
) -> None:
    strategy, k = cell
    retrieved = loop.retrieved(task.name, strategy)
    if retrieved and retrieved.absence is not None:
        return
    queries, times = list(task.queries), None
    if retrieved:
        memory = {document.id: document for document in task.memory}
        contexts = [[memory[id] for id in ranking.ids[:k]] for ranking in retrieved.rankings]
    else:
        queries, times = _sample(task)
        contexts = [_first_documents(task, k)] * len(queries)
    recorders = _recorders(bound, loop.assembly, prompts, times)
    if recorders:
        try:
            generator = loop.assembly.build(bound, output=task.output, **recorders)
            generator.generate(queries, contexts)
        except NotApplicable:
            return


def _retrieval(
    plan: Plan, task: Task, strategy: Bound, loop: Loop, prompts: PromptsByModel
) -> None:
    """The prompts of a strategy's captioners and judges that are made of chat models."""
    for role, name in strategy.models.values():
        bound = plan.models[role, name]
        if role == "captioner" and (
            recorders := _recorders(bound, loop.assembly, prompts, times=None)
        ):
            captioner = loop.assembly.build(bound, **recorders)
            images = [(d.image, "") for d in task.memory if d.image]
            images += [(q.image, q.text.content if q.text else "") for q in task.queries if q.image]
            captioner.caption([image for image, _ in images], [words for _, words in images])
        if role == "reranker":
            queries, times = _sample(task)
            candidates = _first_documents(task, int(strategy.args.get("depth", 1)))
            if recorders := _recorders(bound, loop.assembly, prompts, times):
                reranker = loop.assembly.build(bound, **recorders)
                pairs = [(query, document) for query in queries for document in candidates]
                reranker.score([query for query, _ in pairs], [document for _, document in pairs])


def _sample(task: Task) -> tuple[list[Query], float]:
    """The first queries, and how many each stands for."""
    queries = list(task.queries[:SAMPLE])
    return queries, len(task.queries) / max(len(queries), 1)


def _first_documents(task: Task, k: int) -> list[Document]:
    return [task.memory[i] for i in range(min(k, len(task.memory)))]
