"""TREC's run format, by which retrieval tools hand each other rankings.

A hit a line: `query Q0 document rank score tag`. Fields end at blanks of any kind, so that a blank
in an id is written as in a URL: `%20`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

from mmragbench.errors import DataError
from mmragbench.records import Ranking, hits_of


def escaped(id: str) -> str:
    """The id as a TREC file has it: `a b` becomes `a%20b`, whatever kind of blank it is."""
    return re.sub(r"\s", lambda blank: quote(blank[0]), id)


def originals(ids: Iterable[str]) -> dict[str, str]:
    """Escaped id -> id.

    Raises:
        DataError: two ids are the same one when escaped.
    """
    found: dict[str, str] = {}
    for id in ids:
        if found.setdefault(escaped(id), id) != id:
            raise DataError(
                f"{id!r} and {found[escaped(id)]!r} are one id in TREC's format, where a blank is "
                "%20; rename one of them"
            )
    return found


def lines(rankings: Iterable[Ranking], tag: str) -> str:
    """A TREC run of rankings, in their own order."""
    written = cache(escaped)  # a document is hit by many queries
    return "".join(_lines(ranking, written, written(tag)) for ranking in rankings)


def _lines(ranking: Ranking, written: Callable[[str], str], tag: str) -> str:
    before = f"{written(ranking.query)} Q0 "
    hits = enumerate(ranking.hits, start=1)
    return "".join(
        [f"{before}{written(id)} {rank} {score!r} {tag}\n" for rank, (id, score) in hits]
    )


def read(path: Path) -> Iterator[Ranking]:
    """The rankings of a run that `lines` wrote, one by one in its order; ids stay escaped.

    Raises:
        DataError: the file cannot be read, or a line is no hit.
    """
    try:
        with path.open(encoding="utf-8") as file:
            rows = (line.split(None, 5) for line in file)
            for query, group in groupby(rows, key=itemgetter(0)):
                hits = [(row[2], float(row[4])) for row in group]
                yield Ranking(query, tuple(hits_of(*zip(*hits, strict=True))))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} is not a TREC run: {error}") from error
