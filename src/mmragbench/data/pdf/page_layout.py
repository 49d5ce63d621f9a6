"""Layout of a page: its lines of text and its pictures, from pypdf's text extraction.

Coordinates are points on the page as it is shown, turned by its /Rotate: x to the right, y upwards,
from an origin that does not matter. Lines come in the order in which the page draws them, which
keeps columns apart where the program that wrote it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Any, NamedTuple

Matrix = Sequence[float]
"""The six numbers a b c d e f of a PDF transformation: x' = a x + c y + e, y' = b x + d y + f."""

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
TURNED: Mapping[int, Matrix] = {
    90: (0.0, -1.0, 1.0, 0.0, 0.0, 0.0),
    180: (-1.0, 0.0, 0.0, -1.0, 0.0, 0.0),
    270: (0.0, 1.0, -1.0, 0.0, 0.0, 0.0),
}
"""/Rotate of a page, in degrees clockwise -> the matrix that it applies to points."""

PATH_OPERATORS = frozenset({b"m", b"l", b"c", b"v", b"y", b"h"})
PAINTING_OPERATORS = frozenset({b"n", b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"})
"""Operators that add to a path, besides rectangles; and those that end one."""


class Box(NamedTuple):
    """A rectangle along the axes, in points."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: the beginning of its baseline, and the size of its letters, in points."""

    text: str
    x: float
    y: float
    size: float
    upright: bool = True

    @property
    def box(self) -> Box:
        """The rectangle that it covers, by a rule of thumb: half an em a character."""
        right = self.x + 0.5 * self.size * len(self.text)
        return Box(self.x, self.y - 0.2 * self.size, right, self.y + 0.8 * self.size)


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture that a page draws.

    Attributes:
        key: pypdf's key of it: the names of the forms that it is in, and its own.
        matrix: lays the unit square, in which every picture is drawn, on the page.
        clip: the rectangle beyond which it is not visible; None without one.
    """

    key: tuple[str, ...]
    matrix: Matrix
    clip: Box | None = None

    @property
    def whole(self) -> Box:
        """The rectangle that it covers without its clip."""
        return _square(self.matrix)

    @property
    def box(self) -> Box:
        """The rectangle that is visible of it."""
        return _common(self.whole, self.clip)


@dataclass(frozen=True)
class Layout:
    """A page's lines and pictures, in drawing order.

    Attributes:
        unreached: how many inline pictures lie inside of forms, where pypdf does not read them.
    """

    lines: list[Line]
    placements: list[Placement]
    unreached: int = 0


def lay_out(page: Any) -> Layout:
    """The lines and the pictures of a pypdf page, in drawing order.

    A picture that is drawn twice counts once, where it is largest. What a page has among its
    resources and does not draw is no part of it. Inline pictures inside of forms are only counted,
    since pypdf does not hand them out.
    """
    walk = _Walk(page)
    page.extract_text(
        visitor_text=walk.text, visitor_operand_before=walk.before, visitor_operand_after=walk.after
    )
    walk.end_line()
    largest: dict[tuple[str, ...], Placement] = {}
    for placement in walk.placements:
        known = largest.setdefault(placement.key, placement)
        if _area(placement.box) > _area(known.box):
            largest[placement.key] = placement
    return Layout(walk.lines, list(largest.values()), walk.unreached)


@dataclass
class _Clip:
    """The rectangle that drawing is confined to. A path that is no rectangle confines nothing here,
    and one that is turned its bounding box: more may be taken than shows, and never less."""

    box: Box | None
    saved: list[Box | None] = field(default_factory=list)
    path: list[Box | None] = field(default_factory=list)
    ending: bool = False

    def apply(self, operator: bytes, operands: Any, cm: Matrix, frame: Matrix) -> None:
        """Apply an operation on the graphics state or the path."""
        if operator == b"q":
            self.saved.append(self.box)
        elif operator == b"Q" and self.saved:
            self.box = self.saved.pop()
        elif operator == b"re" and len(operands) == 4:
            x, y, w, h = map(float, operands)
            self.path.append(_square(_times(_times((w, 0, 0, h, x, y), cm), frame)))
        elif operator in PATH_OPERATORS:
            self.path.append(None)
        elif operator in (b"W", b"W*"):
            self.ending = True
        elif operator in PAINTING_OPERATORS:
            if self.ending and len(self.path) == 1 and self.path[0]:
                self.box = _common(self.path[0], self.box)
            self.path, self.ending = [], False


@dataclass(frozen=True, slots=True)
class _Frame:
    """The page, or a form that it draws, in whose own space pypdf reports its content."""

    path: tuple[str, ...]
    resources: Any
    matrix: Matrix


@dataclass
class _Walk:
    """Visitors of pypdf's text extraction that collect lines and pictures."""

    page: Any
    lines: list[Line] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    unreached: int = 0

    def __post_init__(self) -> None:
        turned = TURNED.get(int(_get(self.page, "/Rotate") or 0) % 360, IDENTITY)
        self._frames = [_Frame((), _get(self.page, "/Resources"), turned)]
        self._clip = _Clip(_visible(self.page, turned))
        self._drawing: list[tuple[Any, int, tuple[Box | None, ...]]] = []
        self._entering: _Frame | None = None
        self._inline = 0
        self._parts: list[str] = []
        self._start: tuple[Matrix, float] = (IDENTITY, 0.0)

    def before(self, operator: bytes, operands: Any, cm: Matrix, _: Matrix) -> None:
        """Handle an operation before it runs; the first one inside of a form enters the form."""
        if self._entering:
            self._frames.append(self._entering)
            self._entering = None
        self._clip.apply(operator, operands, cm, self._frames[-1].matrix)
        if operator == b"INLINE IMAGE" and len(self._frames) > 1:
            self.unreached += 1
        elif operator == b"INLINE IMAGE":
            matrix = _times(cm, self._frames[0].matrix)
            self.placements.append(Placement((f"~{self._inline}~",), matrix, self._clip.box))
            self._inline += 1
        elif operator == b"Do":
            self._drawing.append((operands, len(self._frames), (*self._clip.saved, self._clip.box)))
            if operands:
                self._draw(str(operands[0]), cm)

    def after(self, operator: bytes, operands: Any, *_: Matrix) -> None:
        """Handle an operation after it ran; a form that broke off has left some open."""
        while operator == b"Do" and self._drawing:
            begun, depth, clips = self._drawing.pop()
            del self._frames[depth:]
            self._clip = _Clip(clips[-1], list(clips[:-1]))
            self._entering = None
            if begun is operands:
                break

    def text(self, text: str, cm: Matrix, tm: Matrix, _: Any, size: float) -> None:
        """Add a piece of text, which may end lines."""
        for part in text.splitlines(keepends=True):
            if part.strip() and not any(known.strip() for known in self._parts):
                self._start = (_times(_times(tm, cm), self._frames[-1].matrix), size)
            self._parts.append(part)
            if part[-1] in "\n\r":
                self.end_line()

    def end_line(self) -> None:
        """Complete the current line."""
        text = " ".join("".join(self._parts).split())
        self._parts = []
        if text:
            matrix, size = self._start
            upright = matrix[3] > 0 and abs(matrix[1]) < 0.1 * matrix[3]
            height = abs(size) * hypot(matrix[2], matrix[3])
            self.lines.append(Line(text, matrix[4], matrix[5], height, upright))

    def _draw(self, name: str, cm: Matrix) -> None:
        """Handle a picture or a form that is drawn by its name."""
        frame = self._frames[-1]
        external = _get(_get(frame.resources, "/XObject"), name)
        matrix, path = _times(cm, frame.matrix), (*frame.path, name)
        kind = _get(external, "/Subtype")
        if kind == "/Image":
            self.placements.append(Placement(path, matrix, self._clip.box))
        elif kind == "/Form":
            own = _get(external, "/Matrix")
            own = [float(number) for number in own] if own is not None else IDENTITY
            resources = _get(external, "/Resources") or frame.resources
            self._entering = _Frame(path, resources, _times(own, matrix))


def _get(holder: Any, key: str) -> Any:
    """The value of a PDF dictionary's key, with references resolved; None without one."""
    value: Any = holder.get(key) if hasattr(holder, "get") else None
    return value.get_object() if hasattr(value, "get_object") else value


def _times(first: Matrix, then: Matrix) -> Matrix:
    """The product of two transformations, the first one applied first."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (
        *(a * p + b * r, a * q + b * s),
        *(c * p + d * r, c * q + d * s),
        *(e * p + f * r + t, e * q + f * s + u),
    )


def _square(m: Matrix) -> Box:
    """The rectangle around the unit square after a transformation."""
    xs = [m[4] + i * m[0] + j * m[2] for i in (0, 1) for j in (0, 1)]
    ys = [m[5] + i * m[1] + j * m[3] for i in (0, 1) for j in (0, 1)]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _common(box: Box, other: Box | None) -> Box:
    """The intersection of two rectangles; flat where it is empty."""
    if other is None:
        return box
    left, bottom = max(box.left, other.left), max(box.bottom, other.bottom)
    right, top = min(box.right, other.right), min(box.top, other.top)
    return Box(left, bottom, max(left, right), max(bottom, top))


def _visible(page: Any, turned: Matrix) -> Box | None:
    """The visible rectangle of a page; None where its box is not four numbers."""
    ends = _get(page, "/CropBox") or _get(page, "/MediaBox")
    try:
        left, bottom, right, top = map(float, ends)
    except (TypeError, ValueError, OverflowError):
        return None
    box = _square(_times((right - left, 0, 0, top - bottom, left, bottom), turned))
    return box if _area(box) > 0 else None


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.top - box.bottom)
