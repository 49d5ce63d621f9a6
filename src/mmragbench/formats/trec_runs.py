"""Reader of TREC runs that other systems wrote: `query Q0 document rank score tag`, in any order."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.judgements import trec_fields, usable
from mmragbench.formats.text_lines import read_lines, resemblance
from mmragbench.formats.trec import escaped
from mmragbench.formats.values import as_number, refuse_contradictions

RUN = "a TREC run: query Q0 document rank score tag"


class Run(NamedTuple):
    """A TREC run.

    Attributes:
        hits: query -> document -> score.
        repeated: pairs of query and document that the file has twice, with the same score.
    """

    hits: dict[str, dict[str, float]]
    repeated: tuple[str, ...]


class Hit(NamedTuple):
    """A line of a run; ids as a TREC file has them."""

    query: str
    document: str
    score: float


def read_run(path: Path) -> Run:
    """Read a TREC run.

    Raises:
        DataError: not a TREC run, a score that is no finite number, or a document that has two
            scores for one query.
    """
    run: dict[str, dict[str, float]] = {}
    repeated: list[str] = []
    contradictory: list[str] = []
    for number, line in read_lines(path, RUN):
        if not line.strip():
            continue
        query, document, score = _hit(path, number, line)
        hits = run.setdefault(query, {})
        if document in hits:
            (repeated if hits[document] == score else contradictory).append(f"{query} {document}")
        hits.setdefault(document, score)
    refuse_contradictions(str(path), "pairs of query and document", contradictory)
    return Run(run, tuple(dict.fromkeys(repeated)))


def _hit(path: Path, number: int, line: str) -> Hit:
    """The hit of a line.

    Raises:
        DataError: it is no line of a TREC run.
    """
    fields = trec_fields(line)
    score = as_number(fields[4]) if len(fields) == 6 else None
    if score is None or not usable(line, fields[0], fields[2]):
        raise DataError(f"{path}, line {number} is {quoted(line)}, {_fault(fields, line)}")
    if line.isascii():
        return Hit(fields[0], fields[2], score)
    return Hit(escaped(fields[0]), escaped(fields[2]), score)


def _fault(fields: list[str], line: str) -> str:
    """The fault of a line, as the end of a sentence."""
    if len(fields) == 6 and as_number(fields[4]) is None:
        return f"whose score {quoted(fields[4])} is no finite number; expected {RUN}"
    if "\r" in line.rstrip("\r"):
        return f"lines that end in \\r alone; convert it: tr '\\r' '\\n'; expected {RUN}"
    hint = " (a blank in an id or tag is written as %20)" if len(fields) > 6 else ""
    other = resemblance(line)
    return f"{len(fields)} fields; {other or 'it is no hit'}; expected {RUN}{'' if other else hint}"
