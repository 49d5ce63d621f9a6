"""Families of tests: Holm's correction, verdicts, and letters for names that do not differ."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Literal

import numpy as np
import numpy.typing as npt

ALPHA = 0.05

Verdict = Literal["better", "worse", "can't tell"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (1979), in the order given.

    The i-th smallest of m is multiplied by m - i + 1, is never below the one before it, and never
    above 1. Rejecting what is at most 0.05 keeps the chance of any false rejection at 0.05.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]


def verdict(
    difference: float, p_adjusted: float, lower_is_better: bool = False, alpha: float = ALPHA
) -> Verdict:
    """The verdict on `a` by the difference `a - b`; for FID and KID lower is better."""
    if not p_adjusted <= alpha or difference == 0:  # also where p is nan
        return "can't tell"
    return "better" if (difference > 0) != lower_is_better else "worse"


def indistinguishable_groups(
    names: Sequence[str], p_adjusted: npt.ArrayLike, alpha: float = ALPHA
) -> list[str]:
    """The marks of each name: two names share a mark exactly if no difference was shown.

    `p_adjusted` is a symmetric matrix (nan: not compared, so no difference was shown). The compact letter
    display of Piepho (2004) by insertion and absorption: begin with one group of all, split each
    group that holds a pair that differs, and drop the groups that lie within another. Letters
    follow the order of the names, so give them best first.
    """
    differs = np.asarray(p_adjusted, dtype=np.float64) <= alpha
    groups = [frozenset(range(len(names)))]
    for i, j in np.argwhere(np.triu(differs, 1)).tolist():
        pieces = {
            piece
            for group in groups
            for piece in ([group - {i}, group - {j}] if {i, j} <= group else [group])
        }
        groups = [piece for piece in pieces if not any(piece < other for other in pieces)]
    groups.sort(key=sorted)
    marks = [_mark(number) for number in range(len(groups))]
    return [
        "".join(mark for mark, group in zip(marks, groups, strict=True) if i in group)
        for i in range(len(names))
    ]


def _mark(number: int) -> str:
    # Greek letters follow z and Z, for very large tables.
    return ascii_letters[number] if number < 52 else chr(0x3B1 + number - 52)
