"""Which lines of a page are captions, and whose.

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

from mmragbench.data.pdf.layout import Box, Layout, Line, Placement
from mmragbench.data.pdf.passages import joined

LABEL = re.compile(
    r"(?i:figure|fig\.?|table)\s*(?:[A-Z][.-]?)?(?:\d+(?:[.–-]\d+)*[a-z]?|[IVXLC]+)(?!\w)"
)
LINES = 6
REACH = 6.0
"""Sizes of a caption's letters that may lie between it and its picture."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption: which of the page's lines it is, its text, and what it covers."""

    first: int
    end: int
    text: str
    size: float
    box: Box


def captions(lines: Sequence[Line]) -> list[Caption]:
    """The captions among a page's lines, in their order."""
    found: list[Caption] = []
    for first, line in enumerate(lines):
        if line.upright and begins(line.text):
            end = first + 1
            while end < min(first + LINES, len(lines)) and _goes_on(lines, first, end):
                end += 1
            found.append(_caption(lines, first, end))
    return found


def begins(text: str) -> bool:
    """Whether a caption may begin with this line."""
    label = LABEL.match(text)
    rest = text[label.end() :].lstrip() if label else ","
    return not rest or not (rest[0].islower() or rest[0] in ",;)")


def belonging(layout: Layout) -> Mapping[int, Caption]:
    """Picture -> its caption, by the place in the layout's list; for those that have one."""
    found = captions(layout.lines)
    pairs = sorted(
        (gap, above, i, j)
        for i, placement in enumerate(layout.placements)
        for j, caption in enumerate(found)
        for gap, above in _gap(placement.box, caption)
    )
    own: dict[int, Caption] = {}
    taken: set[int] = set()
    for _, _, i, j in pairs:
        if i not in own and j not in taken:
            own[i] = found[j]
            taken.add(j)
    return own | dict(_shared(layout.placements, own))


def _goes_on(lines: Sequence[Line], first: int, at: int) -> bool:
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


def _gap(picture: Box, caption: Caption) -> Iterator[tuple[float, bool]]:
    """How far the caption is from the picture, and whether it is above; nothing where it is too
    far, beside the picture or upon it."""
    above = caption.box.bottom + caption.box.top > picture.bottom + picture.top
    gap = caption.box.bottom - picture.top if above else picture.bottom - caption.box.top
    near = -caption.size <= gap <= REACH * caption.size
    if near and _overlap(picture, caption.box):
        yield max(round(gap, 1), 0.0), above


def _shared(
    placements: Sequence[Placement], own: Mapping[int, Caption]
) -> Iterator[tuple[int, Caption]]:
    """Pictures without a caption beside one that has one."""
    for i, placement in enumerate(placements):
        beside = [j for j in own if _side_by_side(placement.box, placements[j].box)]
        if i not in own and beside:
            nearest = min(beside, key=lambda j: abs(placements[j].box.left - placement.box.left))
            yield i, own[nearest]


def _side_by_side(a: Box, b: Box) -> bool:
    """Of about one height, and no further apart than they are wide."""
    common = min(a.top, b.top) - max(a.bottom, b.bottom)
    apart = max(a.left, b.left) - min(a.right, b.right)
    return common > 0.8 * max(a.top - a.bottom, b.top - b.bottom) and -1 <= apart < 0.5 * min(
        a.right - a.left, b.right - b.left
    )


def _overlap(a: Box, b: Box) -> bool:
    return min(a.right, b.right) > max(a.left, b.left)
