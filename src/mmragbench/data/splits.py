"""Query and memory splits of data that has several, one or none, where a suite does not name them."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Final, NamedTuple

QUERIES = ("test", "validation", "val", "dev", "valid")
"""Usual names of query splits, the first that is present is taken."""
MEMORY = ("train", "training")
"""Usual names of memory splits."""
REST: Final = "rest"
"""The memory that is what the draw of the queries leaves of their split."""


def n_drawn(n: int) -> int:
    """How many of n images are drawn as queries where the others are the memory and no limit is given:
    a fifth, but 50 or a half of few, and at most 1,000.

    >>> n_drawn(40_000), n_drawn(1_000), n_drawn(70), n_drawn(1)
    (1000, 200, 35, 1)
    """
    return max(1, min(1_000, max(n // 5, min(50, n // 2))))


def warn_of_rest(place: object) -> None:
    """The warning of a dataset whose suite names no memory and which has none: what is done instead."""
    text = (
        f"{place}: there is no memory split; the memory is what the draw leaves of the query split"
    )
    warnings.warn(f"{text} (memory: rest)", stacklevel=3)


class Splits(NamedTuple):
    """The names of the query split and of the memory split, which may be `rest`."""

    queries: str
    memory: str


def choose(known: Collection[str], queries: str | None, memory: str | None) -> Splits:
    """The splits that a suite names, and for one that it does not, the usual one of those known.

    Without a usual memory split the memory is `rest`; a single split, whatever its name, is the query
    split then. Where no name is usual the query split is called `test`, which is not there.

    >>> choose(["train", "test", "val"], None, None)
    Splits(queries='test', memory='train')
    >>> choose(["train"], None, None), choose(["a", "b"], "a", None)
    (Splits(queries='train', memory='rest'), Splits(queries='a', memory='rest'))
    """
    if queries is None:
        usual = [name for name in QUERIES if name in known and name != memory]
        single = list(known) if len(known) == 1 and memory in (None, REST) else []
        queries = next(iter([*usual, *single]), QUERIES[0])
    if memory is None:
        memory = next((name for name in MEMORY if name in known and name != queries), REST)
    return Splits(queries, memory)
