"""Rules of a contract, and their verdicts on one component."""

from __future__ import annotations

import inspect
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import SkipTest

from mmragbench._crashes import pass_on, place, summary, users_frames

Status = Literal["ok", "failed", "warning", "skipped"]
Breaches = Iterable[str]
"""Breaches of a rule: one sentence without a full stop for each case."""

Test = Callable[[Any], Breaches | None]
"""Takes a `Subject` and yields what breaks a rule."""

PACKAGE = Path(__file__).resolve().parent


class ContractViolation(AssertionError):
    """A component broke a rule; the message has the rule, the observation and the fix."""


class ContractWarning(UserWarning):
    """The contract allows what the component does, but it is seldom meant."""


class Skip(SkipTest):
    """A rule does not apply to this component; pytest and unittest skip the test."""


@dataclass(frozen=True)
class Verdict:
    """The verdict of one rule, and why."""

    rule: str
    status: Status
    message: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule of a contract.

    Attributes:
        test: its name is the rule's name, its docstring the rule.
        fix: what to do where it is broken.
    """

    test: Test
    fix: str = ""

    @property
    def name(self) -> str:
        """`at most k`."""
        return self.test.__name__.replace("_", " ")

    @property
    def text(self) -> str:
        """The rule in a sentence."""
        return " ".join((inspect.getdoc(self.test) or "").split())


def rule(fix: str = "") -> Callable[[Test], Rule]:
    """Make a rule of a function, with what to do where it is broken."""
    return lambda test: Rule(test, fix)


@dataclass(frozen=True)
class Check:
    """One rule on one component. Calling it raises `ContractViolation` where the rule is broken and
    `Skip` (which skips a test) where it does not apply, and issues a `ContractWarning` of what is
    seldom meant."""

    rule: Rule
    subject: Any

    def __call__(self) -> None:
        for breach in self.rule.test(self.subject) or ():
            fix = f" Fix: {self.rule.fix}." if self.rule.fix else ""
            raise ContractViolation(f"{self.rule.text} Observed: {breach}.{fix}")

    def __str__(self) -> str:
        return self.rule.name

    def verdict(self) -> Verdict:
        """The verdict of the rule. An error of the component breaks it, with one line that says where."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ContractWarning)
            try:
                self()
            except Skip as reason:
                return Verdict(str(self), "skipped", str(reason))
            except ContractViolation as violation:
                return Verdict(str(self), "failed", str(violation))
            except BaseException as error:
                pass_on(error)
                return Verdict(str(self), "failed", _raised(error))
        messages = [str(w.message) for w in caught if issubclass(w.category, ContractWarning)]
        return Verdict(str(self), "warning" if messages else "ok", " ".join(messages))


def warn(message: str) -> None:
    """Issue a `ContractWarning`."""
    warnings.warn(message, ContractWarning, stacklevel=2)


def _raised(error: BaseException) -> str:
    """`it raised ValueError: no such thing (strategy.py:12)`: one line, with the deepest place in the
    user's own files, also where what they called raised it; where the kit alone stumbles, the answers
    have a form that an earlier rule names."""
    deepest = traceback.extract_tb(error.__traceback__)[-1]
    if Path(deepest.filename).is_relative_to(PACKAGE) and not users_frames(error):
        return f"it cannot be tried on these answers ({summary(error)})"
    return f"it raised {summary(error)} ({place(error)})"


def short(value: Any, limit: int = 80) -> str:
    """A value in few words, on one line."""
    line = " ".join(repr(value).split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
