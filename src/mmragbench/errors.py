"""What can go wrong, in words that say what to do next."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from mmragbench._printable import one_line, shortened
from mmragbench._redacting import without_plain_keys


class MmragbenchError(Exception):
    """The root of every error that a user caused or can fix; shown as one line, exit code 2. As
    text it is one line of bounded length, without control characters (`mmragbench._printable`) and
    without what begins as keys do: whatever was pasted where, an error repeats it."""

    def __str__(self) -> str:
        return one_line(without_plain_keys(super().__str__()))


class SuiteError(MmragbenchError):
    """A suite asks for something that does not exist or does not fit."""


class DataError(MmragbenchError):
    """A dataset's files are missing or are not what they claim to be."""


class MissingExtra(MmragbenchError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; install it with: pip install 'mmragbench[{extra}]'"
        )


def require(package: str, extra: str) -> None:
    """Look for an optional package without importing it.

    Raises:
        MissingExtra: it is not installed.
    """
    imported = package in sys.modules
    if (sys.modules[package] if imported else find_spec(package)) is None:
        raise MissingExtra(package, extra)


class NotAtHand(MmragbenchError):
    """Data, weights or keys that a suite needs are not on this machine.

    Args:
        lines: a line for each.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(f"not at hand: {'; '.join(lines)}")
        self.lines = tuple(lines)


class BadImage(MmragbenchError):
    """One image file cannot be used. Counted and named, never fatal."""


class ContractError(MmragbenchError):
    """A component's answer is not of the form that its contract promises: a defect of the component,
    which ends its cell like any other crash of its own."""


class NotApplicable(MmragbenchError):
    """A pairing makes no sense (`nearest` without retrieval): a reason in the table, not a number."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a name that does not exist: what was asked, the nearest, and all there is."""
    choices = sorted(known)
    lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    hint = f" Did you mean {lower[near[0]]!r}?" if near else ""
    return (
        f"unknown {kind} {shortened(name, 60)!r}.{hint} There is: {', '.join(choices) or 'none'}."
    )


def listed(names: Iterable[object], most: int = 3) -> str:
    """The first names, quoted and cut where they are long, and how many there are in all.

    >>> listed("abc"), listed("abcd")
    ("'a', 'b', 'c'", "'a', 'b', 'c', ... (4 in all)")
    """
    texts = [str(name) for name in names]
    first = ", ".join(repr(shortened(text, 60)) for text in texts[:most])
    return f"{first}, ... ({len(texts):,} in all)" if len(texts) > most else first


def first_line(error: Exception) -> str:
    """What a library's error says, in one line that is not too long; its type if it says nothing."""
    lines = str(error).strip().splitlines()
    return one_line(lines[0], 250).rstrip(".") if lines else type(error).__name__


def not_a_run(folder: Path, lacks: str) -> str:
    """The sentence for a folder that is no run: what it lacks, and the runs that lie in it."""
    runs = sorted(str(file.parent) for file in folder.glob("*/summary.json"))
    advice = (
        f"there is {', '.join(runs)}" if runs else "give the folder that `mmragbench run` wrote"
    )
    return f"{folder} is not a run folder: it has no {lacks}; {advice}"
