"""Where models run, and pictures read ahead of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def best_device(wanted: str = "auto") -> str:
    """`auto` is `cuda` or `mps` where there is one, else `cpu`."""
    if wanted != "auto":
        return wanted
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


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


def by_length(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """Positions in batches of texts of similar length, so that little padding is encoded."""
    yield from batches(sorted(range(len(texts)), key=lambda i: len(texts[i])), size)


def quiet() -> None:
    """Hugging Face's libraries draw no bars of their own beside ours."""
    from huggingface_hub.utils.tqdm import disable_progress_bars
    from transformers.utils import logging

    disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
