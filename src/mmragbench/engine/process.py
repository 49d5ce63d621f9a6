"""The process of a run: it keeps the memory that layers free, and collects garbage rarely."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

KEPT = 2**30
"""Bytes that are kept at most at the end of the heap; what is freed within it stays there anyway."""

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # names of glibc's malloc.h

_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_")

OBJECTS = 100_000
"""New objects after which the collector looks at the youngest (Python's own number is 700)."""


def keep_freed_memory() -> None:
    """Let this process keep what it frees for the next batch, by `mallopt(3)` of glibc.

    glibc hands large blocks back to the system whenever they are freed, and the system clears their
    pages again when they are asked for anew: some 25 MB a picture with ViT-B-32, a sixth of the
    processor time that its pictures take. No number changes.

    Nothing is done where there is another C library, or where the environment has its own settings.
    PyTorch's huge pages (`THP_MEM_ALLOC_ENABLE=1`) make texts faster by another tenth, but cost up to
    a second when memory is in pieces: that is left to the user.
    """
    if sys.platform != "linux" or any(name in os.environ for name in _SETTINGS):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_TRIM_THRESHOLD, KEPT)
        library.mallopt(_MMAP_MAX, 0)


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Collect garbage rarely meanwhile; also a decorator.

    A run makes hits and scores by the hundred thousand, and none of them refer to each other in a
    circle. At Python's own thresholds the collector looks through all of them again and again: with
    6,000 queries of 100 hits each, for seconds.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
