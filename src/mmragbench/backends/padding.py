"""Text towers read no padding where what follows a text cannot matter.

Real captions have some 14 tokens, and CLIP pads them to 77. A tower that attends backwards only and
is read at its end-of-text token gives the same vector without the rest (up to rounding, 1e-7). So
does one that masks padding, and CoCa's, if its class token keeps its position. Nothing else is cut:
SigLIP's towers attend to the padding. A tower's attributes say what may be tried; `proven` makes
sure, on the weights at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tokens = Any
"""A torch tensor (n, context), int64."""

TOLERANCE = {"fp32": 1e-5, "fp16": 5e-3, "bf16": 3e-2}
"""By how much a component of a unit vector may differ: rounding, at the precision of the model."""

PROBES = ["a photo of a dog", "two"]
"""Short texts, on which it is tried whether padding matters."""


def all_of_it(tokens: Tokens) -> Tokens:
    """The length of every row is the context's."""
    import torch

    return torch.full((len(tokens),), tokens.shape[1])


@dataclass(frozen=True)
class Cut:
    """How a tower reads short rows.

    Attributes:
        lengths: tokens (n, context) -> (n,), how many of each row have to be read.
        tables: length -> the parameters and buffers of the model that are as long as the context,
            at that length, by name.
    """

    lengths: Callable[[Tokens], Tokens] = all_of_it
    tables: Callable[[int], Mapping[str, Any]] = lambda length: {}


UNCUT = Cut()


def cut_of(model: Any) -> Cut:
    """What may be left out of an open_clip model's texts, by its attributes; `UNCUT` in doubt."""
    tower = getattr(model, "text", model)
    name = "" if tower is model else "text."
    if hasattr(tower, "pooler") and getattr(tower, "config", None) is not None:
        return _masked(tower.config.pad_token_id)
    if getattr(tower, "attn_mask", None) is None:  # it attends forwards, to the padding too
        return UNCUT
    if getattr(tower, "cls_emb", None) is not None:
        return _with_class_token(tower, name)
    own = "text_" if tower is model else ""
    pool, end = getattr(tower, f"{own}pool_type", None), getattr(tower, f"{own}eos_id", None)
    if pool not in ("argmax", "eos"):
        return UNCUT
    return _causal(tower, name, end if pool == "eos" else None)


def _causal(tower: Any, name: str, end: int | None = None) -> Cut:
    """CLIP: read backwards from its end token, the first `end` or else the highest."""

    def lengths(tokens: Tokens) -> Tokens:
        marks = tokens if end is None else (tokens == end).int()
        return marks.argmax(dim=-1) + 1

    def tables(length: int) -> dict[str, Any]:
        return {
            f"{name}positional_embedding": tower.positional_embedding[:length],
            f"{name}attn_mask": tower.attn_mask[:length, :length],
        }

    return Cut(lengths, tables)


def _masked(pad: int) -> Cut:
    """A Hugging Face tower: it masks the padding itself."""
    return Cut(lambda tokens: _filled(tokens, pad))


def _with_class_token(tower: Any, name: str) -> Cut:
    """CoCa: a class token behind the text, at the last position; released weights were trained with
    a mask that lets it see one token of padding, which is kept."""
    import torch

    def lengths(tokens: Tokens) -> Tokens:
        return (_filled(tokens, tower.pad_id) + 1).clamp(max=tokens.shape[1])

    def tables(length: int) -> dict[str, Any]:
        positions = tower.positional_embedding
        return {f"{name}positional_embedding": torch.cat([positions[:length], positions[-1:]])}

    return Cut(lengths, tables)


def _filled(tokens: Tokens, pad: int) -> Tokens:
    """The length of each row up to its last token that is not padding; at least 1."""
    import torch

    places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    return ((tokens != pad) * places).amax(dim=-1).clamp(min=1)


def encoding(model: Any) -> Callable[[Tokens, Cut], Any]:
    """(tokens, cut) -> (n, d) normalised: the model's own `encode_text` on rows that are as long as
    the longest of them has to be."""
    import torch

    class Texts(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: Tokens) -> Any:
            return self.model.encode_text(tokens, normalize=True)

    texts = Texts()

    def encode(tokens: Tokens, cut: Cut = UNCUT) -> Any:
        length = int(cut.lengths(tokens).max())
        if length == tokens.shape[1]:
            return texts(tokens)
        tables = {f"model.{name}": table for name, table in cut.tables(length).items()}
        return torch.func.functional_call(texts, tables, (tokens[:, :length],))

    return encode


def proven(encode: Callable[[Tokens, Cut], Any], tokens: Tokens, cut: Cut, tolerance: float) -> Cut:
    """The cut, if these rows come out the same with and without it; else `UNCUT`."""
    try:
        short = encode(tokens, cut)
    except (RuntimeError, IndexError, ValueError):  # a tower that wants rows of its own length
        return UNCUT
    difference = (short.float() - encode(tokens, UNCUT).float()).abs().max()
    return cut if float(difference) <= tolerance else UNCUT
