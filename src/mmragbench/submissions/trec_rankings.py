"""Rankings of another system: a TREC run against relevance judgements.

Hits are ordered by score, then by id, both descending, whatever their order and ranks in the file
say (trec_eval's rule). A hit whose id is the query's own is a hit like any other. A judged query
without a relevant document is not scored. The policy for queries without a ranking:

- `error`: no query with a relevant document may be missing, and no query unknown;
- `skip`: only the queries that have a ranking are scored (trec_eval's own default);
- `zero`: a missing ranking is an empty one, which scores 0 (trec_eval -c).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from mmragbench.formats.judgements import Grades, read_judgements
from mmragbench.formats.trec import escaped, originals
from mmragbench.formats.trec_runs import read_run
from mmragbench.records import Query, Ranking, Task
from mmragbench.submissions.clusters import Clusters
from mmragbench.submissions.problems import Policy, Problems, compared
from mmragbench.submissions.submission import Submission


def rankings(
    run: Path, qrels: Path, policy: Policy = "error", groups: Path | None = None
) -> Submission:
    """Read the files, and apply the policy to what does not match.

    Args:
        groups: which queries are about the same thing, and are resampled together (`Clusters`).

    Raises:
        DataError: a file is not what it should be, or contradicts itself.
        MissingOutputs: the policy does not cover what is missing or unknown.
    """
    (gold, repeated_judgements), (hits, repeated_hits) = read_qrels(qrels), read_run(run)
    clusters = Clusters.of(gold, groups)
    answerable = [query for query, grades in gold.items() if max(grades.values()) > 0]
    kinds = compared(answerable, hits)
    kinds["unknown"] = tuple(query for query in hits if query not in gold)
    kinds["irrelevant"] = tuple(query for query in gold if max(gold[query].values()) < 1)
    kinds |= {"repeated judgements": repeated_judgements, "repeated hits": repeated_hits}
    if groups:
        known = clusters.groups
        kinds["without a group"] = tuple(query for query in answerable if query not in known)
        kinds["groups of no query"] = tuple(query for query in known if query not in gold)
    problems = Problems(str(run), "queries", len(answerable), kinds)
    problems.settle(policy)
    scored = [query for query in answerable if policy != "skip" or query in hits]
    queries = [Query(query, group=clusters.groups.get(query, query)) for query in scored]
    task = Task("retrieval", [], queries, gold)
    rankings = [Ranking.of(query, hits.get(query, {}).items()) for query in scored]
    submission = Submission(run.stem, task, problems, policy, qrels, rankings=rankings)
    return replace(submission, clustering=clusters.basis)


class Judgements(NamedTuple):
    """Relevance judgements.

    Attributes:
        grades: query -> document -> grade.
        repeated: pairs of query and document that are judged twice, alike.
    """

    grades: Grades
    repeated: tuple[str, ...]


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
