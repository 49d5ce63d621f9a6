"""Painters through Hugging Face diffusers."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from mmragbench._batching import batches, in_halves, opened, read_ahead
from mmragbench.backends.devices import (
    Precision,
    dtype_of,
    resolve_device,
    resolve_precision,
    silence_progress_bars,
)
from mmragbench.backends.transformers.missing_weights import (
    describe_load_error,
    recorded_loading,
    refuse_missing_weights,
    suggested_use,
)
from mmragbench.backends.weights import UNRESOLVED, fingerprint, locate
from mmragbench.errors import NotApplicable, SuiteError, first_line, require
from mmragbench.records import Drawing, Failure, Prompt
from mmragbench.registry import painter

if TYPE_CHECKING:
    import PIL.Image

WITHHELD = Failure("the pipeline's safety checker withheld the picture")


@dataclass(frozen=True)
class IPAdapter:
    """An IP-Adapter, by which pictures condition a pipeline (Ye et al. 2023).

    Attributes:
        name: hub name or folder, `h94/IP-Adapter`.
        weight: its file there, `ip-adapter_sd15.safetensors`; other formats are refused.
        subfolder: where that lies, `models`.
        scale: how much the pictures count.
        image_encoder: folder of the image encoder, below the subfolder, or below the name if it
            has a slash.
    """

    name: str
    weight: str
    subfolder: str = ""
    scale: float = 0.6
    image_encoder: str = "image_encoder"

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


class PaintRequest(NamedTuple):
    """A prompt with its pictures opened."""

    prompt: Prompt
    pictures: list[PIL.Image.Image]


@painter
class Diffusers:
    """Painter: any text-to-image pipeline of diffusers (Stable Diffusion, SDXL, SD3, FLUX, ...).

    The pipeline starts from the retrieved picture (img2img, one picture), or retrieved pictures
    condition it where an IP-Adapter is given (any number). Each picture is drawn by its prompt's own
    seed, with noise from the CPU: the same alone and in a batch, up to rounding. How much of the
    prompt a text encoder truncates is noted at the end of the stored prompt.

    Args:
        name: `stable-diffusion-v1-5/stable-diffusion-v1-5`, or a folder.
        steps: of denoising; the pipeline's own by default.
        guidance: how much the prompt counts; the pipeline's own by default.
        size: side in pixels; the pipeline's own by default.
        strength: img2img: how much of the picture is drawn anew, 0 to 1.
        ip_adapter: conditions on pictures instead of starting from one; pictures are then drawn
            one by one.
        batch_size: pictures drawn at once.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto` (`bf16` on CUDA, else `fp32`), `fp32`, `bf16`, `fp16`.
    """

    operational = frozenset({"batch_size", "device"})

    def __init__(  # noqa: PLR0913, PLR0917 -- the vocabulary of suites
        self,
        name: str,
        steps: int | None = None,
        guidance: float | None = None,
        size: int | None = None,
        strength: float = 0.8,
        ip_adapter: IPAdapter | None = None,
        batch_size: int = 4,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        require("diffusers", "diffusers")
        if ip_adapter and not ip_adapter.weight.endswith(".safetensors"):
            raise SuiteError(f"{ip_adapter.weight!r} may hold code; name a .safetensors file")
        self._name, self._adapter = locate(name), ip_adapter
        self._size, self._strength, self._batch_size = size, strength, batch_size
        self._device, self._precision = device, precision
        given = {"num_inference_steps": steps, "guidance_scale": guidance}
        self._options = {key: value for key, value in given.items() if value is not None}

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository; the adapter's besides."""
        names = [self._name, *([locate(self._adapter.name)] if self._adapter else [])]
        fingerprints = [fingerprint(name) for name in names]
        return next((f for f in fingerprints if f.startswith(UNRESOLVED)), "+".join(fingerprints))

    @property
    def precision(self) -> str:
        """The number format and the kind of device: `fp32-cpu`, `bf16-cuda`."""
        return resolve_precision(self._precision, resolve_device(self._device))

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self._pipeline

    @cached_property
    def _pipeline(self) -> Any:
        device = resolve_device(self._device)
        dtype = dtype_of(resolve_precision(self._precision, device))
        pipeline = _load(self._name, dtype)
        if self._adapter:
            _load_adapter(pipeline, self._adapter)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(device)

    @cached_property
    def _image_to_image(self) -> Any:
        """The same weights as an image-to-image pipeline."""
        from diffusers import AutoPipelineForImage2Image

        try:
            pipeline = AutoPipelineForImage2Image.from_pipe(self._pipeline)
        except ValueError as error:
            raise NotApplicable(
                f"{type(self._pipeline).__name__} starts from no picture; show it none (draw: "
                "pictures: 0)"
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        """A drawing each; a Failure where a picture of the prompt cannot be used, or the pipeline's
        safety checker withheld the drawing.

        Raises:
            NotApplicable: there are pictures, and the pipeline cannot start from one.
        """
        drawings: dict[int, Drawing | Failure] = {}
        plain: list[tuple[int, PaintRequest]] = []
        pictured: list[tuple[int, PaintRequest]] = []
        for i, request in enumerate(read_ahead(self._request, prompts, 2 * self._batch_size)):
            if isinstance(request, Failure):
                drawings[i] = request
            else:
                (pictured if request.pictures else plain).append((i, request))
        pictured_size = 1 if self._adapter else self._batch_size
        for group, size in ((plain, self._batch_size), (pictured, pictured_size)):
            for batch in batches(group, size):
                drawn = in_halves(self._draw, [request for _, request in batch])
                drawings |= dict(zip((i for i, _ in batch), drawn, strict=True))
        return [drawings[i] for i in range(len(prompts))]

    def _request(self, prompt: Prompt) -> PaintRequest | Failure:
        if len(prompt.images) > 1 and not self._adapter:
            return Failure(
                f"img2img starts from one picture and the prompt has {len(prompt.images)}; show "
                "one (draw: pictures: 1) or give the painter an ip_adapter"
            )
        pictures = [opened(image) for image in prompt.images]
        bad = next((picture for picture in pictures if isinstance(picture, Failure)), None)
        return bad or PaintRequest(prompt, [p for p in pictures if not isinstance(p, Failure)])

    def _draw(self, requests: Sequence[PaintRequest]) -> list[Drawing | Failure]:
        import torch

        texts = [request.prompt.text for request in requests]
        adapter = self._adapter
        if adapter:
            pipeline = self._pipeline_with_adapter(requests, adapter)
        else:
            pipeline = self._pipeline_from_pictures(requests)
        generators = [torch.Generator().manual_seed(request.prompt.seed) for request in requests]
        result = pipeline(prompt=texts, generator=generators, **self._options)
        flagged = getattr(result, "nsfw_content_detected", None) or [False] * len(requests)
        return [
            WITHHELD if flag else _drawing(picture, request.prompt, self._pipeline)
            for picture, request, flag in zip(result.images, requests, flagged, strict=True)
        ]

    def _pipeline_from_pictures(self, requests: Sequence[PaintRequest]) -> Any:
        """The pipeline with the pictures that it starts from, cropped to its size, if there are any."""
        from PIL import ImageOps

        side = self._size or _default_side(self._pipeline)
        if not requests[0].pictures:
            return partial(self._pipeline, **_size_options(self._size))
        starts = [request.pictures[0] for request in requests]
        if side:
            starts = [ImageOps.fit(picture, (side, side)) for picture in starts]
        parameters = inspect.signature(self._image_to_image.__call__).parameters
        # pipelines for edits have no strength
        strength = {"strength": self._strength} if "strength" in parameters else {}
        return partial(self._image_to_image, image=starts, **strength)

    def _pipeline_with_adapter(self, requests: Sequence[PaintRequest], adapter: IPAdapter) -> Any:
        """The pipeline with the pictures that condition it; without any, a blank one of scale 0."""
        from PIL import Image

        pictures = requests[0].pictures
        self._pipeline.set_ip_adapter_scale(adapter.scale if pictures else 0.0)
        shown = [pictures or [Image.new("RGB", (224, 224))]]
        return partial(self._pipeline, ip_adapter_image=shown, **_size_options(self._size))


def _load(name: str, dtype: Any) -> Any:
    import diffusers
    import transformers

    silence_progress_bars()
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    try:
        with recorded_loading(diffusers.ModelMixin, transformers.PreTrainedModel) as reports:
            pipeline = diffusers.AutoPipelineForText2Image.from_pretrained(
                name, use_safetensors=True, dtype=dtype
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise SuiteError(
            f"diffusers cannot load {name!r}: {first_line(error)}{suggested_use(name)}"
        ) from error
    refuse_missing_weights(name, reports)
    return pipeline


def _load_adapter(pipeline: Any, adapter: IPAdapter) -> None:
    if not hasattr(pipeline, "load_ip_adapter"):
        raise SuiteError(f"{type(pipeline).__name__} takes no IP-Adapter; leave it out")
    from transformers import PreTrainedModel

    try:
        with recorded_loading(PreTrainedModel) as reports:
            pipeline.load_ip_adapter(
                locate(adapter.name),
                subfolder=adapter.subfolder,
                weight_name=adapter.weight,
                image_encoder_folder=adapter.image_encoder,
            )
    except (OSError, ValueError, KeyError) as error:
        reason = first_line(error)
        raise SuiteError(f"diffusers cannot load IP-Adapter {adapter.name!r}: {reason}") from error
    except RuntimeError as error:
        reason = describe_load_error(error)
        raise SuiteError(f"IP-Adapter {adapter.name!r} does not fit: {reason}") from error
    refuse_missing_weights(adapter.name, reports)


def _size_options(size: int | None) -> dict[str, int]:
    return {"height": size, "width": size} if size else {}


def _default_side(pipeline: Any) -> int | None:
    """The side in pixels that a pipeline draws by default; None where its configuration does not say."""
    part = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    latent = getattr(getattr(part, "config", None), "sample_size", None)
    scale = getattr(pipeline, "vae_scale_factor", None)
    return latent * scale if isinstance(latent, int) and isinstance(scale, int) else None


def _drawing(picture: PIL.Image.Image, prompt: Prompt, pipeline: Any) -> Drawing:
    """A picture with its prompt, and a note on how much of it the text encoder read."""
    stored = str(prompt)
    whole, read = _token_counts(pipeline, prompt.text)
    if read < whole:
        stored += f"\n[cut: the text encoder read {read} of {whole} tokens]"
    return Drawing(picture, stored, tokens_in=read)


def _token_counts(pipeline: Any, text: str) -> tuple[int, int]:
    """The tokens of a text, and how many of them are read by the text encoder that reads most."""
    default = inspect.signature(pipeline.__call__).parameters.get("max_sequence_length")
    longest = default.default if default and isinstance(default.default, int) else None
    counts = [(0, 0)]
    for tokenizer in _tokenizers(pipeline):
        whole = len(tokenizer(text).input_ids)
        limit = tokenizer.model_max_length
        if longest and limit > longest:  # the pipeline cuts for it (T5)
            limit = longest
        counts.append((whole, min(whole, limit)))
    return max(counts, key=lambda count: count[1])


def _tokenizers(pipeline: Any) -> Iterable[Any]:
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        if (tokenizer := getattr(pipeline, name, None)) is not None:
            yield tokenizer
