"""Worlds that the package draws, kept in folders: each is drawn once, complete or not there."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmragbench.errors import DataError

_FINISHED = "finished"
"""The file of a world that holds the digest of all others; written last."""


def world_folder(root: Path | None, arguments: Any, draw: Callable[[Path], None]) -> Path:
    """The folder of a world; drawn where it is not there yet, or is not as it was drawn.

    Two runs may draw the same world at once: each draws apart, the first to finish stays.

    Args:
        root: the folder that keeps drawn worlds; `scenes` in the cache by default.
        arguments: what decides how the world looks, beside the drawing code and Pillow's version.
        draw: writes the world into a folder.

    Raises:
        DataError: a folder that cannot be written.
    """
    from mmragbench.cache import cache

    place = (root or cache.folder() / "scenes") / _key(arguments)
    if _is_whole(place):
        return place
    if (place / _FINISHED).exists():
        warnings.warn(f"{place} is not as it was drawn; it is drawn anew", stacklevel=3)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        apart = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            draw(apart)
            (apart / _FINISHED).write_text(_digest(apart))
            _settle(apart, place)
        finally:
            shutil.rmtree(apart, ignore_errors=True)
    except OSError as error:
        raise DataError(f"cannot draw scenes below {place.parent}: {error}") from error
    return place


def _key(arguments: Any) -> str:
    import PIL

    from mmragbench import scenes
    from mmragbench._files import file_digest
    from mmragbench.cache.identity import digest

    code = Path(scenes.__file__).parent
    drawing = {str(file.relative_to(code)): file_digest(file) for file in code.rglob("*.py")}
    return digest([arguments, drawing, PIL.__version__])[:16]


def _settle(apart: Path, place: Path) -> None:
    """Give a finished world its name, unless another run was faster."""
    with suppress(OSError):
        apart.rename(place)
        return
    if not _is_whole(place):  # somebody has taken part of that world away, or changed it
        shutil.rmtree(place)
        apart.rename(place)


def _is_whole(place: Path) -> bool:
    """Whether all files of a world are there, and as they were drawn."""
    try:
        return (place / _FINISHED).read_bytes() == _digest(place).encode()
    except OSError:
        return False


def _digest(place: Path) -> str:
    from mmragbench._files import file_digest
    from mmragbench.cache.identity import digest

    files = sorted(path for path in place.rglob("*") if path.is_file() and path.name != _FINISHED)
    return digest([[path.relative_to(place).as_posix(), file_digest(path)] for path in files])
