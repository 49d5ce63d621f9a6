"""Does the gate pass what did not change, fail what did, and say why? Does its test keep its level?

    python benchmarks/gate_calibration.py            # print the tables
    python benchmarks/gate_calibration.py --write    # and write them to docs/explanations/gate.md

The embedded world's run (`scenes`, retrieval and captioning by consensus) is made once. Each
repetition copies it with one change, scores what changed with this package's own measures, writes
the run folder with the code that writes every run, and calls `mmragbench.gate`.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from gates.level import levels, powers
from numpy.random import Generator

import mmragbench as mb
from mmragbench import run_folder
from mmragbench.datasets.coco import Coco
from mmragbench.datasets.scenes import Scenes, _split
from mmragbench.evals.captions import PYTHON, Tokenizer, captions
from mmragbench.evals.retrieval import retrieval
from mmragbench.gating.verdicts import Gate
from mmragbench.records import Measure, Output, Ranking, Scores, Task
from mmragbench.scoring import rows

REPETITIONS = 100
SUITE = Path(__file__).parents[1] / "suites" / "scenes.yaml"
DOCUMENT = Path(__file__).parents[1] / "docs" / "explanations" / "gate.md"
CONTENDERS = ("shared-space", "text-grounding", "separate-stores")
WORDS = Tokenizer("words", lambda texts: [text.lower() for text in texts])

Place = tuple[str, str, str | None, int | None]
"""Task, strategy, generator, k."""


@dataclass(frozen=True)
class Made:
    """A finished run in memory: its data, what was retrieved and said, and the scores of that."""

    folder: Path
    world: Path
    tasks: Mapping[str, Task]
    rankings: Mapping[Place, Sequence[Ranking]]
    outputs: Mapping[Place, Sequence[Output]]
    scores: Mapping[Place, list[Scores]]

    def rescored(self, place: Place, task: Task, rankings: Sequence[Ranking]) -> list[Scores]:
        measures = [scores.measure for scores in self.scores[place]]
        return retrieval(measures, task, rankings, [], depth=100)

    def reworded(self, place: Place, task: Task, tokenizer: Tokenizer = PYTHON) -> list[Scores]:
        measures = [scores.measure for scores in self.scores[place]]
        return captions(measures, task, [], self.outputs[place], tokenizer)


@dataclass(frozen=True)
class Changed:
    """What a repetition changes, and what the gate must say for the cause to count as named."""

    cause: str
    scores: Mapping[Place, list[Scores]]
    tasks: Mapping[str, Task] | None = None


# Making the run, and reading it.


def small_suite() -> dict[str, object]:
    suite = yaml.safe_load(SUITE.read_text())
    del suite["tasks"]["image-generation"]
    suite["tasks"]["captioning"] |= {
        "generator": "consensus",
        "measures": ["R@10", "Success@1", "nDCG@10", "CIDEr", "ROUGE_L"],
    }
    return {**suite, "name": "scenes-gate"}


def make(folder: Path) -> Made:
    file = folder / "suite.yaml"
    file.write_text(yaml.safe_dump(small_suite(), sort_keys=False))
    done = mb.run(file, output=folder)
    world = Scenes(memory=1200, queries=400).draw()
    tasks = Coco(world, queries=_split("queries"), memory=_split("memory")).tasks()
    tasks = {name: tasks[name] for name in small_suite()["tasks"]}  # type: ignore[attr-defined]
    made = Made(done.folder, world, tasks, {}, {}, {})
    measured: dict[Place, list[Measure]] = {}
    for row in done.rows:
        if row["slice"] == "all" and row["estimate"] is not None:
            place = (row["task"], row["strategy"], row["generator"], row["k"])
            measured.setdefault(place, []).append(Measure.parse(row["measure"]))
    rankings = {p: read_rankings(cell(done.folder, p)) for p in measured if p[2] is None}
    outputs = {p: read_outputs(cell(done.folder, p)) for p in measured if p[2] is not None}
    empty = {p: [Scores(m, "") for m in measures] for p, measures in measured.items()}
    made = replace(made, rankings=rankings, outputs=outputs, scores=empty)
    scored = {p: made.rescored(p, tasks[p[0]], rankings[p]) for p in rankings}
    scored |= {p: made.reworded(p, tasks[p[0]]) for p in outputs}
    return replace(made, scores=scored)


def cell(folder: Path, place: Place) -> Path:
    task, strategy, generator, k = place
    below = folder / "cells" / task / strategy
    return below / f"{generator}-k{k}" if generator else below


def read_rankings(folder: Path) -> list[Ranking]:
    hits: dict[str, list[tuple[str, float]]] = {}
    for line in (folder / "run.trec").read_text().splitlines():
        query, _, document, _, score, _ = line.split()
        hits.setdefault(query, []).append((document, float(score)))
    return [Ranking.of(query, found) for query, found in hits.items()]


def read_outputs(folder: Path) -> list[Output]:
    lines = map(json.loads, (folder / "outputs.jsonl").read_text().splitlines())
    return [Output(line["query"], line["text"], error=line["error"]) for line in lines]


def write(made: Made, changed: Changed, target: Path) -> None:
    """The run with what changed; everything else is a link to the run's own files."""
    target.mkdir()
    for name in ("suite.yaml", "manifest.json"):
        (target / name).symlink_to(made.folder / name)
    if changed.tasks is None:
        (target / "tasks").symlink_to(made.folder / "tasks")
    else:
        run_folder.write_tasks(target, changed.tasks)
    summary = []
    for place, scores in {**made.scores, **changed.scores}.items():
        below = cell(target, place)
        below.mkdir(parents=True, exist_ok=True)
        if place in changed.scores:
            run_folder._write_scores(below, {"all": scores})
        else:
            (below / "scores.parquet").symlink_to(cell(made.folder, place) / "scores.parquet")
        key = dict(zip(("task", "strategy", "generator", "k"), place, strict=True))
        summary += rows(key, {"all": scores})
    run_folder.write_rows(target / "summary.json", summary)


# What may happen to a run.


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
    for place, found in made.rankings.items():
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


# Their parts.


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
    for other in (world / "annotations").iterdir():
        (folder / "annotations" / other.name).symlink_to(other)
    (folder / "images").symlink_to(world / "images")
    content = json.loads((world / file).read_text())
    other = dict(zip(pictures, reversed(pictures), strict=True))
    for annotation in content["annotations"]:
        annotation["image_id"] = other.get(annotation["image_id"], annotation["image_id"])
    (folder / file).unlink()
    (folder / file).write_text(json.dumps(content))
    return Coco(folder, queries=_split("queries"), memory=_split("memory")).tasks()


# The tables.


Change = Callable[[Made, Generator], Changed]
CHANGES: dict[str, Change] = {
    "no change": nothing,
    "recall lowered by 5 points": lower_recall,
    "hits shuffled for 10 % of queries": shuffle,
    "5 % of the queries dropped": drop_queries,
    "captions of two pictures swapped": swap_captions,
    "another tokeniser": other_tokenizer,
}


def judged(made: Made, baseline: Path, change: Change, seed: int) -> tuple[bool, bool]:
    """Whether the gate holds, and whether what it says has the cause in it."""
    with tempfile.TemporaryDirectory() as folder:
        changed = change(made, np.random.default_rng(seed))
        write(made, changed, Path(folder) / "run")
        gate = mb.gate(Path(folder) / "run", baseline)
    return gate.holds, bool(changed.cause) and any(re.search(changed.cause, s) for s in said(gate))


def said(gate: Gate) -> list[str]:
    return [*map(str, gate.problems), *(cell.name for cell in gate.failing)]


def table(made: Made, repetitions: int) -> list[str]:
    baseline = made.folder.parent / "baseline.json"
    mb.save_baseline(made.folder, baseline)
    lines = ["| change | passes | fails | names the cause |", "| :-- | --: | --: | --: |"]
    for name, change in CHANGES.items():
        found = [judged(made, baseline, change, seed) for seed in range(repetitions)]
        passes, names = (sum(column) for column in zip(*found, strict=True))
        named = "" if change is nothing else str(names)
        lines.append(f"| {name} | {passes} | {repetitions - passes} | {named} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def main() -> None:
    repetitions = int(next((a for a in sys.argv[1:] if a.isdecimal()), REPETITIONS))
    folder = Path(tempfile.mkdtemp())
    try:
        parts = {"gate": table(make(folder), repetitions), "level": levels(), "power": powers()}
    finally:
        shutil.rmtree(folder)
    for name, lines in parts.items():
        print("\n".join([f"\n{name}\n", *lines]))
    if "--write" in sys.argv:
        text = DOCUMENT.read_text()
        for name, lines in parts.items():
            inner = "\n".join(["", *lines, ""])
            text = re.sub(
                rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
                lambda match, inner=inner: f"{match[1]}{inner}\n{match[2]}",
                text,
                flags=re.S,
            )
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
