"""FID's own features: InceptionV3 as torch-fidelity carries it over from TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmragbench.backends.transformers.missing_weights import describe_load_error
from mmragbench.contracts import Vectors
from mmragbench.errors import DataError, NotApplicable
from mmragbench.records import Image, Modality, Text
from mmragbench.registry import encoder

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
"""The published file; as torch hub names files, its name ends in the start of its SHA-256."""

URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{WEIGHTS}"

LAYERS = {"pooled": ("2048", 2048), "logits": ("logits_unbiased", 1008)}
"""What a layer is called here -> in torch-fidelity, and its dimensions."""

Pixels = NDArray[np.uint8]


@encoder
class Inception:
    """InceptionV3's 2,048 pooled features (2015-12-05), on which FID is defined, or its logits.

    The network resizes each picture itself to 299 x 299 as TensorFlow 1 did (bilinear, without
    antialiasing), so pictures are handed to it at their own size. Rows are *not* L2-normalised:
    they are features for distances, not for search.

    Args:
        weights: the file; by default the one in torch hub's cache. Nothing is downloaded.
        unchecked: accept a file other than the published one.
        layer: `pooled`, or `logits`: the 1,008 classes before the bias is added, as the Inception
            Score takes them.
        device: where the network runs, `cpu` or a CUDA device.
        batch: pictures of one size that go through the network together.
    """

    modalities: frozenset[Modality] = frozenset({"image"})
    resize = "bilinear-tf1-noantialias-squash-299"

    def __init__(
        self,
        weights: Path | str | None = None,
        unchecked: bool = False,
        layer: Literal["pooled", "logits"] = "pooled",
        device: str = "cpu",
        batch: int = 32,
    ) -> None:
        self.weights = _locate(weights)
        self.unchecked, self.device, self.batch = unchecked, device, batch
        self._layer, self._dims = LAYERS[layer]
        _read(self.weights, unchecked)
        self._network: Any = None

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Shape (n, 2048) or (n, 1008), float32."""
        import torch

        if self._network is None:
            content = _read(self.weights, self.unchecked)
            self._network = _network(content, self.weights, self._layer).to(self.device)
        rows = np.empty((len(images), self._dims), dtype=np.float32)
        for indices, pixels in _same_sized(images, self.batch):
            pictures = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device)
            with torch.inference_mode():
                (features,) = self._network(pictures)
            rows[indices] = features.cpu().numpy()
        return rows

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """Not supported.

        Raises:
            NotApplicable: always.
        """
        raise NotApplicable("inception reads images only; use a CLIP-like encoder for texts")


def _locate(weights: Path | str | None) -> Path:
    if weights is None:
        from torch import hub

        path = Path(hub.get_dir()) / "checkpoints" / WEIGHTS
    else:
        path = Path(weights).expanduser()
    if not path.is_file():
        raise NotApplicable(f"inception's weights are not at {path}; put {URL} there")
    return path


def _read(path: Path, unchecked: bool) -> bytes:
    """The file's bytes.

    Raises:
        DataError: they are not the published ones, and `unchecked` is false.
    """
    content = path.read_bytes()
    digest = sha256(content).hexdigest()
    published = Path(WEIGHTS).stem.rpartition("-")[2]
    if not unchecked and not digest.startswith(published):
        raise DataError(
            f"{path} is not the published file (its SHA-256 starts with {digest[:8]}, not "
            f"{published}); download it again, or say unchecked: true if you mean this file"
        )
    return content


def _network(content: bytes, path: Path, layer: str) -> Any:
    """torch-fidelity's network, with weights that are read as tensors only: no code is unpickled.

    Its constructor would unpickle the file itself; it gets an empty one, made here, in its place.
    """
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Network(FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, *_: Any) -> Any:
            return super().load_state_dict(weights)

    empty = BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    try:
        weights = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
        return Network("inception", [layer], feature_extractor_weights_path=empty)
    except (RuntimeError, UnpicklingError, TypeError, EOFError) as error:
        reason = describe_load_error(error)
        raise DataError(f"{path} does not hold InceptionV3's weights: {reason}") from error


def _same_sized(images: Sequence[Image], batch: int) -> Iterator[tuple[list[int], Pixels]]:
    """Indices and pixels (n, height, width, 3) of neighbours that have one size."""
    waiting: list[tuple[int, Pixels]] = []
    for i, image in enumerate(images):
        pixels = np.asarray(image.open().convert("RGB"), dtype=np.uint8)
        if waiting and (len(waiting) == batch or waiting[-1][1].shape != pixels.shape):
            yield _stacked(waiting)
            waiting = []
        waiting.append((i, pixels))
    if waiting:
        yield _stacked(waiting)


def _stacked(waiting: Sequence[tuple[int, Pixels]]) -> tuple[list[int], Pixels]:
    return [i for i, _ in waiting], np.stack([pixels for _, pixels in waiting])
