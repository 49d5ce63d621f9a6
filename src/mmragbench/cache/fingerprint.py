"""Fingerprints of Python objects: a digest of their code and state, as they are in memory.

Two objects with one fingerprint behave alike: it covers the compiled code of classes and functions,
what they close over, the global variables that they read, and an object's state as `pickle` would
take it (`__getstate__` counts). Nothing is ever unpickled. Code of installed packages counts by its
file, this package's by `code_digest`.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from mmragbench._files import file_digest
from mmragbench.cache import identity

ATOMS = (type(None), type(...), bool, int, float, complex, str)
WRAPPERS = (staticmethod, classmethod, property, functools.cached_property)
PACKAGES = frozenset({"site-packages", "dist-packages"})


def fingerprint(value: Any) -> str:
    """SHA-256 (hex) of an object's, a class's or a function's code and state.

    Raises:
        TypeError: its state cannot be read: it holds a lock, an open file, a connection, …
    """
    try:
        return _Fingerprints().of(value)
    except Exception as error:  # whatever a class raises while its state is read
        raise TypeError(f"{type(error).__name__}: {error}") from error


def known_digest(value: Any, name: str) -> str | None:
    """The beginning of a fingerprint (16 characters); None, with a warning, where it cannot be known.

    Args:
        value: an object, a class or a function.
        name: what the warning calls it.
    """
    try:
        return fingerprint(value)[:16]
    except TypeError as error:
        warnings.warn(
            f"{name}: nothing that it computes is reused between runs, since its state cannot be read "
            f"({error})",
            stacklevel=3,
        )
        return None


class _Fingerprints:
    """Digests of the objects that one object reaches, each visited once; a cycle is cut where it
    closes, and what closes it counts by its distance."""

    def __init__(self) -> None:
        self._digests: dict[int, str] = {}
        self._depths: dict[int, int] = {}
        self._visited: list[Any] = []  # alive, so that no other object gets the same id

    def of(self, value: Any) -> str:
        if type(value) in ATOMS:
            return _combined(type(value).__name__, repr(value))
        if isinstance(value, bytes | bytearray):
            return sha256(value).hexdigest()
        key = id(value)
        if key in self._depths:
            return _combined("cycle", str(len(self._depths) - self._depths[key]))
        if key not in self._digests:
            self._visited.append(value)
            self._depths[key] = len(self._depths)
            self._digests[key] = _combined(type(value).__name__, *self._parts(value))
            del self._depths[key]
        return self._digests[key]

    def _parts(self, value: Any) -> Iterable[str]:
        """The digests of what a value consists of."""
        kind = type(value)
        if kind in (list, tuple):
            return map(self.of, value)
        if kind in (set, frozenset):
            return sorted(map(self.of, value))
        if kind is dict:
            return (self.of(part) for pair in value.items() for part in pair)
        if isinstance(value, ModuleType | type | FunctionType):
            return self._definition(value)
        return map(self.of, _state(value))

    def _definition(self, value: Any) -> Iterable[str]:
        """A module, class or function: by its name and file where it is installed, else by all that
        is in it."""
        module, name = _home(value), getattr(value, "__qualname__", "")
        if module.partition(".")[0] == "mmragbench":
            return [module, name, identity.module_digest(module)]
        if _is_installed(module):
            return [module, name, _file_digest(module)]
        if isinstance(value, ModuleType):
            return [module, self._named(vars(value))]
        if isinstance(value, FunctionType):
            return [name, *map(self.of, _function(value))]
        return [module, name, *map(self.of, value.__bases__), self._named(vars(value))]

    def _named(self, names: Mapping[str, Any]) -> str:
        """The members of a module or a class, without what Python keeps there for itself."""
        own = {name: value for name, value in names.items() if _is_own(name, value)}
        return self.of(own)


def _combined(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _is_own(name: str, value: Any) -> bool:
    if name == "_abc_impl":
        return False
    dunder = name.startswith("__") and name.endswith("__")
    return not dunder or isinstance(value, FunctionType | staticmethod | classmethod | property)


def _function(function: FunctionType) -> Iterator[Any]:
    """What a function does, and the values that it reads beside its arguments."""
    yield function.__code__
    yield from (function.__defaults__, function.__kwdefaults__, function.__closure__)
    names = sorted(set(_global_names(function.__code__)) & function.__globals__.keys())
    yield {name: function.__globals__[name] for name in names}


def _global_names(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _global_names(inner)


def _state(value: Any) -> Iterable[Any]:
    """What makes an object what it is, by `pickle`'s protocol where Python has no shorter way."""
    if isinstance(value, CodeType):
        names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        counts = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount)
        return (value.co_code, value.co_consts, value.co_exceptiontable, *names, *counts)
    if isinstance(value, CellType):
        return [value.cell_contents]
    if isinstance(value, WRAPPERS):
        functions = ("fget", "fset", "fdel", "__func__", "func")
        return [getattr(value, name, None) for name in functions]
    torch = sys.modules.get("torch")
    if torch and isinstance(value, torch.Tensor):  # pickled, its storage is named by its address
        plain = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        return [str(value.dtype), tuple(value.shape), value.requires_grad, plain.numpy().tobytes()]
    reduce = copyreg.dispatch_table.get(type(value))
    parts = reduce(value) if reduce else value.__reduce_ex__(4)
    if isinstance(parts, str):  # a name in its module
        return [_home(value), parts]
    make, arguments, *rest = parts
    state, items, pairs = (*rest, None, None, None)[:3]
    return [make, arguments, state, list(items or ()), list(pairs or ())]


def _home(value: Any) -> str:
    """The name of the module that defines something; decorators copy `__module__`, not globals."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, FunctionType):
        return str(value.__globals__.get("__name__"))
    return str(getattr(value, "__module__", None))


def _is_installed(module: str) -> bool:
    """Whether a module is Python's own, or lies where packages are installed."""
    if module.partition(".")[0] in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and not PACKAGES.isdisjoint(Path(file).parts)


def _file_digest(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    return file_digest(Path(file)) if file and Path(file).is_file() else "-"
