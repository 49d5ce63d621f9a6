"""Devices that models run on, and the precision that they compute in."""

from __future__ import annotations

from typing import Any, Literal

Precision = Literal["auto", "fp32", "bf16", "fp16"]


def resolve_device(wanted: str = "auto") -> str:
    """The device by its name; `auto` is `cuda` or `mps` where there is one, else `cpu`."""
    if wanted != "auto":
        return wanted
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def resolve_precision(wanted: Precision, device: str) -> str:
    """The number format and the kind of device: `fp32-cpu`, `bf16-cuda`.

    `auto` is bf16 on CUDA (fp16 on GPUs older than Ampere), fp16 on MPS, and fp32 on a CPU, where
    16 bits were measured to be 4 to 5 times slower.
    """
    kind = device.partition(":")[0]
    if wanted != "auto":
        return f"{wanted}-{kind}"
    if kind == "cuda":
        import torch

        return "bf16-cuda" if torch.cuda.get_device_capability(device)[0] >= 8 else "fp16-cuda"
    return "fp16-mps" if kind == "mps" else f"fp32-{kind}"


def dtype_of(precision: str) -> Any:
    """The torch dtype of a precision such as `bf16-cuda`."""
    import torch

    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    return dtypes[precision.partition("-")[0]]


def computing(precision: str) -> Any:
    """A context in which torch computes in that precision (of `resolve_precision`), without gradients.

    It is torch's autocast: the weights stay as they are, and norms and sums stay in 32 bits.
    """
    from contextlib import ExitStack

    import torch

    format, _, kind = precision.partition("-")
    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    if format != "fp32":
        dtype = torch.bfloat16 if format == "bf16" else torch.float16
        stack.enter_context(torch.autocast(kind, dtype=dtype))
    return stack


def silence_progress_bars() -> None:
    """Keep Hugging Face's libraries from drawing progress bars and printing warnings beside ours."""
    from huggingface_hub.utils.tqdm import disable_progress_bars
    from transformers.utils import logging

    disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()


def normalised(rows: Any) -> Any:
    """A tensor (n, d) as a float32 array with L2-normalised rows; norms are computed in 32 bits."""
    import torch

    return torch.nn.functional.normalize(rows.float(), dim=-1).cpu().numpy()
