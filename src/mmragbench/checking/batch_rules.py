"""What holds for every method that gets a chunk of work: one answer an item, in order, each by itself.

Encoders, captioners, chat models, painters, rerankers, stores, strategies and generators share these.
"""

from __future__ import annotations

import copy

from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Broken, Skip, expect, short


def something_applies(subject: Subject) -> None:
    """It can do something with the kit's pictures and texts; if not, no rule could be tried."""
    try:
        _ = subject.chunks
    except Skip as reason:
        raise Broken(f"expected an answer to something; {reason}.") from reason


def one_answer_an_item(subject: Subject) -> None:
    """As many answers come back as items were handed over."""
    for chunk in subject.chunks:
        count = len(chunk.first) if hasattr(chunk.first, "__len__") else None
        expect(
            count == len(chunk.rows),
            f"{chunk.gives} with {len(chunk.rows)} answers ({chunk.what})",
            f"it gave {short(chunk.first) if count is None else f'{count} of them'}",
            "Give an answer for each item, a Failure or an empty Ranking where there is none",
        )


def the_same_when_asked_again(subject: Subject) -> None:
    """The same component gives the same answers to the same items."""
    for chunk in subject.chunks:
        _agree(
            chunk,
            chunk.answer(chunk.rows),
            "the same answers when asked again",
            "Draw from a generator seeded by the item (its id or words), not from a running one",
        )


def the_same_when_made_anew(subject: Subject) -> None:
    """A fresh component with the same arguments gives the same answers."""
    for chunk in subject.chunks:
        _agree(
            chunk,
            chunk.new()(*chunk.columns(chunk.rows)),
            "the same answers from a fresh component",
            "Seed what draws lots by an argument `seed`, which a suite sets",
        )


def the_order_does_not_matter(subject: Subject) -> None:
    """Items in reverse give the answers in reverse."""
    for chunk in subject.chunks:
        _agree(
            chunk,
            list(chunk.answer(chunk.rows[::-1]))[::-1],
            "answers in the order of the items",
            "Answer at each item's own place: if you sort or group them, sort back",
        )


def neighbours_do_not_matter(subject: Subject) -> None:
    """An item alone gives the answer that it has among others."""
    for chunk in subject.chunks:
        alone = [answer for row in chunk.rows for answer in list(chunk.answer([row]))[:1]]
        _agree(
            chunk,
            alone,
            "the same answer alone as among others",
            "Leave nothing of one item in the next, and mask padding in batches",
        )


def nothing_asked_nothing_answered(subject: Subject) -> None:
    """No items give no answers."""
    for chunk in subject.chunks:
        answers = chunk.answer(())
        expect(
            len(answers) == 0,
            f"no answers to no items ({chunk.what})",
            f"it gave {short(answers)}",
            "Return an empty list (an encoder: zeros of shape (0, d)) for an empty one",
        )


def what_is_handed_over_stays_as_it_was(subject: Subject) -> None:
    """The lists and arrays that the method gets are not changed."""
    for chunk in subject.chunks:
        columns = chunk.columns(chunk.rows)
        before = copy.deepcopy(columns)
        chunk.ask(*columns)
        expect(
            repr(columns) == repr(before),
            f"arguments that are left alone ({chunk.what})",
            "it changed the lists that it was given",
            "Work on a copy: sorted(items) instead of items.sort()",
        )


def _agree(chunk: Chunk, answers: object, wanted: str, mend: str) -> None:
    place = chunk.alike(chunk.first, answers)
    if place is not None:
        other = short(list(answers)[place])  # type: ignore[call-overload]
        seen = f"item {place + 1} came to {short(list(chunk.first)[place])}, then to {other}"
        expect(False, f"{wanted} ({chunk.what})", seen, mend)


FIRST = (something_applies, one_answer_an_item)
"""Before the form of an answer."""

LAWS = (
    the_same_when_asked_again,
    the_same_when_made_anew,
    the_order_does_not_matter,
    neighbours_do_not_matter,
    nothing_asked_nothing_answered,
    what_is_handed_over_stays_as_it_was,
)
