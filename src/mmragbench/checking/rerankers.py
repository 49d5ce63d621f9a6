"""Rules for rerankers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import queries, several, tasks
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Odd, expect, short
from mmragbench.contracts import Traits
from mmragbench.records import Document, Failure, Query

ROUNDING = 1e-3
UNCHECKED = "whether the better document has the better score, and speed"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Pairs with a text on both sides; for one that reads pictures, all sorts of pairs."""

    def new() -> Callable[..., Any]:
        method: Callable[..., Any] = subject.build().score
        return method

    asked, memory = queries(image=False), tasks()["captioning"].memory
    yield Chunk("texts", _pairs(asked, memory), new, same)
    if "image" in Traits(subject.instance).modalities:
        yield Chunk("pictures", _pairs(several(), tasks()["mixed"].memory), new, same)


def _pairs(queries: list[Query], memory: Any) -> tuple[tuple[Query, Document], ...]:
    return tuple((query, memory[(3 * at + n) % len(memory)])
                 for at, query in enumerate(queries) for n in range(2))  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """The same score up to rounding, or both failures."""
    if isinstance(one, Failure) or isinstance(other, Failure):
        return type(one) is type(other)
    if math.isnan(one) and math.isnan(other):  # another rule's business
        return True
    return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING)


def scores_are_numbers(subject: Subject) -> None:
    """Each answer is a finite number, or a Failure with a reason."""
    for chunk in subject.chunks:
        for (query, document), score in zip(chunk.rows, chunk.first, strict=False):
            fits = isinstance(score, Failure) or (
                hasattr(score, "__float__") and math.isfinite(float(score))
            )
            expect(
                fits,
                f"a finite score or a Failure for {query.id} and {document.id}",
                f"it is {short(score)}",
                "Return float(score), or Failure(reason)",
            )


def scores_differ(subject: Subject) -> None:
    """Not all pairs have the same score (a warning)."""
    for chunk in subject.chunks:
        if all(same(chunk.first[0], score) for score in chunk.first):
            message = f"all pairs get {short(chunk.first[0])} ({chunk.what})"
            warnings.warn(message, Odd, stacklevel=2)


RULES = (*FIRST, scores_are_numbers, *LAWS, scores_differ)
