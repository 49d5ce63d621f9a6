"""What a run would ask of its models, at most, and how much of it is known already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmragbench.assembly import Assembly
from mmragbench.plan import Plan
from mmragbench.records import Image, Task, Text
from mmragbench.weights import ABSENT


@dataclass(frozen=True)
class Forecast:
    """One model in one role.

    Attributes:
        items: distinct inputs that it may be asked about, at most.
        known: how many of them have been answered before.
        seconds: what the others will take, by the mean of those that are known; None where the
            model has not been measured on this machine yet.
    """

    role: str
    model: str
    weights: str
    items: int
    known: int
    seconds: float | None


def forecast(plan: Plan, tasks: Mapping[str, Task], assembly: Assembly) -> list[Forecast]:
    """For each model that the plan uses. Rerankers are counted by their depth, as all new."""
    return [
        _forecast(role, name, plan, [tasks[task] for task in plan.tasks], assembly)
        for role, name in plan.models()
    ]


def _forecast(
    role: str, name: str, plan: Plan, tasks: Sequence[Task], assembly: Assembly
) -> Forecast:
    weights = assembly.weights(role, name)
    if role == "reranker":
        queries = sum(len(task.queries) for task in tasks)
        depths = [
            bound.args.get("depth", 0)
            for bound in plan.strategies.values()
            if ("reranker", name) in bound.models.values()
        ]
        return Forecast(role, name, weights, queries * max(depths, default=0), 0, None)
    if weights.startswith(ABSENT):
        return Forecast(role, name, weights, 0, 0, None)
    model = assembly.model(role, name)
    keys = list(dict.fromkeys(_keys(model, tasks)))
    known = model.known(keys)
    missing, each = len(keys) - len(known), None
    if known:
        each = sum(known.values()) / len(known)
    seconds = 0.0 if not missing else None if each is None else each * missing
    return Forecast(role, name, weights, len(keys), len(known), seconds)


def _keys(model: object, tasks: Sequence[Task]) -> Iterator[str]:
    key = getattr(model, "key")  # noqa: B009  (remembered models all have one)
    modalities = getattr(model, "modalities", {"image"})
    for task in tasks:
        for item in _inputs(task):
            if ("image" if isinstance(item, Image) else "text") in modalities:
                yield key(item)


def _inputs(task: Task) -> Iterator[Image | Text]:
    for document in task.memory:
        if document.image:
            yield document.image
        yield from document.texts
    for query in task.queries:
        yield from filter(None, (query.image, query.text))
