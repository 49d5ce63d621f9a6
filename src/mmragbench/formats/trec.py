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
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic_core import to_json

from mmragbench.errors import DataError, first_line
from mmragbench.records import Hits, Ranking

if TYPE_CHECKING:
    import pyarrow as pa


def escaped(id: str) -> str:
    """The id as written in TREC files: `a b` becomes `a%20b`, whatever kind of blank it is."""
    return re.sub(r"\s", lambda blank: quote(blank[0]), id)


def originals(ids: Iterable[str]) -> dict[str, str]:
    """Escaped id -> id.

    Raises:
        DataError: two ids are equal when escaped.
    """
    by_escaped: dict[str, str] = {}
    for id in ids:
        if by_escaped.setdefault(escaped(id), id) != id:
            raise DataError(
                f"{id!r} and {by_escaped[escaped(id)]!r} are one id in TREC's format, where a blank "
                "is %20; rename one of them"
            )
    return by_escaped


def lines(rankings: Iterable[Ranking], tag: str) -> Iterator[str]:
    """A TREC run, ranking by ranking; a score is the shortest number that reads back as the same."""
    known = cache(escaped)  # a document is hit by many queries
    ranks = cache(_ranks)
    for ranking in rankings:
        before, after = f"{known(ranking.query)} Q0 ", f" {known(tag)}\n"
        hits = Hits.of(ranking.hits)
        columns = zip(map(known, hits.ids), ranks(len(hits)), _decimals(hits.scores), strict=True)
        yield "".join([f"{before}{id} {rank} {score}{after}" for id, rank, score in columns])


def _ranks(n: int) -> list[str]:
    return list(map(str, range(1, n + 1)))


def _decimals(scores: Sequence[float]) -> list[str]:
    """Scores as JSON writes them: pydantic's serialiser is three times as fast as `repr`, and as short."""
    listed = to_json(list(scores), inf_nan_mode="constants").decode("ascii")[1:-1]
    return listed.split(",") if listed else []


def table(path: Path) -> pa.Table:
    """The hits of a run that `lines` wrote, in its order: the columns query, document (both ids stay
    escaped), rank and score. It may have millions of lines, which are read in columns.

    Raises:
        DataError: the file cannot be read, or a line is no hit.
    """
    import pyarrow as pa
    from pyarrow import csv

    types = {
        "query": pa.string(),
        "document": pa.string(),
        "rank": pa.int32(),
        "score": pa.float64(),
    }
    try:
        if not path.stat().st_size:
            return pa.schema(types).empty_table()
        return csv.read_csv(
            path,
            csv.ReadOptions(column_names=["query", "q0", "document", "rank", "score", "tag"]),
            csv.ParseOptions(delimiter=" ", quote_char=False),
            csv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[]),
        )
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or first_line(error)})") from error
    except ValueError as error:
        raise DataError(f"{path} is not a TREC run: {first_line(error)}") from error


def read(path: Path) -> Iterator[Ranking]:
    """The rankings of a run that `lines` wrote, one by one in its order; ids stay escaped. Raises as
    `table` does."""
    hits = table(path).select(["query", "document", "score"])
    rows = (
        row
        for batch in hits.to_batches()
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )
    for query, group in groupby(rows, key=itemgetter(0)):
        yield Ranking(query, Hits.of((document, score) for _, document, score in group))
