"""What the harness costs: a whole run, and a bare loop that makes the same calls to the same model.

    python benchmarks/bare_loop.py [--data flickr8k] [--images 1000] [--architecture ViT-B-32]

The bare loop loads the model, encodes every picture and caption once, multiplies, and counts hits.
The run takes the data in, tries the model, indexes, searches, scores with intervals, audits, and
writes its folder and its reports.

A run also tells the C library to keep memory that is freed (`mmragbench.engine.process`), which a bare loop
does not; a third side is the bare loop with that, for what the harness's own work costs.

Each side runs twice, in a process of its own that has imported torch and open_clip before its clock
starts, there and back: a processor that has been busy for a while is slower by a tenth than one that
comes from a rest, and so no side has the better places.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable

import numpy as np
from sides import Shelf, Spent, random_clip, shelf, suite, threads, timed

from mmragbench.engine.process import keep_freed_memory
from mmragbench.models.open_clip import OpenClip
from mmragbench.records import Image, Text
from mmragbench.verbs import run

BARE = "bare loop"

Found = dict[str, float]
"""Hit rate among the first 10, by task."""


def bare(data: Shelf, model: str) -> Found:
    """The model's own calls, and a matrix product."""
    clip = OpenClip(model)
    images = clip.encode_images([Image(path.name, path) for path in data.images])
    texts = clip.encode_texts([Text(str(i), text) for i, text in enumerate(data.texts)])
    owner = np.repeat(np.arange(len(data.images)), [len(own) for own in data.captions.values()])
    scores = texts @ images.T
    by_text = np.argsort(-scores, axis=1)[:, :10]
    by_image = np.argsort(-scores.T, axis=1)[:, :10]
    return {
        "text-to-image": float((by_text == owner[:, None]).any(axis=1).mean()),
        "image-to-text": float(
            (owner[by_image] == np.arange(len(images))[:, None]).any(axis=1).mean()
        ),
    }


def whole(data: Shelf, model: str) -> Found:
    """The same from `mmragbench run`, with nothing known beforehand."""
    with tempfile.TemporaryDirectory(dir=data.work) as fresh:
        os.environ["MMRAGBENCH_CACHE"] = f"{fresh}/cache"
        rows = run(suite(data, model), output=f"{fresh}/runs").rows
    return {r["task"]: r["estimate"] for r in rows if r["measure"] == "Success@10"}


def clocked(name: str, side: Callable[[Shelf, str], Found], given: tuple[Shelf, str]) -> Spent:
    """What a side took; prints it, with what it found."""
    if name != BARE:
        keep_freed_memory()  # as `mmragbench run` does before torch is there
    import open_clip  # noqa: F401
    import torch  # noqa: F401

    spent, found = timed(name, lambda: side(*given))
    print(f"  hit rates at 10: {dict(sorted(found.items()))}", flush=True)
    return spent


def main() -> None:
    data = shelf(__doc__)
    threads()
    given = data, random_clip(data.work / data.architecture, data.architecture)
    print(f"{len(data.images)} images, {len(data.texts)} captions, {data.architecture}")
    sides = [(BARE, bare), ("bare loop, freed memory kept", bare), ("mmragbench run", whole)]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as process:
        spent = [process.apply(clocked, (*side, given)) for side in sides + sides[::-1]]
    least, kept, run = (there + back for there, back in zip(spent[:3], spent[:2:-1], strict=True))
    print(f"times of the bare loop with freed memory kept: {run.times(kept)}")
    print(f"times of the bare loop: {run.times(least)}")


if __name__ == "__main__":
    main()
