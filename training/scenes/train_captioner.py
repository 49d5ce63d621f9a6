"""The captioner: `transformers`' BLIP with a tiny ViT and a tiny decoder."""

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

from training.scenes.examples import (
    MEAN,
    STD,
    Box,
    Split,
    one_caption_each,
    pixels,
    shifted,
)
from training.scenes.lesson import bfloat16, store_half
from training.scenes.wording import agreement

SIZE, PATCH = 96, 12
VISION = {
    "image_size": SIZE,
    "patch_size": PATCH,
    "hidden_size": 160,
    "intermediate_size": 480,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "initializer_range": 0.02,
}
TEXT = {
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}


class Captioner(nn.Module):
    """The BLIP model, and a head that is used in training only: which things lie on each patch."""

    def __init__(self, tokenizer: BertTokenizer, kinds: int) -> None:
        super().__init__()
        special = {
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.cls_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        self.blip = BlipForConditionalGeneration(
            BlipConfig(text_config=TEXT | special, vision_config=VISION)
        )
        self.blip.generation_config.max_length = TEXT["max_position_embeddings"]
        self.kinds = nn.Linear(VISION["hidden_size"], kinds)

    def caption_loss(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Cross-entropy of the next token, padding left out."""
        labels = tokens.masked_fill(tokens == 0, -100)
        return self.blip.text_decoder(tokens, encoder_hidden_states=states, labels=labels).loss


@dataclass
class CaptionerLesson:
    """Write the captions, and know what lies on which patch."""

    train: Split
    held_out: Split
    tokenizer: BertTokenizer
    folder: Path
    batch: int = 64
    each: int = 3
    name: str = "captioner"
    module: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self._kinds = sorted({box.category for boxes in self.train.boxes for box in boxes})
        self.module = Captioner(self.tokenizer, len(self._kinds))
        self._lying = torch.stack([self._patches(boxes) for boxes in self.train.boxes])

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Several captions per image, since looking is dearer than writing."""
        rows = rng.choice(len(self.train), self.batch, replace=False)
        images = pixels(shifted(self.train.images[rows], 3, rng))
        tokens = self._tokens(
            one_caption_each(self.train.captions, np.repeat(rows, self.each), rng)
        )
        with bfloat16():
            states = self.module.blip.vision_model(images).last_hidden_state
            kinds = self.module.kinds(states[:, 1:]).float()
            captions = self.module.caption_loss(states.repeat_interleave(self.each, dim=0), tokens)
        lying = functional.binary_cross_entropy_with_logits(kinds, self._lying[rows].float())
        return {"captions": captions, "patches": 5 * lying}

    def measures(self) -> dict[str, float]:
        """How many kinds, colours and numbers are right, on held-out images without emblem."""
        rows = self.held_out.plain[:200]
        kinds = [[box.category for box in self.held_out.boxes[row]] for row in rows]
        written = self.write(self.held_out.images[rows])
        return agreement(written, [self.held_out.captions[row] for row in rows], kinds)

    @torch.inference_mode()
    def write(self, images: np.ndarray) -> list[str]:
        """Greedy captions of images given as bytes."""
        tokens = self.module.blip.generate(
            pixel_values=pixels(images), max_length=48, do_sample=False
        )
        return self.tokenizer.batch_decode(tokens, skip_special_tokens=True)

    def save(self) -> None:
        """Write what `AutoProcessor` and `AutoModelForImageTextToText` read."""
        look = BlipImageProcessor(
            size={"height": SIZE, "width": SIZE}, image_mean=list(MEAN), image_std=list(STD)
        )
        BlipProcessor(look, deepcopy(self.tokenizer)).save_pretrained(self.folder)
        self.module.blip.save_pretrained(self.folder)
        store_half(self.folder / "model.safetensors", self.module.blip.state_dict())

    def _tokens(self, captions: list[str]) -> Tensor:
        return self.tokenizer(
            captions, padding=True, truncation=True, max_length=48, return_tensors="pt"
        ).input_ids

    def _patches(self, boxes: list[Box]) -> Tensor:
        side = SIZE // PATCH
        lying = torch.zeros(side, side, len(self._kinds), dtype=torch.bool)
        for box in boxes:
            left, top, across, down = (side * part for part in box.place)
            columns, rows = (
                slice(round(left), max(round(left + across), round(left) + 1)),
                slice(round(top), max(round(top + down), round(top) + 1)),
            )
            lying[rows, columns, self._kinds.index(box.category)] = True
        return lying.flatten(0, 1)
