"""A model and its processor, loaded by name or path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

from mmragbench.backends.devices import (
    Precision,
    dtype_of,
    resolve_device,
    resolve_precision,
    silence_progress_bars,
)
from mmragbench.backends.transformers.missing_weights import (
    load_pretrained,
    refuse_missing_weights,
    suggested_use,
)
from mmragbench.backends.transformers.vision_cache import cache_vision
from mmragbench.backends.weights import fingerprint, locate
from mmragbench.errors import SuiteError, first_line


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model with its processor, in evaluation mode on its device.

    Attributes:
        model: a transformers model.
        processor: its processor; pads on the left.
        device: where it runs (`cpu`, `cuda`, ...).
    """

    model: Any
    processor: Any
    device: str

    @property
    def limit(self) -> int | None:
        """The most tokens that it reads and writes; None where its configuration does not say."""
        config = self.model.config
        if getattr(config, "is_encoder_decoder", False):
            return None
        limit: int | None = getattr(config.get_text_config(), "max_position_embeddings", None)
        return limit

    def moved(self, inputs: Any) -> Any:
        """A processor's inputs on the model's device, pictures in its precision."""
        inputs.pop("labels", None)  # PaliGemma's processor makes some for training
        return inputs.to(self.device, self.model.dtype)


_checkpoints: WeakValueDictionary[tuple[str, ...], Checkpoint] = WeakValueDictionary()
"""Class, name, device, precision and weights -> the loaded model, as long as something uses it."""


class LazyModel:
    """A model by name, loaded when it is first needed.

    Args:
        kind: the class of transformers that loads it; see `load`.
        name: hub name, path or `shipped:<folder>`.
        device, precision: see `load`.
    """

    operational = frozenset({"batch_size", "device"})

    def __init__(self, kind: str, name: str, device: str, precision: Precision) -> None:
        self.kind, self.name = kind, locate(name)
        self._device, self._precision = device, precision

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository."""
        return fingerprint(self.name)

    @property
    def precision(self) -> str:
        """The number format and the kind of device: `fp32-cpu`, `bf16-cuda`."""
        return resolve_precision(self._precision, resolve_device(self._device))

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self.checkpoint

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The loaded model, which all that need the same one share: it is in memory once, though one
        model chats and paints."""
        place = (self.kind, self.name, resolve_device(self._device), self.precision)
        if (checkpoint := _checkpoints.get((*place, self.weights()))) is None:
            checkpoint = load(self.kind, self.name, self._device, self._precision)
            _checkpoints[*place, self.weights()] = checkpoint  # known only now for a new download
        return checkpoint


def load(kind: str, name: str, device: str = "auto", precision: Precision = "auto") -> Checkpoint:
    """Load safetensors weights through a class of transformers; code from hubs is never run.

    Args:
        kind: `AutoModelForImageTextToText`, or another model class by its name.
        name: hub name or folder.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto`, `fp32`, `bf16`, `fp16`.

    Raises:
        SuiteError: there is no such model, or the checkpoint lacks weights of it.
    """
    import transformers

    silence_progress_bars()
    device = resolve_device(device)
    dtype = dtype_of(resolve_precision(precision, device))
    try:
        make = getattr(transformers, kind)
        model, report = load_pretrained(
            make,
            name,
            use_safetensors=True,
            trust_remote_code=False,  # explicit: else the library would ask on the terminal
            dtype=dtype,
        )
        processor = transformers.AutoProcessor.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise SuiteError(
            f"transformers cannot load {name!r}: {first_line(error)}{suggested_use(name)}"
        ) from error
    refuse_missing_weights(name, [report])
    model = model.to(device).eval()
    cache_vision(model)
    return Checkpoint(model, _padding_left(processor), device)


def _padding_left(processor: Any) -> Any:
    """The processor with padding on the left, since generation continues from the last token."""
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is not None:
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
    return processor
