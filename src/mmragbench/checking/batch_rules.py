"""Rules of every method on a chunk of work: one answer an item, in order, independent of the others.

Encoders, captioners, chat models, painters, rerankers, stores, strategies and generators share these.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from mmragbench.checking.rules import Breaches, Skip, rule, short, warn
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.records import Failure, Image, Output


@rule("Raise NotApplicable only for what it cannot do")
def something_applies(subject: Subject) -> Breaches:
    """It can do something with the kit's pictures and texts; if not, no rule could be tried."""
    try:
        _ = subject.chunks
    except Skip as reason:
        yield str(reason)


@rule("Give an answer for each item, a Failure or an empty Ranking where there is none")
def one_answer_an_item(subject: Subject) -> Breaches:
    """As many answers come back as items were handed over."""
    for chunk in subject.chunks:
        count = len(chunk.first) if hasattr(chunk.first, "__len__") else short(chunk.first)
        if count != len(chunk.items):
            yield f"for {len(chunk.items)} items it gave {count} ({chunk.what})"


@rule()
def answers_have_their_type(subject: Subject) -> Breaches:
    """Each answer is what the contract says, for the item at its place."""
    for chunk in subject.chunks:
        for at, (item, answer) in enumerate(zip(chunk.items, chunk.first, strict=False), 1):
            if not chunk.answers.fits(item, answer):
                yield (
                    f"answer {at} ({chunk.what}) is {short(answer, 160)}, not {chunk.answers.name}. "
                    f"Fix: {chunk.answers.fix}"
                )


@rule("Draw from a generator seeded by the item (its id or words), not from a running one")
def the_same_when_asked_again(subject: Subject) -> Breaches:
    """The same component gives the same answers to the same items."""
    for chunk in subject.chunks:
        yield from _differences(chunk, chunk.answer(chunk.items))


@rule("Seed random numbers by an argument `seed`, which a suite sets")
def the_same_when_made_anew(subject: Subject) -> Breaches:
    """A fresh component with the same arguments gives the same answers."""
    for chunk in subject.chunks:
        yield from _differences(chunk, chunk.new()(*chunk.columns(chunk.items)))


@rule("Answer at each item's own place: if you sort or group them, sort back")
def the_order_does_not_matter(subject: Subject) -> Breaches:
    """Items in reverse give the answers in reverse."""
    for chunk in subject.chunks:
        yield from _differences(chunk, list(chunk.answer(chunk.items[::-1]))[::-1])


@rule("Leave nothing of one item in the next, and mask padding in batches")
def neighbours_do_not_matter(subject: Subject) -> Breaches:
    """An item alone gives the answer that it has among others."""
    for chunk in subject.chunks:
        alone = [answer for item in chunk.items for answer in list(chunk.answer([item]))[:1]]
        yield from _differences(chunk, alone)


@rule("Return an empty list (an encoder: zeros of shape (0, d)) for an empty one")
def nothing_asked_nothing_answered(subject: Subject) -> Breaches:
    """No items give no answers."""
    for chunk in subject.chunks:
        answers = chunk.answer(())
        if len(answers):
            yield f"it gave {short(answers)} ({chunk.what})"


@rule("Work on a copy: sorted(items) instead of items.sort()")
def what_is_handed_over_stays_as_it_was(subject: Subject) -> Breaches:
    """The lists and arrays that the method gets are not changed."""
    for chunk in subject.chunks:
        columns = chunk.columns(chunk.items)
        before = copy.deepcopy(columns)
        chunk.method(*columns)
        if repr(columns) != repr(before):
            yield f"it changed the lists that it was given ({chunk.what})"


def _differences(chunk: Chunk, answers: Iterable[object]) -> Breaches:
    at = chunk.first_difference(chunk.first, answers)
    if at is not None:
        first, then = short(list(chunk.first)[at]), short(list(answers)[at])
        yield f"item {at + 1} ({chunk.what}) came to {first}, then to {then}"


BATCH_RULES = (
    something_applies,
    one_answer_an_item,
    answers_have_their_type,
    the_same_when_asked_again,
    the_same_when_made_anew,
    the_order_does_not_matter,
    neighbours_do_not_matter,
    nothing_asked_nothing_answered,
    what_is_handed_over_stays_as_it_was,
)


@rule("See why; where it cannot answer at all, raise NotApplicable")
def something_is_answered(subject: Subject) -> Breaches:
    """At least one item of each chunk has an answer."""
    for chunk in subject.chunks:
        errors = [_error(answer) for answer in chunk.first]
        if None not in errors:
            yield f"all failed ({chunk.what}): {short(errors[:1], 160)}"


def _error(answer: object) -> str | None:
    """The error of an answer; None where it has a content."""
    if isinstance(answer, Output):
        return answer.error
    if isinstance(answer, Failure):
        return answer.reason
    return None if str(answer).strip() else "it is empty"


@rule()
def different_things_differ(subject: Subject) -> None:
    """Not all items have the same answer, which is seldom meant."""
    for chunk in subject.chunks:
        if all(chunk.answers.same(chunk.first[0], answer) for answer in chunk.first):
            warn(f"all {len(chunk.items)} items get {short(chunk.first[0])} ({chunk.what})")


@rule("Let the error of image.open() through, or return Failure(str(error))")
def an_unreadable_picture_fails(subject: Subject) -> Breaches:
    """A broken file raises an error, or is a Failure; an invented answer would be scored."""
    from mmragbench.checking.inputs import unreadable

    chunks = [c for c in subject.chunks if any(isinstance(v, Image) for v in c.items[0])]
    if not chunks:
        raise Skip("it reads no pictures")
    for chunk in chunks:
        item = tuple(unreadable() if isinstance(v, Image) else v for v in chunk.items[0])
        try:
            (answer,) = chunk.answer([item])
        except (
            Exception
        ) as error:  # whatever it is: the engine tries by halves, and names the picture
            answer = Failure(str(error))
        if not isinstance(answer, Failure):
            yield f"it answered {short(answer)} ({chunk.what})"
