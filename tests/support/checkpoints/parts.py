"""What tiny checkpoints are made of: a tokenizer trained in memory, sizes, a chat template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

CORPUS = [
    "two red boats on a lake near a small white house",
    "three green trees stand in a meadow under a cloudy sky",
    "USER: Write one caption for this picture. Answer with the caption alone. ASSISTANT:",
    "The pictures before the last one were retrieved for it, each followed by its captions.",
    "a red green blue yellow white black purple orange picture square here plain paint again",
    "Generate coco-style 0123456789 * .,:;!?'\"()[]|<>/_ \n",
]

INTERLEAVING = (
    "{% for m in messages %}{{ m['role'] | upper }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}IMAGE{% else %}{{ c['text'] }}{% endif %}{% endfor %}\n"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""A chat template that keeps pictures where they are; IMAGE is the class's token."""

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.5,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 28,
    "patch_size": 14,
    "initializer_range": 0.2,
}


def tokenizer(specials: Sequence[str] = (), named: dict[str, str] | None = None) -> Any:
    """A byte-level BPE tokenizer of some 330 tokens, trained on a few captions."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    rules = ByteLevelBPETokenizer()
    marks = ["<pad>", "<s>", "</s>", *specials, *(named or {}).values()]
    rules.train_from_iterator(CORPUS, vocab_size=320 + len(marks), special_tokens=marks)
    words = PreTrainedTokenizerFast(
        tokenizer_object=rules._tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=named or {},
    )
    words.add_special_tokens({"additional_special_tokens": list(specials)})
    return words


def special_ids(words: Any) -> dict[str, int]:
    return {
        f"{name}_token_id": getattr(words, f"{name}_token_id") for name in ("pad", "bos", "eos")
    }


def text_config(words: Any, **changes: Any) -> dict[str, Any]:
    return {**TEXT, "vocab_size": len(words), **special_ids(words), **changes}


def save(folder: Path, model: Any, processor: Any) -> Path:
    model.generation_config.update(**special_ids(processor.tokenizer))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
