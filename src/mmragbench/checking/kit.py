"""The checks of a component: the rules of its kind, with the kit's stand-ins for models."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mmragbench.cache.cache import Cache
from mmragbench.checking import datasets, generators, measures, models, reports, stores, strategies
from mmragbench.checking.inputs import folder
from mmragbench.checking.resolve import component
from mmragbench.checking.rules import Breaches, Check, rule
from mmragbench.checking.subjects import Contract, Subject
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.meter import Meter
from mmragbench.planning.binding import bound, roles
from mmragbench.planning.suite import Suite
from mmragbench.registry import METHODS

CONTRACTS: dict[str, Contract] = {
    **models.CONTRACTS,
    "generator": generators.CONTRACT,
    "strategy": strategies.CONTRACT,
    "store": stores.CONTRACT,
    "dataset": datasets.CONTRACT,
    "measure": measures.CONTRACT,
    "report": reports.CONTRACT,
}
"""Kind -> its contract."""

STAND_INS = {
    f"kit-{role}": {"use": f"mmragbench.checking.stand_ins:{role.title()}"}
    for role in models.CONTRACTS
}
"""The kit's own models, as a suite would name them: `kit-encoder` and so on."""


def subject(
    target: str | Callable[..., Any],
    kind: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    models: Mapping[str, Mapping[str, Any]] | None = None,
) -> Subject:
    """The subject of checks: a component with its contract and the models that it needs.

    Args:
        target: a registered name, `package.module:Name`, a class, or a function that makes one.
        kind: which kind of component; needed for what is not registered, or as several kinds.
        arguments: for its constructor, as a suite would give them; models by name.
        models: those of a suite, besides the stand-ins (`kit-encoder`, `kit-chat`, ...), which take
            the place of all that are not named.

    Raises:
        SuiteError: there is no such component, or the arguments do not fit it.
    """
    chosen = component(target, kind)
    contract = CONTRACTS[chosen.kind]
    if chosen.kind in ("measure", "report"):
        return Subject(chosen, contract, lambda **_: chosen.make)
    suite = _suite(models or {})
    stand_ins = {parameter: f"kit-{role}" for parameter, role in roles(chosen).items()}
    bound_component = bound(chosen, {**stand_ins, **(arguments or {})}, (chosen.name,), suite)
    build = partial(Assembly(suite, Cache(folder("cache")), Meter()).build, bound_component)
    names = {parameter: name for parameter, (_, name) in bound_component.models.items()}
    origin = {
        "target": target,
        "kind": chosen.kind,
        "arguments": dict(arguments or {}),
        "models": dict(models or {}),
    }
    return Subject(chosen, contract, build, names, origin if isinstance(target, str) else None)


def _suite(models: Mapping[str, Mapping[str, Any]]) -> Suite:
    return Suite.model_validate(
        {
            "name": "check",
            "dataset": {},
            "models": {**STAND_INS, **models},
            "strategies": {"no-retrieval": {}},
            "tasks": {"captioning": {"measures": ["R@1"]}},
        }
    )


def rules(
    target: str | Callable[..., Any], kind: str | None = None, **arguments: Any
) -> list[Check]:
    """The checks of a component, one a rule, to parametrize a test with.

        @pytest.mark.parametrize("rule", rules(MyStrategy, "strategy", width=3), ids=str)
        def test_my_strategy_keeps_its_contract(rule):
            rule()

    Args:
        target: as in `subject`; nothing is made of it before a rule is called.
        kind: as in `subject`.
        arguments: for its constructor.

    Raises:
        SuiteError: as in `subject`.
    """
    return list(rules_on(subject(target, kind, arguments)))


def rules_on(checked: Subject) -> Iterator[Check]:
    """The checks of a subject."""
    if checked.component.kind in METHODS:
        yield Check(it_has_its_methods, checked)
    for own in checked.contract.rules:
        yield Check(own, checked)


@rule("See mmragbench/contracts.py")
def it_has_its_methods(checked: Subject) -> Breaches:
    """The class has the methods of its kind."""
    make, kind = checked.component.make, checked.component.kind
    holder = make if inspect.isclass(make) else checked.instance
    lacking = [name for name in METHODS[kind] if not callable(getattr(holder, name, None))]
    if lacking:
        names = ", ".join(METHODS[kind])
        yield f"of {names}, the methods of a {kind}, it lacks {', '.join(lacking)}"
