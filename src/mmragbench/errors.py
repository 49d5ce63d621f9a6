"""What can go wrong, in words that say what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from mmragbench.printable import printable, shortened

LONGEST = 500
"""Characters of an error's message."""


class MmragbenchError(Exception):
    """The root of every error that a user caused or can mend; shown as one line, exit code 2. As
    text it is one line of at most `LONGEST` characters, without control characters."""

    def __str__(self) -> str:
        return shortened(" ".join(printable(super().__str__()).split()), LONGEST)


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


class BadImage(MmragbenchError):
    """One image file cannot be used. Counted and named, never fatal."""


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


def not_a_run(folder: Path, lacks: str) -> str:
    """The sentence for a folder that is no run: what it lacks, and the runs that lie in it."""
    runs = sorted(str(file.parent) for file in folder.glob("*/summary.json"))
    advice = (
        f"there is {', '.join(runs)}" if runs else "give the folder that `mmragbench run` wrote"
    )
    return f"{folder} is not a run folder: it has no {lacks}; {advice}"
