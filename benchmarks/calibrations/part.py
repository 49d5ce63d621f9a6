"""What the parts share: a share with its Monte Carlo error, tables, work on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from multiprocessing import get_context
from typing import Any

import numpy as np

BELOW, ABOVE = 0.93, 0.97
"""What a 95 % interval should cover, at least and at most."""

LEVEL = 0.055
"""How often a test at 0.05 may find a difference that is not there."""


@dataclass(frozen=True)
class Share:
    """How often something happened in so many data sets."""

    hits: int
    sets: int

    @classmethod
    def of(cls, hits: Iterable[bool]) -> Share:
        found = [bool(hit) for hit in hits]
        return cls(sum(found), len(found))

    @property
    def value(self) -> float:
        return self.hits / self.sets

    @property
    def error(self) -> float:
        """The Monte Carlo standard error."""
        return sqrt(self.value * (1 - self.value) / self.sets)

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} ± {100 * self.error:.1f}"


@dataclass(frozen=True)
class Finding:
    """Something that a table shows to be outside of what is promised: for the page's head."""

    text: str
    share: Share


def outside(name: str, share: Share, low: float = 0.0, high: float = 1.0) -> list[Finding]:
    """A finding, where the share is beyond the bounds by more than two Monte Carlo errors."""
    if low - 2 * share.error <= share.value <= high + 2 * share.error:
        return []
    return [Finding(name, share)]


def on_all_cores(work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    """`work` of each task's arguments, in processes of their own; the order is the tasks'."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, *zip(*tasks, strict=True)))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def rng(*seeds: int) -> np.random.Generator:
    return np.random.default_rng(list(seeds))
