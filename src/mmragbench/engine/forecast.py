"""What a run would ask of its models, at most, and how much of it is known already."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmragbench.backends.server.prices import Used, dollars
from mmragbench.backends.weights import ABSENT
from mmragbench.cache.items import Item
from mmragbench.contracts import Paid
from mmragbench.engine.dry_run import Prompts, dry_run
from mmragbench.engine.loop import Loop
from mmragbench.planning.plan import Plan
from mmragbench.records import Image, Task, Text


@dataclass(frozen=True)
class Forecast:
    """One model in one role.

    Attributes:
        items: distinct inputs that it may be asked about, at most.
        known: how many of them have been answered before.
        seconds: what the others will take, by the mean of those that are known; None where the
            model has not been measured on this machine yet.
        tokens: what the others will come to, read and written; None for models without any.
        dollars: the same in US dollars; None for models without a price.
        measured: whether tokens and dollars go by the mean of what is known; else they are the
            most that it can be.
    """

    role: str
    model: str
    weights: str
    items: int
    known: int = 0
    seconds: float | None = None
    tokens: int | None = None
    dollars: float | None = None
    measured: bool = False


def forecast(plan: Plan, tasks: Mapping[str, Task], loop: Loop) -> list[Forecast]:
    """For each model that the plan uses; those that are made of a chat model are counted as what
    they ask of it. Rerankers are counted by their depth, as all new."""
    prompts = dry_run(plan, tasks, loop)
    used = [model for model, bound in plan.models.items() if not bound.models]
    used_tasks = [tasks[task] for task in plan.tasks]
    return [
        _prompted(*model, prompts[model], loop)
        if model in prompts
        else _forecast(*model, plan, used_tasks, loop)
        for model in used
    ]


def _forecast(role: str, name: str, plan: Plan, tasks: Sequence[Task], loop: Loop) -> Forecast:
    weights = loop.assembly.weights(role, name)
    if role == "reranker":
        queries = sum(len(task.queries) for task in tasks)
        depths = [
            bound.args.get("depth", 0)
            for bound in plan.strategies.values()
            if ("reranker", name) in bound.models.values()
        ]
        return Forecast(role, name, weights, queries * max(depths, default=0))
    if weights.startswith(ABSENT):
        return Forecast(role, name, weights, 0)
    model = loop.assembly.model(role, name)
    keys = list(dict.fromkeys(_keys(role, model, tasks)))
    known = model.known(keys)
    return Forecast(role, name, weights, len(keys), len(known), _left(len(keys), known))


def _prompted(role: str, name: str, prompts: Prompts, loop: Loop) -> Forecast:
    """A chat model or a painter."""
    weights = loop.assembly.weights(role, name)
    if weights.startswith(ABSENT):
        return Forecast(role, name, weights, prompts.count)
    model = loop.assembly.model(role, name)
    known: Mapping[str, Item] = model.known(list(prompts.exact))
    replies = [json.loads(item.value) for item in known.values()]
    paid_model = model.inner if isinstance(model.inner, Paid) else None
    missing, price = prompts.count - len(known), paid_model.price if paid_model else None
    counts = (prompts.count, len(known), _left(prompts.count, known))
    if any(reply["tokens_in"] or reply["dollars"] for reply in replies):
        tokens = sum(reply["tokens_in"] + reply["tokens_out"] for reply in replies) / len(replies)
        paid = (
            sum(reply["dollars"] for reply in replies) / len(replies) * missing if price else None
        )
        return Forecast(role, name, weights, *counts, round(tokens * missing), paid, True)
    if paid_model is None:
        return Forecast(role, name, weights, *counts)
    left = [(prompt, 1.0) for key, prompt in prompts.exact.items() if key not in known]
    most = [(paid_model.at_most(prompt), times) for prompt, times in [*left, *prompts.estimated]]
    tokens = sum((used.tokens_in + used.tokens_out) * times for used, times in most)
    paid = _sum(price, most) if price else None
    return Forecast(role, name, weights, *counts, round(tokens), paid)


def _sum(price: Any, most: Sequence[tuple[Used, float]]) -> float:
    return sum(dollars(price, used) * times for used, times in most)


def _left(count: int, known: Mapping[str, Item]) -> float | None:
    """Seconds for what is not known, by the mean of what is; None where nothing is."""
    if count <= len(known):
        return 0.0
    if not known:
        return None
    mean = sum(item.seconds for item in known.values()) / len(known)
    return mean * (count - len(known))


def _keys(role: str, model: Any, tasks: Sequence[Task]) -> Iterator[str]:
    for task in tasks:
        for item, words in _inputs(task):
            if ("image" if isinstance(item, Image) else "text") in model.modalities:
                yield model.key(item, words) if role == "captioner" else model.key(item)


def _inputs(task: Task) -> Iterator[tuple[Image | Text, str]]:
    """Pictures and texts; a picture with the words that a query has beside it."""
    for document in task.memory:
        if document.image:
            yield document.image, ""
        yield from ((text, "") for text in document.texts)
    for query in task.queries:
        words = query.text.content if query.text else ""
        yield from ((item, words) for item in (query.image, query.text) if item)
