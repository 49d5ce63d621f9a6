"""ImageBind, from a checkout that the user supplies."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from mmragbench._batching import batches, read_ahead
from mmragbench.backends.devices import (
    Precision,
    computing,
    normalised,
    resolve_device,
    resolve_precision,
)
from mmragbench.backends.transformers.missing_weights import describe_load_error
from mmragbench.backends.weights import fingerprint
from mmragbench.contracts import Vectors
from mmragbench.errors import SuiteError
from mmragbench.records import Image, Modality, Text
from mmragbench.registry import encoder

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
SIDE = 224

HOME = "https://github.com/facebookresearch/ImageBind"
WEIGHTS = "https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth"


@encoder
class Imagebind:
    """Image and text encoder: ImageBind (Girdhar et al. 2023), by its own code and weights.

    Nothing of it is shipped or downloaded: its code and weights are for non-commercial use. Pictures
    are opened by mmragbench and prepared as ImageBind's `data.py` does (bicubic to 224, centre crop).

    Args:
        root: a checkout of the repository; its code is imported.
        weights: `imagebind_huge.pth`; read as tensors only, no code is unpickled.
        batch_size: images or texts in one forward pass.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto`, `fp32`, `bf16`, `fp16`; `auto` is 32 bits on a CPU.
    """

    modalities: frozenset[Modality] = frozenset({"image", "text"})
    operational = frozenset({"batch_size", "device", "precision"})
    resize = f"bicubic-antialias-shortest-{SIDE}"

    def __init__(
        self,
        root: Path,
        weights: Path,
        batch_size: int = 32,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        self._root, self._file = Path(root).expanduser(), Path(weights).expanduser()
        self._batch_size = batch_size
        self._device_wanted, self._precision_wanted = device, precision
        if not (self._root / "imagebind" / "models").is_dir():
            raise SuiteError(f"{root} is no checkout of ImageBind; git clone {HOME}")
        if not self._file.is_file():
            raise SuiteError(f"there is no file {weights}; put {WEIGHTS} there")

    def weights(self) -> str:
        """Checksum of the file."""
        return fingerprint(str(self._file))

    @cached_property
    def _device(self) -> str:
        return resolve_device(self._device_wanted)

    @cached_property
    def precision(self) -> str:
        """`fp32-cpu`, `bf16-cuda`, ...: part of what identifies a vector."""
        return resolve_precision(self._precision_wanted, self._device)

    def load(self) -> None:
        """Import the code and load the weights now."""
        _ = self._model

    @cached_property
    def _model(self) -> tuple[Any, Any]:
        import torch

        data, code = _imported(self._root)
        model = code.imagebind_huge(pretrained=False)
        try:
            model.load_state_dict(torch.load(self._file, map_location="cpu", weights_only=True))
        except (RuntimeError, UnpicklingError, TypeError, EOFError) as error:
            reason = describe_load_error(error)
            raise SuiteError(f"{self._file} does not hold ImageBind's weights: {reason}") from error
        return model.to(self._device).eval(), data

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """(n, 1024) float32, L2-normalised."""
        import torch

        prepare = _preparation()
        pixels = read_ahead(lambda image: prepare(image.open()), images)
        stacked = (torch.stack(batch) for batch in batches(pixels, self._batch_size))
        return self._encode("vision", stacked)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """(n, 1024) float32, L2-normalised; texts beyond 77 tokens are cut."""
        data, contents = self._model[1], [text.content for text in texts]
        parts = batches(contents, self._batch_size)
        return self._encode("text", (data.load_and_transform_text(p, self._device) for p in parts))

    def _encode(self, modality: str, inputs: Any) -> Vectors:
        vectors = []
        with computing(self.precision):
            for batch in inputs:
                embeddings = self._model[0]({modality: batch.to(self._device)})
                vectors.append(normalised(embeddings[modality]))
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)


def _imported(root: Path) -> tuple[Any, Any]:
    """The checkout's modules `data` and `imagebind_model`; it is on the path only during the import."""
    sys.path.insert(0, str(root))
    try:
        data = importlib.import_module("imagebind.data")
        code = importlib.import_module("imagebind.models.imagebind_model")
    except ModuleNotFoundError as error:
        package = (error.name or "imagebind").partition(".")[0]
        raise SuiteError(
            f"ImageBind needs {package}; pip install -r {root / 'requirements.txt'}"
        ) from error
    finally:
        sys.path.remove(str(root))
    if not Path(code.__file__ or "").resolve().is_relative_to(root.resolve()):
        raise SuiteError(f"imagebind is imported from {code.__file__} already, not from {root}")
    return data, code


def _preparation() -> Any:
    from torchvision import transforms

    return transforms.Compose(
        [
            transforms.Resize(SIDE, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(SIDE),
            transforms.ToTensor(),
            transforms.Normalize(mean=MEAN, std=STD),
        ]
    )
