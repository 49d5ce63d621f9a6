"""Work on long lists: batches, halves of batches that fail, and items read ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from mmragbench.errors import BadImage, ContractError, MmragbenchError
from mmragbench.records import Failure, Image

if TYPE_CHECKING:
    import PIL.Image


A = TypeVar("A")
B = TypeVar("B")


def read_ahead(load: Callable[[A], B], items: Iterable[A], ahead: int = 64) -> Iterator[B]:
    """`map(load, items)` in order, in threads, at most `ahead` results in memory."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        waiting: deque[Future[B]] = deque()
        for item in items:
            waiting.append(pool.submit(load, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def batches(items: Iterable[A], size: int) -> Iterator[list[A]]:
    """Lists of at most `size` consecutive items."""
    batch: list[A] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def opened(image: Image) -> PIL.Image.Image | Failure:
    """A decoded picture; a Failure where it cannot be decoded."""
    try:
        return image.open()
    except BadImage as error:
        return Failure(f"BadImage: {error}")


def in_halves(work: Callable[[list[A]], list[B]], items: list[A]) -> list[B | Failure]:
    """The answers of `work` on all items; where that fails, on each half.

    So one bad item fails alone, and a batch that is too large for the memory gets smaller.

    Raises:
        MmragbenchError: an error that no smaller batch would avoid; a `ContractError` where there is
            not one answer an item.
    """
    try:
        answers: list[B | Failure] = [*work(items)]
    except Exception as error:
        if isinstance(error, MmragbenchError) and not isinstance(error, BadImage):
            raise
        if len(items) == 1:
            return [Failure(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")]
    else:
        if len(answers) != len(items):  # they cannot be assigned to items
            raise ContractError(f"{len(answers)} answers for {len(items)} items")
        return answers
    half = len(items) // 2
    return in_halves(work, items[:half]) + in_halves(work, items[half:])


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Positions in batches of rows of similar length, so that little padding is encoded."""
    yield from batches(sorted(range(len(lengths)), key=lengths.__getitem__), size)
