"""What may happen to a run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from numpy.random import Generator

from gates.runs import Changed, Made, Place
from mmragbench.datasets.coco import Coco
from mmragbench.datasets.scenes import _split
from mmragbench.evals.captions import Tokenizer
from mmragbench.records import Ranking, Scores, Task

CONTENDERS = ("shared-space", "text-grounding", "separate-stores")
WORDS = Tokenizer("words", lambda texts: [text.lower() for text in texts])


def nothing(made: Made, rng: Generator) -> Changed:
    """All is scored again, with queries and documents in another order."""
    tasks = {name: reordered(task, rng) for name, task in made.tasks.items()}
    anew = {p: made.rescored(p, tasks[p[0]], made.rankings[p]) for p in chosen(made, rng)}
    return Changed("", anew, tasks)


def lower_recall(made: Made, rng: Generator) -> Changed:
    """5 % of the queries lose what was found for them: recall falls by 5 points."""
    place = (rng.choice(["text-to-image", "image-to-text"]), rng.choice(CONTENDERS), None, None)
    task, found = made.tasks[place[0]], {r.query: r for r in made.rankings[place]}
    full = [q.id for q in task.queries if set(found[q.id].ids[:10]) >= set(task.qrels[q.id])]
    lost = set(rng.choice(full, len(task.queries) // 20, replace=False))
    less = [without(r, task.qrels[r.query]) if r.query in lost else r for r in found.values()]
    return Changed(rf"{place[0]} · {place[1]} · R@10", {place: made.rescored(place, task, less)})


def shuffle(made: Made, rng: Generator) -> Changed:
    """For 10 % of the queries, the hundred hits come in any order."""
    place = (rng.choice(["text-to-image", "image-to-text"]), rng.choice(CONTENDERS), None, None)
    task, found = made.tasks[place[0]], made.rankings[place]
    ids = set(rng.choice([r.query for r in found], len(found) // 10, replace=False))
    mixed = [shuffled(ranking, rng) if ranking.query in ids else ranking for ranking in found]
    return Changed(rf"{place[0]} · {place[1]} · ", {place: made.rescored(place, task, mixed)})


def drop_queries(made: Made, rng: Generator) -> Changed:
    """One task is asked with 95 % of its queries."""
    name = rng.choice(list(made.tasks))
    task = made.tasks[name]
    order = rng.permutation([query.id for query in task.queries])
    kept = frozenset(order[len(order) // 20 :])
    fewer = replace(task.subset(kept), slices=task.slices)
    fewer = replace(fewer, references={q: r for q, r in task.references.items() if q in kept})
    scores = {p: restricted(made.scores[p], kept) for p in made.rankings if p[0] == name}
    scores |= {p: made.reworded(p, fewer) for p in made.outputs if p[0] == name}
    gone = len(order) - len(kept)
    return Changed(rf"{name}: {gone} queries of .* missing", scores, {**made.tasks, name: fewer})


def swap_captions(made: Made, rng: Generator) -> Changed:
    """In the annotation file, two pictures change captions."""
    pictures = rng.choice([query.id for query in made.tasks["captioning"].queries], 2, False)
    with tempfile.TemporaryDirectory() as folder:
        tasks = swapped_world(made.world, Path(folder), [int(id) for id in pictures])
    tasks = {name: tasks[name] for name in made.tasks}
    scores: dict[Place, list[Scores]] = {}
    for place in made.rankings:
        old, new = made.tasks[place[0]], tasks[place[0]]
        other = frozenset(q.id for q in new.queries if old.qrels[q.id] != new.qrels[q.id])
        if other:
            again = made.rescored(place, new.subset(other), made.rankings[place])
            scores[place] = [merged(a, b) for a, b in zip(made.scores[place], again, strict=True)]
    scores |= {p: made.reworded(p, tasks[p[0]]) for p in made.outputs}
    first, second = sorted(pictures)
    named = rf"captioning: 2 queries with other references.*({first}, {second}|{second}, {first})"
    return Changed(named, scores, tasks)


def other_tokenizer(made: Made, rng: Generator) -> Changed:
    """Some strategies' captions are split into words at blanks."""
    which = rng.permutation(list(made.outputs))[: rng.integers(1, len(made.outputs) + 1)]
    places: list[Place] = [(t, s, g, int(k)) for t, s, g, k in which]
    scores = {p: made.reworded(p, made.tasks[p[0]], WORDS) for p in places}
    return Changed("tok is ptb-py in the baseline and words now", scores)


def reordered(task: Task, rng: Generator) -> Task:
    queries = [task.queries[i] for i in rng.permutation(len(task.queries))]
    memory = [task.memory[i] for i in rng.permutation(len(task.memory))]
    return replace(task, queries=queries, memory=memory)


def chosen(made: Made, rng: Generator) -> list[Place]:
    places = list(made.rankings)
    return [places[i] for i in rng.permutation(len(places))[:2]]


def without(ranking: Ranking, ids: Iterable[str]) -> Ranking:
    gone = set(ids)
    return Ranking(ranking.query, tuple(hit for hit in ranking.hits if hit.id not in gone))


def shuffled(ranking: Ranking, rng: Generator) -> Ranking:
    ids = rng.permutation(ranking.ids)
    return Ranking.of(ranking.query, [(str(id), -i) for i, id in enumerate(ids)])


def restricted(found: Sequence[Scores], ids: frozenset[str]) -> list[Scores]:
    return [replace(s, scores=tuple(x for x in s.scores if x.query in ids)) for s in found]


def merged(before: Scores, again: Scores) -> Scores:
    new = {score.query: score for score in again.scores}
    return replace(before, scores=tuple(new.get(s.query, s) for s in before.scores))


def swapped_world(world: Path, folder: Path, pictures: Sequence[int]) -> Mapping[str, Task]:
    file = Path("annotations/captions_queries.json")
    (folder / "annotations").mkdir()
    for original in (world / "annotations").iterdir():
        (folder / "annotations" / original.name).symlink_to(original)
    (folder / "images").symlink_to(world / "images")
    content = json.loads((world / file).read_text())
    other = dict(zip(pictures, reversed(pictures), strict=True))
    for annotation in content["annotations"]:
        annotation["image_id"] = other.get(annotation["image_id"], annotation["image_id"])
    (folder / file).unlink()
    (folder / file).write_text(json.dumps(content))
    return Coco(folder, queries=_split("queries"), memory=_split("memory")).tasks()


Change = Callable[[Made, Generator], Changed]
CHANGES: dict[str, Change] = {
    "no change": nothing,
    "recall lowered by 5 points": lower_recall,
    "hits shuffled for 10 % of queries": shuffle,
    "5 % of the queries dropped": drop_queries,
    "captions of two pictures swapped": swap_captions,
    "another tokeniser": other_tokenizer,
}
