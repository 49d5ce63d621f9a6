"""Rankings of another system: a TREC run against relevance judgements.

Hits are ordered by score, then by id, both descending, whatever their order and ranks in the file
say (trec_eval's rule). A hit whose id is the query's own is a hit like any other. A judged query
without a relevant document is not scored. The policy for queries without a ranking:

- `error`: no query with a relevant document may be missing, and no query unknown;
- `skip`: only the queries that have a ranking are scored (trec_eval's own default);
- `zero`: a missing ranking is an empty one, which scores 0 (trec_eval -c).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError, listed
from mmragbench.formats.judgements import Grades, read_judgements, trec_fields, usable
from mmragbench.formats.text_lines import read_lines, resemblance
from mmragbench.formats.trec import escaped, originals
from mmragbench.formats.values import as_id, as_number, refuse_contradictions
from mmragbench.records import Query, Ranking, Task
from mmragbench.submissions.problems import Policy, Problems, compared
from mmragbench.submissions.submission import Submission

RUN = "a TREC run: query Q0 document rank score tag"
GROUPS = "a query and its group (the image that it is about) on each line, separated by a tab"
_TITLES = ("query", "query-id", "query_id", "qid", "id")
"""Names of the first column by which a header of a file of groups is known."""


def rankings(
    run: Path, qrels: Path, policy: Policy = "error", groups: Path | None = None
) -> Submission:
    """Read the files, and apply the policy to what does not match.

    Args:
        groups: which queries are about the same thing, and are resampled together.

    Raises:
        DataError: a file is not what it should be, or contradicts itself.
        MissingOutputs: the policy does not cover what is missing or unknown.
    """
    (gold, repeated_judgements), (hits, repeated_hits) = read_qrels(qrels), read_run(run)
    group_of = read_groups(groups, gold) if groups else {}
    answerable = [query for query, grades in gold.items() if max(grades.values()) > 0]
    kinds = compared(answerable, hits)
    kinds["unknown"] = tuple(query for query in hits if query not in gold)
    kinds["irrelevant"] = tuple(query for query in gold if max(gold[query].values()) < 1)
    kinds |= {"repeated judgements": repeated_judgements, "repeated hits": repeated_hits}
    if groups:
        kinds["without a group"] = tuple(query for query in answerable if query not in group_of)
        kinds["groups of no query"] = tuple(query for query in group_of if query not in gold)
    problems = Problems(str(run), "queries", len(answerable), kinds)
    problems.settle(policy)
    scored = [query for query in answerable if policy != "skip" or query in hits]
    queries = [Query(query, group=group_of.get(query, query)) for query in scored]
    task = Task("retrieval", [], queries, gold)
    rankings = [Ranking.of(query, hits.get(query, {}).items()) for query in scored]
    return Submission(run.stem, task, problems, policy, rankings=rankings)


class Run(NamedTuple):
    """A TREC run.

    Attributes:
        hits: query -> document -> score.
        repeated: pairs of query and document that the file has twice, with the same score.
    """

    hits: dict[str, dict[str, float]]
    repeated: tuple[str, ...]


class Judgements(NamedTuple):
    """Relevance judgements.

    Attributes:
        grades: query -> document -> grade.
        repeated: pairs of query and document that are judged twice, alike.
    """

    grades: Grades
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


def read_qrels(path: Path) -> Judgements:
    """Read judgements; their ids are as a TREC file has them.

    Raises:
        DataError: as `read_judgements`; two ids that are one in TREC's format.
    """
    grades, repeated = read_judgements(path)
    originals(grades)
    originals({document: None for own in grades.values() for document in own})
    escaped_grades = {
        escaped(query): {escaped(document): grade for document, grade in own.items()}
        for query, own in grades.items()
    }
    return Judgements(escaped_grades, repeated)


def read_groups(path: Path, queries: Iterable[str]) -> Mapping[str, str]:
    """Query -> group; a header line is left out.

    Args:
        queries: the judged queries, of which some must be in the file.

    Raises:
        DataError: not two fields on each line; none of the queries is there; a query has two
            groups.
    """
    known = set(queries)
    pairs = list(_pairs(path))
    if pairs and pairs[0][0].lower() in _TITLES and pairs[0][0] not in known:
        pairs = pairs[1:]
    if not any(query in known for query, _ in pairs):
        swapped = any(group in known for _, group in pairs)
        hint = "the columns are the other way round: the query comes first"
        raise DataError(
            f"{path}: not one of its {len(pairs):,} lines is about a query of the judgements: it has "
            f"{listed(dict.fromkeys(query for query, _ in pairs), 1) or 'nothing'}, they have "
            f"{listed(known and sorted(known), 1)}; "
            f"{hint if swapped else 'do the ids agree?'} (expected {GROUPS})"
        )
    groups: dict[str, str] = {}
    contradictory = [query for query, group in pairs if groups.setdefault(query, group) != group]
    refuse_contradictions(str(path), "queries", contradictory)
    return groups


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The query and the group of every line."""
    for number, line in read_lines(path, GROUPS):
        fields = [field.strip() for field in line.split("\t")]
        if line.strip():
            if len(fields) != 2 or not all(map(as_id, fields)):
                raise DataError(f"{path}, line {number} is {quoted(line)}; expected {GROUPS}")
            yield escaped(fields[0]), fields[1]
