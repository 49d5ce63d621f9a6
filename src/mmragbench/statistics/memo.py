"""A cache of the last results of functions of large arrays, by the arrays' digests."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")


class Memo(Generic[T]):
    """A cache of at most `size` results; the least recently used is dropped."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of that key, computed if it is not cached."""
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        result = compute()
        self._results[key] = result
        if len(self._results) > self._size:
            self._results.popitem(last=False)
        return result


def digest(*arrays: npt.NDArray[Any]) -> str:
    """A digest (hex) of the arrays' shapes, types and values."""
    state = blake2b(digest_size=16)
    for array in arrays:
        state.update(str((array.shape, array.dtype)).encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()
