"""What a suite comes to: every component bound, every cell named, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mmragbench._redacting import places_of_keys
from mmragbench.cache.identity import digest
from mmragbench.contracts import Traits
from mmragbench.errors import SuiteError, unknown
from mmragbench.planning.binding import Bound, bind, bind_model, check_model_arguments, offers
from mmragbench.planning.names import apart
from mmragbench.planning.objects import named, objects
from mmragbench.planning.suite import (
    Place,
    Source,
    Suite,
    SuiteFieldError,
    SuiteLike,
    TaskSpec,
    read,
)
from mmragbench.records import Measure, OutputKind
from mmragbench.registry import Component, arguments, every, find_measure, named_measures

MODEL_GENERATORS = {"chat": "reader", "painter": "draw"}
"""Role of a model -> the generator that it makes by itself."""


@dataclass(frozen=True)
class TaskPlan:
    """One task: its measures of rankings and of outputs, and the generators with their depths."""

    retrieval: Mapping[Measure, Component]
    generation: Mapping[Measure, Component]
    cells: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Plan:
    """A suite whose names are all bound."""

    suite: Suite
    dataset: Bound
    strategies: Mapping[str, Bound]
    generators: Mapping[str, Bound]
    tasks: Mapping[str, TaskPlan]

    def resolved(self) -> dict[str, Any]:
        """The suite with every default; of several seeds, none stands in a component's arguments."""
        last = list(self.by_seed.values())[-1]
        strategies = _resolved(self.strategies, last.strategies)
        generators = _resolved(self.generators, last.generators)
        suite = self.suite.model_dump(exclude=None if self.suite.seeds else {"seeds"})
        return {
            **suite,
            "dataset": self.dataset.resolved(),
            "strategies": strategies,
            "generators": generators,
        }

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the resolved suite, without what changes no result: the budget, how much may be
        left out, and how models are called and paid (`operational` arguments). So a larger budget
        goes on in the same folder."""
        resolved = self.resolved()
        del resolved["budget"], resolved["max_excluded"]
        for key in ("slices", "primary"):  # where there are none, as before there were any
            if not resolved[key]:
                del resolved[key]
        for task in resolved["tasks"].values():
            if task["queries"] is None:
                del task["queries"]
        models = {name: dict(spec) for name, spec in resolved["models"].items()}
        for (_, name), bound in self.models.items():
            for argument in Traits(bound.component.make).operational:
                models[name].pop(argument, None)
        given = {"objects": self.objects()} if self.objects() else {}
        return digest({**resolved, "models": models, **given})

    def objects(self) -> dict[str, dict[str, str]]:
        """The suite's Python objects by place (`strategies.mine`): their names and digests."""
        return {
            ".".join(place).removesuffix(".use"): {"name": given.name, "digest": given.digest}
            for place, given in objects(dict(self.suite))
        }

    @property
    def folder(self) -> str:
        """`<name>-<hash of the resolved suite>`."""
        return f"{self.suite.name}-{self.hash[:8]}"

    @cached_property
    def models(self) -> dict[tuple[str, str], Bound]:
        """(role, name) -> every model that is used, by strategies, generators, measures or other
        models."""
        bounds = [*self.strategies.values(), *self.generators.values()]
        used = {model for bound in bounds for model in bound.every_model}
        for task in self.tasks.values():
            used |= {
                ("encoder", measure.features) for measure in task.generation if measure.features
            }
        bound_models = {model: bind_model(*model, self.suite) for model in used}
        for model in {m for bound in bound_models.values() for m in bound.models.values()}:
            bound_models.setdefault(model, bind_model(*model, self.suite))
        return dict(sorted(bound_models.items()))

    @cached_property
    def by_seed(self) -> dict[int, Plan]:
        """The plan of each seed; the first is this one."""
        others = {
            seed: self.suite.model_copy(update={"seed": seed}) for seed in self.suite.seeds[1:]
        }
        return {self.suite.seed: self, **{seed: _plan(suite) for seed, suite in others.items()}}

    def depth(self, task: str) -> int:
        """How many hits of each ranking are kept: enough for every cutoff and every generator."""
        plan = self.tasks[task]
        cutoffs = [measure.cutoff or 0 for measure in plan.retrieval]
        return max(self.suite.depth, *cutoffs, *(k for _, k in plan.cells), 1)


def _resolved(
    bounds: Mapping[str, Bound], other_seed: Mapping[str, Bound]
) -> dict[str, dict[str, Any]]:
    """The components' specs with every default but a seed that is another under another seed."""
    specs = {name: bound.resolved() for name, bound in bounds.items()}
    for name, bound in bounds.items():
        if bound.args.get("seed") != other_seed[name].args.get("seed"):
            del specs[name]["seed"]
    return specs


def plan(suite: Suite, source: Source) -> Plan:
    """Bind every name of a suite.

    Raises:
        SuiteError: something is unknown or does not fit; names the line, the choices and the fix.
    """
    try:
        return _plan(suite)
    except SuiteFieldError as error:
        raise source.error(error.place, error.message) from error


def _plan(suite: Suite) -> Plan:
    for place in places_of_keys(suite.model_dump()):
        raise SuiteFieldError(
            place,
            "what stands here may be a key, is not repeated, and would go into the run's files; put "
            "the key into an environment variable and name that by key_env:",
        )
    suite = suite.model_copy(update=_models_of_generators(suite))
    strategies = {
        name: bind("strategy", spec, ("strategies", name), suite)
        for name, spec in suite.strategies.items()
    }
    if suite.baseline is not None and suite.baseline not in strategies:
        raise SuiteFieldError(("baseline",), unknown("strategy", suite.baseline, strategies))
    generators = {
        name: bind("generator", spec, ("generators", name), suite)
        for name, spec in suite.generators.items()
    }
    for task, spec in suite.tasks.items():
        for name in spec.generator:
            if name not in generators:
                place = ("tasks", task, "generator")
                generators[name] = bind("generator", {"use": name}, place, suite)
    try:
        apart(generators)
    except ValueError as error:
        raise SuiteFieldError(("tasks",), f"generators: {error}") from error
    dataset = bind("dataset", suite.dataset, ("dataset",), suite)
    tasks = {name: _plan_task(name, spec, generators, suite) for name, spec in suite.tasks.items()}
    suite = suite.model_copy(update={"primary": _primary(suite)})
    _check_primary(suite, tasks)
    planned = Plan(suite, dataset, strategies, generators, tasks)
    check_model_arguments(planned.models, suite)
    if suite.budget is not None:
        _check_prices(planned)
    return planned


def _primary(suite: Suite) -> str | dict[str, str]:
    """The suite's primary measures by their names, where dotted paths stand for them."""
    if isinstance(suite.primary, str):
        return _named(suite.primary, ("primary",))
    return {task: _named(text, ("primary", task)) for task, text in suite.primary.items()}


def _named(text: str, place: Place) -> str:
    return str(_parsed([text], place)[0]) if ":" in text else text


def _check_primary(suite: Suite, tasks: Mapping[str, TaskPlan]) -> None:
    """Every task that `primary` names is there, and has the measure."""
    named, advice = suite.primary, ""
    if isinstance(named, str):
        named = dict.fromkeys(tasks, named)
        advice = " One for each task is primary: {task: measure}."
    for task, measure in named.items():
        place = ("primary",) if advice else ("primary", task)
        if task not in tasks:
            raise SuiteFieldError(place, unknown("task", task, tasks))
        known = [str(m) for m in (*tasks[task].retrieval, *tasks[task].generation)]
        if measure not in known:
            raise SuiteFieldError(place, unknown(f"measure of {task}", measure, known) + advice)


def _check_prices(plan: Plan) -> None:
    """A budget cannot be kept without knowing what things cost."""
    for (_, name), bound in plan.models.items():
        if "price" in bound.args and bound.args["price"] is None:
            raise SuiteFieldError(
                ("models", name),
                "the suite has a budget:, so that this model needs a price:, in US dollars for a "
                "million tokens, e.g. {input: 0.15, output: 0.6}; or price: 0 where it is free",
            )


def _models_of_generators(suite: Suite) -> dict[str, Any]:
    """A generator may be named by its model alone: `llava: {use: transformers, name: …}` is short
    for a model `llava` and a generator `{use: reader, chat: llava}` (`draw` for a painter)."""
    models, generators = dict(suite.models), dict(suite.generators)
    for name, spec in suite.generators.items():
        use = spec.get("use", name)
        if offers("generator", use):
            continue
        for role, generator in MODEL_GENERATORS.items():
            if offers(role, use):
                if name in models:
                    raise SuiteFieldError(
                        ("generators", name), f"there is a model {name!r} as well"
                    )
                own = {key: spec[key] for key in spec if key in arguments("generator", generator)}
                models[name] = {"use": use, **{k: spec[k] for k in spec if k not in own}}
                generators[name] = {**own, "use": generator, role: name}
                break
        else:
            kinds = ("generator", *MODEL_GENERATORS)
            choices = {component.name for kind in kinds for component in every(kind)}
            place = ("generators", name, *(["use"] if "use" in spec else []))
            raise SuiteFieldError(place, unknown("generator", str(named(use)), choices))
    return {"models": models, "generators": generators}


def _plan_task(
    name: str, spec: TaskSpec, generators: Mapping[str, Bound], suite: Suite
) -> TaskPlan:
    place = ("tasks", name, "measures")
    components = {
        measure: _measure(measure, place, suite) for measure in _parsed(spec.measures, place)
    }
    retrieval = {m: component for m, component in components.items() if not component.scores}
    generation = {m: component for m, component in components.items() if component.scores}
    cells: dict[tuple[str, int], None] = {}
    for generator in spec.generator:
        reads = Traits(generators[generator].component.make).reads
        for k in spec.k:
            cells[generator, k if reads is None else min(k, reads)] = None
    return TaskPlan(retrieval, generation, tuple(cells))


def _generators(bound: Mapping[str, Bound]) -> list[str]:
    return sorted({*bound, *(component.name for component in every("generator"))})


def _parsed(names: list[str], place: Place) -> list[Measure]:
    try:
        return list(dict.fromkeys(measure for name in names for measure in named_measures(name)))
    except SuiteError as error:
        raise SuiteFieldError(place, str(error)) from error


def _measure(measure: Measure, place: Place, suite: Suite) -> Component:
    try:
        component = find_measure(measure)
    except SuiteError as error:
        raise SuiteFieldError(place, str(error)) from error
    if measure.features:
        if measure.features not in suite.models:
            raise SuiteFieldError(
                place, f"{measure}: " + unknown("model", measure.features, suite.models)
            )
        bind_model("encoder", measure.features, suite)
    return component


def check_tasks(plan: Plan, outputs: Mapping[str, OutputKind], source: Source) -> None:
    """Make sure that the dataset has the suite's tasks, and that each measure fits its task.

    Args:
        plan: the plan.
        outputs: the dataset's tasks, each with what is produced in it.
        source: the suite's text, for the line.

    Raises:
        SuiteError: it does not; names the line, the choices and the fix.
    """
    for name, task_plan in plan.tasks.items():
        if name not in outputs:
            message = unknown(f"task of {plan.dataset.component.name}", name, outputs)
            raise source.error(("tasks", name), message)
        for measure, component in task_plan.generation.items():
            if outputs[name] not in component.scores:
                fitting = [other for other in outputs if outputs[other] in component.scores]
                raise source.error(
                    ("tasks", name, "measures"),
                    f"{measure} scores {' and '.join(component.scores)} outputs; {name} produces "
                    f"{outputs[name]}; it fits {', '.join(fitting) or 'no task of this data'}",
                )
        if task_plan.generation and not task_plan.cells:
            measures = ", ".join(map(str, task_plan.generation))
            raise source.error(
                ("tasks", name),
                f"{measures} score what a generator produces; "
                f"add generator: with one or more of {', '.join(_generators(plan.generators))}",
            )


def load(given: SuiteLike, overrides: Sequence[str] = ()) -> tuple[Plan, Source]:
    """Read a suite and plan it."""
    suite, source = read(given, overrides)
    return plan(suite, source), source
