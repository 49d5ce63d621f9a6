"""Drawing of emblems: a divided field, cut to the outline, with a charge and a rim."""

from __future__ import annotations

import math
from functools import cache

from PIL import Image, ImageDraw

from mmragbench.scenes.brush import Box, Brush, Point
from mmragbench.scenes.charges import CHARGE_DRAWINGS
from mmragbench.scenes.colours import COLOURS, RGB, mix
from mmragbench.scenes.emblems import Design

_CHARGE_BOXES = {
    "shield": (0.24, 0.17, 0.52),
    "round": (0.23, 0.23, 0.54),
    "diamond": (0.28, 0.28, 0.44),
    "hexagon": (0.24, 0.24, 0.52),
    "square": (0.23, 0.23, 0.54),
    "pennant": (0.28, 0.09, 0.44),
    "swallowtail": (0.25, 0.11, 0.5),
    "arch": (0.24, 0.27, 0.52),
}
"""Outline -> the charge's left, top and side, as parts of the emblem's width."""


@cache
def outline(shape: str) -> tuple[Point, ...]:
    """The points of a shape's outline in the unit square."""
    if shape == "round":
        return tuple(
            (0.5 + 0.5 * math.cos(t * math.tau / 60), 0.5 + 0.5 * math.sin(t * math.tau / 60))
            for t in range(60)
        )
    if shape == "hexagon":
        return ((0.25, 0.03), (0.75, 0.03), (1.0, 0.5), (0.75, 0.97), (0.25, 0.97), (0.0, 0.5))
    if shape == "diamond":
        return ((0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5))
    if shape == "square":
        return ((0.04, 0.04), (0.96, 0.04), (0.96, 0.96), (0.04, 0.96))
    if shape == "pennant":
        return ((0.0, 0.02), (1.0, 0.02), (0.5, 1.0))
    if shape == "swallowtail":
        return ((0.1, 0.0), (0.9, 0.0), (0.9, 1.0), (0.5, 0.74), (0.1, 1.0))
    if shape == "arch":
        top = [
            (0.5 - 0.42 * math.cos(math.pi * i / 20), 0.42 - 0.42 * math.sin(math.pi * i / 20))
            for i in range(21)
        ]
        return (*top, (0.92, 1.0), (0.08, 1.0))
    side = [
        (0.94 - 0.44 * (i / 10) ** 2.2, 0.5 + 0.5 * math.sin(math.pi * i / 20)) for i in range(11)
    ]
    return ((0.06, 0.02), (0.94, 0.02), *side, *((1 - x, y) for x, y in reversed(side)))


def draw_emblem(image: Image.Image, box: Box, design: Design) -> None:
    """Draw an emblem into a square box of the large drawing."""
    side = round(box.w)
    picture = Image.new("RGB", (side, side), COLOURS[design.field])
    brush = Brush(ImageDraw.Draw(picture), Box(0, 0, side, side))
    _divide(brush, design)
    x, y, size = _CHARGE_BOXES[design.shape]
    inner = Box(x * side, y * side, size * side, size * side)
    CHARGE_DRAWINGS[design.charge](
        Brush(ImageDraw.Draw(picture), inner), COLOURS[design.charge_colour], COLOURS[design.field]
    )
    mask = Image.new("L", (side, side), 0)
    points = [(px * side, py * side) for px, py in outline(design.shape)]
    ImageDraw.Draw(mask).polygon(points, fill=255)
    image.paste(picture, (round(box.x), round(box.y)), mask)
    _rim(image, box, design)


def _rim(image: Image.Image, box: Box, design: Design) -> None:
    edge = mix(COLOURS[design.field], (24, 24, 34), 0.55)
    path = [
        (round(box.x) + px * box.w, round(box.y) + py * box.h) for px, py in outline(design.shape)
    ]
    ImageDraw.Draw(image).line(
        [*path, *path[:2]], fill=edge, width=max(3, round(0.025 * box.w)), joint="curve"
    )


def _divide(b: Brush, design: Design) -> None:
    second: RGB = COLOURS[design.second]
    if design.division == "halved":
        b.rect(0.5, 0.0, 1.0, 1.0, second)
    elif design.division == "layered":
        b.rect(0.0, 0.46, 1.0, 1.0, second)
    elif design.division == "diagonal":
        b.poly([(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)], second)
    elif design.division == "quartered":
        b.rect(0.5, 0.0, 1.0, 0.48, second)
        b.rect(0.0, 0.48, 0.5, 1.0, second)
    elif design.division == "striped":
        for i in (1, 3, 5):
            b.rect(i / 7, 0.0, (i + 1) / 7, 1.0, second)
    elif design.division == "bordered":
        ring = [b.at(x, y) for x, y in outline(design.shape)]
        middle = b.at(
            0.5,
            0.36 if design.shape == "pennant" else 0.46 if design.shape == "swallowtail" else 0.5,
        )
        b.rect(0.0, 0.0, 1.0, 1.0, second)
        shrunk = [
            (middle[0] + 0.8 * (x - middle[0]), middle[1] + 0.8 * (y - middle[1])) for x, y in ring
        ]
        b.poly([(x / b.box.w, y / b.box.h) for x, y in shrunk], COLOURS[design.field])
