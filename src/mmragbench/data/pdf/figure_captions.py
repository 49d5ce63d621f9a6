"""Captions of a page: the lines that are captions, and the pictures that they belong to.

A caption begins with a line that starts with Figure, Fig. or Table and a number, unless it goes on
in lower case or with a comma: "Figure 3 shows" is running text. It goes on over the lines that
follow in the same size, each directly below the one before; at most six lines in all.

It belongs to the nearest picture above or below it that it overlaps horizontally, no further away
than six times its letters' size; of two equally near, to the one above, since captions stand
below more often. A picture has one caption, and a caption one picture, except that pictures side by
side (parts of one figure) share the caption of their neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mmragbench.data.pdf.page_layout import Box, Layout, Line, Placement
from mmragbench.data.pdf.passages import joined

LABEL = re.compile(
    r"(?i:figure|fig\.?|table)\s*(?:[A-Z][.-]?)?(?:\d+(?:[.–-]\d+)*[a-z]?|[IVXLC]+)(?!\w)"
)
MAX_LINES = 6
MAX_GAP = 6.0
"""The largest distance of a caption from its picture, in sizes of the caption's letters."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption of a page.

    Attributes:
        first, end: its lines are `lines[first:end]` of the page.
        size: of its letters, in points.
        box: the rectangle that it covers.
    """

    first: int
    end: int
    text: str
    size: float
    box: Box


def captions(lines: Sequence[Line]) -> list[Caption]:
    """The captions among a page's lines, in their order."""
    captions: list[Caption] = []
    for first, line in enumerate(lines):
        if line.upright and begins(line.text):
            end = first + 1
            while end < min(first + MAX_LINES, len(lines)) and _goes_on(lines, first, end):
                end += 1
            captions.append(_caption(lines, first, end))
    return captions


def begins(text: str) -> bool:
    """Whether a caption may begin with this text."""
    label = LABEL.match(text)
    rest = text[label.end() :].lstrip() if label else ","
    return not rest or not (rest[0].islower() or rest[0] in ",;)")


def belonging(layout: Layout) -> Mapping[int, Caption]:
    """Picture -> its caption, for pictures that have one; a picture is its place in the layout."""
    page_captions = captions(layout.lines)
    pairs = sorted(
        (*distance, i, j)
        for i, placement in enumerate(layout.placements)
        for j, caption in enumerate(page_captions)
        if (distance := _distance(placement.box, caption)) is not None
    )
    caption_of: dict[int, Caption] = {}
    taken: set[int] = set()
    for *_, i, j in pairs:
        if i not in caption_of and j not in taken:
            caption_of[i] = page_captions[j]
            taken.add(j)
    return caption_of | dict(_shared(layout.placements, caption_of))


def _goes_on(lines: Sequence[Line], first: int, at: int) -> bool:
    """Whether the line at a place continues the caption that begins at `first`."""
    before, line = lines[at - 1], lines[at]
    pitch = before.y - line.y
    usual = lines[first].y - lines[first + 1].y if at > first + 1 else 1.6 * line.size
    return (
        line.upright
        and not begins(line.text)
        and abs(line.size - before.size) < 0.05 * before.size
        and 0 < pitch <= min(1.6 * line.size, 1.05 * usual)
        and _overlap(before.box, line.box)
    )


def _caption(lines: Sequence[Line], first: int, end: int) -> Caption:
    part = lines[first:end]
    boxes = [line.box for line in part]
    box = Box(
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )
    return Caption(first, end, joined([line.text for line in part]), part[0].size, box)


class Distance(NamedTuple):
    """How far a caption is from a picture, in points, and whether it is above; the nearer is less."""

    gap: float
    above: bool


def _distance(picture: Box, caption: Caption) -> Distance | None:
    """The distance of a caption; None where it is too far, beside the picture or upon it."""
    above = caption.box.bottom + caption.box.top > picture.bottom + picture.top
    gap = caption.box.bottom - picture.top if above else picture.bottom - caption.box.top
    near = -caption.size <= gap <= MAX_GAP * caption.size
    if not (near and _overlap(picture, caption.box)):
        return None
    return Distance(max(round(gap, 1), 0.0), above)


def _shared(
    placements: Sequence[Placement], caption_of: Mapping[int, Caption]
) -> Iterator[tuple[int, Caption]]:
    """Picture -> the caption of its neighbour, for pictures without one of their own."""
    for i, placement in enumerate(placements):
        beside = [j for j in caption_of if _side_by_side(placement.box, placements[j].box)]
        if i not in caption_of and beside:
            nearest = min(beside, key=lambda j: abs(placements[j].box.left - placement.box.left))
            yield i, caption_of[nearest]


def _side_by_side(a: Box, b: Box) -> bool:
    """Whether two pictures have about one height, and are no further apart than they are wide."""
    common = min(a.top, b.top) - max(a.bottom, b.bottom)
    apart = max(a.left, b.left) - min(a.right, b.right)
    return common > 0.8 * max(a.top - a.bottom, b.top - b.bottom) and -1 <= apart < 0.5 * min(
        a.right - a.left, b.right - b.left
    )


def _overlap(a: Box, b: Box) -> bool:
    """Whether two rectangles share a part of the x axis."""
    return min(a.right, b.right) > max(a.left, b.left)
