"""Identity: the hash of all that a result depends on."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from mmragbench._files import file_digest
from mmragbench.formats.file_names import files_below
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


PACKAGE = "mmragbench"
"""The name of the engine's package."""

VOCABULARY = frozenset({"contracts", "errors", "records", "registry"})
"""Modules of the engine whose code changes no answer; it does not count to a component's identity."""


def code_digest(make: Any) -> str:
    """SHA-256 (hex, 16 characters) of the source file that defines a component, and of the modules
    of this package that it imports, and they in turn: edited code is different code. What was
    defined in a script, a notebook or a function counts by its `fingerprint`; where that cannot be
    known, every call gives another one, so that nothing is taken for its answer."""
    if is_local(make):
        from mmragbench.cache.fingerprint import known_digest

        return known_digest(make, make.__qualname__) or unknown_digest()
    file = inspect.getsourcefile(make)
    return _file_and_imports(Path(file)) if file else "unknown"


def is_local(make: Any) -> bool:
    """Whether a class or function was defined in a script, a notebook or another function, so that
    no `package.module:Name` leads to it."""
    name = getattr(make, "__qualname__", "")
    return getattr(make, "__module__", None) == "__main__" or "<locals>" in name


def unknown_digest() -> str:
    """A digest that nothing else has: for what cannot be identified."""
    return uuid4().hex[:16]


def module_digest(module: str) -> str:
    """The code digest of a module of this package; `-` where its code changes no answer."""
    origin = spec.origin if _is_of_package(module) and (spec := find_spec(module)) else None
    return _file_and_imports(Path(origin)) if origin else "-"


def _file_and_imports(file: Path) -> str:
    files: set[Path] = set()
    _add_with_imports(file, files)
    return sha256("".join(_source(path).digest for path in sorted(files)).encode()).hexdigest()[:16]


def _add_with_imports(file: Path, files: set[Path]) -> None:
    """Add a file and all modules of this package that it imports, directly or through others."""
    if file not in files:
        files.add(file)
        for name in _source(file).imports:
            spec = find_spec(name)
            if spec and spec.origin:
                _add_with_imports(Path(spec.origin), files)


class _Source(NamedTuple):
    """A source file's digest, and the modules of this package that it imports, wherever in it."""

    digest: str
    imports: tuple[str, ...]


def _source(file: Path) -> _Source:
    """A file's digest, and the modules of this package that it imports wherever in it; read again
    where the file has changed, as a notebook reloads edited modules."""
    status = file.stat()
    return _read_source(file, (status.st_mtime_ns, status.st_size))


@cache
def _read_source(file: Path, _version: tuple[int, int]) -> _Source:
    content = file.read_bytes()
    names: set[str] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return _Source(sha256(content).hexdigest(), tuple(sorted(filter(_is_of_package, names))))


@cache
def _is_of_package(name: str) -> bool:
    """Whether a name is a module of this package whose code can change answers."""
    package, *inner = name.split(".")
    if package != PACKAGE or not inner or inner[0] in VOCABULARY:
        return False
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a function in a module
        return False


def content_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes; of a folder, of the names and bytes of the files below it;
    `absent` where there is neither. A file is read again where it has changed.

    Raises:
        DataError: a folder cannot be listed.
    """
    path = path.expanduser()
    if path.is_dir():
        files = files_below(path).files
        return _combine(f"{file.relative_to(path)}\t{_content(file)}" for file in files)
    return _content(path) if path.is_file() else "absent"


def _content(file: Path) -> str:
    status = file.stat()
    return _read_digest(file, (status.st_mtime_ns, status.st_ctime_ns, status.st_size))


@lru_cache(maxsize=100_000)
def _read_digest(file: Path, _version: tuple[int, ...]) -> str:
    return file_digest(file)


def _combine(lines: Iterable[str]) -> str:
    """SHA-256 (hex) of lines."""
    running = sha256()
    for line in lines:
        running.update(line.encode("utf-8", "surrogatepass"))
        running.update(b"\n")
    return running.hexdigest()


def _item_line(item: Document | Query) -> str:
    """An item's id with the digests of its content, as one line."""
    image = item.image.digest or item.image.id if item.image else "-"
    texts: Iterable[Any] = item.texts if isinstance(item, Document) else filter(None, [item.text])
    return "\t".join([item.id, image, *(f"{text.id}={text.digest}" for text in texts)])


def memory_digest(memory: Sequence[Document]) -> str:
    """The identity of a memory's content: ids, picture bytes and texts, in order."""
    return _combine(_item_line(document) for document in memory)


def queries_digest(queries: Sequence[Query]) -> str:
    """The identity of the queries' content: ids, picture bytes and texts, in order."""
    return _combine(_item_line(query) for query in queries)
