"""What a run would ask of chat models and painters, found by letting their users ask a listener."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmragbench.engine.assembly import Assembly, Bound, bind_model
from mmragbench.engine.loop import Loop
from mmragbench.errors import NotApplicable
from mmragbench.planning.plan import Plan
from mmragbench.records import Document, Drawing, Failure, Prompt, Query, Reply, Task

SAMPLE = 100
"""How many queries stand for all where it is not known yet what is retrieved for them."""

STAND_IN = "A stand-in for an answer that nobody has given yet, about as long as a caption is."
ROLES = ("chat", "painter")


@dataclass
class Asked:
    """What one model is asked.

    Attributes:
        exact: key -> prompt, where the prompt is known to the letter.
        guessed: prompts made from other documents than those that will be retrieved, each with the
            number of prompts that it stands for.
    """

    exact: dict[str, Prompt] = field(default_factory=dict)
    guessed: list[tuple[Prompt, float]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many prompts, at most."""
        return len(self.exact) + round(sum(times for _, times in self.guessed))


class Listener:
    """Stands in for a remembered chat model or painter: gives known replies, calls nothing.

    Args:
        model: the remembered model.
        asked: where prompts are noted.
        times: how many prompts each stands for, if it is a guess; None if it is exact.
    """

    def __init__(self, model: Any, asked: Asked, times: float | None = None) -> None:
        self._model, self._asked, self._times = model, asked, times

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        self._note(prompts)
        known: list[Reply | None] = self._model.recall(prompts)
        return [reply or Reply(STAND_IN) for reply in known]

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        self._note(prompts)
        return [Failure("not drawn yet")] * len(prompts)

    def _note(self, prompts: Sequence[Prompt]) -> None:
        if self._times is None:
            self._asked.exact.update((self._model.key(prompt), prompt) for prompt in prompts)
        else:
            self._asked.guessed += [(prompt, self._times) for prompt in prompts]


Notes = dict[tuple[str, str], Asked]


def rehearse(plan: Plan, tasks: Mapping[str, Task], loop: Loop) -> Notes:
    """(role, name) of each chat model and painter -> what it is asked, at most."""
    notes: Notes = {model: Asked() for model in plan.models() if model[0] in ROLES}
    if not notes:
        return notes
    for name in plan.tasks:
        for strategy, bound in plan.strategies.items():
            _retrieval(plan, tasks[name], bound, loop, notes, loop.known(name, strategy))
            for generator, k in plan.tasks[name].cells:
                _generation(plan.generators[generator], tasks[name], (strategy, k), loop, notes)
    return notes


def _stand_ins(
    bound: Bound, assembly: Assembly, notes: Notes, times: float | None
) -> dict[str, Any] | None:
    """Parameter -> listener; None where a component needs models that cannot be stood in for."""
    if not bound.models or any(role not in ROLES for role, _ in bound.models.values()):
        return None
    return {
        parameter: Listener(assembly.model(*model), notes[model], times)
        for parameter, model in bound.models.items()
    }


def _generation(bound: Bound, task: Task, cell: tuple[str, int], loop: Loop, notes: Notes) -> None:
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
        contexts = [_some(task, k)] * len(queries)
    listeners = _stand_ins(bound, loop.assembly, notes, times)
    if listeners:
        try:
            made = loop.assembly.build(bound, output=task.output, **listeners)
            made.generate(queries, contexts)
        except NotApplicable:
            return


def _retrieval(
    plan: Plan, task: Task, strategy: Bound, loop: Loop, notes: Notes, known: bool
) -> None:
    """What chat models are asked as captioners and as judges."""
    for role, name in {} if known else strategy.models.values():
        bound = bind_model(role, name, plan.suite)
        if role == "captioner" and (ears := _stand_ins(bound, loop.assembly, notes, None)):
            seen = [(d.image, "") for d in task.memory if d.image]
            seen += [(q.image, q.text.content if q.text else "") for q in task.queries if q.image]
            made = loop.assembly.build(bound, **ears)
            made.caption([image for image, _ in seen], [words for _, words in seen])
        if role == "reranker":
            queries, times = _sample(task)
            candidates = _some(task, int(strategy.args.get("depth", 1)))
            if ears := _stand_ins(bound, loop.assembly, notes, times):
                made = loop.assembly.build(bound, **ears)
                pairs = [(query, document) for query in queries for document in candidates]
                made.score([query for query, _ in pairs], [document for _, document in pairs])


def _sample(task: Task) -> tuple[list[Query], float]:
    """The first queries, and how many each stands for."""
    queries = list(task.queries[:SAMPLE])
    return queries, len(task.queries) / max(len(queries), 1)


def _some(task: Task, k: int) -> list[Document]:
    return [task.memory[i] for i in range(min(k, len(task.memory)))]
