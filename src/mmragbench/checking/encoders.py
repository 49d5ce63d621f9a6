"""Rules for encoders: the form of vectors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import picture, pictures, texts, unreadable
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Broken, Odd, Skip, expect, short
from mmragbench.errors import NotApplicable
from mmragbench.records import Modality, Text

ROUNDING = 2e-3
"""Unit rows that differ by less are the same: another batch size, or 16 bits."""

METHODS: dict[Modality, str] = {"image": "encode_images", "text": "encode_texts"}
UNCHECKED = "whether what belongs together is close, and speed"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Pictures and texts, whichever it reads."""
    items: dict[Modality, list[Any]] = {"image": pictures(), "text": texts()}
    for modality, method in METHODS.items():
        if modality in getattr(subject.instance, "modalities", ()):
            rows = tuple((item,) for item in items[modality])
            yield Chunk(method, rows, _method(subject, method), same, "an array")


def _method(subject: Subject, name: str) -> Callable[[], Callable[..., Any]]:
    def new() -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(subject.build(), name)
        return method

    return new


def same(one: Any, other: Any) -> bool:
    """The same direction and length, up to rounding."""
    if np.shape(one) != np.shape(other):
        return False
    scale = max(float(np.linalg.norm(one)), 1.0)
    return bool(np.allclose(one, other, rtol=0, atol=ROUNDING * scale, equal_nan=True))


def modalities_are_said(subject: Subject) -> None:
    """`modalities` is a set of `image`, `text` or both."""
    said = getattr(subject.instance, "modalities", None)
    expect(
        isinstance(said, frozenset | set) and bool(said) and set(said) <= set(METHODS),
        "modalities = frozenset({'image', 'text'}), or one of them",
        f"it is {short(said)}",
        "Say what the encoder reads",
    )


def rows_are_float32(subject: Subject) -> None:
    """Vectors are an array of shape (n, d) in float32."""
    for chunk in subject.chunks:
        rows = chunk.first
        shape, kind = getattr(rows, "shape", None), getattr(rows, "dtype", None)
        expect(
            shape is not None and len(shape) == 2 and kind == np.float32,
            f"a numpy array of shape (n, d), float32, from {chunk.what}",
            f"it is {kind or type(rows).__name__} of shape {shape}",
            "np.asarray(rows, np.float32).reshape(len(items), -1)",
        )


def rows_are_finite(subject: Subject) -> None:
    """No NaN and no infinity."""
    for chunk in subject.chunks:
        bad = np.flatnonzero(~np.isfinite(np.asarray(chunk.first, float)).all(axis=-1))
        expect(
            not len(bad),
            f"finite vectors from {chunk.what}",
            f"item {bad[:1] + 1} has none ({short(chunk.rows[bad[0]][0]) if len(bad) else ''})",
            "An empty text or a black picture has a vector too; in 16 bits a model may overflow",
        )


def rows_have_length_1(subject: Subject) -> None:
    """Rows are L2-normalised; features of pictures alone, for FID, need not be (a warning)."""
    for chunk in subject.chunks:
        lengths = np.linalg.norm(np.asarray(chunk.first, float), axis=-1)
        far = float(np.nanmax(np.abs(lengths - 1), initial=0))
        if far > 1e-3 and set(subject.instance.modalities) == {"image"}:
            message = f"rows have lengths up to {lengths.max():.3g}: for distances, not for search"
            warnings.warn(message, Odd, stacklevel=2)
            return
        expect(
            far <= 1e-3,
            f"rows of length 1 from {chunk.what}",
            f"they have lengths from {lengths.min():.3g} to {lengths.max():.3g}",
            "rows / np.linalg.norm(rows, axis=1, keepdims=True)",
        )


def both_modalities_have_the_same_width(subject: Subject) -> None:
    """Pictures and texts are in one space."""
    widths = {chunk.what: np.shape(chunk.first)[-1] for chunk in subject.chunks}
    expect(
        len(set(widths.values())) == 1,
        "one number of dimensions for pictures and texts",
        f"there are {widths}",
        "If they are not in one space, make two encoders of them",
    )


def other_modalities_are_refused(subject: Subject) -> None:
    """What it cannot read raises NotApplicable."""
    encoder, items = subject.instance, {"image": [picture(0)], "text": [Text("t", "a word")]}
    for modality in METHODS.keys() - set(encoder.modalities):
        try:
            getattr(encoder, METHODS[modality])(items[modality])
        except NotApplicable:
            continue
        raise Broken(
            f"expected NotApplicable from {METHODS[modality]}, since modalities has no "
            f"{modality!r}; it answered. Raise NotApplicable, or name the modality."
        )


def different_things_differ(subject: Subject) -> None:
    """Not all items have the same vector (a warning)."""
    for chunk in subject.chunks:
        if all(same(chunk.first[0], row) for row in chunk.first):
            warnings.warn(f"{chunk.what} gives every item the same vector", Odd, stacklevel=2)


def an_unreadable_picture_is_no_vector(subject: Subject) -> None:
    """A broken file raises an error that is caught and named; a made-up vector would be a hit."""
    if "image" not in subject.instance.modalities:
        raise Skip("it reads no pictures")
    try:
        rows = subject.instance.encode_images([unreadable()])
    except Exception:  # whatever it is: the engine tries again by halves, and names the picture
        return
    raise Broken(
        f"expected BadImage for a file that is no picture; it gave a vector, {short(rows)}. Let the "
        "error of image.open() through: the picture is named and counted."
    )


RULES = (
    modalities_are_said,
    *FIRST,
    rows_are_float32,
    *LAWS,
    rows_are_finite,
    rows_have_length_1,
    both_modalities_have_the_same_width,
    other_modalities_are_refused,
    different_things_differ,
    an_unreadable_picture_is_no_vector,
)
