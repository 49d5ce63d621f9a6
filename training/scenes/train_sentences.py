"""The text encoder: a sentence-transformers model, a tiny BERT, mean pooled and normalised."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel, BertTokenizer

from training.scenes.contrast import matching, nearest_agrees, same_emblem
from training.scenes.examples import Split, rows_with_pairs
from training.scenes.lesson import bfloat16

SHAPE = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 64,
}


class SentenceEncoder(nn.Module):
    """BERT, the mean of its states, length one."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.bert = BertModel(BertConfig(vocab_size=vocabulary, **SHAPE), add_pooling_layer=False)
        self.log_scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, tokens: Tensor) -> Tensor:
        """Unit vectors of padded token rows."""
        there = (tokens != 0).long()
        states = self.bert(tokens, attention_mask=there).last_hidden_state
        return functional.normalize((states * there[:, :, None]).sum(dim=1), dim=1)


@dataclass
class SentencesLesson:
    """Two captions of one image belong together."""

    train: Split
    held_out: Split
    tokenizer: BertTokenizer
    folder: Path
    name: str = "sentences"
    module: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.module = SentenceEncoder(len(self.tokenizer))
        self.module.bert.set_attn_implementation("eager")

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Batches rich in emblems, so that names tell captions apart."""
        rows = rows_with_pairs(self.train, 96, 32, rng)
        two = [rng.choice(self.train.captions[row], 2, replace=False) for row in rows]
        with bfloat16():
            states = self.module(
                self.tokens([str(pair[side]) for side in (0, 1) for pair in two])
            ).float()
        left, right = functional.normalize(states, dim=1).chunk(2)
        scale = self.module.log_scale.clamp(max=np.log(50)).exp()
        return {"matching": matching(left, right, scale, same_emblem(self.train.emblems[rows]))}

    @torch.inference_mode()
    def measures(self) -> dict[str, float]:
        """How often the nearest caption of others belongs to the same image."""
        images = np.repeat(
            np.arange(len(self.held_out)), [len(captions) for captions in self.held_out.captions]
        )
        vectors = self.vectors(
            [caption for captions in self.held_out.captions for caption in captions]
        )
        first = np.flatnonzero(np.diff(images, prepend=-1))
        rest = np.setdiff1d(np.arange(len(images)), first)
        return {
            "same_image": nearest_agrees(vectors[first], images[first], vectors[rest], images[rest])
        }

    @torch.inference_mode()
    def vectors(self, captions: list[str], batch: int = 256) -> Tensor:
        """Unit vectors of many captions."""
        return torch.cat(
            [
                self.module(self.tokens(captions[at : at + batch]))
                for at in range(0, len(captions), batch)
            ]
        )

    def tokens(self, captions: list[str]) -> Tensor:
        """Padded token rows."""
        return self.tokenizer(
            captions, padding=True, truncation=True, max_length=64, return_tensors="pt"
        ).input_ids

    def save(self) -> None:
        """Write what `SentenceTransformer` reads."""
        self.module.bert.save_pretrained(self.folder)
        self.tokenizer.save_pretrained(self.folder)
        bert = Transformer(str(self.folder))
        parts = [bert, Pooling(SHAPE["hidden_size"], "mean"), Normalize()]
        SentenceTransformer(modules=parts, device="cpu").save(
            str(self.folder), create_model_card=False
        )
