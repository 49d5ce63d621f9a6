"""What is checked: a component that can be made anew, and its methods that get a chunk of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mmragbench._crashes import pass_on
from mmragbench.checking.verdicts import Skip
from mmragbench.errors import NotApplicable
from mmragbench.registry import Component

Row = tuple[Any, ...]
"""One item of a chunk: what stands at one place of each argument."""


def _own(value: Any) -> Any:
    """A copy of what can be changed in place."""
    return copy(value) if isinstance(value, list | np.ndarray) else value


@dataclass(frozen=True)
class Chunk:
    """A method that gets a chunk of work and gives an answer for each item.

    Attributes:
        what: the method, or the kind of task, in words.
        rows: the items; for a method of several aligned arguments, one of each.
        new: a fresh component's method.
        same: whether two answers are the same, up to rounding.
        gives: what the method returns, in words.
    """

    what: str
    rows: tuple[Row, ...]
    new: Callable[[], Callable[..., Any]]
    same: Callable[[Any, Any], bool]
    gives: str = "a list"

    @cached_property
    def ask(self) -> Callable[..., Any]:
        """The method of a component that all rules share."""
        return self.new()

    @cached_property
    def first(self) -> Any:
        """The answers to all rows, asked once."""
        return self.answer(self.rows)

    def columns(self, rows: Sequence[Row]) -> list[list[Any]]:
        """The rows as one list for each argument, all of it the receiver's own."""
        return [[_own(row[at]) for row in rows] for at in range(len(self.rows[0]))]

    def answer(self, rows: Sequence[Row]) -> Any:
        """What the shared component answers."""
        return self.ask(*self.columns(rows))

    def alike(self, some: Any, others: Any) -> int | None:
        """The place of the first answer that differs; None where none does."""
        for at, (one, other) in enumerate(zip(some, others, strict=False)):
            if not self.same(one, other):
                return at
        return None


@dataclass(frozen=True)
class Origin:
    """What another process needs to make the same component: `kit.subject`'s arguments."""

    target: str
    kind: str
    arguments: dict[str, Any]
    models: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Subject:
    """A component under check.

    Attributes:
        component: its kind, name and definition.
        build: makes it anew; `task` and `output` are passed on if it asks for them.
        lay_out: the chunks that it is tried on.
        left_out: chunks that do not apply to it, each with its own reason.
        models: parameter -> the model that it was given.
        origin: how to make it elsewhere; None for a class that has no name there.
    """

    component: Component
    build: Callable[..., Any]
    lay_out: Callable[[Subject], Iterator[Chunk]]
    left_out: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    origin: Origin | None = None

    @cached_property
    def instance(self) -> Any:
        """One that all rules share."""
        return self.build()

    @cached_property
    def chunks(self) -> list[Chunk]:
        """Those that apply.

        Raises:
            Skip: none does.
        """
        found = [chunk for chunk in self.lay_out(self) if self._applies(chunk)]
        if not found:
            reasons = "; ".join(dict.fromkeys(self.left_out.values()))
            raise Skip(f"nothing that the kit has applies to it: {reasons or 'no modality'}")
        return found

    def _applies(self, chunk: Chunk) -> bool:
        try:
            _ = chunk.first
        except NotApplicable as reason:
            self.left_out[chunk.what] = str(reason)
            return False
        except BaseException as error:  # the rules will meet it, and say where
            pass_on(error)
            return True
        return True
