"""A run folder as the engine writes it, small, with awkward texts in every place that has texts."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
import yaml
from PIL import Image, ImageDraw

from support import stated

STRATEGIES = {
    "shared-space": 0.62,
    "text-grounding": 0.55,
    "separate-stores": 0.7,
    "no-retrieval": 0.0,
    "chance-level": 0.004,
    "oracle": 1.0,
}
"""Strategy -> how good the fake is. `chance-level` is `random` under a name of the suite's own."""

NASTY = '<script>alert("x")</script> שלום 🦄 a|b 50% & $5_{x}^2 ~#\\ end'
NO_HITS = "nearest hands back the first hit, and <no-retrieval> has none"
RETRIEVES_NOTHING = "no-retrieval retrieves nothing that could be ranked"

TASKS: dict[str, dict[str, Any]] = {
    "text-to-image": {"relevance": "gold", "output": "none"},
    "image-to-text": {"relevance": "gold", "output": "none"},
    "captioning": {"relevance": "silver:categories", "output": "caption"},
    "image-generation": {"relevance": "silver:categories", "output": "image"},
}
GENERATORS = {
    "captioning": [("nearest", 1), ("consensus", 4), ("consensus", 16)],
    "image-generation": [("nearest", 1)],
}
MEASURES = {
    "captioning": ["CIDEr", "Bleu_4", "ROUGE_L"],
    "image-generation": ["FID(clip)", "KID(clip)"],
}


def complete(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `summary.json` with what its measure and its strategy say of themselves."""
    strategy = "random" if row["strategy"] == "chance-level" else row["strategy"]
    return stated.row(row["measure"], strategy) | row


class Fake:
    """Writes the files of one run below `root`."""

    def __init__(self, root: Path, queries: int, photos: list[Path], captions: list[str]) -> None:
        self.root, self.n = root, queries
        self.draw = random.Random(7)
        self.captions = captions
        self.thumbnails = [self.thumbnail(photo) for photo in photos]

    def write(self) -> Path:
        suite = {
            "name": "fake <b>world</b>",
            "description": "What a <b>fake</b> says.",
            "dataset": {"use": "scenes"},
            "models": {"clip": {"use": "open_clip", "name": "ViT-B-32"}},
            "strategies": {name: {} for name in STRATEGIES} | {"chance-level": {"use": "random"}},
            "tasks": {name: {} for name in TASKS},
            "baseline": "no-retrieval",
            "seed": 0,
        }
        self.text("suite.yaml", yaml.safe_dump(suite, sort_keys=False))
        self.json("manifest.json", manifest())
        self.json("summary.json", [row for task in TASKS for row in self.rows(task)])
        self.json("exclusions.json", exclusions())
        self.json("failures.json", [failure(i) for i in range(3)])
        for task in TASKS:
            self.task(task)
        return self.root

    def rows(self, task: str) -> Iterator[dict[str, Any]]:
        settings = [(None, None, ["Success@1", "Success@5", "Success@10", "nDCG@10"])]
        settings += [(g, k, MEASURES[task]) for g, k in GENERATORS.get(task, [])]
        for slice_ in ("all", "emblems"):
            for generator, k, measures in settings:
                for strategy, skill in STRATEGIES.items():
                    for measure in measures:
                        row = {"task": task, "strategy": strategy, "generator": generator, "k": k}
                        row |= {"slice": slice_, "measure": measure, "n": 500, "n_failed": 0}
                        row |= {"signature": f"{measure}|n:500|v:1", "estimate": None}
                        row = complete(row)
                        if strategy == "no-retrieval":
                            row["reason"] = NO_HITS if generator else RETRIEVES_NOTHING
                        else:
                            row["estimate"] = estimate(measure, skill)
                            row["n_failed"] = 3 if strategy == "text-grounding" else 0
                        yield row

    def task(self, task: str) -> None:
        facts = TASKS[task] | {"name": task, "n_queries": 500, "n_documents": 1500}
        self.json(f"tasks/{task}/task.json", facts | {"slices": {"emblems": 125}})
        size = len(self.thumbnails)
        documents = [
            {
                "id": f"d{i}",
                "texts": [] if task == "text-to-image" else [self.captions[i % len(self.captions)]],
                "image": None if task == "image-to-text" else self.thumbnails[i],
            }
            for i in range(size)
        ]
        queries = [self.query(task, i) for i in range(self.n)]
        self.jsonl(f"tasks/{task}/queries.jsonl", queries)
        self.jsonl(f"tasks/{task}/documents.jsonl", documents)
        for strategy, skill in STRATEGIES.items():
            if strategy != "no-retrieval":
                self.cell(task, strategy, skill, queries, size)

    def query(self, task: str, i: int) -> dict[str, Any]:
        from_text = task in ("text-to-image", "image-generation")
        place = self.draw.randrange(len(self.thumbnails))
        return {
            "id": f"q{i}",
            "text": self.captions[i % len(self.captions)] if from_text else None,
            "image": None if from_text else self.thumbnails[place],
            "references": self.captions[:5] if task == "captioning" else [],
            "slices": ["emblems"] if i % 3 == 2 else [],
            "relevant": [f"d{place}"],
            "n_relevant": 1,
        }

    def cell(self, task: str, strategy: str, skill: float, queries: list[Any], size: int) -> None:
        folder, lines = f"cells/{task}/{strategy}", []
        for query in queries:
            hits = [f"d{i}" for i in self.draw.sample(range(size), min(size, 10))]
            if self.draw.random() < skill:
                hits = [query["relevant"][0]] + [h for h in hits if h != query["relevant"][0]]
            lines += [f"{query['id']} Q0 {h} {r} {1 / (r + 1):.4f} x" for r, h in enumerate(hits)]
        self.text(f"{folder}/run.trec", "\n".join(lines) + "\n")
        spent = {"role": "encoder", "model": "clip", "calls": 12, "items": 1500, "cached": 0}
        seconds = {"index": 3.2 * skill, "retrieve": 1.1}
        self.json(f"{folder}/cost.json", {"index": [spent | {"seconds": 3.2}], "seconds": seconds})
        for generator, k in GENERATORS.get(task, []):
            self.outputs(f"{folder}/{generator}-k{k}", TASKS[task]["output"], queries)

    def outputs(self, folder: str, kind: str, queries: list[Any]) -> None:
        made = []
        for i, query in enumerate(queries):
            blank = {"query": query["id"], "text": None, "image": None, "error": None}
            thing = self.draw.choice(self.captions if kind == "caption" else self.thumbnails)
            answer = {"text" if kind == "caption" else "image": thing}
            answer = {"error": f"BadImage: {NASTY}"} if i == 1 else answer
            made.append(blank | {"shown": ["d0"], "prompt": None} | answer)
        self.jsonl(f"{folder}/outputs.jsonl", made)
        self.json(f"{folder}/cost.json", {"generate": [], "seconds": {"generate": 0.4}})
        scores = [(query["id"], "CIDEr", 0.831, None) for query in queries]
        frame = pandas.DataFrame(scores, columns=["query", "measure", "value", "error"])
        frame.assign(influence=None).to_parquet(self.root / folder / "scores.parquet")

    def thumbnail(self, photo: Path) -> str:
        path = f"thumbnails/{hashlib.sha256(photo.read_bytes()).hexdigest()[:32]}.jpg"
        with Image.open(photo) as picture:
            picture.thumbnail((160, 160))
            (self.root / "thumbnails").mkdir(parents=True, exist_ok=True)
            picture.save(self.root / path, quality=80)
        return path

    def text(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def json(self, path: str, value: Any) -> None:
        self.text(path, json.dumps(value))

    def jsonl(self, path: str, values: list[Any]) -> None:
        self.text(path, "".join(json.dumps(value) + "\n" for value in values))


def estimate(measure: str, skill: float) -> float:
    """Distances fall with skill, all others rise; the values are easy to find in a table."""
    if measure.startswith("FID"):
        return 40.5 - 30 * skill
    rank = float(measure.partition("@")[2] or 1)
    found = 1 - (1 - skill) ** rank**0.4
    return {"KID(clip)": 0.03 - 0.02 * skill, "CIDEr": 1.2 * skill}.get(measure, found)


def manifest() -> dict[str, Any]:
    made = {"mmragbench": "0.2.0", "created": "2026-03-12T14:05:00+00:00", "seed": 0}
    models = {"clip": {"use": "open_clip", "name": "ViT-B-32", "weights": "sha256:0a1b"}}
    data = {"use": "scenes", "fingerprint": "sha256:77"}
    return made | {"suite": "fake", "git": None, "models": models, "dataset": data, "notes": []}


def exclusions() -> list[dict[str, str]]:
    bad = [("truncated image", f"photo-{i}.jpg", f"cut short {NASTY}") for i in range(5)]
    bad.append(("no captions", "lonely.jpg", "the annotation has no caption for it"))
    keys = ("kind", "id", "reason")
    return [
        dict(zip(keys, entry, strict=True)) | {"task": task}
        for task in ("captioning", "image-generation")
        for entry in bad
    ]


def failure(i: int) -> dict[str, Any]:
    where = {"task": "captioning", "strategy": "text-grounding", "generator": "nearest", "k": 1}
    return where | {"query": f"q{i}", "error": f"BadImage: file 'x{i}.jpg' is cut after {i} bytes"}


def photos(folder: Path, count: int) -> list[Path]:
    """Small pictures, each with its own bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(count):
        picture = Image.new("RGB", (64, 48), (40 * i % 255, 90, 200 - 10 * i))
        ImageDraw.Draw(picture).ellipse((8 + i, 8, 40 + i, 40), fill=(250, 200, 10 * i))
        paths.append(folder / f"{i}.png")
        picture.save(paths[-1])
    return paths


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run. Tests only read it."""
    root = tmp_path_factory.mktemp("fake")
    captions = [NASTY, "a red house by a lake", "", "long " * 2000, "two boats"]
    return Fake(root / "run", 5, photos(root / "photos", 10), captions).write()


@pytest.fixture
def changed(run: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the run with JSON files replaced and files left out."""
    import shutil

    def make(*without: str, **replaced: Any) -> Path:
        copy = tmp_path / "run"
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns(*without), dirs_exist_ok=True)
        for name, value in replaced.items():
            value = list(map(complete, value)) if name == "summary" else value
            (copy / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
        return copy

    return make
