"""mteb's results: `results/<suite>__<strategy>/<suite's hash>/<task>.json`, as its cache has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mmragbench.exporting.run_tasks import NO_QRELS, NO_RANKINGS, RunTasks
from mmragbench.exporting.target import Export
from mmragbench.measuring.scoring import estimate
from mmragbench.records import Measure
from mmragbench.registry import find_measure
from mmragbench.run_folder import paths

CUTOFFS = (1, 3, 5, 10, 20, 100, 1000)
"""The cutoffs at which mteb reports."""

KEYS = {
    "nDCG": "ndcg_at",
    "AP": "map_at",
    "R": "recall_at",
    "P": "precision_at",
    "RR": "mrr_at",
    "Success": "hit_rate_at",
}
"""Our measure -> mteb's key. `recall_at_k` is true recall there too; the hit rate, which was
`cv_recall_at_k` in mteb 1, is `hit_rate_at_k`."""

MAIN = "ndcg_at_10"
LANGUAGES = ["und-Zyyy"]
"""ISO 639 and ISO 15924 codes of an undetermined language and script."""


def write(source: RunTasks, to: Export) -> None:
    """Retrieval results as `mteb.TaskResult.from_disk` and `mteb.ResultCache` read them.

    The values are computed from the stored rankings at mteb's cutoffs, as far as the suite kept hits
    (`depth`); they are means over the queries with a relevant document. `mteb_version` is null, since
    mteb did not evaluate; `main_score` is nDCG@10; the dataset's revision is made of the checksums
    of queries and documents. Values without a field in mteb are under `mmragbench`, which it ignores.
    """
    for task in source.tasks:
        if next(source.scored(task), None) is None:
            to.left_out[task] = NO_QRELS
            continue
        for strategy in source.unranked(task):
            to.left_out[f"{task}/{strategy}"] = NO_RANKINGS
        for strategy, path in source.ranked(task):
            result = _result(source, task, strategy, _values(source, task, path))
            to.write(f"{_folder(source, strategy)}/{task}.json", [_json(result)])
    for strategy in source.strategies:
        if (to.folder / _folder(source, strategy)).is_dir():
            meta = {"name": _model(source, strategy), "revision": _revision(source)}
            to.write(f"{_folder(source, strategy)}/model_meta.json", [_json({**META, **meta})])


META: dict[str, Any] = {
    "loader": None,
    "release_date": None,
    "languages": None,
    "n_parameters": None,
    "memory_usage_mb": None,
    "max_tokens": None,
    "embed_dim": None,
    "license": None,
    "open_weights": None,
    "public_training_code": None,
    "public_training_data": None,
    "framework": [],
    "similarity_fn_name": None,
    "use_instructions": None,
    "training_datasets": None,
}
"""Fields of a model in mteb that a strategy does not have."""


def _values(source: RunTasks, task: str, path: Any) -> dict[str, float]:
    depth = int(source.run.suite.get("depth") or 100)
    measures = {
        Measure(name, cutoff=k): f"{key}_{k}"
        for name, key in KEYS.items()
        for k in CUTOFFS
        if k <= depth
    }
    evaluate = find_measure(Measure("nDCG", cutoff=10)).make
    rankings = list(source.rankings(task, path))
    scored = evaluate(list(measures), source.tasks[task], rankings, [], depth=depth)
    values = {measures[scores.measure]: estimate(scores)[0] for scores in scored}
    return {key: value for key, value in values.items() if value is not None}


def _result(
    source: RunTasks, task: str, strategy: str, values: Mapping[str, float]
) -> dict[str, Any]:
    manifest = source.run.manifest
    data = manifest["data"][task]
    scores = {
        **values,
        "main_score": values[MAIN],
        "hf_subset": "default",
        "languages": LANGUAGES,
    }
    return {
        "dataset_revision": f"{data['queries_digest'][:16]}-{data['memory_digest'][:16]}",
        "task_name": task,
        "mteb_version": None,
        "scores": {"test": [scores]},
        "evaluation_time": _seconds(source, task, strategy),
        "kg_co2_emissions": None,
        "date": datetime.fromisoformat(manifest["created"]).timestamp(),
        "mmragbench": {
            "version": manifest["mmragbench"],
            "relevance": source.tasks[task].relevance,
            "queries": sum(1 for _ in source.scored(task)),
            "documents": data["documents"],
        },
    }


def _seconds(source: RunTasks, task: str, strategy: str) -> float | None:
    """Seconds of wall-clock time for indexing and retrieval; None where they are not stored."""
    cost = source.run.json(paths.in_cell(task, strategy, paths.COST))
    return sum(cost["seconds"].values()) if cost else None


def _model(source: RunTasks, strategy: str) -> str:
    return f"{source.run.suite['name']}/{strategy}"


def _revision(source: RunTasks) -> str:
    return str(source.run.manifest["suite_hash"][:8])


def _folder(source: RunTasks, strategy: str) -> str:
    return f"results/{_model(source, strategy).replace('/', '__')}/{_revision(source)}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
