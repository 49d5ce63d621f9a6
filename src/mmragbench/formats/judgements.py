"""Reader of relevance judgements: TREC's qrels and BEIR's TSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.csv_rows import split
from mmragbench.formats.text_lines import read_lines, resemblance
from mmragbench.formats.values import MAX_ID, as_id, as_number, refuse_contradictions

QRELS = (
    "TREC qrels (query 0 document grade), or tab-separated query-id, corpus-id, score in line 1 "
    "(BEIR)"
)
MAX_GRADE = 1_000
"""Grades are whole numbers from minus this to this: trec_eval allocates 8 bytes for each step of the
highest, and gives 0 for every query where it cannot."""

_HEADER = ("query-id", "corpus-id", "score")
_BLANKS = re.compile(r"[ \t\v\f\r]+")

Grades = dict[str, dict[str, int]]
"""Query -> document -> grade."""


class Judgements(NamedTuple):
    """The grades of a file; `repeated` are the pairs that it judges twice with the same grade."""

    grades: Grades
    repeated: tuple[str, ...]


def read_judgements(path: Path) -> Judgements:
    """The judgements of a file in either format; ids are as the file has them.

    A grade may be written as `1` or `1.0`; 1 and more is relevant, 0 and less is not. Ids in
    quotation marks are taken out of them, as BEIR's own reader does; a mark that opens and does not
    close on its line is a part of the id.

    Raises:
        DataError: the file cannot be read or is in neither format; a line is no judgement, or has
            a grade that is not whole or beyond `MAX_GRADE`; a pair has two grades; there are no
            judgements.
    """
    grades: Grades = {}
    repeated: list[str] = []
    contradictory: list[str] = []
    for number, query, document, grade in _judgements(path):
        own = grades.setdefault(query, {})
        if document not in own:
            own[document] = grade
        elif own[document] == grade:
            repeated.append(f"{query} {document}")
        else:
            contradictory.append(f"{query} {document} (line {number})")
    refuse_contradictions(str(path), "pairs of query and document", contradictory)
    if not grades:
        raise DataError(f"{path} has no judgements; expected {QRELS}")
    return Judgements(grades, tuple(dict.fromkeys(repeated)))


def trec_fields(line: str) -> list[str]:
    """The fields of a line of a TREC file, separated by ASCII blanks and tabs, not by Unicode's blanks."""
    return line.split() if line.isascii() else _BLANKS.split(line.strip(" \t\v\f\r"))


def usable(line: str, *ids: str) -> bool:
    """Whether fields of a line can be ids.

    In a short line without NUL all fields can; so millions of ids need not be checked one by one.
    """
    return (len(line) <= MAX_ID and "\0" not in line) or all(map(as_id, ids))


def _judgements(path: Path) -> Iterator[tuple[int, str, str, int]]:
    places: list[int] | None = None
    first = True
    for number, line in read_lines(path, QRELS):
        if not line.strip():
            continue
        if first:
            first, places = False, _columns(line)
            if places:
                continue
        try:
            yield number, *_judgement(line, places)
        except DataError as error:
            other = resemblance(line)
            what = f" ({other})" if other else ""
            raise DataError(f"{path}, line {number}: {error}{what}; expected {QRELS}") from None


def _columns(line: str) -> list[int] | None:
    """The positions of BEIR's three columns, if this is their header."""
    names = [name.strip().lower() for name in split(line, "\t") or ()]
    return [names.index(name) for name in _HEADER] if set(_HEADER) <= set(names) else None


def _judgement(line: str, places: list[int] | None) -> tuple[str, str, int]:
    fields = trec_fields(line) if places is None else split(line, "\t") or line.split("\t")
    if len(fields) != 4 if places is None else len(fields) <= max(places):
        raise DataError(f"{quoted(line)} has {len(fields)} fields")
    query, document, grade = (fields[at].strip() for at in places or (0, 2, 3))
    if not (query and document and usable(line, query, document)):
        raise DataError(f"{quoted(line)} has an empty or unusable id")
    return query, document, as_grade(grade)


def as_grade(text: str) -> int:
    """The grade that a text stands for, `1` or `1.0`.

    Raises:
        DataError: it is not a whole number, or beyond `MAX_GRADE`.
    """
    value = as_number(text)
    if value is None or value != int(value):
        raise DataError(f"the grade {quoted(text)} is not a whole number")
    if abs(value) > MAX_GRADE:
        raise DataError(f"the grade {quoted(text)} is not between {-MAX_GRADE:,} and {MAX_GRADE:,}")
    return int(value)
