"""mteb exports, read by mteb, with its own evaluation as the oracle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mmragbench as mb
from mmragbench.exporting.reposing import load_tasks


@pytest.fixture
def exported(coco_run, tmp_path) -> Path:
    mb.export(coco_run, "mteb", tmp_path / "out")
    return tmp_path / "out"


def result(folder: Path, strategy: str, task: str) -> Path:
    (path,) = folder.glob(f"results/toy__{strategy}/*/{task}.json")
    return path


def test_the_summarys_numbers_are_under_mtebs_names(coco_run, exported, estimates):
    """Recall and hit rate are two things: five captions are relevant, of which one is at rank 1."""
    names = {
        "R@1": "recall_at_1",
        "R@5": "recall_at_5",
        "Success@1": "hit_rate_at_1",
        "Success@5": "hit_rate_at_5",
        "nDCG@10": "ndcg_at_10",
    }
    for strategy in ("shared-space", "random", "oracle"):
        found = estimates(coco_run, task="image-to-text", strategy=strategy)
        stored = json.loads(result(exported, strategy, "image-to-text").read_text())
        (scores,) = stored["scores"]["test"]
        assert {m: scores[key] for m, key in names.items()} == {
            m: pytest.approx(found["image-to-text", strategy, None, None, m], abs=1e-12)
            for m in names
        }
        assert scores["main_score"] == scores["ndcg_at_10"]
    assert (scores["hit_rate_at_1"], scores["recall_at_1"]) == (1, pytest.approx(0.2))


def test_no_cutoff_beyond_what_the_run_kept(exported):
    """100 hits say nothing of the recall at 1000."""
    (scores,) = json.loads(result(exported, "random", "captioning").read_text())["scores"]["test"]
    assert "recall_at_100" in scores and "recall_at_1000" not in scores


def test_silver_relevance_is_told(exported):
    """mteb has no field for it; it stands under `mmragbench`."""
    stored = json.loads(result(exported, "random", "captioning").read_text())
    assert stored["mmragbench"]["relevance"] == "silver:cider"


def test_mteb_reads_results_and_models(exported):
    """A file by itself, and the folder as a cache of results: a row a task, a column a strategy."""
    mteb = pytest.importorskip("mteb", reason="mteb is not installed")
    path = result(exported, "shared-space", "text-to-image")
    read = mteb.TaskResult.from_disk(path, load_historic_data=False)
    stored = json.loads(path.read_text())
    assert read.get_score() == stored["scores"]["test"][0]["ndcg_at_10"]
    assert (read.task_name, read.dataset_revision) == ("text-to-image", stored["dataset_revision"])
    table = mteb.ResultCache(str(exported)).load_results(include_remote=False).to_dataframe()
    assert set(table["task_name"]) == {"text-to-image", "image-to-text", "captioning"}
    assert {"toy/shared-space", "toy/random", "toy/oracle"} <= set(table.columns)


@pytest.mark.parametrize("task", ["image-to-text", "captioning"])
def test_mtebs_own_evaluation_finds_the_same(task, coco_run, exported):
    """On the same rankings and judgements, for every key that we write (mteb rounds to 5 digits)."""
    metrics = pytest.importorskip("mteb._evaluators.retrieval_metrics", reason="mteb is missing")
    source = load_tasks(coco_run)
    qrels = {query: dict(grades) for query, grades in source.scored(task)}
    for strategy, path in source.ranked(task):
        ranks = {
            ranking.query: {id: -float(rank) for rank, id in enumerate(ranking.ids)}
            for ranking in source.rankings(task, path)
            if ranking.query in qrels
        }
        theirs = metrics.calculate_retrieval_scores(ranks, qrels, [1, 3, 5, 10, 20, 100])
        named = metrics.make_score_dict(
            ndcg=theirs.ndcg,
            _map=theirs.map,
            recall=theirs.recall,
            precision=theirs.precision,
            mrr=theirs.mrr,
            naucs={},
            naucs_mrr={},
            hit_rate=theirs.hit_rate,
            task_scores={},
        )
        (ours,) = json.loads(result(exported, strategy, task).read_text())["scores"]["test"]
        keys = [key for key in ours if "_at_" in key]
        assert len(keys) == 36
        assert {k: ours[k] for k in keys} == {k: pytest.approx(named[k], abs=6e-6) for k in keys}
