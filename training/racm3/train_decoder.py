"""The decoder: Emu3 in small, which reads documents, writes captions and draws pictures as tokens."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import AddedToken
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertTokenizer,
    Emu3Config,
    Emu3ForConditionalGeneration,
    Emu3ImageProcessor,
    Emu3Processor,
    Emu3TextConfig,
    Emu3VQVAE,
    GenerationConfig,
    PreTrainedTokenizerFast,
)

from mmragbench.measuring.ptb import tokenize
from training.racm3.sequences import Sequences
from training.scenes.examples import MEAN, STD
from training.scenes.lesson import Fused, store_half
from training.scenes.vocabulary import word_pieces
from training.scenes.wording import cider

FACTOR = 8
"""Pixels a side of a code."""
LENGTH = 105
"""About how many tokens a picture of 64 codes and its caption are."""
LONGEST = 1024
"""Most tokens that are read and written."""
DECODER = {
    "hidden_size": 192,
    "intermediate_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "max_position_embeddings": LONGEST,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
    "attention_dropout": 0.0,
    "tie_word_embeddings": True,
}
TEMPLATE = (
    "{% for message in messages %}{% set outer = loop %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}"
    "{% if outer.last and loop.last %}<|infill|><image><|infill|>{% else %}<image>{% endif %}"
    "{% else %}{{ part['text'] }}{{ '\\n' }}{% endif %}"
    "{% endfor %}{% endfor %}"
)
"""Pictures and texts in their order; a picture that comes last is to be described, a text to be drawn."""


def make_processor(vocabulary: BertTokenizer, side: int, codebook: int) -> Emu3Processor:
    """The shared word pieces, the codes of pictures of `side` pixels, and the marks around both."""
    pieces = [*sorted(vocabulary.get_vocab(), key=vocabulary.get_vocab().get), "*"]
    words = PreTrainedTokenizerFast(
        tokenizer_object=word_pieces({piece: n for n, piece in enumerate(pieces)}),
        bos_token="[CLS]",
        eos_token="[SEP]",
        pad_token="[PAD]",
        unk_token="[UNK]",
        padding_side="left",
        model_max_length=LONGEST,
        extra_special_tokens={
            "image_token": "<image>",
            "boi_token": "<|image start|>",
            "eoi_token": "<|image end|>",
            "image_wrapper_token": "<|image token|>",
            "eof_token": "<|extra_201|>",
        },
    )
    codes = [f"<|visual token {code:06d}|>" for code in range(codebook)]
    words.add_special_tokens(
        {"additional_special_tokens": ["<|infill|>", "<|extra_200|>", *codes]},
        replace_extra_special_tokens=False,
    )
    words.add_tokens([AddedToken("\n", normalized=False)])
    area = side * side
    look = Emu3ImageProcessor(
        min_pixels=area,
        max_pixels=area,
        resample=Image.Resampling.BICUBIC,
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    return Emu3Processor(look, words, chat_template=TEMPLATE, image_area=area)


def make_model(processor: Emu3Processor, tokenizer: Path) -> Emu3ForConditionalGeneration:
    """A decoder that knows nothing yet, with the trained picture tokenizer."""
    words, vq = processor.tokenizer, Emu3VQVAE.from_pretrained(tokenizer)
    special = {
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
    }
    config = Emu3Config(
        text_config=Emu3TextConfig(vocab_size=len(words), **DECODER, **special),
        vq_config=vq.config,
        vocabulary_map=words.get_vocab(),
        tie_word_embeddings=True,
    )
    model = Emu3ForConditionalGeneration(config)
    model.model.vqmodel.load_state_dict(vq.state_dict())
    model.model.vqmodel.requires_grad_(False)
    model.generation_config = GenerationConfig(max_new_tokens=48, **special)
    return model


class Decoder(nn.Module):
    """The model, its layers fused where a compiler is at hand."""

    def __init__(self, model: Emu3ForConditionalGeneration) -> None:
        super().__init__()
        self.emu3 = model
        self.register_buffer("tokens_read", torch.zeros((), dtype=torch.long))
        self._read = model.model.text_model
        self._fused = Fused(self._read.layers)

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers (n, length), padded on the right, to states (n, length, width)."""
        with self._fused if self.training else nullcontext():
            states: Tensor = self._read(input_ids=ids, use_cache=False).last_hidden_state
        return states


@dataclass
class DecoderLesson:
    """Predict the next token of sequences with 0, 1 or 2 documents; of a twin's with none."""

    sequences: Sequences
    held_out: Sequences
    processor: Emu3Processor
    vq: Path
    folder: Path
    most_documents: int = 2
    tokens: int = 4_000
    device: str = "cpu"
    name: str = "decoder"
    module: Decoder = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.module = Decoder(make_model(self.processor, self.vq)).to(self.device)
        self._is_code = torch.zeros(len(self.processor.tokenizer), dtype=torch.bool)
        self._is_code[self.module.emu3.model.vocabulary_mapping.image_tokens] = True

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """The loss of a batch, of about so many tokens whatever the number of documents."""
        documents = int(rng.integers(self.most_documents + 1))
        batch = self.tokens // (LENGTH * (documents + 1))
        ids, weights = self._batch(self.sequences, documents, batch, rng)
        self.module.tokens_read += (weights > 0).sum()
        each = self._each(ids)
        return {"loss": (each * weights[:, 1:]).sum() / weights[:, 1:].sum()}

    @torch.inference_mode()
    def measures(self) -> dict[str, float]:
        """The loss on words and codes of held-out pictures, by the number of documents in front."""
        values = {"tokens": int(self.module.tokens_read)}
        for documents in range(0, self.most_documents + 1, 2):
            rng = np.random.default_rng(0)
            ids, weights = self._batch(self.held_out, documents, 96, rng)
            each, asked = self._each(ids), weights[:, 1:] >= 1
            codes = self._is_code.to(ids.device)[ids[:, 1:]]
            values[f"words-{documents}"] = float(each[asked & ~codes].mean())
            values[f"codes-{documents}"] = float(each[asked & codes].mean())
            values[f"cider-{documents}"] = self._cider(documents)
        return values

    def _cider(self, documents: int, many: int = 100) -> float:
        """Of greedy captions of held-out pictures, half of them with an emblem."""
        rows = self.held_out.rows(many)
        words, written = self.processor.tokenizer, []
        for at in range(0, many, 50):
            prompts = [self.held_out.prompt(row, documents) for row in rows[at : at + 50]]
            inputs = words.pad({"input_ids": prompts}, return_tensors="pt").to(self.device)
            tokens = self.module.emu3.generate(**inputs, max_new_tokens=40, do_sample=False)
            new = tokens[:, inputs["input_ids"].shape[1] :]
            written += words.batch_decode(new, skip_special_tokens=True)
        references = [self.held_out.references(row) for row in rows]
        return cider(written, references, lambda text: " ".join(tokenize(text)))

    def save(self) -> None:
        """Write what `AutoProcessor` and `AutoModelForImageTextToText` read."""
        self.processor.save_pretrained(self.folder)
        self.module.emu3.save_pretrained(self.folder)
        weights = self.module.emu3.state_dict()
        del weights["lm_head.weight"]
        store_half(self.folder / "model.safetensors", weights)

    def _batch(
        self, sequences: Sequences, documents: int, batch: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Token numbers and weights (batch, length), padded on the right."""
        drawn = [sequences.draw(documents, rng) for _ in range(batch)]
        ids = pad_sequence(
            [torch.tensor(sequence.ids) for sequence in drawn],
            batch_first=True,
            padding_value=self.processor.tokenizer.pad_token_id,
        )
        weights = pad_sequence(
            [torch.tensor(sequence.weights) for sequence in drawn], batch_first=True
        )
        return ids.to(self.device), weights.to(self.device)

    def _each(self, ids: Tensor) -> Tensor:
        """The loss at each token but the first, (batch, length - 1)."""
        with torch.autocast(self.device, torch.bfloat16):
            logits = self.module.emu3.lm_head(self.module(ids[:, :-1]))
        return functional.cross_entropy(
            logits.float().transpose(1, 2), ids[:, 1:], reduction="none"
        )
