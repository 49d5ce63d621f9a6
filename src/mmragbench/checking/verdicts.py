"""What a rule comes to: kept, broken, not applicable, or odd."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import SkipTest

from mmragbench._crashes import pass_on, place, summary

Status = Literal["ok", "failed", "warning", "skipped"]

OURS = Path(__file__).resolve().parent


class Broken(AssertionError):
    """A rule is not kept: what it wants, what was seen, how to mend it."""


class Skip(SkipTest):
    """A rule has nothing to say of this component; pytest and unittest skip the test."""


class Odd(UserWarning):
    """Not against the contract, but seldom meant."""


@dataclass(frozen=True)
class Verdict:
    """What one rule came to, and why."""

    rule: str
    status: Status
    message: str = ""


def expect(kept: bool, wanted: str, seen: str, mend: str) -> None:
    """Raise `Broken` unless the rule is kept."""
    if not kept:
        raise Broken(f"expected {wanted}; {seen}. {mend}.")


def judge(name: str, rule: Callable[[], None]) -> Verdict:
    """Try a rule. What the component raises is a broken rule with one line that says where."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Odd)
        try:
            rule()
        except Skip as reason:
            return Verdict(name, "skipped", str(reason))
        except Broken as broken:
            return Verdict(name, "failed", str(broken))
        except BaseException as error:
            pass_on(error)
            return Verdict(name, "failed", _raised(error))
    odd = [str(warning.message) for warning in caught if issubclass(warning.category, Odd)]
    return Verdict(name, "warning", " ".join(odd)) if odd else Verdict(name, "ok")


def _raised(error: BaseException) -> str:
    """`it raised ValueError: no such thing (strategy.py:12)`: one line, with the deepest place in the
    component's own files; where the kit itself stumbles, the answers have a form that an earlier
    rule names."""
    frames = traceback.extract_tb(error.__traceback__)
    if Path(frames[-1].filename).is_relative_to(OURS):
        return f"it cannot be tried on these answers ({summary(error)})"
    return f"it raised {summary(error)} ({place(error)})"


def short(value: Any, limit: int = 80) -> str:
    """A value in few words, on one line."""
    said = " ".join(repr(value).split())
    return said if len(said) <= limit else f"{said[: limit - 3]}..."
