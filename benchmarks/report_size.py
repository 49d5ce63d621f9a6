"""How large the page of a large run is, and how long storing and writing it takes.

    python benchmarks/report_size.py FOLDER [QUERIES]

Writes a run folder of 5,000 queries, 5,000 documents, six strategies and two generators as the
engine would have, on pictures whose thumbnails weigh what photographs' do (2.5 kB); then its page,
and its full page. Open FOLDER/run/report/index.html to see how a browser takes it.
"""

from __future__ import annotations

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from mmragbench._files import write_rows
from mmragbench.engine.loop import Cell
from mmragbench.engine.results import Generated, Rankings, Retrieved
from mmragbench.measuring.scoring import rows
from mmragbench.records import (
    Document,
    Image,
    Measure,
    Output,
    Query,
    Ranking,
    Score,
    Scores,
    Task,
    Text,
)
from mmragbench.registry import find_measure
from mmragbench.reporting.page.explorer import USUAL, WHOLE, PageBudget
from mmragbench.reporting.page.page import render
from mmragbench.run_folder import writing as run_folder
from mmragbench.run_folder.explorer_data import write_explorer_data
from mmragbench.run_folder.reading import Run

STRATEGIES = {
    "shared-space": 0.5,
    "text-grounding": 0.4,
    "separate-stores": 0.6,
    "reranked": 0.65,
    "random": 0.0,
    "oracle": 1.0,
}
"""Strategy -> how often it finds the right document first."""

GENERATORS = [("consensus", 5), ("reader", 3)]
DEPTH = 100
CONTROLS = {"random": "chance", "oracle": "ceiling"}
SUCCESS, CIDER = (
    measure.with_info(find_measure(measure).info)
    for measure in (Measure("Success", cutoff=1), Measure("CIDEr"))
)
SYLLABLES = ("ba", "re", "ti", "mo", "lu", "san", "der", "king")
WORDS = [first + second for first in SYLLABLES for second in SYLLABLES]


def draw(path: Path, seed: int) -> None:
    """A picture of soft shapes and texture: as hard to compress as a photograph."""
    dice = np.random.default_rng(seed)
    picture = np.zeros((240, 320, 3), np.float32)
    for cells, weight in ((4, 70), (16, 38), (60, 30), (160, 22)):
        noise = dice.normal(0, weight, (cells * 3 // 4, cells, 3)).astype(np.float32)
        if cells > 4:
            noise = noise.mean(axis=2, keepdims=True).repeat(3, axis=2) * 1.4
        large = [
            np.asarray(Pillow.fromarray(noise[..., channel]).resize((320, 240), Pillow.BILINEAR))
            for channel in range(3)
        ]
        picture += np.stack(large, axis=2)
    Pillow.fromarray(np.clip(picture + 128, 0, 255).astype(np.uint8)).save(path, quality=85)


def pictures(folder: Path, count: int) -> list[Image]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:05d}.jpg" for i in range(count)]
    missing = [(i, path) for i, path in enumerate(paths) if not path.is_file()]
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda job: draw(job[1], job[0]), missing))
    return [Image(path.stem, path, f"{i:064x}"[::-1]) for i, path in enumerate(paths)]


def sentence(dice: random.Random) -> str:
    return " ".join(dice.choices(WORDS, k=dice.randint(8, 14))) + "."


def make_tasks(images: list[Image], dice: random.Random) -> list[Task]:
    """Captions ask for their images; images ask for captions made from pairs of other images."""
    half = len(images) // 2
    captions = {image.id: [sentence(dice) for _ in range(5)] for image in images}

    def document(image: Image, paired: bool) -> Document:
        texts = tuple(Text(f"{image.id}-{i}", c) for i, c in enumerate(captions[image.id]))
        return Document(image.id, image, texts if paired else ())

    memory = images[:half]
    caption_queries = [Query(f"c{i.id}", text=Text(f"c{i.id}", captions[i.id][0])) for i in memory]
    image_queries = [Query(f"i{image.id}", image=image) for image in memory]
    pairs = [document(image, paired=True) for image in images[half:]]
    return [
        Task(
            "text-to-image",
            [document(image, paired=False) for image in memory],
            caption_queries,
            {f"c{image.id}": {image.id: 1} for image in memory},
            slices={"people": frozenset(query.id for query in caption_queries[::7])},
        ),
        Task(
            "captioning",
            pairs,
            image_queries,
            {q.id: {pairs[i].id: 1} for i, q in enumerate(image_queries)},
            relevance="silver:cider",
            output="caption",
            references={
                query.id: tuple(captions[query.image.id]) for query in image_queries if query.image
            },
            slices={"people": frozenset(query.id for query in image_queries[::7])},
        ),
    ]


def cell(task: Task, strategy: str, skill: float, dice: random.Random) -> Cell:
    documents = {document.id: document for document in task.memory}
    ids = list(documents)
    rankings, scores = [], []
    for query in task.queries:
        hits = dice.sample(ids, min(DEPTH, len(ids)))
        (right,) = task.qrels[query.id]
        if dice.random() < skill:
            hits = [right, *(id for id in hits if id != right)]
        rankings.append(Ranking(query.id, tuple((id, 1 / (i + 2)) for i, id in enumerate(hits))))
        scores.append(Score(query.id, float(hits[0] == right)))
    result = Cell(task.name, strategy, Retrieved(Rankings(rankings)))
    result.scored = {"all": [Scores(SUCCESS, "s", tuple(scores))]}
    if task.output == "caption":
        for generator, k in GENERATORS:
            result.generated[generator, k] = generated(rankings, documents, k, dice)
    return result


def generated(
    rankings: list[Ranking], documents: dict[str, Document], k: int, dice: random.Random
) -> tuple[Generated, dict[str, list[Scores]]]:
    outputs, scores = [], []
    for ranking in rankings:
        shown = [documents[hit[0]] for hit in ranking.hits[:k]]
        lines = "\n".join(f"<image> {text.content}" for d in shown for text in d.texts[:2])
        prompt = f"Here are pictures with their captions.\n{lines}\nDescribe the last picture.\n"
        error = "Timeout: the server did not answer in 60 s" if dice.random() < 0.002 else None
        text = None if error else sentence(dice)
        outputs.append(Output(ranking.query, text, None, error, (), prompt))
        scores.append(Score(ranking.query, None if error else dice.random() * 2, error))
    return Generated(outputs), {"all": [Scores(CIDER, "s", tuple(scores))]}


def store(run: Path, tasks: list[Task], dice: random.Random) -> float:
    """The run folder; how long the queries and documents for its page took, in seconds."""
    seconds, summary = 0.0, []
    run_folder.write_tasks(run, {task.name: task for task in tasks})
    for task in tasks:
        cells = [cell(task, name, skill, dice) for name, skill in STRATEGIES.items()]
        for result in cells:
            run_folder.write_cell(run, result)
            keyed = {(None, None): result.scored}
            keyed |= {key: scored for key, (_, scored) in result.generated.items()}
            for (generator, k), scored in keyed.items():
                key = {
                    "task": result.task,
                    "strategy": result.strategy,
                    "generator": generator,
                    "k": k,
                }
                key["control"] = CONTROLS.get(result.strategy)
                summary += rows(key, scored)
        began = time.perf_counter()
        write_explorer_data(run, task, cells, CONTROLS)
        seconds += time.perf_counter() - began
    write_rows(run / "summary.json", summary)
    suite = "name: large\ndataset: {use: synthetic}\nbaseline: shared-space\nstrategies:\n"
    (run / "suite.yaml").write_text(suite + "".join(f"  {name}: {{}}\n" for name in STRATEGIES))
    return seconds


def write(run: Path, name: str, budget: PageBudget) -> None:
    began = time.perf_counter()
    page = render(Run(run), budget)
    seconds = time.perf_counter() - began
    (run / "report").mkdir(exist_ok=True)
    (run / "report" / name).write_text(page, encoding="utf-8")
    size = (run / "report" / name).stat().st_size
    print(f"{name}: {size / 1e6:.1f} MB, written in {seconds:.1f} s")


def main(folder: str, queries: str = "5000") -> None:
    root = Path(folder)
    dice = random.Random(0)
    tasks = make_tasks(pictures(root / "pictures", 2 * int(queries)), dice)
    seconds = store(root / "run", tasks, dice)
    thumbnails = [path.stat().st_size for path in (root / "run/thumbnails").iterdir()]
    mean = sum(thumbnails) / len(thumbnails)
    print(f"stored in {seconds:.1f} s: {len(thumbnails):,} thumbnails of {mean:,.0f} bytes")
    for name, budget in (("index.html", USUAL), ("full.html", WHOLE)):
        write(root / "run", name, budget)


if __name__ == "__main__":
    main(*sys.argv[1:])
