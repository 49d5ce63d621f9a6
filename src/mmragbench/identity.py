"""Identity: the hash of what produced a result."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from mmragbench.records import Document, Query


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON.

    Raises:
        TypeError: the value is not made of plain JSON types, paths and dataclasses.
    """
    return sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no identity")


@cache
def code_digest(make: Any) -> str:
    """SHA-256 (hex, 16 characters) of the source file that defines a component: edited code is
    different code."""
    file = inspect.getsourcefile(make)
    return sha256(Path(file).read_bytes()).hexdigest()[:16] if file else "unknown"


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    running = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            running.update(chunk)
    return running.hexdigest()


def _combine(lines: Iterable[str]) -> str:
    running = sha256()
    for line in lines:
        running.update(line.encode("utf-8", "surrogatepass"))
        running.update(b"\n")
    return running.hexdigest()


def _parts(item: Document | Query) -> str:
    image = item.image.digest or item.image.id if item.image else "-"
    texts: Iterable[Any] = item.texts if isinstance(item, Document) else filter(None, [item.text])
    return "\t".join([item.id, image, *(f"{text.id}={text.digest}" for text in texts)])


def memory_digest(memory: Sequence[Document]) -> str:
    """The identity of a memory's content: ids, picture bytes and texts, in order."""
    return _combine(_parts(document) for document in memory)


def queries_digest(queries: Sequence[Query]) -> str:
    """The identity of what is asked: ids, picture bytes and texts, in order."""
    return _combine(_parts(query) for query in queries)
