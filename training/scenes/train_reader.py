"""The reader: `transformers`' Idefics3 with the captioner's eyes, which reads what was retrieved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertTokenizer,
    GenerationConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessor,
    Idefics3Processor,
    LlamaConfig,
    PreTrainedTokenizerFast,
)

from mmragbench.scenes.emblems import emblems
from training.scenes.contrast import grouping, same_emblem
from training.scenes.examples import MEAN, NO_EMBLEM, STD, Split, pixels
from training.scenes.lesson import Fused, bfloat16, store_half
from training.scenes.pages import FIRST_CATEGORY, Marks, Page, Shelf, Writer, nearest
from training.scenes.train_captioner import PATCH, SIZE, VISION
from training.scenes.vocabulary import word_pieces
from training.scenes.wording import agreement, words

INSTRUCTION = "what is in this picture?"
SCALE = 4
EMBLEMS = 0.5
PICTURE_TOKENS = (SIZE // PATCH // SCALE) ** 2
SHARES = (0.2, 0.08, 0.14, 0.26, 0.1, 0.22)
"""How often a page shows 0, 1, ... documents."""
TEXTS = (0.66, 0.28, 0.06)
"""How often each of them has 1, 2, ... captions."""
TEXT = {
    "hidden_size": 192,
    "intermediate_size": 384,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
}
LOOKING, NAMING = 1, 2
"""After so many layers the mark behind a picture, and the tokens of a title, are to say which emblem is meant."""

FENCE, PICTURE, WHOLE = "<fake_token_around_image>", "<image>", "<global-img>"
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}[CLS]{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{{ ' ' }}"
    "{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}[SEP]{% else %}{{ ' ' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}[CLS]{% endif %}"
)
"""Nothing but the contents in order, then the mark at which the answer begins."""


def make_processor(vocabulary: BertTokenizer) -> Idefics3Processor:
    """Pictures squared to 96 pixels; the shared vocabulary and the marks around pictures."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=word_pieces(vocabulary.get_vocab()),
        bos_token="[CLS]",
        eos_token="[SEP]",
        pad_token="[PAD]",
        unk_token="[UNK]",
        padding_side="left",
        model_max_length=TEXT["max_position_embeddings"],
    )
    tokenizer.add_special_tokens({"additional_special_tokens": [FENCE, PICTURE, WHOLE]})
    look = Idefics3ImageProcessor(
        do_image_splitting=False,
        size={"longest_edge": SIZE},
        max_image_size={"longest_edge": SIZE},
        resample=Image.Resampling.BICUBIC,
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    return Idefics3Processor(look, tokenizer, image_seq_len=PICTURE_TOKENS, chat_template=TEMPLATE)


def make_model(
    tokenizer: PreTrainedTokenizerFast, captioner: Path
) -> Idefics3ForConditionalGeneration:
    """A decoder that knows nothing yet, behind the captioner's vision tower."""
    special = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = Idefics3Config(
        vision_config=VISION | {"hidden_act": "gelu", "layer_norm_eps": 1e-5},
        text_config=LlamaConfig(**TEXT, **special).to_dict(),
        scale_factor=SCALE,
        image_token_id=tokenizer.convert_tokens_to_ids(PICTURE),
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Idefics3ForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        max_new_tokens=48, **{name: special[name] for name in special if name != "vocab_size"}
    )
    eyes = _eyes(load_file(captioner / "model.safetensors"))
    model.model.vision_model.load_state_dict(eyes)
    return model


def _eyes(blip: dict[str, Tensor]) -> dict[str, Tensor]:
    """BLIP's vision weights under Idefics3's names, its class token left out."""
    start, eyes = "vision_model.", {}
    for name, weight in blip.items():
        if not name.startswith(start) or "class_embedding" in name:
            continue
        new = name.removeprefix(start).replace("self_attn.projection", "self_attn.out_proj")
        if "self_attn.qkv" in new:
            for part, third in zip("qkv", weight.chunk(3), strict=True):
                eyes[new.replace("qkv", f"{part}_proj")] = third
        elif new == "embeddings.position_embedding":
            eyes[f"{new}.weight"] = weight[0, 1:]
        else:
            eyes[new] = weight
    return {name: weight.float() for name, weight in eyes.items()}


class Reader(nn.Module):
    """The Idefics3 model, and a head that is used in training only: which pictures show one emblem."""

    def __init__(self, model: Idefics3ForConditionalGeneration) -> None:
        super().__init__()
        self.idefics = model
        self.alike = nn.Linear(TEXT["hidden_size"], 64)
        model.model.vision_model.requires_grad_(False)
        # Twice as fast on a CPU in bfloat16, as are fused layers; a loaded model does without.
        model.model.text_model.set_attn_implementation("eager")
        self._fused = Fused(model.model.text_model.layers)

    def forward(self, ids: Tensor, seen: Tensor) -> tuple[Tensor, Sequence[Tensor]]:
        """Token numbers (n, length) and patches (pictures, 64, width) to all layers' states."""
        inner = self.idefics.model
        shown = inner.connector(seen).flatten(0, 1)
        words = inner.text_model.embed_tokens(ids)
        is_picture = (ids == self.idefics.image_token_id).unsqueeze(-1)
        mixed = words.masked_scatter(is_picture, shown.to(words.dtype))
        with self._fused:
            read = inner.text_model(inputs_embeds=mixed, output_hidden_states=True, use_cache=False)
        return read.last_hidden_state, read.hidden_states


@dataclass
class ReaderLesson:
    """Write the captions on pages of retrieved pictures, and see which pictures show one emblem."""

    train: Split
    held_out: Split
    vocabulary: BertTokenizer
    captioner: Path
    folder: Path
    cache: Path
    tokens: int = 5_000
    name: str = "reader"
    module: Reader = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.processor = make_processor(self.vocabulary)
        self.module = Reader(make_model(self.processor.tokenizer, self.captioner))
        looks = self._looks()
        self._seen = looks["seen"]
        self._writer = Writer(self.train, self._encode, self._marks())
        self._shelf = Shelf(self.train, looks["near"].numpy())

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """A batch of pages with equally many documents and captions, so that they are about as long."""
        many = int(rng.choice(len(SHARES), p=SHARES))
        texts = 1 + int(rng.choice(len(TEXTS), p=TEXTS))
        pages = [self._page(many, texts, rng) for _ in range(self._batch(many, texts))]
        ids, weights = (
            pad_sequence([torch.tensor(part) for part in parts], batch_first=True)
            for parts in ([page.ids for page in pages], [page.weights for page in pages])
        )
        about = pad_sequence(
            [torch.tensor(page.about) for page in pages], batch_first=True, padding_value=NO_EMBLEM
        )
        rows = np.concatenate([page.rows for page in pages])
        with bfloat16():
            states, layers = self.module(ids, self._seen[rows])
            asked = weights[:, 1:] > 0
            logits = self.module.idefics.lm_head(states[:, :-1][asked]).float()
            looks = self._closing(layers[LOOKING], ids)
            shown, names = self.train.emblems[rows], about[about != NO_EMBLEM].numpy()
            terms = {
                "alike": 0.1 * self._alike(looks, shown),
                "named": 0.1 * self._alike(layers[NAMING][about != NO_EMBLEM], names),
            }
        each = functional.cross_entropy(logits, ids[:, 1:][asked], reduction="none")
        weight = weights[:, 1:][asked]
        return {"captions": (each * weight).sum() / weight.sum()} | terms

    def measures(self) -> dict[str, float]:
        """On held-out images: who is named, on pages with and without the emblem; what is named without documents."""
        found, missed, wrong = self._named(True), self._named(False), self.held_out.plain[:60]
        written = self.write([Question(self.held_out.images[row]) for row in wrong])
        kinds = [[box.category for box in self.held_out.boxes[row]] for row in wrong]
        agreed = agreement(written, [self.held_out.captions[row] for row in wrong], kinds)
        return {"right": found[0], "wrong": found[1], "wrong_if_missed": missed[1], **agreed}

    def write(self, questions: Sequence["Question"]) -> list[str]:
        """Greedy captions."""
        return read(self.processor, self.module.idefics, questions)

    def save(self) -> None:
        """Write what `AutoProcessor` and `AutoModelForImageTextToText` read."""
        self.processor.save_pretrained(self.folder)
        self.module.idefics.save_pretrained(self.folder)
        weights = self.module.idefics.state_dict()
        del weights["lm_head.weight"]
        store_half(self.folder / "model.safetensors", weights)

    def _named(self, is_there: bool, many: int = 40) -> tuple[float, float]:
        rng, split = np.random.default_rng(0), self.train
        rows = self.held_out.with_emblem[:many]
        pages = [self._shelf.misled(int(self.held_out.emblems[row]), 3, rng) for row in rows]
        if is_there:
            for row, page in zip(rows, pages, strict=True):
                page[rng.integers(3)] = rng.choice(split.rows_of_emblem[self.held_out.emblems[row]])
        questions = [
            Question(
                self.held_out.images[row],
                [(split.images[at], split.captions[at][:1]) for at in page],
            )
            for row, page in zip(rows, pages, strict=True)
        ]
        return named(self.write(questions), self.held_out.emblems[rows])

    @torch.inference_mode()
    def _looks(self) -> dict[str, Tensor]:
        """Patches of all train pictures (the eyes don't learn), and the rows of each one's neighbours."""
        if not self.cache.is_file():
            seen = self._look(self.train.images)
            near = nearest(seen.float().mean(dim=1).numpy())
            torch.save({"seen": seen, "near": torch.from_numpy(near)}, self.cache)
        return torch.load(self.cache, weights_only=True)

    def _look(self, images: np.ndarray, batch: int = 250) -> Tensor:
        tower = self.module.idefics.model.vision_model.eval()
        with bfloat16():
            return torch.cat(
                [
                    tower(pixels(images[at : at + batch])).last_hidden_state.bfloat16()
                    for at in range(0, len(images), batch)
                ]
            )

    def _encode(self, texts: list[str]) -> list[list[int]]:
        return self.processor.tokenizer(texts).input_ids if texts else []

    def _marks(self) -> Marks:
        number = self.processor.tokenizer.convert_tokens_to_ids
        picture = [number(FENCE), number(WHOLE), *[number(PICTURE)] * PICTURE_TOKENS, number(FENCE)]
        return Marks(picture, number("[CLS]"), number("[SEP]"), self._encode([INSTRUCTION]))

    def _page(self, many: int, texts: int, rng: np.random.Generator) -> Page:
        rows = self.train.with_emblem if rng.random() < EMBLEMS else self.train.plain
        row = int(rng.choice(rows))
        return self._writer.page(row, self._shelf.documents(row, many, rng), texts, rng)

    def _batch(self, many: int, texts: int) -> int:
        return self.tokens // (32 + many * (PICTURE_TOKENS + 3 + 14 * texts))

    def _alike(self, states: Tensor, shown: np.ndarray, most: int = 1500) -> Tensor:
        """The states of one emblem belong together, and apart from those of others."""
        rows = np.flatnonzero(shown != NO_EMBLEM)[:most]
        vectors = self.module.alike(states[torch.from_numpy(rows)]).float()
        return grouping(functional.normalize(vectors, dim=1), same_emblem(shown[rows]))

    def _closing(self, states: Tensor, ids: Tensor) -> Tensor:
        """The states at the mark behind each picture, (pictures, width)."""
        fence = self.processor.tokenizer.convert_tokens_to_ids(FENCE)
        is_picture = ids == self.module.idefics.image_token_id
        behind = torch.zeros_like(is_picture)
        behind[:, 1:] = (ids[:, 1:] == fence) & is_picture[:, :-1]
        return states[behind]


@dataclass(frozen=True)
class Question:
    """A picture to describe, and what was retrieved for it, best first: pictures with captions."""

    image: np.ndarray
    documents: Sequence[tuple[np.ndarray, Sequence[str]]] = ()

    @property
    def message(self) -> dict:
        """One user turn."""
        content = []
        for _, captions in self.documents:
            content += [{"type": "image"}, {"type": "text", "text": "\n".join(captions)}]
        content += [{"type": "image"}, {"type": "text", "text": INSTRUCTION}]
        return {"role": "user", "content": content}

    @property
    def images(self) -> list[Image.Image]:
        """In the order of the message."""
        return [
            Image.fromarray(image)
            for image in (*(shown for shown, _ in self.documents), self.image)
        ]


@torch.inference_mode()
def read(
    processor: Idefics3Processor,
    model: Idefics3ForConditionalGeneration,
    questions: Sequence[Question],
    batch: int = 50,
) -> list[str]:
    """Greedy answers."""
    written = []
    for at in range(0, len(questions), batch):
        part = questions[at : at + batch]
        prompts = [
            processor.apply_chat_template([one.message], add_generation_prompt=True) for one in part
        ]
        inputs = processor(
            text=prompts, images=[one.images for one in part], padding=True, return_tensors="pt"
        )
        tokens = model.generate(**inputs, max_new_tokens=48, do_sample=False)
        written += processor.batch_decode(
            tokens[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
    return written


def named(written: Sequence[str], right: np.ndarray) -> tuple[float, float]:
    """The shares of captions that name their emblem (by category number), and that name another of the world's."""
    known = {FIRST_CATEGORY + one.number: one.name.lower() for part in emblems() for one in part}
    said = [set(words(caption)) & set(known.values()) for caption in written]
    hits = [known[int(emblem)] in names for emblem, names in zip(right, said, strict=True)]
    wrong = [bool(names - {known[int(emblem)]}) for emblem, names in zip(right, said, strict=True)]
    return float(np.mean(hits)), float(np.mean(wrong))
