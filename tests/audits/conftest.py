"""Pictures to plant: a drawn world, and copies of its pictures as somebody might have stored them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Pillow

from mmragbench._files import file_digest
from mmragbench.datasets.coco import Coco, Split
from mmragbench.records import Document, Image, Task
from mmragbench.scenes import write


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """The folder of a small embedded world."""
    root = tmp_path_factory.mktemp("world")
    write(root, {"memory": 300, "queries": 100})
    return root


@pytest.fixture
def scenes(drawn) -> dict[str, Task]:
    """Its tasks."""

    def split(name: str) -> Split:
        folder = Path("annotations")
        return Split(
            folder / f"captions_{name}.json",
            Path("images", name),
            folder / f"instances_{name}.json",
        )

    return Coco(drawn, queries=split("queries"), memory=split("memory")).tasks()


@pytest.fixture
def picture(tmp_path):
    """Saves a Pillow picture and returns the record of it."""

    def save(made: Pillow.Image, name: str, **options) -> Image:
        path = tmp_path / "pictures" / name
        path.parent.mkdir(exist_ok=True)
        made.save(path, **options)
        return Image(name, path, file_digest(path))

    return save


@pytest.fixture
def stored_again(picture):
    """A picture resized and re-encoded, as a copy on somebody's page is."""

    def store(image: Image, name: str, draw: random.Random) -> Image:
        made, scale = image.open(), draw.uniform(0.7, 1.3)
        size = (round(made.width * scale), round(made.height * scale))
        filter = draw.choice([Pillow.Resampling.LANCZOS, Pillow.Resampling.BICUBIC])
        return picture(made.resize(size, filter), f"{name}.jpg", quality=60)

    return store


@pytest.fixture
def plant(stored_again):
    """Copies the pictures of queries into the memory, every other one re-encoded and resized."""

    def plant(task: Task, count: int, seed: int = 0) -> tuple[Task, set[str]]:
        draw, planted = random.Random(seed), []
        chosen = draw.sample(list(task.queries), count)
        for i, query in enumerate(chosen):
            image = query.image or task.targets[query.id]
            copy = stored_again(image, f"copy{i}", draw) if i % 2 else image
            planted.append(Document(f"planted{i}", copy))
        memory = [*task.memory, *planted]
        draw.shuffle(memory)
        return replace(task, memory=memory), {query.id for query in chosen}

    return plant
