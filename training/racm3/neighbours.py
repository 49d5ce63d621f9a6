"""Which documents a retriever finds for each training picture and caption, by the shipped `clip`.

As RA-CM3 retrieves (Yasunaga et al. 2023): a document is the mean of its picture's and its texts'
vectors; a fifth of the query is dropped; candidates that are too like the query or one another are
skipped. A query is a caption (to draw it) or a picture (to write about it), as in use.
"""

from dataclasses import dataclass
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
DEPTH, POOL = 6, 48
"""Neighbours that stay, of so many candidates."""
CHUNK = 500


@dataclass(frozen=True)
class Neighbours:
    """Rows of the nearest documents, best first.

    Attributes:
        of_picture: (pictures, DEPTH).
        of_caption: (pictures, captions, DEPTH).
    """

    of_picture: np.ndarray
    of_caption: np.ndarray


class Clip:
    """The shipped dual encoder; vectors are unit rows, float32."""

    def __init__(self) -> None:
        self.model = open_clip.create_model_and_transforms(f"local-dir:{CLIP}")[0].eval()
        self.words = AutoTokenizer.from_pretrained(CLIP)

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


def find(split: Split, images: np.ndarray, cache: Path) -> Neighbours:
    """The neighbours of each row of a split among its other rows; computed once.

    Args:
        split: captions, five a picture.
        images: the pictures at the size that `clip` reads.
        cache: an .npz file.
    """
    if not cache.is_file():
        clip = Clip()
        texts = clip.texts([c for captions in split.captions for c in captions])
        shown = clip.pictures(images)
        each = texts.view(len(split), -1, texts.shape[1])
        documents = functional.normalize(shown + functional.normalize(each.mean(1), dim=1), dim=1)
        asked = clip.texts([c for captions in split.captions for c in captions], DROPPED, 1)
        of_caption = [
            _nearest(asked[at :: each.shape[1]], documents) for at in range(each.shape[1])
        ]
        of_picture = _nearest(clip.pictures(images, DROPPED, 1), documents)
        np.savez(cache, of_picture=of_picture, of_caption=np.stack(of_caption, axis=1))
    stored = np.load(cache)
    return Neighbours(stored["of_picture"], stored["of_caption"])


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
