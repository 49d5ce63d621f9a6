"""Truncate CLIP text batches to their longest text where the tower's output cannot depend on padding.

Captions have some 14 tokens, and CLIP pads them to 77. A causal tower that is pooled at its end-of-text
token gives the same vector without the rest (up to rounding, 1e-7). So does one that masks padding, and
CoCa's, if its class token keeps its position. Other towers are not truncated: SigLIP's attend to the
padding. A tower's attributes say which truncation may be tried; `verified` compares the vectors with and
without it, on the loaded weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tokens = Any
"""A torch tensor (n, context), int64."""

TOLERANCE = {"fp32": 1e-5, "fp16": 5e-3, "bf16": 3e-2}
"""Precision of the model -> the largest difference of a component of a unit vector that is rounding."""

PROBES = ["a photo of a dog", "two"]
"""Short texts that `verified` encodes with and without padding."""


def full_lengths(tokens: Tokens) -> Tokens:
    """The context's length for every row."""
    import torch

    return torch.full((len(tokens),), tokens.shape[1])


@dataclass(frozen=True)
class Truncation:
    """A way to encode rows that are shorter than a text tower's context.

    Attributes:
        lengths: tokens (n, context) -> (n,), how many tokens of each row have to be encoded.
        parameters: length -> the parameters and buffers of the model that are as long as the
            context, shortened to that length, by name.
    """

    lengths: Callable[[Tokens], Tokens] = full_lengths
    parameters: Callable[[int], Mapping[str, Any]] = lambda length: {}


NO_TRUNCATION = Truncation()


def truncation_of(model: Any) -> Truncation:
    """The truncation that an open_clip model's attributes allow; `NO_TRUNCATION` in doubt."""
    tower = getattr(model, "text", model)
    name = "" if tower is model else "text."
    if hasattr(tower, "pooler") and getattr(tower, "config", None) is not None:
        return _masked(tower.config.pad_token_id)
    if getattr(tower, "attn_mask", None) is None:  # it attends forwards, to the padding too
        return NO_TRUNCATION
    if getattr(tower, "cls_emb", None) is not None:
        return _with_class_token(tower, name)
    prefix = "text_" if tower is model else ""
    pool, end = getattr(tower, f"{prefix}pool_type", None), getattr(tower, f"{prefix}eos_id", None)
    if pool not in ("argmax", "eos"):
        return NO_TRUNCATION
    return _causal(tower, name, end if pool == "eos" else None)


def _causal(tower: Any, name: str, end: int | None = None) -> Truncation:
    """CLIP: pooled at its end token, the first `end` or else the highest token."""

    def lengths(tokens: Tokens) -> Tokens:
        marks = tokens if end is None else (tokens == end).int()
        return marks.argmax(dim=-1) + 1

    def parameters(length: int) -> dict[str, Any]:
        return {
            f"{name}positional_embedding": tower.positional_embedding[:length],
            f"{name}attn_mask": tower.attn_mask[:length, :length],
        }

    return Truncation(lengths, parameters)


def _masked(pad: int) -> Truncation:
    """A Hugging Face tower, which masks the padding itself."""
    return Truncation(lambda tokens: _unpadded_lengths(tokens, pad))


def _with_class_token(tower: Any, name: str) -> Truncation:
    """CoCa: a class token behind the text, at the last position.

    Released weights were trained with a mask that lets it see one token of padding, which is kept.
    """
    import torch

    def lengths(tokens: Tokens) -> Tokens:
        return (_unpadded_lengths(tokens, tower.pad_id) + 1).clamp(max=tokens.shape[1])

    def parameters(length: int) -> dict[str, Any]:
        positions = tower.positional_embedding
        return {f"{name}positional_embedding": torch.cat([positions[:length], positions[-1:]])}

    return Truncation(lengths, parameters)


def _unpadded_lengths(tokens: Tokens, pad: int) -> Tokens:
    """The length of each row up to its last token that is not padding; at least 1."""
    import torch

    places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    return ((tokens != pad) * places).amax(dim=-1).clamp(min=1)


def text_encoder(model: Any) -> Callable[[Tokens, Truncation], Any]:
    """A function (tokens, truncation) -> (n, d), L2-normalised.

    It is the model's own `encode_text`, on rows truncated to the longest length that one of them needs.
    """
    import torch

    class TextTower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: Tokens) -> Any:
            return self.model.encode_text(tokens, normalize=True)

    tower = TextTower()

    def encode(tokens: Tokens, truncation: Truncation = NO_TRUNCATION) -> Any:
        length = int(truncation.lengths(tokens).max())
        if length == tokens.shape[1]:
            return tower(tokens)
        parameters = truncation.parameters(length)
        shortened = {f"model.{name}": value for name, value in parameters.items()}
        return torch.func.functional_call(tower, shortened, (tokens[:, :length],))

    return encode


def verified(
    encode: Callable[[Tokens, Truncation], Any],
    tokens: Tokens,
    truncation: Truncation,
    tolerance: float,
) -> Truncation:
    """The truncation, if these rows have the same vectors with and without it; else `NO_TRUNCATION`."""
    try:
        short = encode(tokens, truncation)
    except (RuntimeError, IndexError, ValueError):  # a tower that wants rows of its own length
        return NO_TRUNCATION
    difference = (short.float() - encode(tokens, NO_TRUNCATION).float()).abs().max()
    return truncation if float(difference) <= tolerance else NO_TRUNCATION
