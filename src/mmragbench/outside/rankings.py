"""Rankings made elsewhere: a TREC run against relevance judgements.

Hits are ordered by score, then by id, both descending, whatever their order and ranks in the file
say (trec_eval's rule). A hit whose id is the query's own is a hit like any other. A judged query
without a relevant document is not scored. The policy for queries without a ranking:

- `error`: no query with a relevant document may be missing, and no query unknown;
- `skip`: only the queries that have a ranking are scored (trec_eval's own default);
- `zero`: a missing ranking is an empty one, which scores 0 (trec_eval -c).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmragbench.errors import DataError
from mmragbench.outside.files import read_lines
from mmragbench.outside.problems import Policy, Problems, compared, contradiction
from mmragbench.outside.submission import Submission
from mmragbench.records import Query, Ranking, Task
from mmragbench.trec import escaped

RUN = "a TREC run: query Q0 document rank score tag"
QRELS = "TREC qrels (query 0 document grade) or BEIR's TSV (header query-id, corpus-id, score)"
GROUPS = "a query and its group (the image that it is about) on each line, separated by a tab"

Qrels = dict[str, dict[str, int]]


def rankings(
    run: Path, qrels: Path, policy: Policy = "error", groups: Path | None = None
) -> Submission:
    """Read the files and settle what does not fit.

    Args:
        groups: which queries are about the same thing, and are resampled together.

    Raises:
        DataError: a file is not what it should be, or contradicts itself.
        MissingOutputs: the policy does not cover what is missing or unknown.
    """
    gold, given = read_qrels(qrels), read_run(run)
    together = read_groups(groups) if groups else {}
    asked = [query for query, grades in gold.items() if max(grades.values()) > 0]
    kinds = compared(asked, given)
    kinds["unknown"] = tuple(query for query in given if query not in gold)
    kinds["irrelevant"] = tuple(query for query in gold if max(gold[query].values()) < 1)
    problems = Problems(str(run), "queries", len(asked), kinds)
    problems.settle(policy)
    scored = [query for query in asked if policy != "skip" or query in given]
    queries = [Query(query, group=together.get(query, query)) for query in scored]
    task = Task("retrieval", [], queries, gold)
    found = [Ranking.of(query, given.get(query, {}).items()) for query in scored]
    return Submission(run.stem, task, problems, policy, rankings=found)


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Query -> document -> score.

    Raises:
        DataError: not a TREC run, or a document has two scores for one query.
    """
    found: dict[str, dict[str, float]] = {}
    torn = []
    for number, line in read_lines(path, RUN):
        fields = line.split(None, 5)
        score = _number(fields[4]) if len(fields) == 6 else None
        if score is None:
            raise DataError(f"{path}, line {number} is {line[:80]!r}; expected {RUN}")
        hits = found.setdefault(fields[0], {})
        if hits.setdefault(fields[2], score) != score:
            torn.append(f"{fields[0]} {fields[2]}")
    contradiction(str(path), "pairs of query and document", torn)
    return found


def read_qrels(path: Path) -> Qrels:
    """Query -> document -> grade, in TREC's or BEIR's format, told apart by the first line.

    Raises:
        DataError: neither format, no judgement, or two grades for one pair.
    """
    found: Qrels = {}
    torn = []
    for query, document, grade in _judgements(path):
        if found.setdefault(query, {}).setdefault(document, grade) != grade:
            torn.append(f"{query} {document}")
    contradiction(str(path), "pairs of query and document", torn)
    if not found:
        raise DataError(f"{path} has no judgements; expected {QRELS}")
    return found


def _judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    tabbed = None
    for number, line in read_lines(path, QRELS):
        if tabbed is None:
            header = [field.strip().lower() for field in line.split("\t")]
            tabbed = len(header) == 3
            if header == ["query-id", "corpus-id", "score"]:
                continue
        fields = line.split("\t") if tabbed else line.split()
        grade = _number(fields[-1]) if len(fields) == (3 if tabbed else 4) else None
        if grade is None or grade != int(grade):
            raise DataError(f"{path}, line {number} is {line[:80]!r}; expected {QRELS}")
        yield escaped(fields[0]), escaped(fields[-2]), int(grade)


def read_groups(path: Path) -> Mapping[str, str]:
    """Query -> group.

    Raises:
        DataError: not two fields on each line.
    """
    found = {}
    for number, line in read_lines(path, GROUPS):
        fields = line.split("\t")
        if len(fields) != 2:
            raise DataError(f"{path}, line {number} is {line[:80]!r}; expected {GROUPS}")
        found[escaped(fields[0])] = fields[1]
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
