"""Pieces of sentences: lists of names, counted nouns, rounded counts, settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mmragbench._digits import counted

if TYPE_CHECKING:
    from mmragbench.run_folder.reading import Run

MOST = 10_000_000
"""Larger counts are written as `more than 10 million`."""

NAMED = 3
"""Longer lists of strategies are cut, and the rest counted."""


def listed(names: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; empty for no name."""
    *most, final = list(names) or [""]
    return f"{', '.join(most)} {last} {final}" if most else final


def shortened(names: Sequence[str], noun: str = "other", last: str = "and") -> str:
    """`a, b and c`; of more than `NAMED`, `a, b and 6 others`."""
    if len(names) <= NAMED:
        return listed(names, last)
    return listed([*names[: NAMED - 1], counted(len(names) - NAMED + 1, noun)], last)


def with_verb(names: Sequence[str], one: str = "is", many: str = "are") -> str:
    """`a is`, `a and b are`, `a, b and 6 others are`."""
    return f"{shortened(names)} {one if len(names) == 1 else many}"


def about(n: int) -> str:
    """A count to two digits, rounded up: `about 1,300`."""
    if n > MOST:
        return f"more than {MOST // 1_000_000} million"
    step = 10 ** max(len(str(n)) - 2, 0)
    return f"about {-(-n // step) * step:,}"


def setting(generator: str | None, k: int | None) -> str:
    """A generator and how many documents it is given: `consensus, k = 4`; empty for rankings."""
    depth = {None: "", 0: "nothing retrieved"}.get(k, f"k\u00a0=\u00a0{k}")
    return ", ".join(part for part in (generator, depth) if part)


def seeds_of(run: Run) -> str:
    """`seed 0`, or `means over seeds 0, 1 and 2`; empty where it is not known."""
    if run.seeds:
        return f"means over seeds {listed(map(str, run.seeds))}"
    seed = run.manifest.get("seed")
    return "" if seed is None else f"seed {seed}"


def verdict_words(verdict: str) -> str:
    """A verdict of `comparisons.json` as a reader sees it."""
    return {"can't tell": "no difference shown"}.get(verdict, verdict)
