"""The contract of generators: one output a query, of the right modality, with the shown documents."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mmragbench.checking.batch_rules import BATCH_RULES, something_is_answered
from mmragbench.checking.inputs import contexts, tasks
from mmragbench.checking.rules import Breaches, Skip, short
from mmragbench.checking.subjects import AnswerType, Chunk, Contract, Item, Subject
from mmragbench.contracts import Traits
from mmragbench.errors import NotApplicable
from mmragbench.records import Image, Output, OutputKind

TASKS = ("captioning", "question-answering", "image-generation")


def same(one: Output, other: Output) -> bool:
    """The same text or picture, for the same query, shown the same; or both errors."""
    if (one.query, one.text, one.shown) != (other.query, other.text, other.shown):
        return False
    return (one.error is None) == (other.error is None) and _content(one) == _content(other)


def _content(output: Output) -> str | bytes:
    image = output.image
    return (image.digest or image.path.read_bytes()) if image else ""


def _is_output(item: Item, answer: Any) -> bool:
    return isinstance(answer, Output) and answer.query == item[0].id


OUTPUT = AnswerType(
    "an Output under the id of the query at its place",
    _is_output,
    same,
    "Return Output(query.id, ...) in the order of the queries",
)


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Queries with three documents each, for every kind of output."""
    for name in TASKS:
        task = tasks()[name]
        reads_nothing = Traits(subject.component.make).reads == 0
        shown = [[] if reads_nothing else documents for documents in contexts(task)]
        items = tuple(zip(task.queries, shown, strict=True))
        yield Chunk(name, items, partial(_generator, subject, task.output), OUTPUT)


def _generator(subject: Subject, output: OutputKind) -> Callable[..., Any]:
    method: Callable[..., Any] = subject.build(output=output).generate
    return method


def _outputs(subject: Subject) -> Iterator[tuple[str, Output]]:
    for chunk in subject.chunks:
        for output in chunk.first:
            if isinstance(output, Output):
                yield chunk.what, output


CONTRACT = Contract(
    "whether the outputs are good, and speed", chunks, [*BATCH_RULES, something_is_answered]
)


@CONTRACT.rule("Where there is no answer, Output(query.id, error=reason)")
def a_text_a_picture_or_an_error(subject: Subject) -> Breaches:
    """Each output has one of text, image and error, not two, and not none."""
    for task, output in _outputs(subject):
        fields = [name for name in ("text", "image", "error") if getattr(output, name) is not None]
        if len(fields) != 1:
            yield f"that of query {output.query} has {' and '.join(fields) or 'none'} ({task})"


@CONTRACT.rule("Raise NotApplicable in the constructor where `output` is none of yours")
def of_the_modality_that_is_asked_for(subject: Subject) -> Breaches:
    """Outputs are pictures where the task wants pictures, else texts; an argument `output` says
    which."""
    if "output" not in inspect.signature(subject.component.make).parameters:
        raise Skip("it takes no argument `output`: name it only in tasks that it fits")
    for task, output in _outputs(subject):
        other = "text" if tasks()[task].output == "image" else "image"
        if getattr(output, other) is not None:
            yield f"for `{tasks()[task].output}` query {output.query} got a {other} ({task})"


@CONTRACT.rule("Write the picture to a file: Image(id, path, digest)")
def texts_and_pictures_are_real(subject: Subject) -> Breaches:
    """A text is a string; an image is a mmragbench.records.Image whose file can be opened."""
    for task, output in _outputs(subject):
        if not (isinstance(output.text, str | None) and isinstance(output.image, Image | None)):
            yield f"query {output.query} has {short(output.text or output.image)} ({task})"
        if output.image is not None:
            output.image.open()


@CONTRACT.rule("shown=tuple(document.id for document in those that it was given)")
def shown_is_within_the_context(subject: Subject) -> Breaches:
    """`shown` names documents of this query's context, in its order."""
    for chunk in subject.chunks:
        for (query, context), output in zip(chunk.items, chunk.first, strict=False):
            shown, ids = getattr(output, "shown", ()), [document.id for document in context]
            if list(shown) != [id for id in ids if id in shown]:
                yield f"that of query {query.id} is {short(shown)}, of {ids} ({chunk.what})"


@CONTRACT.rule("Return Output(query.id, error='nothing was retrieved for this query')")
def an_empty_context_is_borne(subject: Subject) -> Breaches:
    """Without documents there is an answer that shows none, an error for that query, or
    NotApplicable; no crash."""
    for chunk in subject.chunks:
        queries = [query for query, _ in chunk.items]
        try:
            outputs = chunk.method(queries, [[] for _ in queries])
        except NotApplicable:
            continue
        named = [getattr(output, "query", None) for output in outputs]
        if named != [query.id for query in queries] or any(output.shown for output in outputs):
            yield f"it gave {short(outputs, 160)} ({chunk.what})"


@CONTRACT.rule("Answer each query from its own context")
def a_failed_query_is_alone(subject: Subject) -> Breaches:
    """A query without documents does not change the answers of the others."""
    for chunk in subject.chunks:
        if not chunk.items[0][1]:
            continue
        (query, _), *others = chunk.items
        try:
            outputs = chunk.answer([(query, []), *others])
        except NotApplicable:
            continue
        if chunk.first_difference(chunk.first[1:], outputs[1:]) is not None:
            yield f"they differ beside query {query.id} ({chunk.what})"
