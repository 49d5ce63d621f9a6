"""TREC: `<task>/qrels.trec`, and `<task>/<strategy>.trec` for each strategy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmragbench.exporting.reposing import NO_QRELS, NO_RANKINGS, RunTasks
from mmragbench.exporting.target import Export
from mmragbench.formats.trec import escaped, lines, read
from mmragbench.records import Hit, Ranking


def write(source: RunTasks, to: Export) -> None:
    """Judgements and runs that give this harness' numbers in trec_eval and `ir_measures`.

    Only queries with a relevant document are in the judgements: others are not scored here, and
    would count as 0 there. Scores are in single precision, in which trec_eval reads them; where two
    become equal and their ids would change the order, the later one is the next number below.
    """
    for task in source.tasks:
        if next(source.scored(task), None) is None:
            to.left_out[task] = NO_QRELS
            continue
        to.write(f"{task}/qrels.trec", _qrels(source, task))
        for strategy, path in source.ranked(task):
            rankings = (settled(ranking) for ranking in read(path))
            to.write(f"{task}/{strategy}.trec", lines(rankings, strategy))
        for strategy in source.unranked(task):
            to.left_out[f"{task}/{strategy}"] = NO_RANKINGS


def _qrels(source: RunTasks, task: str) -> Iterator[str]:
    for query, grades in source.scored(task):
        for document, grade in grades.items():
            yield f"{escaped(query)} 0 {escaped(document)} {grade}\n"


def settled(ranking: Ranking) -> Ranking:
    """The same order by (score, id), both descending, with scores in single precision."""
    hits: list[Hit] = []
    scores = np.array([hit.score for hit in ranking.hits], dtype=np.float32).tolist()
    for (id, _), single in zip(ranking.hits, scores, strict=True):
        score = single
        if hits and (score, id) > (hits[-1].score, hits[-1].id):
            score = float(np.nextafter(np.float32(hits[-1].score), np.float32(-np.inf)))
        hits.append(Hit(id, score))
    return Ranking(ranking.query, tuple(hits))
