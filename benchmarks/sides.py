"""What the side-by-side benchmarks share: photographs, captions and weights for both sides, and clocks.

    pip install clip-benchmark mteb          # the peers; only the scripts against them need these

Photographs and captions are Flickr8k's dev split. ViT-B-32 has random weights: its speed is that of
trained ones, and both sides load them from one folder. Both sides run in one process, one after the
other, with the same number of threads.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Shelf:
    """The data of a benchmark: image names with their captions, and where everything lies."""

    root: Path
    work: Path
    captions: dict[str, list[str]]
    architecture: str = "ViT-B-32"

    @property
    def images(self) -> list[Path]:
        return [self.root / "images" / name for name in self.captions]

    @property
    def texts(self) -> list[str]:
        return [caption for own in self.captions.values() for caption in own]


def shelf(description: str | None, images: int = 1000) -> Shelf:
    """What the command line asks for: `--data`, the folder of Flickr8k, `--images`, how many, and
    `--architecture`, open_clip's name of the model (where a script can do with another)."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "flickr8k")
    parser.add_argument("--images", type=int, default=images)
    parser.add_argument("--architecture", default="ViT-B-32")
    given = parser.parse_args()
    names = (given.data / "splits" / "dev.txt").read_text().split()[: given.images]
    captions: dict[str, list[str]] = {name: [] for name in names}
    with (given.data / "captions.txt").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["image"] in captions:
                captions[row["image"]].append(row["caption"])
    work = Path(tempfile.mkdtemp(prefix="mmragbench-"))
    os.environ["MMRAGBENCH_CACHE"] = str(work / "cache")  # nothing is known beforehand
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return Shelf(given.data.resolve(), work, captions, given.architecture)


def random_clip(folder: Path, architecture: str = "ViT-B-32") -> str:
    """A folder with random weights of an open_clip architecture; the name to load it by."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = open_clip.create_model(architecture)
    config = {
        "model_cfg": open_clip.get_model_config(architecture),
        "preprocess_cfg": model.visual.preprocess_cfg,
    }
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


@dataclass(frozen=True)
class Spent:
    """Seconds of a side: on the clock, and of the processors (workers included). On a machine that
    others use too, the second is the steadier one."""

    wall: float
    cpu: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def times(self, other: Spent) -> str:
        """How many times this is of the other, by the clock and by the processors."""
        return f"{self.wall / other.wall:.2f} (processor time: {self.cpu / other.cpu:.2f})"


def timed(name: str, work: Callable[[], T]) -> tuple[Spent, T]:
    """Do the work, print and return what it took, and what it gave."""
    began, before = time.perf_counter(), _cpu()
    result = work()
    spent = Spent(time.perf_counter() - began, _cpu() - before)
    print(f"{name:<44} {spent.wall:8.2f} s, of processors {spent.cpu:8.2f} s", flush=True)
    return spent, result


def _cpu() -> float:
    return sum(os.times()[:4])


def threads() -> None:
    """Print what both sides run on."""
    import torch

    print(
        f"{torch.get_num_threads()} torch threads, {os.cpu_count()} CPUs, torch {torch.__version__}"
    )


def suite(shelf: Shelf, model: str, *more: str) -> Path:
    """Retrieval both ways, as a suite, by hit rates and `more` measures; its memory split is one
    picture that is not asked about."""
    import yaml

    lists = {"queries": list(shelf.captions), "memory": [_other(shelf)]}
    for split, names in lists.items():
        (shelf.work / f"{split}.txt").write_text("\n".join(names))
    splits: dict[str, Any] = {split: str(shelf.work / f"{split}.txt") for split in lists}
    measures = ["Success@1", "Success@5", "Success@10", *more]
    content = {
        "name": "speed",
        "dataset": {"use": "flickr", "root": str(shelf.root), **splits},
        "models": {"clip": {"use": "open_clip", "name": model}},
        "strategies": {"shared-space": {"encoder": "clip"}},
        "tasks": {
            "text-to-image": {"measures": measures},
            "image-to-text": {"measures": measures},
        },
    }
    path = shelf.work / "speed.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def _other(shelf: Shelf) -> str:
    names = (shelf.root / "splits" / "train.txt").read_text().split()
    return next(name for name in names if name not in shelf.captions)
