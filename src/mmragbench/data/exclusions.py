"""What was left out of the data: counted by what it is one of, named, and bounded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mmragbench._printable import shortened
from mmragbench.errors import DataError
from mmragbench.records import Exclusion, Task

USUAL_MAXIMUM = "50%"

Bound = int | str
"""How many of one noun may be left out: a number, or a share such as `5%`."""


@dataclass
class Excluded:
    """Collects what a dataset leaves out; `totals` as in `Task`."""

    exclusions: list[Exclusion] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    def add(self, of: str, used: int, exclusions: Iterable[Exclusion]) -> None:
        """What was left out of one noun (`query images`), beside so many that were kept."""
        left = [replace(exclusion, of=of) for exclusion in exclusions]
        self.exclusions += left
        self.totals[of] = self.totals.get(of, 0) + used + len(left)

    def reasons(self, side: str) -> str:
        """For an error where nothing is left: `: 7 left out (…); first: …` of all nouns that begin
        with `side`; empty where nothing of it was left out."""
        named = tuple(each for each in self.exclusions if each.of.startswith(side))
        return f": {LeftOut('left out', None, named)}" if named else ""


@dataclass(frozen=True)
class LeftOut:
    """What was left out of one noun. Its text is one line: how many, of how many, the kinds with
    their counts, and the first of the most frequent kind.

    Attributes:
        of: the noun, `query images`; `items` where the dataset does not say.
        total: how many there were; None where the dataset does not say.
        exclusions: each by name; never empty.
    """

    of: str
    total: int | None
    exclusions: tuple[Exclusion, ...]

    @property
    def count(self) -> int:
        return len(self.exclusions)

    def exceeds(self, most: Bound) -> bool:
        """Whether more are left out than may be; of an unknown total, no share is exceeded."""
        if isinstance(most, int):
            return self.count > most
        share = float(most.removesuffix("%"))
        return self.total is not None and 100 * self.count > share * self.total

    @property
    def counts(self) -> str:
        """`6 of 30 query images (truncated image 4, no captions 2)`."""
        kinds = Counter(exclusion.kind for exclusion in self.exclusions)
        counts = ", ".join(f"{shortened(kind, 40)} {n:,}" for kind, n in kinds.most_common(5))
        more = f", and {len(kinds) - 5:,} kinds more" if len(kinds) > 5 else ""
        of = f" of {self.total:,}" if self.total is not None else ""
        return f"{self.count:,}{of} {self.of} ({counts}{more})"

    def __str__(self) -> str:
        kinds = Counter(exclusion.kind for exclusion in self.exclusions)
        most = kinds.most_common(1)[0][0]
        first = next(exclusion for exclusion in self.exclusions if exclusion.kind == most)
        reason = shortened(first.reason.removeprefix(f"{first.id}: "), 200)
        return f"{self.counts}; first: {shortened(first.id, 60)}: {reason}"


def left_out(tasks: Iterable[Task]) -> list[LeftOut]:
    """What tasks leave out, a noun each; what several tasks share counts once."""
    return grouped((task.exclusions, task.totals) for task in tasks)


def grouped(
    parts: Iterable[tuple[Sequence[Exclusion], Mapping[str, int]]],
) -> list[LeftOut]:
    """The same from each task's exclusions and totals."""
    groups: dict[tuple[str, int | None, tuple[Exclusion, ...]], None] = {}
    for exclusions, totals in parts:
        nouns: dict[str, list[Exclusion]] = {}
        for exclusion in exclusions:
            nouns.setdefault(exclusion.of, []).append(exclusion)
        for of, own in nouns.items():
            groups[of or "items", totals.get(of), tuple(own)] = None
    return [LeftOut(*group) for group in groups]


def check(left: Iterable[LeftOut], most: Bound) -> None:
    """Refuse data of which too much is left out.

    Raises:
        DataError: more of a noun is left out than may be.
    """
    over = sorted((each for each in left if each.exceeds(most)), key=lambda each: -each.count)
    if over:
        worst, *others = over
        also = "".join(f"; {each.counts}" for each in others)
        raise DataError(
            f"left out: {worst}{also}. At most {most} may be: fix the data, or allow more with "
            f"--max-excluded {worst.count} (in a suite, max_excluded: {worst.count})"
        )


def bound(value: Any) -> Bound:
    """A bound as it is written: `5%`, or a whole number.

    Raises:
        ValueError: it is neither.
    """
    text = str(value)
    if isinstance(value, int | str) and not isinstance(value, bool):
        if re.fullmatch(r"[0-9]{1,18}", text):
            return int(text)
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?%", text) and float(text[:-1]) <= 100:
            return text
    raise ValueError(f"{shortened(text, 40)!r} is neither a share such as 5% nor a whole number")
