"""Garbage collection for a run: rarely.

A run makes hits and scores by the hundred thousand, and none of them refer to each other in a circle.
At Python's own thresholds the collector looks through all of them again and again: with 6,000
queries of 100 hits each, for seconds.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 100_000
"""New objects after which the youngest are looked at (Python's own number is 700)."""


@contextmanager
def rarely() -> Iterator[None]:
    """Collect rarely meanwhile; also a decorator."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
