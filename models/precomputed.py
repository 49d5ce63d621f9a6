"""Vectors and captions that were made elsewhere, looked up by id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from mmragbench.contracts import Vectors
from mmragbench.errors import DataError, NotApplicable
from mmragbench.identity import file_digest
from mmragbench.records import Failure, Image, Modality, Text
from mmragbench.registry import captioner, encoder

Table = tuple[dict[str, int], Vectors]
"""Row number by id, and the rows."""

NAMES = {"image": ("image",), "text": ("text", "caption")}
"""Modality -> how files name its arrays: `image_ids`, `image_embeddings`, `caption_ids`, ..."""


@encoder
class Precomputed:
    """Encoder: vectors by id from an .npz or .safetensors file.

    The file holds `image_ids` and `image_embeddings` and/or `text_ids` and `text_embeddings`
    (`caption_…` is understood too). Safetensors have no strings: there the ids are JSON lists in
    the file's metadata. Rows that are not of length 1 (within half precision, 0.001) are scaled.
    """

    by_id = True

    def __init__(self, embeddings: Path) -> None:
        self._path = embeddings.expanduser()

    def weights(self) -> str:
        """Checksum of the file."""
        return f"sha256:{file_digest(_there(self._path))}"

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those that the file has vectors for."""
        return frozenset(self._tables)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._rows("image", [image.id for image in images])

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return self._rows("text", [text.id for text in texts])

    @cached_property
    def _tables(self) -> dict[Modality, Table]:
        arrays = _read(_there(self._path))
        tables: dict[Modality, Table] = {}
        for modality in ("image", "text"):
            for name in NAMES[modality]:
                if f"{name}_ids" in arrays:
                    ids = [str(id) for id in arrays[f"{name}_ids"]]
                    rows = _unit(np.asarray(arrays[f"{name}_embeddings"], np.float32))
                    tables[modality] = ({id: row for row, id in enumerate(ids)}, rows)
        if not tables:
            raise DataError(
                f"{self._path} has no embeddings: expected image_ids and image_embeddings, or "
                f"text_ids and text_embeddings; it has {', '.join(arrays) or 'nothing'}"
            )
        return tables

    def _rows(self, modality: Modality, ids: list[str]) -> Vectors:
        if modality not in self._tables:
            raise NotApplicable(f"{self._path.name} has no {modality} vectors")
        position, rows = self._tables[modality]
        missing = [id for id in ids if id not in position]
        if missing:
            raise DataError(
                f"{self._path.name} has no vector for {len(missing)} of {len(ids)} {modality} ids, "
                f"e.g. {missing[0]!r} (its ids look like {next(iter(position), '')!r})"
            )
        return rows[[position[id] for id in ids]]


@captioner
class PrecomputedCaptions:
    """Captioner: captions by image id from a COCO results file, `[{"image_id": …, "caption": …}]`."""

    by_id = True

    def __init__(self, captions: Path) -> None:
        self._path = captions.expanduser()

    def weights(self) -> str:
        """Checksum of the file."""
        return f"sha256:{file_digest(_there(self._path))}"

    @cached_property
    def _captions(self) -> dict[str, str]:
        try:
            rows = json.loads(_there(self._path).read_text(encoding="utf-8"))
            return {str(row["image_id"]): str(row["caption"]) for row in rows}
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self._path} is not a COCO results file, a JSON list of "
                f'{{"image_id": …, "caption": …}} ({type(error).__name__}: {error})'
            ) from error

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        """The file's caption; an image that it does not have fails by name."""
        missing = f"{self._path.name} has no caption for image "
        return [
            self._captions.get(image.id) or Failure(missing + repr(image.id)) for image in images
        ]


def _there(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"there is no file {path}; the suite names it for a precomputed model")
    return path


def _unit(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    norms[np.abs(norms - 1) < 1e-3] = 1  # rounded to half precision: scaling would add nothing
    scaled: Vectors = rows / np.maximum(norms, np.finfo(np.float32).tiny)
    return scaled


def _read(path: Path) -> dict[str, Sequence[str] | Vectors]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        ids = {
            name: json.loads(text)
            for name, text in (file.metadata() or {}).items()
            if name.endswith("_ids")
        }
    return {**arrays, **ids}
