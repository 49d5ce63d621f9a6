"""Subjects of checks: components that can be built anew, and their methods on chunks of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mmragbench._crashes import pass_on
from mmragbench.checking.rules import Rule, Skip, Test
from mmragbench.errors import NotApplicable
from mmragbench.registry import Component

Item = tuple[Any, ...]
"""One item of a chunk: its value in each argument."""


def _own(value: Any) -> Any:
    """A copy of a value that can be changed in place; any other value itself."""
    return copy(value) if isinstance(value, list | np.ndarray) else value


@dataclass(frozen=True)
class AnswerType:
    """The type of a method's answer for one item.

    Attributes:
        name: in words.
        fits: whether an answer is of this type, and the item's.
        same: whether two answers are the same, up to rounding.
        fix: how to return one.
    """

    name: str
    fits: Callable[[Item, Any], bool]
    same: Callable[[Any, Any], bool]
    fix: str


@dataclass(frozen=True)
class Chunk:
    """A method that gets a chunk of work and gives an answer for each item.

    Attributes:
        what: the method, or the kind of task, in words.
        items: the work.
        new: a fresh component's method.
        answers: the type of its answers.
    """

    what: str
    items: tuple[Item, ...]
    new: Callable[[], Callable[..., Any]]
    answers: AnswerType

    @cached_property
    def method(self) -> Callable[..., Any]:
        """The method of a component that all rules share."""
        return self.new()

    @cached_property
    def first(self) -> Any:
        """The answers to all items, computed once."""
        return self.answer(self.items)

    def columns(self, items: Sequence[Item]) -> list[list[Any]]:
        """The items as one list for each argument, all of it the receiver's own."""
        return [[_own(item[at]) for item in items] for at in range(len(self.items[0]))]

    def answer(self, items: Sequence[Item]) -> Any:
        """The answers of the shared component."""
        return self.method(*self.columns(items))

    def first_difference(self, some: Any, others: Any) -> int | None:
        """The place of the first answer that differs; None where none does."""
        pairs = enumerate(zip(some, others, strict=False))
        return next((at for at, (a, b) in pairs if not self.answers.same(a, b)), None)


@dataclass(frozen=True)
class Contract:
    """The contract of a kind of component.

    Attributes:
        unchecked: what no rule checks, in words.
        chunks: the chunks of work that a component is tried on.
        rules: in the order in which they are tried.
    """

    unchecked: str
    chunks: Callable[[Subject], Iterable[Chunk]] = lambda _: ()
    rules: list[Rule] = field(default_factory=list)

    def rule(self, fix: str = "") -> Callable[[Test], Rule]:
        """Add a rule that is this function, with what to do where it is broken."""

        def add(test: Test) -> Rule:
            self.rules.append(Rule(test, fix))
            return self.rules[-1]

        return add


@dataclass(frozen=True, eq=False)
class Subject:
    """A component under check.

    Attributes:
        component: its kind, name and definition.
        contract: that of its kind.
        build: builds it anew; `task` and `output` are passed on if it asks for them.
        models: parameter -> the model that it was given.
        arguments: those of `kit.subject`, with which another process builds the same; None for a
            class that has no name there.
        left_out: chunks that do not apply to it, each with its own reason.
    """

    component: Component
    contract: Contract
    build: Callable[..., Any]
    models: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    @cached_property
    def instance(self) -> Any:
        """The component that all rules share."""
        return self.build()

    @cached_property
    def chunks(self) -> list[Chunk]:
        """The chunks that apply.

        Raises:
            Skip: none does.
        """
        chunks = [chunk for chunk in self.contract.chunks(self) if self._applies(chunk)]
        if not chunks:
            reasons = "; ".join(dict.fromkeys(self.left_out.values()))
            raise Skip(f"nothing that the kit has applies to it: {reasons or 'no modality'}")
        return chunks

    def _applies(self, chunk: Chunk) -> bool:
        try:
            _ = chunk.first
        except NotApplicable as reason:
            self.left_out[chunk.what] = str(reason)
            return False
        except BaseException as error:  # the rules will meet it, and say where
            pass_on(error)
        return True
