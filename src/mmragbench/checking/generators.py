"""Rules for generators: one output a query, of the right modality, that says what it was shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import contexts, tasks
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Skip, expect, short
from mmragbench.contracts import Traits
from mmragbench.errors import NotApplicable
from mmragbench.records import Image, Output, OutputKind

ASKED = ("captioning", "question-answering", "image-generation")
UNCHECKED = "whether the outputs are good, and speed"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Queries with three documents each, for every kind of output."""
    for name in ASKED:
        task = tasks()[name]
        shown = list(contexts(task))
        if Traits(subject.component.make).reads == 0:
            shown = [[] for _ in shown]
        rows = tuple(zip(task.queries, shown, strict=True))
        yield Chunk(name, rows, _generator(subject, task.output), same, "a list of Outputs")


def _generator(subject: Subject, output: OutputKind) -> Callable[[], Callable[..., Any]]:
    def new() -> Callable[..., Any]:
        method: Callable[..., Any] = subject.build(output=output).generate
        return method

    return new


def same(one: Output, other: Output) -> bool:
    """The same text or picture, for the same query, shown the same; or both errors."""
    if (one.query, one.text, one.shown) != (other.query, other.text, other.shown):
        return False
    return (one.error is None) == (other.error is None) and _face(one) == _face(other)


def _face(output: Output) -> str | bytes:
    image = output.image
    if image is None:
        return ""
    return image.digest or image.path.read_bytes()


def outputs_name_their_queries(subject: Subject) -> None:
    """The answers are Outputs, each with the id of the query at its place."""
    for chunk in subject.chunks:
        for (query, _), output in zip(chunk.rows, chunk.first, strict=False):
            expect(
                isinstance(output, Output) and output.query == query.id,
                f"the Output of query {query.id} at its place ({chunk.what})",
                f"it is {short(output)}",
                "Return Output(query.id, ...) in the order of the queries",
            )


def a_text_a_picture_or_an_error(subject: Subject) -> None:
    """Each output has one of them, not two, and not none."""
    for chunk, output in _outputs(subject):
        there = [name for name in ("text", "image", "error") if getattr(output, name) is not None]
        expect(
            len(there) == 1,
            f"a text, an image or an error ({chunk.what})",
            f"query {output.query} has {' and '.join(there) or 'none'}",
            "Where there is no answer, Output(query.id, error=reason)",
        )


def of_the_modality_that_is_asked_for(subject: Subject) -> None:
    """Pictures where the task wants pictures, else texts; an argument `output` says which."""
    if not _takes_output(subject):
        raise Skip("it takes no argument `output`: name it only in tasks that it fits")
    for chunk, output in _outputs(subject):
        wanted = "image" if tasks()[chunk.what].output == "image" else "text"
        other = "text" if wanted == "image" else "image"
        expect(
            getattr(output, other) is None,
            f"output `{tasks()[chunk.what].output}` to be of {wanted}s ({chunk.what})",
            f"query {output.query} got a {other}",
            "Raise NotApplicable in the constructor where `output` is none of yours",
        )


def something_is_answered(subject: Subject) -> None:
    """In each kind of task that applies, one query at least is answered."""
    for chunk in subject.chunks:
        errors = [output.error for output in chunk.first if isinstance(output, Output)]
        expect(
            any(error is None for error in errors),
            f"an answer to one of {len(chunk.rows)} queries ({chunk.what})",
            f"all failed: {short(errors[:1], 160)}",
            "See why; where it cannot answer at all, raise NotApplicable",
        )


def texts_and_pictures_are_real(subject: Subject) -> None:
    """A text is a string; an image is a record whose file can be opened."""
    for chunk, output in _outputs(subject):
        fits = isinstance(output.text, str | None) and isinstance(output.image, Image | None)
        expect(
            fits,
            f"a string or a mmragbench.records.Image ({chunk.what})",
            f"query {output.query} has {short(output.text or output.image)}",
            "Write the picture to a file: Image(id, path, digest)",
        )
        if output.image is not None:
            output.image.open()


def shown_is_within_the_context(subject: Subject) -> None:
    """`shown` names documents of this query's context, in its order."""
    for chunk in subject.chunks:
        for (query, context), output in zip(chunk.rows, chunk.first, strict=False):
            ids = [document.id for document in context]
            shown = getattr(output, "shown", ())
            expect(
                list(shown) == [id for id in ids if id in shown],
                f"shown documents among {ids} ({chunk.what})",
                f"query {query.id} says {short(shown)}",
                "shown=tuple(document.id for document in those that it was given)",
            )


def an_empty_context_is_borne(subject: Subject) -> None:
    """Without documents there is an answer, an error for that query, or NotApplicable; no crash."""
    for chunk in subject.chunks:
        queries = [query for query, _ in chunk.rows]
        try:
            outputs = chunk.ask(queries, [[] for _ in queries])
        except NotApplicable:
            continue
        named = [getattr(output, "query", None) for output in outputs]
        expect(
            named == [query.id for query in queries],
            f"an Output for each query without documents ({chunk.what})",
            f"it gave {short(outputs)}",
            "Return Output(query.id, error='nothing was retrieved for this query')",
        )
        shown = [output.shown for output in outputs if output.shown]
        expect(
            not shown,
            f"nothing shown where nothing was retrieved ({chunk.what})",
            f"it says {short(shown[:1])}",
            "Leave nothing of one call in the next",
        )


def a_failed_query_is_alone(subject: Subject) -> None:
    """A query without documents does not change the answers of the others."""
    for chunk in subject.chunks:
        if not chunk.rows[0][1]:
            continue
        (query, _), *others = chunk.rows
        try:
            outputs = chunk.answer([(query, []), *others])
        except NotApplicable:
            continue
        expect(
            chunk.alike(chunk.first[1:], outputs[1:]) is None,
            f"the same answers beside a query without documents ({chunk.what})",
            "they differ",
            "Answer each query from its own context",
        )


def _outputs(subject: Subject) -> Iterator[tuple[Chunk, Output]]:
    for chunk in subject.chunks:
        for output in chunk.first:
            if isinstance(output, Output):
                yield chunk, output


def _takes_output(subject: Subject) -> bool:
    import inspect

    return "output" in inspect.signature(subject.component.make).parameters


RULES = (
    *FIRST,
    outputs_name_their_queries,
    *LAWS,
    a_text_a_picture_or_an_error,
    of_the_modality_that_is_asked_for,
    something_is_answered,
    texts_and_pictures_are_real,
    shown_is_within_the_context,
    an_empty_context_is_borne,
    a_failed_query_is_alone,
)
