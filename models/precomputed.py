"""Precomputed vectors and captions, looked up by id in files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmragbench._files import file_digest
from mmragbench._validation import as_rows, same_width, unusable
from mmragbench.contracts import Origin, Requirement, Vectors
from mmragbench.errors import ContractError, DataError, NotApplicable, listed
from mmragbench.formats.arrays import read_arrays
from mmragbench.formats.text_results import read_caption_results
from mmragbench.records import Failure, Image, Modality, Text
from mmragbench.registry import captioner, encoder


class Table(NamedTuple):
    """Vectors of one modality: the row number of each id, and the rows."""

    positions: dict[str, int]
    rows: Vectors


NAMES: dict[Modality, tuple[str, ...]] = {"image": ("image",), "text": ("text", "caption")}
"""Modality -> how files name it: `image_ids`, `image_embeddings`, `caption_ids`, ..."""

PARTS = ("ids", "embeddings")

TINY, HUGE = 1e-15, 1e15


@encoder
class Precomputed:
    """Encoder: vectors by id from an .npz or .safetensors file.

    The file holds `image_ids` and `image_embeddings` and/or `text_ids` and `text_embeddings`
    (`caption_…` is understood too). Safetensors have no strings: there the ids are JSON lists in
    the file's metadata. Rows that are not of length 1 (within half precision, 0.001) are scaled.
    The file is refused as a whole, with the ids, where a row is not finite or all zero, an id comes
    twice, or rows and ids do not fit; that stands in for an encoder's self-test.
    """

    by_id = True
    origin: Origin = "made elsewhere"

    def __init__(self, embeddings: Path) -> None:
        self._path = embeddings.expanduser()

    def weights(self) -> str:
        """Checksum of the file."""
        return f"sha256:{file_digest(_existing(self._path))}"

    def requirements(self) -> list[Requirement]:
        """The file, where it is not there."""
        return _required(self._path)

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those that the file has vectors for; those that it may have, while there is no such file."""
        return frozenset(self._tables if self._path.is_file() else NAMES)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._rows("image", [image.id for image in images])

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return self._rows("text", [text.id for text in texts])

    @cached_property
    def _tables(self) -> dict[Modality, Table]:
        names = [f"{name}_{part}" for forms in NAMES.values() for name in forms for part in PARTS]
        arrays = read_arrays(self._path, names)
        tables: dict[Modality, Table] = {}
        for modality, forms in NAMES.items():
            present = [name for name in forms if any(f"{name}_{part}" in arrays for part in PARTS)]
            if len(present) > 1:
                both = " and ".join(f"{name}_…" for name in present)
                raise DataError(f"{self._path} has {both}, which are the same to mmragbench")
            for name in present:
                tables[modality] = _table(self._path, name, arrays)
        widths = {modality: rows.shape[1] for modality, (_, rows) in tables.items()}
        with _as_data_error():
            same_width(widths, str(self._path))
        return tables

    def _rows(self, modality: Modality, ids: list[str]) -> Vectors:
        if modality not in self._tables:
            raise NotApplicable(f"{self._path.name} has no {modality} vectors")
        positions, rows = self._tables[modality]
        missing = [id for id in ids if id not in positions]
        if missing:
            raise DataError(
                f"{self._path.name} has no vector for {len(missing)} of {len(ids)} {modality} ids, "
                f"e.g. {missing[0]!r} (its ids look like {next(iter(positions), '')!r})"
            )
        return rows[[positions[id] for id in ids]]


@captioner
class PrecomputedCaptions:
    """Captioner: captions by image id from a COCO results file, `[{"image_id": …, "caption": …}]`, as
    `score captions` reads it."""

    by_id = True
    origin: Origin = "made elsewhere"

    def __init__(self, captions: Path) -> None:
        self._path = captions.expanduser()

    def weights(self) -> str:
        """Checksum of the file."""
        return f"sha256:{file_digest(_existing(self._path))}"

    def requirements(self) -> list[Requirement]:
        """The file, where it is not there."""
        return _required(self._path)

    @cached_property
    def _captions(self) -> dict[str, str | None]:
        captions, _ = read_caption_results(_existing(self._path))
        return captions

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        """The file's captions; a Failure for an image without one, or with null."""
        missing = f"{self._path.name} has no caption for image "
        return [
            self._captions.get(image.id) or Failure(missing + repr(image.id)) for image in images
        ]


def _required(path: Path) -> list[Requirement]:
    return [] if path.is_file() else [Requirement("put", str(path), "there is no such file")]


def _existing(path: Path) -> Path:
    """The path itself.

    Raises:
        DataError: there is no file.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; the suite names it for a precomputed model")
    return path


def _table(path: Path, name: str, arrays: Mapping[str, Any]) -> Table:
    """A modality's ids and rows of length 1.

    Raises:
        DataError: they do not fit each other, an id comes twice, or a row cannot be used.
    """
    if missing := [part for part in PARTS if f"{name}_{part}" not in arrays]:
        raise DataError(f"{path} has no {name}_{missing[0]}, which go with its {name}_…")
    what = f"{path}, {name}_embeddings"
    ids = _ids(arrays[f"{name}_ids"], f"{path}, {name}_ids")
    with _as_data_error():
        rows = as_rows(arrays[f"{name}_embeddings"], len(ids), f"{what} for {len(ids)} ids")
    if len(set(ids)) < len(ids):
        twice = [id for id, n in Counter(ids).items() if n > 1]
        raise DataError(f"{path}, {name}_ids: {len(twice)} come more than once: {listed(twice)}")
    if len(bad := unusable(rows)):
        named = listed([ids[row] for row in bad.tolist()])
        raise DataError(f"{what}: {len(bad)} of {len(ids)} are not finite, or all zero: {named}")
    return Table({id: row for row, id in enumerate(ids)}, _normalised(rows))


def _ids(values: Any, where: str) -> list[str]:
    """Ids as strings; whole numbers become their digits, bytes are UTF-8."""
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = values.tolist()
    if isinstance(values, list) and all(type(id) in {str, bytes, int} for id in values):
        try:
            return [id.decode() if isinstance(id, bytes) else str(id) for id in values]
        except UnicodeDecodeError as error:
            raise DataError(f"{where}: the ids are not in UTF-8") from error
    raise DataError(f"{where}: ids have to be a list of strings or of whole numbers")


@contextmanager
def _as_data_error() -> Iterator[None]:
    """A context that raises a `ContractError` within it as a `DataError`, since the file causes it."""
    try:
        yield
    except ContractError as error:
        raise DataError(str(error)) from error


def _normalised(rows: Vectors) -> Vectors:
    """Rows of length 1; those of extreme lengths are scaled in double precision."""
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
    norms[np.abs(norms - 1) < 1e-3] = 1  # rounded to half precision: scaling would add nothing
    extreme = ~((norms > TINY) & (norms < HUGE))[:, 0]  # their squares leave float32
    scaled: Vectors = rows / np.where(extreme[:, None], 1, norms)
    wide = rows[extreme].astype(np.float64)
    scaled[extreme] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return scaled
