"""The rules of a component, ready to be tried: made with models that the kit lends."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from mmragbench.cache.cache import Cache
from mmragbench.checking.inputs import folder
from mmragbench.checking.resolve import component
from mmragbench.checking.subjects import Origin, Subject
from mmragbench.checking.verdicts import Broken, Verdict, judge
from mmragbench.engine.assembly import Assembly, bound, roles
from mmragbench.engine.meter import Meter
from mmragbench.planning.suite import Suite
from mmragbench.registry import METHODS, Component

LENT = {
    role: f"mmragbench.checking.stand_ins:{role.title()}"
    for role in ("encoder", "captioner", "chat", "painter", "reranker")
}
"""Role -> the kit's own model for it; in suites' words, `kit-encoder` and so on."""

MODULES = {"strategy": "strategies"}
"""Kind -> the module with its rules, where that is not the kind with an s."""


@dataclass(frozen=True)
class Rule:
    """One rule on one component. Calling it raises `Broken` where it is not kept, `Skip` (which
    skips a test) where it has nothing to say, and warns (`Odd`) of what is seldom meant."""

    name: str
    text: str
    check: Callable[[], None]

    def __call__(self) -> None:
        self.check()

    def __str__(self) -> str:
        return self.name

    def verdict(self) -> Verdict:
        """What it comes to."""
        return judge(self.name, self.check)


def rules_of(kind: str) -> ModuleType:
    """The module with a kind's rules."""
    return import_module(f"{__package__}.{MODULES.get(kind, kind + 's')}")


def subject(
    target: str | Callable[..., Any],
    kind: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    models: Mapping[str, Mapping[str, Any]] | None = None,
) -> Subject:
    """A component with what it needs.

    Args:
        target: a registered name, `package.module:Name`, a class, or a function that makes one.
        kind: which kind of component, where the target may be several.
        arguments: for its constructor, as a suite would give them; models by name.
        models: those of a suite, besides the kit's own (`kit-encoder`, `kit-chat`, ...), which stand
            in for all that are not named.

    Raises:
        SuiteError: there is no such component, or the arguments do not fit it.
    """
    found = component(target, kind)
    lay_out = rules_of(found.kind).chunks
    if found.kind in ("measure", "report"):
        return Subject(found, lambda **_: found.make, lay_out)
    suite = _suite(models or {})
    lent = {parameter: f"kit-{role}" for parameter, role in roles(found).items()}
    spec = {**lent, **(arguments or {})}
    made = bound(found, spec, (found.name,), suite)
    assembly = Assembly(suite, Cache(folder("cache")), Meter())
    named = {parameter: name for parameter, (_, name) in made.models.items()}
    asked = dict(arguments or {}), dict(models or {})
    origin = Origin(target, found.kind, *asked) if isinstance(target, str) else None
    return Subject(found, partial(assembly.build, made), lay_out, models=named, origin=origin)


def _suite(models: Mapping[str, Mapping[str, Any]]) -> Suite:
    lent = {f"kit-{role}": {"use": path} for role, path in LENT.items()}
    return Suite.model_validate(
        {
            "name": "check",
            "dataset": {},
            "models": {**lent, **models},
            "strategies": {"no-retrieval": {}},
            "tasks": {"captioning": {"measures": ["R@1"]}},
        }
    )


def rules(
    target: str | Callable[..., Any], kind: str | None = None, **arguments: Any
) -> list[Rule]:
    """The rules for a component, to parametrize a test with.

        @pytest.mark.parametrize("rule", rules(MyStrategy, width=3), ids=str)
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


def rules_on(checked: Subject) -> Iterator[Rule]:
    """The rules of the subject's kind."""
    found = checked.component
    if found.kind in METHODS:
        text = "The class has the methods of its kind."
        yield Rule("it has its methods", text, partial(_has_its_methods, found, checked))
    for rule in rules_of(found.kind).RULES:
        text = " ".join((inspect.getdoc(rule) or "").split())
        yield Rule(rule.__name__.replace("_", " "), text, partial(rule, checked))


def _has_its_methods(found: Component, checked: Subject) -> None:
    names = METHODS[found.kind]
    there = found.make if inspect.isclass(found.make) else checked.instance
    lacking = [name for name in names if not callable(getattr(there, name, None))]
    if lacking:
        raise Broken(
            f"expected the methods {', '.join(names)} of a {found.kind}; it lacks "
            f"{', '.join(lacking)}. See mmragbench/contracts.py."
        )
