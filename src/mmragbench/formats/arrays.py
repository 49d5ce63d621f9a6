"""Reader of named arrays in `.npz` and `.safetensors` files from elsewhere.

Nothing is unpickled, and no memory is allocated for sizes that a header claims and the file lacks.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from numpy.lib import format as npy

from mmragbench.errors import DataError, first_line, listed

MAX_RATIO = 100
"""The largest compression ratio of an array that is larger than `LARGE`; numbers do not reach it."""

LARGE = 2**30
"""Bytes of an array above which its compression ratio is checked."""

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_arrays(path: Path, names: Collection[str]) -> dict[str, Any]:
    """The arrays of a file that have one of `names`, of any shape and dtype but Python objects.

    A file with the ending `.npz` is read as such, others as safetensors. These have no strings: lists
    are read as JSON from their metadata.

    Raises:
        DataError: there is no such file, it is damaged or of another kind, or has none of `names`.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    npz = path.suffix.lower() == ".npz"
    try:
        arrays, present = (_read_npz if npz else _read_safetensors)(path, names)
    except DataError:
        raise
    except Exception as error:  # damaged bytes: the libraries have a dozen kinds of error for them
        kind = ".npz" if npz else ".safetensors"
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DataError(
            f"{path} cannot be read as {kind} ({reason[:200]}); expected an .npz or .safetensors file"
        ) from error
    if not arrays:
        has = listed(present) or "nothing"
        raise DataError(f"{path} has none of {', '.join(names)}; it has {has}")
    return arrays


def _read_npz(path: Path, names: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    with ZipFile(path) as archive:
        members = archive.namelist()
        present = [member.removesuffix(".npy") for member in members]
        wanted = [name for name in names if name in present]
        if twice := [name for name in wanted if present.count(name) > 1]:
            raise DataError(f"{path} has {listed(twice)} twice")
        infos = {name: archive.infolist()[present.index(name)] for name in wanted}
        return {name: _read_member(archive, info) for name, info in infos.items()}, present


def _read_member(archive: ZipFile, info: ZipInfo) -> Any:
    with archive.open(info) as file:
        shape, _, dtype = HEADERS[npy.read_magic(file)](file)
        claimed, stored = prod(shape) * dtype.itemsize, info.file_size - file.tell()
    if dtype.hasobject:
        raise DataError(
            f"{archive.filename} holds Python objects as {info.filename}, which are not unpickled; "
            "save numbers, or strings with dtype=str"
        )
    if claimed != stored or stored > max(LARGE, MAX_RATIO * info.compress_size):
        raise ValueError(f"{info.filename} claims {claimed} bytes, and {stored} are there")
    with archive.open(info) as file:
        return npy.read_array(file, allow_pickle=False)


def _read_safetensors(path: Path, names: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        tensors, metadata = set(file.keys()), file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in names if name in tensors}
    lists = {name: json.loads(metadata[name]) for name in names if name in metadata}
    return {**arrays, **lists}, sorted(tensors | set(metadata))
