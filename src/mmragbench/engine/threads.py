"""Work in threads: what waits for servers, and what is done beside the models; and what becomes of it
when it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

P = TypeVar("P")
T = TypeVar("T")


@contextmanager
def aside() -> Iterator[ThreadPoolExecutor]:
    """One thread for work that nothing waits for yet. It is waited for at the end; where an error
    passes, only for the piece that is under way."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def overlapping(
    work: Callable[[P], T], parts: Iterable[P], n: int, halt: Callable[[], None] | None = None
) -> Iterator[T]:
    """Results as they come, `n` under way at once.

    The next piece begins when an earlier result has been taken: what a kill can lose are the `n`
    under way. When one raises (or Ctrl-C is pressed), nothing more is begun, those under way are
    waited for, their results are given, and the error comes last; a second Ctrl-C gives up.

    Args:
        work: does one piece.
        parts: the pieces.
        n: how many at once.
        halt: tells those under way to be quick, once something has gone wrong.
    """
    left, waiting = iter(parts), set[Future[T]]()
    wrong: BaseException | None = None
    with ThreadPoolExecutor(n) as pool:
        while True:
            if wrong is None:
                waiting |= {pool.submit(work, part) for part in islice(left, n - len(waiting))}
            elif halt:
                halt()
            if not waiting:
                break
            try:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt as interrupt:
                if wrong is not None:
                    raise
                wrong = interrupt
                continue
            wrong = next(filter(None, [wrong, *(future.exception() for future in done)]), None)
            yield from (future.result() for future in done if not future.exception())
    if wrong is not None:
        raise wrong
