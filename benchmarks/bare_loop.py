"""What the harness costs: a whole run, and a bare loop that makes the same calls to the same model.

    python benchmarks/bare_loop.py [--data flickr8k] [--images 1000] [--architecture ViT-B-32]

The bare loop loads the model, encodes every picture and caption once, multiplies, and counts hits.
The run takes the data in, tries the model, indexes, searches, scores with intervals, audits, and
writes its folder and its reports.
"""

from __future__ import annotations

import numpy as np
from sides import Shelf, random_clip, shelf, suite, threads, timed

from mmragbench.models.open_clip import OpenClip
from mmragbench.records import Image, Text
from mmragbench.verbs import run

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


def ours(data: Shelf, model: str) -> Found:
    """The same from `mmragbench run`."""
    rows = run(suite(data, model), output=data.work / "runs").rows
    return {r["task"]: r["estimate"] for r in rows if r["measure"] == "Success@10"}


def main() -> None:
    data = shelf(__doc__)
    threads()
    model = random_clip(data.work / data.architecture, data.architecture)
    print(f"{len(data.images)} images, {len(data.texts)} captions, {data.architecture}")
    least, expected = timed("bare loop", lambda: bare(data, model))
    whole, found = timed("mmragbench run", lambda: ours(data, model))
    print(f"hit rates at 10: {expected} and {found}")
    print(f"times of the bare loop: {whole.times(least)}")


if __name__ == "__main__":
    main()
