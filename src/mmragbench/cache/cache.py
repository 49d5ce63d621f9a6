"""The cache of what runs compute: answers of models item by item, and results of stages as files.

Everything is keyed by identity (`mmragbench.cache.identity`), so reuse needs no flag. Writes are atomic:
a killed run loses the chunk that it was computing. Two runs may share a cache. Nothing is unpickled.
All entries carry a checksum: one that does not fit it counts as missing, and is computed again.
"""

from __future__ import annotations

import os
import warnings
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench._files import write_atomically
from mmragbench._places import unusable_folder
from mmragbench.cache.items import Items
from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from mmragbench.cache.vectors import VectorFile


def folder() -> Path:
    """The cache folder: `$MMRAGBENCH_CACHE`, else `$XDG_CACHE_HOME/mmragbench`, else
    `~/.cache/mmragbench`."""
    if chosen := os.environ.get("MMRAGBENCH_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mmragbench"


class Cache:
    """A cache folder: `items/<model>.sqlite`, `vectors/<model>…` and `stages/<ab>/<key>`.

    A new folder is made for the user alone; one that exists keeps its permissions.

    Raises:
        MmragbenchError: nothing can be written there.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or folder()
        reason = unusable_folder(self.root)
        if reason is None:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)
        else:
            raise MmragbenchError(
                f"the cache {self.root} is of no use ({reason}); let MMRAGBENCH_CACHE name a folder "
                "that can be written"
            )

    def items(self, model: str) -> Items:
        """The answers of the model with that identity."""
        return Items(self.root / "items" / f"{model[:32]}.sqlite")

    def vectors(self, model: str) -> VectorFile:
        """The vectors of the model with that identity."""
        from mmragbench.cache.vectors import VectorFile

        return VectorFile(self.root / "vectors" / f"{model[:32]}.sqlite")

    def _result_path(self, key: str) -> Path:
        return self.root / "stages" / key[:2] / f"{key}.{RESULT_FORMAT}"

    def load(self, key: str) -> bytes | None:
        """The stored result of a stage; None where there is none, or it is damaged."""
        return read_checked(self._result_path(key))

    def save(self, key: str, value: bytes) -> None:
        """Store the result of a stage."""
        write_checked(self._result_path(key), value)


RESULT_FORMAT = "3"
"""The version of a result's file: a line with the SHA-256 of the rest, and the rest."""


def write_checked(path: Path, content: bytes) -> None:
    """Write a file of the cache with its checksum, for `read_checked`."""
    write_atomically(path, sha256(content).hexdigest().encode() + b"\n" + content)


def read_checked(path: Path) -> bytes | None:
    """The content that `write_checked` wrote; None where there is no file, or (with a warning) where it
    does not fit its checksum."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if sha256(content).hexdigest().encode() == checksum:
        return content
    warnings.warn(f"{path} is damaged; what was in it is computed again", stacklevel=3)
    return None
