"""What can go wrong, in words that say what to do next."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec


class MmragbenchError(Exception):
    """The root of every error that a user caused or can mend; shown as one line, exit code 2."""


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
    near = get_close_matches(name, choices, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r}.{hint} There is: {', '.join(choices) or 'none'}."


LISTED = 3


def listed(names: Sequence[object]) -> str:
    """The first names, quoted and cut where they are long, and how many there are in all."""
    first = ", ".join(repr(_cut(str(name))) for name in names[:LISTED])
    return f"{first}, ... ({len(names)} in all)" if len(names) > LISTED else first


def _cut(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:28]}...{name[-28:]}"


def first_line(error: Exception) -> str:
    """What a library says, in one line that is not too long."""
    lines = str(error).strip().splitlines()
    return lines[0][:250].rstrip(".") if lines else type(error).__name__
