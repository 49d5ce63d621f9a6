"""Which documents a retriever finds for each training picture and caption, by the shipped `clip`.

As RA-CM3 retrieves (Yasunaga et al. 2023): a document is the mean of its picture's and its texts'
vectors; a fifth of the query is dropped; candidates that are too like the query or one another are
skipped. A query is a picture with one of its captions. It is asked of a memory like that in use, some
1,500 documents with 40 emblems: among all 600 the right one is found too seldom to learn from.
"""

from pathlib import Path

import numpy as np
import open_clip
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer

from training.scenes.examples import Split, pixels
from training.scenes.lesson import bfloat16
from training.scenes.train_clip import TEXT, encode_texts

CLIP = Path(__file__).resolve().parents[2] / "models" / "scenes" / "clip"
DROPPED = 0.2
"""Share of a query's words, or of a picture's patches, that are dropped."""
LIKENESS = 0.9
"""Above this cosine a candidate is skipped."""
DEPTH, POOL = 4, 32
"""Neighbours that stay, of so many candidates."""
EMBLEMS = 40
"""In a memory."""
CHUNK = 500


class Clip:
    """The shipped dual encoder; vectors are unit rows, float32."""

    def __init__(self) -> None:
        self.model = open_clip.create_model_and_transforms(f"local-dir:{CLIP}")[0].eval()
        self.words = AutoTokenizer.from_pretrained(CLIP)
        self.width = self.model.text_projection.shape[1]

    @torch.inference_mode()
    def pictures(self, images: np.ndarray, dropped: float = 0.0, seed: int = 0) -> Tensor:
        """Vectors of bytes (n, 96, 96, 3); `dropped` is the share of 8 x 8 patches made grey."""
        rng, parts = np.random.default_rng(seed), []
        for at in range(0, len(images), CHUNK):
            batch = images[at : at + CHUNK]
            if dropped:
                side = batch.shape[1] // 8
                away = rng.random((len(batch), side, side)) < dropped
                batch = np.where(np.kron(away, np.ones((8, 8), bool))[..., None], 128, batch)
            with bfloat16():
                parts.append(self.model.encode_image(pixels(batch)).float())
        return functional.normalize(torch.cat(parts), dim=1)

    @torch.inference_mode()
    def texts(self, captions: list[str], dropped: float = 0.0, seed: int = 0) -> Tensor:
        """Vectors of captions; `dropped` is the share of words left out."""
        rng, parts = np.random.default_rng(seed), []
        if dropped:
            captions = [_thinned(caption, dropped, rng) for caption in captions]
        for at in range(0, len(captions), CHUNK):
            batch = captions[at : at + CHUNK]
            tokens = self.words(batch, padding=True, return_tensors="pt").input_ids
            with bfloat16():
                parts.append(encode_texts(self.model, tokens[:, : TEXT["context_length"]]).float())
        return functional.normalize(torch.cat(parts), dim=1)


def find(split: Split, images: np.ndarray, cache: Path) -> np.ndarray:
    """Rows of the nearest documents, best first, for each picture with each of its captions.

    Args:
        split: captions, five a picture.
        images: the pictures at the size that `clip` reads.
        cache: an .npy file, written once.

    Returns:
        (pictures, captions, DEPTH), among the other rows of each one's memory.
    """
    if not cache.is_file():
        documents, queries = _vectors(split, images)
        nearest = np.zeros((*queries.shape[:2], DEPTH), np.int64)
        for rows in _memories(split):
            for which in range(queries.shape[1]):
                nearest[rows, which] = rows[_nearest(queries[rows, which], documents[rows])]
        np.save(cache, nearest)
    return np.load(cache)


def _vectors(split: Split, images: np.ndarray) -> tuple[Tensor, Tensor]:
    """Unit rows of documents (n, d), and of queries, which lack a fifth (n, captions, d)."""
    clip, flat = Clip(), [caption for captions in split.captions for caption in captions]
    texts = clip.texts(flat).view(len(split), -1, clip.width)
    means = functional.normalize(texts.mean(dim=1), dim=1)
    documents = functional.normalize(clip.pictures(images) + means, dim=1)
    words = clip.texts(flat, DROPPED, seed=1).view(texts.shape)
    looks = clip.pictures(images, DROPPED, seed=1)
    return documents, functional.normalize(looks[:, None] + words, dim=2)


def _memories(split: Split) -> list[np.ndarray]:
    """The rows of each memory: all pictures of 40 emblems, and an equal part of the others."""
    rng = np.random.default_rng(0)
    shown = list(split.rows_of_emblem.values())
    count = max(1, len(shown) // EMBLEMS)
    groups = np.array_split(rng.permutation(len(shown)), count)
    plain = np.array_split(rng.permutation(split.plain), count)
    return [
        np.sort(np.concatenate([*(shown[emblem] for emblem in group), others]))
        for group, others in zip(groups, plain, strict=True)
    ]


def _nearest(queries: Tensor, documents: Tensor) -> np.ndarray:
    """DEPTH rows of documents a query, without its own; (n, DEPTH)."""
    nearest = []
    for at in range(0, len(queries), CHUNK):
        scores = queries[at : at + CHUNK] @ documents.T
        own = torch.arange(len(scores))
        scores[own, at + own] = -2
        values, rows = scores.topk(POOL, dim=1)
        nearest.append(_diverse(values, rows, documents[rows]))
    return np.concatenate(nearest)


def _diverse(values: Tensor, rows: Tensor, vectors: Tensor) -> np.ndarray:
    """For each query the first DEPTH candidates that are not too like it or one that was taken;
    where these are too few, the next best."""
    likeness = vectors @ vectors.transpose(1, 2)
    taken = torch.zeros(rows.shape, dtype=torch.bool)
    for place in range(POOL):
        near = (likeness[:, place] > LIKENESS) & taken
        free = (values[:, place] <= LIKENESS) & ~near.any(1) & (taken.sum(1) < DEPTH)
        taken[:, place] = free
    order = (~taken).int().argsort(dim=1, stable=True)[:, :DEPTH]
    return rows.gather(1, order).numpy()


def _thinned(caption: str, dropped: float, rng: np.random.Generator) -> str:
    words = caption.split()
    return " ".join(word for word in words if rng.random() >= dropped) or words[0]
