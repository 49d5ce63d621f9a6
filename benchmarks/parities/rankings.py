"""Rankings against trec_eval, by two ways, and against CLIP_benchmark's definition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmragbench.records import Measure, Query, Ranking, Task
from parities.part import Part, library, value, worst

NAMES = {
    "R@5": "recall_5",
    "R@10": "recall_10",
    "Success@5": "success_5",
    "P@10": "P_10",
    "RR": "recip_rank",
    "nDCG@10": "ndcg_cut_10",
    "nDCG": "ndcg",
    "AP": "map",
    "AP@10": "map_cut_10",
}
"""Ours -> trec_eval's."""


def rankings(data: Path) -> Part:
    """trec_eval by two ways, and CLIP_benchmark's definition written down apart."""
    part = Part("Rankings")
    task, found, run = ties()
    ours = our_rankings(task, found)
    own, gap = "2,000 random rankings: ties, unjudged documents, grades 0 to 3", 0.0
    for tool, theirs in (
        ("pytrec_eval-terrier", pytrec(task, run)),
        ("ir_measures", irm(task, run)),
    ):
        for name in NAMES:
            both = [(ours[name][query], theirs[name][query]) for query in theirs[name]]
            a, b = np.mean(both, axis=0)
            part.add(name, float(a), float(b), library(tool), own)
            gap = max(gap, worst(both))
    part.notes = [f"The largest difference of any query in any measure: {gap:.0e}."]
    part.notes.append(
        "Ours calls ir_measures, and through it pytrec_eval, with ranks in place of scores; what is "
        "compared is everything around that. The tests compare with each measure's definition too."
    )
    part.notes.append(
        "Rankings without hits (0 with us, left out by trec_eval) and queries without a relevant "
        f"document (scored by neither) are not in these means: {len(task.queries) - len(run)} of the "
        "queries."
    )
    retrieved(part, data)
    return part


def ties() -> tuple[Task, list[Ranking], dict[str, dict[str, float]]]:
    rng = np.random.default_rng(0)
    documents = [f"d{i}" for i in range(80)]
    qrels, found, run = {}, [], {}
    for i in range(2_000):
        judged = rng.choice(documents, rng.integers(1, 20), replace=False)
        qrels[f"q{i}"] = {str(id): int(rng.integers(0, 4)) if i % 9 else 0 for id in judged}
        taken = rng.choice(documents, 0 if i % 11 == 0 else rng.integers(1, 60), replace=False)
        hits = {str(id): float(rng.integers(0, 6)) / 8 for id in taken}
        found.append(Ranking.of(f"q{i}", hits.items()))
        if hits and max(qrels[f"q{i}"].values()) > 0:
            run[f"q{i}"] = hits
    return Task("random", [], [Query(id) for id in qrels], qrels), found, run


def our_rankings(task: Task, found: Sequence[Ranking]) -> dict[str, dict[str, float]]:
    from mmragbench.evals.retrieval import retrieval

    scored = retrieval([Measure.parse(name) for name in NAMES], task, found, [])
    return {
        str(s.measure): {x.query: x.value for x in s.scores if x.value is not None} for s in scored
    }


def pytrec(task: Task, run: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    import pytrec_eval

    asked = {"recall", "success", "P", "recip_rank", "ndcg_cut", "ndcg", "map", "map_cut"}
    qrels = {query: dict(grades) for query, grades in task.qrels.items()}
    found = pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(run)
    return {ours: {query: found[query][theirs] for query in run} for ours, theirs in NAMES.items()}


def irm(task: Task, run: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    import ir_measures

    found: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    measures = [ir_measures.parse_measure(name) for name in NAMES]
    for metric in ir_measures.iter_calc(measures, dict(task.qrels), run):
        if metric.query_id in run:
            found[str(metric.measure)][metric.query_id] = metric.value
    return found


def retrieved(part: Part, data: Path) -> None:
    """Two-tower vectors of Flickr8k through dataset, encoder, index and evaluator."""
    from mmragbench.verify.references import chosen, load
    from mmragbench.verify.retrieval import retrieval

    path = data / "flickr8k" / "two_tower_embeddings.npz"
    if not path.is_file():
        part.notes.append("CLIP_benchmark's definition: not run, flickr8k/ is not there.")
        return
    published = chosen(load(), "two-tower")
    recalls = [
        each.model_copy(update={"name": each.name.replace("Success", "R"), "measure": f"R@{k}"})
        for each in published
        if (k := each.measure.partition("@")[2])
    ]
    found = retrieval([*published, *recalls], published[0].given, data)
    theirs = clip_benchmark(path, data)
    for each in (*published, *recalls):
        hit = each.measure.startswith("Success")
        tool = "CLIP_benchmark's recall@k" if hit else "its inner recall, before “> 0”"
        key = (str(each.task), each.measure)
        label = f"{each.measure}, {each.task}"
        part.add(label, value(found[each.name]), theirs[key], tool, "flickr8k dev, two-tower")
    part.notes.append(
        "CLIP_benchmark's definition is written down apart (numpy, full similarity matrix). Its "
        "“recall@k” is the hit rate `Success@k`; with five relevant captions an image, `R@k` of the "
        "same ranking is far lower."
    )


def clip_benchmark(path: Path, data: Path) -> dict[tuple[str, str], float]:
    """Per query, true positives among the k best over all positives; its recall@k is the share of
    queries where that is above zero."""
    names = (data / "flickr8k/splits/dev.txt").read_text().split()
    place = {name: i for i, name in enumerate(names)}
    with np.load(path) as arrays:
        images = dict(zip(arrays["image_ids"], arrays["image_embeddings"], strict=True))
        owners = [str(id).partition("#")[0] for id in arrays["caption_ids"]]
        kept = [i for i, owner in enumerate(owners) if owner in place]
        texts = arrays["caption_embeddings"][kept].astype(np.float32)
    pictures = np.stack([images[name] for name in names]).astype(np.float32)
    similar = texts @ pictures.T
    positive = np.zeros(similar.shape, dtype=bool)
    positive[np.arange(len(kept)), [place[owners[i]] for i in kept]] = True
    found = {}
    for task, scores, right in (
        ("text-to-image", similar, positive),
        ("image-to-text", similar.T, positive.T),
    ):
        for k in (1, 5, 10):
            best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            recall = np.take_along_axis(right, best, axis=1).sum(axis=1) / right.sum(axis=1)
            found[task, f"Success@{k}"] = float((recall > 0).mean())
            found[task, f"R@{k}"] = float(recall.mean())
    return found
