"""What was computed once is looked up: model answers item by item, and stages as files.

Everything is keyed by identity (`mmragbench.cache.identity`), so reuse needs no flag. Writes are atomic:
a killed run loses the chunk that it was computing. Two runs may share a cache. Nothing is unpickled.
All that is kept carries a checksum: what does not fit it is as good as not there, and is made again.
"""

from __future__ import annotations

import os
import warnings
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench._places import unusable_folder
from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from mmragbench.cache.vectors import VectorFile
from mmragbench._files import write_atomically
from mmragbench.cache.items import Items


def folder() -> Path:
    """`$MMRAGBENCH_CACHE`, else `$XDG_CACHE_HOME/mmragbench`, else `~/.cache/mmragbench`."""
    if chosen := os.environ.get("MMRAGBENCH_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mmragbench"


class Cache:
    """A cache folder: `items/<model>.sqlite`, `vectors/<model>…` and `stages/<ab>/<key>`.

    It is the user's alone when it is made here; a folder that is there stays as it is.

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

    def _stage(self, key: str) -> Path:
        return self.root / "stages" / key[:2] / f"{key}.{STAGE}"

    def load(self, key: str) -> bytes | None:
        """A finished stage's bytes; None where there are none, or not those that were stored."""
        return read_checked(self._stage(key))

    def save(self, key: str, value: bytes) -> None:
        """Store a finished stage."""
        write_checked(self._stage(key), value)


STAGE = "2"
"""The form of a stage's file: a line with the SHA-256 of the rest, and the rest."""


def write_checked(path: Path, content: bytes) -> None:
    """Write a file of the cache with its checksum, for `read_checked`."""
    write_atomically(path, sha256(content).hexdigest().encode() + b"\n" + content)


def read_checked(path: Path) -> bytes | None:
    """The content that `write_checked` wrote; None where there is no such file, or (with a warning)
    where its content is not what was written."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if sha256(content).hexdigest().encode() == checksum:
        return content
    warnings.warn(f"{path} is damaged; what was in it is computed again", stacklevel=3)
    return None
