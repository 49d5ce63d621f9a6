"""A model and its processor, loaded by name or path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmragbench.devices import best_device, best_precision, dtype_of, quiet
from mmragbench.errors import MissingExtra, SuiteError


@dataclass(frozen=True)
class Checkpoint:
    """What was loaded, in evaluation mode on its device.

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
        """How many tokens it reads and writes at most; None where it does not say."""
        config = self.model.config
        if getattr(config, "is_encoder_decoder", False):
            return None
        found: int | None = getattr(config.get_text_config(), "max_position_embeddings", None)
        return found

    def moved(self, inputs: Any) -> Any:
        """A processor's answer on the model's device, pictures in its precision."""
        inputs.pop("labels", None)  # PaliGemma's processor makes some for training
        return inputs.to(self.device, self.model.dtype)


def load(kind: str, name: str, device: str = "auto", precision: str = "auto") -> Checkpoint:
    """Load safetensors weights through a class of transformers; code from hubs is never run.

    Args:
        kind: `AutoModelForImageTextToText`, or another model class by its name.
        name: hub name or folder.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto`, `fp32`, `bf16`, `fp16`.

    Raises:
        MissingExtra: transformers is not installed.
        SuiteError: there is no such model, or it is of another kind.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingExtra("transformers", "transformers") from error
    quiet()
    device = best_device(device)
    dtype = dtype_of(best_precision(precision, device))
    try:
        make = getattr(transformers, kind)
        model = make.from_pretrained(name, use_safetensors=True, dtype=dtype)
        processor = transformers.AutoProcessor.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise SuiteError(f"transformers cannot load {name!r}: {reason}") from error
    return Checkpoint(model.to(device).eval(), _padding_left(processor), device)


def _padding_left(processor: Any) -> Any:
    """What is written goes on from the last token: padding belongs to the other end."""
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is not None:
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
    return processor
