"""Load the five folders as a suite would; measure them on memory and queries, never trained on.

python -m training.scenes.evaluate --work build/scenes
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from sentence_transformers import CrossEncoder, SentenceTransformer
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging

from mmragbench.measuring.ptb import tokenize
from mmragbench.scenes.kinds import KINDS
from training.scenes.contrast import nearest_agrees, success_at_1
from training.scenes.examples import NO_EMBLEM, Split, load
from training.scenes.train_reader import Question, named, read
from training.scenes.train_reranker import NEAR, reranked
from training.scenes.wording import agreement, cider

MODELS = Path(__file__).resolve().parents[2] / "models" / "scenes"

SIDE = 160
Measures = dict[str, float]


@torch.inference_mode()
def clip(folder: Path, memory: Split, queries: Split) -> Measures:
    """Retrieval both ways among 500 plain images, and the nearest neighbours of the emblems."""
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()

    def look(images: Sequence[np.ndarray]) -> Tensor:
        return model.encode_image(
            torch.stack([preprocess(Image.fromarray(image)) for image in images]), normalize=True
        )

    def read(texts: Sequence[str]) -> Tensor:
        return model.encode_text(tokenizer(list(texts)), normalize=True)

    remembered, per_second = _timed(look, memory.images)
    asked, _ = _timed(look, queries.images)
    plain, shown = memory.plain[:500], queries.with_emblem
    texts, texts_per_second = _timed(read, [memory.captions[row][0] for row in plain])
    return {
        "image to text, success@1 of 500": success_at_1(remembered[plain], texts),
        "text to image, success@1 of 500": success_at_1(texts, remembered[plain]),
        "nearest memory shows the query's emblem": nearest_agrees(
            asked[shown], queries.emblems[shown], remembered, memory.emblems
        ),
        "images per second, preprocessing included": per_second,
        "texts per second, padded to 48 tokens": texts_per_second,
    }


@torch.inference_mode()
def captioner(folder: Path, queries: Split) -> Measures:
    """What it says about query images: CIDEr, and how many kinds, colours and numbers are right."""
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()

    def write(images: Sequence[np.ndarray]) -> list[str]:
        inputs = processor(images=[Image.fromarray(image) for image in images], return_tensors="pt")
        return processor.batch_decode(
            model.generate(**inputs, max_new_tokens=48), skip_special_tokens=True
        )

    start = time.monotonic()
    written = [
        text for at in range(0, len(queries), 50) for text in write(queries.images[at : at + 50])
    ]
    seconds = time.monotonic() - start
    measures: Measures = {}
    for name, rows in (("plain", queries.plain), ("with an emblem", queries.with_emblem)):
        mine, truths = [written[row] for row in rows], [queries.captions[row] for row in rows]
        measures[f"CIDEr, {name}"] = cider(mine, truths, lambda text: " ".join(tokenize(text)))
        if name == "plain":
            measures |= agreement(mine, truths, [words_for(queries, row) for row in rows])
    for row in (*queries.plain[:3], *queries.with_emblem[:3]):
        print(written[row], "|", queries.captions[row][0])
    return measures | {"captions per second": len(queries) / seconds}


def sentences(folder: Path, memory: Split, queries: Split) -> Measures:
    """Whether a caption lies near its image's others, and an unseen name near itself."""
    model = SentenceTransformer(str(folder), device="cpu")

    def read(texts: Sequence[str]) -> Tensor:
        return torch.from_numpy(model.encode(list(texts), show_progress_bar=False))

    first, per_second = _timed(read, [captions[0] for captions in memory.captions])
    second, _ = _timed(read, [captions[1] for captions in memory.captions])
    shown = queries.with_emblem
    asked = read([queries.captions[row][0] for row in shown])
    return {
        "a caption's nearest of 1,500 is its image's": success_at_1(first, second),
        "nearest memory caption names the query's emblem": nearest_agrees(
            asked, queries.emblems[shown], first, memory.emblems
        ),
        "captions per second": per_second,
    }


def reranker(folder: Path, encoder: Path, memory: Split) -> Measures:
    """Success@1 among the text encoder's first twenty of 1,500, before and after."""
    model = CrossEncoder(str(folder), device="cpu")
    near = SentenceTransformer(str(encoder), device="cpu")
    asked, found = (
        torch.from_numpy(
            near.encode([captions[at] for captions in memory.captions], show_progress_bar=False)
        )
        for at in (0, 1)
    )

    def scores(left: list[str], right: list[str]) -> Tensor:
        return torch.from_numpy(
            model.predict(
                list(zip(left, right, strict=True)), batch_size=64, show_progress_bar=False
            )
        )

    start = time.monotonic()
    nearest = (asked @ found.T).topk(NEAR, dim=1).indices.numpy()[:300]
    measures = reranked(memory.captions, nearest, scores)
    return {
        "success@1 before": measures["before"],
        "success@1 after": measures["after"],
        "pairs per second": nearest.size / (time.monotonic() - start),
    }


def reader(folder: Path, memory: Split, queries: Split, texts: int = 1) -> Measures:
    """What it says with nothing, random documents, or three and five with a right one; whom it names."""
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    plain, shown = queries.plain, queries.with_emblem
    measures: Measures = {}
    for name, retrieved in _contexts(memory, queries).items():
        questions = [
            Question(
                queries.images[row],
                [(memory.images[at], memory.captions[at][:texts]) for at in retrieved[row]],
            )
            for row in range(len(queries))
        ]
        start = time.monotonic()
        written = read(processor, model, questions)
        seconds = time.monotonic() - start
        for slice_, rows in (("plain", plain), ("with an emblem", shown)):
            measures[f"CIDEr, {slice_}, {name}"] = cider(
                [written[row] for row in rows],
                [queries.captions[row] for row in rows],
                lambda text: " ".join(tokenize(text)),
            )
        right, wrong = named([written[row] for row in shown], queries.emblems[shown])
        measures |= {
            f"names the right emblem, {name}": right,
            f"names a wrong emblem, {name}": wrong,
            f"answers per second, {name}": len(queries) / seconds,
        }
        for row in (*plain[:2], *shown[:3]):
            print(name, "|", written[row], "|", queries.captions[row][0])
    return measures


def _contexts(memory: Split, queries: Split) -> dict[str, list[list[int]]]:
    """What is on each query's page: rows of memory, by the name of what could have found them."""
    rng = np.random.default_rng(0)
    return {
        "alone": [[] for _ in range(len(queries))],
        "random 3": [rng.choice(len(memory), 3, replace=False) for _ in range(len(queries))],
        "right 1 of 3": [_found(memory, int(emblem), 1, 3, rng) for emblem in queries.emblems],
        "right 1 of 5": [_found(memory, int(emblem), 1, 5, rng) for emblem in queries.emblems],
        "right 3 of 3": [_found(memory, int(emblem), 3, 3, rng) for emblem in queries.emblems],
    }


def _found(
    memory: Split, emblem: int, right: int, many: int, rng: np.random.Generator
) -> list[int]:
    """So many rows of the emblem (any rows if it is none), the others with other emblems, shuffled."""
    if emblem == NO_EMBLEM:
        return rng.choice(len(memory), many, replace=False)
    rows = memory.rows_of_emblem[emblem]
    wrong = memory.with_emblem[memory.emblems[memory.with_emblem] != emblem]
    return rng.permutation(
        [*rng.choice(rows, right, replace=False), *rng.choice(wrong, many - right, replace=False)]
    )


def words_for(split: Split, row: int) -> list[str]:
    """All words that people use for the kinds in an image."""
    shown = {box.category for box in split.boxes[row]} & set(KINDS)
    return [form for kind in shown for pair in KINDS[kind].words for form in pair]


def _timed(
    encode: Callable[[Sequence], Tensor], items: Sequence, batch: int = 64
) -> tuple[Tensor, float]:
    encode(items[:batch])
    start = time.monotonic()
    parts = [encode(items[at : at + batch]) for at in range(0, len(items), batch)]
    return functional.normalize(torch.cat(parts), dim=1), len(items) / (time.monotonic() - start)


def main() -> None:
    """Print every measure and write them to `measures.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/scenes"))
    parser.add_argument("--world", type=Path)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    logging.disable_progress_bar()
    world = asked.world or asked.work / "world"
    memory, queries = (load(world, name, SIDE, asked.work) for name in ("memory", "queries"))
    folder = asked.models
    measures = {
        "clip": clip(folder / "clip", memory, queries),
        "captioner": captioner(folder / "captioner", queries),
        "sentences": sentences(folder / "sentences", memory, queries),
        "reranker": reranker(folder / "reranker", folder / "sentences", memory),
        "reader": reader(folder / "reader", memory, queries),
    }
    rounded = {
        model: {name: round(value, 3) for name, value in part.items()}
        for model, part in measures.items()
    }
    text = json.dumps(rounded, indent=2)
    (folder / "measures.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
