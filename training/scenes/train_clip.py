"""The dual encoder: an open_clip model with a small ResNet and a small causal text tower."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from open_clip import CLIP
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertTokenizer

from training.scenes.contrast import (
    grouping,
    matching,
    nearest_agrees,
    same_emblem,
    success_at_1,
)
from training.scenes.examples import (
    MEAN,
    STD,
    Split,
    one_caption_each,
    pixels,
    rows_with_pairs,
    shifted,
)
from training.scenes.lesson import bfloat16, store_half

SIZE = 96
VISION = {"image_size": SIZE, "layers": [1, 2, 2, 1], "width": 16, "head_width": 64}
TEXT = {"context_length": 48, "width": 128, "heads": 4, "layers": 3, "hf_tokenizer_name": "clip"}


class DualEncoder(nn.Module):
    """The open_clip model, and a head for training only: which words describe the image."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.config = {
            "embed_dim": 192,
            "vision_cfg": VISION,
            "text_cfg": TEXT | {"vocab_size": vocabulary},
        }
        self.clip = CLIP(**self.config)
        self.words = nn.Linear(self.config["embed_dim"], vocabulary)


def encode_texts(clip: CLIP, tokens: Tensor) -> Tensor:
    """Encode without the padding: causal and pooled at the end, so it cannot matter."""
    length = int((tokens != 0).sum(dim=1).max())
    cut = tokens[:, :length]
    states = clip.token_embedding(cut) + clip.positional_embedding[:length]
    states = clip.ln_final(clip.transformer(states, attn_mask=clip.attn_mask[:length, :length]))
    return states[torch.arange(len(cut)), cut.argmax(dim=1)] @ clip.text_projection


@dataclass
class ClipLesson:
    """Match images to captions, and different images of one emblem to each other."""

    train: Split
    held_out: Split
    tokenizer: BertTokenizer
    folder: Path
    single: int = 80
    pairs: int = 24
    name: str = "clip"
    module: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.module = DualEncoder(len(self.tokenizer))
        self.module.clip.visual.to(memory_format=torch.channels_last)
        self._words = self._mentioned()

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Image-text matching, emblem grouping, and the words of all five captions."""
        rows = rows_with_pairs(self.train, self.single, self.pairs, rng)
        with bfloat16():
            raw = self.module.clip.encode_image(
                pixels(shifted(self.train.images[rows], 4, rng))
            ).float()
            texts = encode_texts(
                self.module.clip, self._tokens(one_caption_each(self.train.captions, rows, rng))
            ).float()
        images, texts = functional.normalize(raw, dim=1), functional.normalize(texts, dim=1)
        together = same_emblem(self.train.emblems[rows])
        scale = self.module.clip.logit_scale.clamp(max=np.log(100)).exp()
        words = functional.binary_cross_entropy_with_logits(
            self.module.words(raw), self._words[rows].float()
        )
        return {
            "matching": matching(images, texts, scale, together),
            "grouping": 0.5 * grouping(images, together),
            "words": 20 * words,
        }

    @torch.inference_mode()
    def measures(self) -> dict[str, float]:
        """Success@1 both ways without emblems; how often an emblem's nearest image shows it too."""
        split = self.held_out
        images = torch.cat(
            [self.images(split.images[at : at + 100]) for at in range(0, len(split), 100)]
        )
        texts = functional.normalize(
            encode_texts(
                self.module.clip, self._tokens([captions[0] for captions in split.captions])
            ),
            dim=1,
        )
        plain, shown = split.plain, split.with_emblem
        known = self.train.part(slice(2000, 4500))
        memory = known.with_emblem
        vectors = torch.cat(
            [self.images(known.images[memory[at : at + 100]]) for at in range(0, len(memory), 100)]
        )
        return {
            "image_to_text": success_at_1(images[plain], texts[plain]),
            "text_to_image": success_at_1(texts[plain], images[plain]),
            "emblem": nearest_agrees(
                images[shown], split.emblems[shown], vectors, known.emblems[memory]
            ),
        }

    def images(self, images: np.ndarray) -> Tensor:
        """Unit vectors of images given as bytes."""
        return functional.normalize(self.module.clip.encode_image(pixels(images)), dim=1)

    def save(self) -> None:
        """Write what `open_clip.create_model_and_transforms("local-dir:<folder>")` reads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        preprocess = {
            "size": SIZE,
            "mode": "RGB",
            "mean": MEAN,
            "std": STD,
            "interpolation": "bicubic",
        }
        config = {"model_cfg": self.module.config, "preprocess_cfg": preprocess}
        (self.folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
        store_half(self.folder / "open_clip_model.safetensors", self.module.clip.state_dict())
        self.tokenizer.save_pretrained(self.folder)

    def _tokens(self, captions: list[str]) -> Tensor:
        length = TEXT["context_length"]
        return self.tokenizer(
            captions, padding=True, truncation=True, max_length=length, return_tensors="pt"
        ).input_ids

    def _mentioned(self) -> Tensor:
        """Which tokens occur in any caption of each train image."""
        each = [len(captions) for captions in self.train.captions]
        tokens = self.tokenizer(
            [text for captions in self.train.captions for text in captions]
        ).input_ids
        mentioned = torch.zeros(len(self.train), len(self.tokenizer), dtype=torch.bool)
        for row, found in zip(np.repeat(np.arange(len(each)), each), tokens, strict=True):
            mentioned[row, found] = True
        return mentioned
