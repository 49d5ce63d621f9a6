"""The reranker: a sentence-transformers cross-encoder, do two captions describe one image?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from training.scenes.examples import Split, one_caption_each
from training.scenes.lesson import bfloat16
from training.scenes.train_sentences import SentencesLesson

SHAPE = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 64,
    "num_labels": 1,
}
NEAR = 20
ENOUGH = 8000
"""Train images from which near captions are sought."""


@dataclass
class RerankerLesson:
    """Pick the caption of the same image from among captions that the text encoder confuses."""

    train: Split
    held_out: Split
    sentences: SentencesLesson
    folder: Path
    batch: int = 24
    near: int = 3
    anywhere: int = 2
    name: str = "reranker"
    module: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self._tokenizer: BertTokenizer = self.sentences.tokenizer
        self.module = BertForSequenceClassification(
            BertConfig(vocab_size=len(self._tokenizer), **SHAPE)
        )
        self.module.set_attn_implementation("eager")
        self.module.bert.load_state_dict(self.sentences.module.bert.state_dict(), strict=False)
        _look_for_alike(self.module.bert.encoder.layer[1].attention.self)
        self.train = self.train.part(slice(ENOUGH))
        self._near = self._neighbours(self.train)
        self._checked = self._neighbours(self.held_out)

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """One true caption against captions of other images, near ones and any."""
        rows = rng.choice(len(self.train), self.batch, replace=False)
        asked, true = zip(
            *(rng.choice(self.train.captions[row], 2, replace=False) for row in rows), strict=True
        )
        near = np.stack([rng.choice(self._near[row], self.near, replace=False) for row in rows])
        wrong = np.concatenate(
            [near, rng.integers(len(self.train), size=(self.batch, self.anywhere))], axis=1
        )
        texts = np.array(one_caption_each(self.train.captions, wrong.ravel(), rng)).reshape(
            wrong.shape
        )
        offered = np.concatenate([np.array(true)[:, None], texts], axis=1)
        with bfloat16():
            scores = self.scores(
                np.repeat(asked, offered.shape[1]).tolist(), offered.ravel().tolist()
            )
        scores = scores.float().view(offered.shape)
        wrong_image = torch.from_numpy(wrong != rows[:, None])
        kept = torch.cat([torch.ones(self.batch, 1, dtype=torch.bool), wrong_image], dim=1)
        listwise = functional.cross_entropy(
            scores.masked_fill(~kept, -torch.inf), torch.zeros(self.batch, dtype=torch.long)
        )
        truth = functional.one_hot(
            torch.zeros(self.batch, dtype=torch.long), scores.shape[1]
        ).float()
        absolute = functional.binary_cross_entropy_with_logits(scores[kept], truth[kept])
        return {
            "listwise": listwise,
            "absolute": absolute,
            "teacher": 0.05 * self._teacher(asked, offered, scores),
        }

    def _teacher(self, asked: Sequence[str], offered: np.ndarray, scores: Tensor) -> Tensor:
        """How far the scores are from the text encoder's cosines, stretched to logits."""
        left = self.sentences.vectors(list(asked))[:, :, None]
        right = self.sentences.vectors(offered.ravel().tolist()).view(*offered.shape, -1)
        cosines = (right @ left).squeeze(2).clone()
        return functional.mse_loss(scores, 12 * (cosines - 0.65))

    @torch.inference_mode()
    def measures(self) -> dict[str, float]:
        """First of the text encoder's twenty: before and after reranking, over held-out images."""
        return reranked(self.held_out.captions, self._checked, self.scores)

    def scores(self, left: list[str], right: list[str]) -> Tensor:
        """Logits of pairs."""
        tokens = self._tokenizer(
            left, right, padding=True, truncation=True, max_length=64, return_tensors="pt"
        )
        return self.module(**tokens).logits.squeeze(1)

    def save(self) -> None:
        """Write what `CrossEncoder` reads."""
        self.module.save_pretrained(self.folder)
        self._tokenizer.save_pretrained(self.folder)

    def _neighbours(self, split: Split) -> np.ndarray:
        """For each image, those whose second caption lies nearest to its first; maybe its own."""
        self.sentences.module.eval()
        asked, found = (
            self.sentences.vectors([captions[at] for captions in split.captions]) for at in (0, 1)
        )
        return (asked @ found.T).topk(NEAR, dim=1).indices.numpy()


def _look_for_alike(attention: nn.Module) -> None:
    """Start a layer off with tokens looking at those like them, in both captions."""
    nn.init.orthogonal_(attention.query.weight)
    with torch.no_grad():
        attention.key.weight.copy_(attention.query.weight)
        attention.query.bias.zero_()
        attention.key.bias.zero_()


def reranked(
    captions: list[list[str]], near: np.ndarray, scores: Callable[[list[str], list[str]], Tensor]
) -> dict[str, float]:
    """Success@1 of first captions finding their image's second, before and after reranking."""
    after = [
        int(
            found[
                int(
                    scores(
                        [captions[row][0]] * len(found), [captions[other][1] for other in found]
                    ).argmax()
                )
            ]
        )
        for row, found in enumerate(near)
    ]
    rows = np.arange(len(near))
    return {
        "before": float((near[:, 0] == rows).mean()),
        "after": float((np.array(after) == rows).mean()),
    }
