"""A finished run in memory, and copies of it on disk in which something is different."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

import mmragbench as mb
from mmragbench._files import write_rows
from mmragbench.datasets.coco import Coco
from mmragbench.datasets.scenes import Scenes, _split
from mmragbench.evals.captions import PYTHON, Tokenizer, captions
from mmragbench.evals.retrieval import retrieval
from mmragbench.measuring.scoring import rows
from mmragbench.records import Control, Measure, MeasureInfo, Output, Ranking, Scores, Task
from mmragbench.run_folder import writing as run_folder

SUITE = Path(__file__).parents[2] / "suites" / "scenes.yaml"

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
    controls: Mapping[str, Control | None]

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
    controls = {row["strategy"]: row["control"] for row in done.rows}
    made = Made(done.folder, world, tasks, {}, {}, {}, controls)
    measured: dict[Place, list[Measure]] = {}
    for row in done.rows:
        if row["slice"] == "all" and row["estimate"] is not None:
            place = (row["task"], row["strategy"], row["generator"], row["k"])
            measure = Measure.parse(row["measure"]).with_info(MeasureInfo.of(row))
            measured.setdefault(place, []).append(measure)
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
        summary += rows({**key, "control": made.controls[place[1]]}, {"all": scores})
    write_rows(target / "summary.json", summary)
