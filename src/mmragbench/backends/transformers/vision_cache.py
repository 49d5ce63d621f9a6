"""Vision encoders that cache their outputs: a memory's picture is shown under many queries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any

TOWERS = {
    "Idefics3ForConditionalGeneration": "vision_model",
    "SmolVLMForConditionalGeneration": "vision_model",
}
"""Class -> its vision tower, which encodes pictures one by one and whose last state alone is used."""

MAX_BYTES = 256 << 20
"""Bytes of states that are cached; beyond it the least recently used are dropped."""


MAX_PICTURES = 65536
"""Pictures whose codes are cached: some 30 MB at 64 codes each."""


class CachedVisionTower:
    """A tower's `forward` that encodes each picture once and caches its state.

    Args:
        forward: pictures (n, 3, h, w) and the masks of their patches (n, a, b) to states (n, t, d).
        limit: bytes of states that are cached.
    """

    def __init__(self, forward: Callable[..., Any], limit: int = MAX_BYTES) -> None:
        self._forward, self._limit = forward, limit
        self._states: OrderedDict[bytes, Any] = OrderedDict()

    def __call__(self, pixel_values: Any, patch_attention_mask: Any, **options: Any) -> Any:
        import torch
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        keys = [_key(*row) for row in zip(pixel_values, patch_attention_mask, strict=True)]
        new = {key: i for i, key in enumerate(keys) if key not in self._states}
        if new:
            positions = list(new.values())
            output = self._forward(
                pixel_values=pixel_values[positions],
                patch_attention_mask=patch_attention_mask[positions],
                **options,
            )
            for key, state in zip(new, output.last_hidden_state, strict=True):
                self._states[key] = state.clone()  # a view would keep the whole batch alive
        for key in keys:
            self._states.move_to_end(key)
        states = torch.stack([self._states[key] for key in keys])
        self._evict(states[0].nbytes)
        return BaseModelOutputWithPooling(last_hidden_state=states)

    def _evict(self, size: int) -> None:
        while len(self._states) * size > self._limit:
            self._states.popitem(last=False)


class CachedPictureCodes:
    """The `encode` of Emu3's VQ-VAE, which reads each picture once, by itself, and caches its codes.

    By itself, since padding to the largest picture of a batch would change the codes of the others.

    Args:
        encode: pictures (n, 3, h, w) and their sizes (n, 2) to an output whose `image_tokens` are the
            codes of each.
        limit: pictures whose codes are cached.
    """

    def __init__(self, encode: Callable[..., Any], limit: int = MAX_PICTURES) -> None:
        self._encode, self._limit = encode, limit
        self._codes: OrderedDict[bytes, Any] = OrderedDict()

    def __call__(self, pixel_values: Any, image_sizes: Any, **options: Any) -> Any:
        from transformers.models.emu3.modeling_emu3 import Emu3VQVAEModelOutput

        pictures = [
            picture[None, :, : int(height), : int(width)]
            for picture, (height, width) in zip(pixel_values, image_sizes, strict=True)
        ]
        codes = [
            self._codes_of(picture, size[None], **options)
            for picture, size in zip(pictures, image_sizes, strict=True)
        ]
        return Emu3VQVAEModelOutput(image_tokens=codes)

    def _codes_of(self, picture: Any, size: Any, **options: Any) -> Any:
        key = _key(picture, size)
        if key not in self._codes:
            (self._codes[key],) = self._encode(picture, size, **options).image_tokens
        self._codes.move_to_end(key)
        codes = self._codes[key]
        if len(self._codes) > self._limit:
            self._codes.popitem(last=False)
        return codes


def cache_vision(model: Any) -> None:
    """Cache what the vision encoder makes of pictures, for models whose class is in `TOWERS` and those
    of Emu3's."""
    if name := TOWERS.get(type(model).__name__):
        tower = getattr(model.model, name)
        tower.forward = CachedVisionTower(tower.forward)
    if model.config.model_type == "emu3":
        model.model.vqmodel.encode = CachedPictureCodes(model.model.vqmodel.encode)


def _key(*tensors: Any) -> bytes:
    import torch

    running = sha256()
    for tensor in tensors:
        running.update(tensor.contiguous().view(torch.uint8).cpu().numpy().tobytes())
    return running.digest()
