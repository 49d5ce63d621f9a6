"""Writer and reader of TREC's run format, in which retrieval tools exchange rankings.

Each line is a hit: `query Q0 document rank score tag`. Fields end at blanks of any kind, so that a
blank in an id is written as in a URL: `%20`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

from pydantic_core import to_json

from mmragbench.errors import DataError
from mmragbench.records import Hits, Ranking


def escaped(id: str) -> str:
    """The id as written in TREC files: `a b` becomes `a%20b`, whatever kind of blank it is."""
    return re.sub(r"\s", lambda blank: quote(blank[0]), id)


def originals(ids: Iterable[str]) -> dict[str, str]:
    """Escaped id -> id.

    Raises:
        DataError: two ids are equal when escaped.
    """
    ids_by_escaped: dict[str, str] = {}
    for id in ids:
        if ids_by_escaped.setdefault(escaped(id), id) != id:
            raise DataError(
                f"{id!r} and {ids_by_escaped[escaped(id)]!r} are one id in TREC's format, where a blank is "
                "%20; rename one of them"
            )
    return ids_by_escaped


def lines(rankings: Iterable[Ranking], tag: str) -> Iterator[str]:
    """A TREC run, ranking by ranking; a score is the shortest text that reads back as the same number."""
    escaped_once = cache(escaped)  # a document is hit by many queries
    ranks = cache(_ranks)
    for ranking in rankings:
        before, after = f"{escaped_once(ranking.query)} Q0 ", f" {escaped_once(tag)}\n"
        hits = Hits.of(ranking.hits)
        ids = map(escaped_once, hits.ids)
        columns = zip(ids, ranks(len(hits)), _decimals(hits.scores), strict=True)
        yield "".join([f"{before}{id} {rank} {score}{after}" for id, rank, score in columns])


def _ranks(n: int) -> list[str]:
    return list(map(str, range(1, n + 1)))


def _decimals(scores: Sequence[float]) -> list[str]:
    """Scores as JSON writes them: pydantic's serialiser is three times as fast as `repr`, and as short."""
    listed = to_json(list(scores), inf_nan_mode="constants").decode("ascii")[1:-1]
    return listed.split(",") if listed else []


def read(path: Path) -> Iterator[Ranking]:
    """The rankings of a run that `lines` wrote, one by one in its order; ids stay escaped.

    Raises:
        DataError: the file cannot be read, or a line is no hit.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            rows = (line.split(None, 5) for line in file)
            for query, group in groupby(rows, key=itemgetter(0)):
                yield Ranking(query, Hits.of((row[2], float(row[4])) for row in group))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} is not a TREC run: {error}") from error
