"""A brush that draws in the coordinates of a thing's box: x and y run from 0 to 1, y downwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from mmragbench.scenes.colours import RGB

Point = tuple[float, float]
Fill = RGB | tuple[int, int, int, int]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the large drawing: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float


class Brush:
    """Shapes in the unit square of `box`, mirrored left to right on request; fills may have an alpha."""

    def __init__(self, draw: ImageDraw.ImageDraw, box: Box, mirror: bool = False) -> None:
        self._draw, self.box, self._mirror = draw, box, mirror

    def at(self, x: float, y: float) -> Point:
        """The pixel of a point of the unit square."""
        return self.box.x + (1 - x if self._mirror else x) * self.box.w, self.box.y + y * self.box.h

    def _span(
        self, x0: float, y0: float, x1: float, y1: float
    ) -> tuple[float, float, float, float]:
        (ax, ay), (bx, by) = self.at(x0, y0), self.at(x1, y1)
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)

    def poly(self, points: Sequence[Point], fill: Fill) -> None:
        """A filled polygon."""
        self._draw.polygon([self.at(*p) for p in points], fill=fill)

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: Fill) -> None:
        """A filled ellipse between two corners."""
        self._draw.ellipse(self._span(x0, y0, x1, y1), fill=fill)

    def rect(
        self, x0: float, y0: float, x1: float, y1: float, fill: Fill, radius: float = 0.0
    ) -> None:
        """A filled rectangle; `radius` rounds its corners, as a part of the box's width."""
        span = self._span(x0, y0, x1, y1)
        if radius:
            limit = min(span[2] - span[0], span[3] - span[1]) / 2
            self._draw.rounded_rectangle(span, min(radius * self.box.w, limit), fill=fill)
        else:
            self._draw.rectangle(span, fill=fill)

    def line(self, points: Sequence[Point], width: float, fill: Fill) -> None:
        """A bent line; `width` is a part of the box's width."""
        self._draw.line(
            [self.at(*p) for p in points],
            fill=fill,
            width=max(2, round(width * self.box.w)),
            joint="curve",
        )

    def pie(
        self, x0: float, y0: float, x1: float, y1: float, turn: tuple[float, float], fill: Fill
    ) -> None:
        """A slice of an ellipse, from one angle clockwise to another, in degrees from three o'clock."""
        self._draw.pieslice(self._span(x0, y0, x1, y1), *self._turned(turn), fill=fill)

    def chord(
        self, x0: float, y0: float, x1: float, y1: float, turn: tuple[float, float], fill: Fill
    ) -> None:
        """A segment of an ellipse cut off by a straight line."""
        self._draw.chord(self._span(x0, y0, x1, y1), *self._turned(turn), fill=fill)

    def arc(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        turn: tuple[float, float],
        width: float,
        fill: Fill,
    ) -> None:
        """A part of an ellipse's outline; `width` is a part of the box's width."""
        self._draw.arc(
            self._span(x0, y0, x1, y1),
            *self._turned(turn),
            fill=fill,
            width=max(2, round(width * self.box.w)),
        )

    def ring(self, cx: float, cy: float, radius: float, width: float, fill: Fill) -> None:
        """A circle's outline; `radius` and `width` are parts of the box's width."""
        x, y = self.at(cx, cy)
        r = radius * self.box.w
        self._draw.ellipse(
            (x - r, y - r, x + r, y + r), outline=fill, width=max(2, round(width * self.box.w))
        )

    def disc(self, cx: float, cy: float, radius: float, fill: Fill) -> None:
        """A filled circle; `radius` is a part of the box's width."""
        x, y = self.at(cx, cy)
        r = radius * self.box.w
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def leaf(self, cx: float, cy: float, rx: float, ry: float, degrees: float, fill: Fill) -> None:
        """A filled ellipse turned by `degrees`; the radii are parts of the box's width."""
        x, y = self.at(cx, cy)
        turn = math.radians(-degrees if self._mirror else degrees)
        cos, sin, w = math.cos(turn), math.sin(turn), self.box.w
        ring = [
            (rx * w * math.cos(t * math.pi / 14), ry * w * math.sin(t * math.pi / 14))
            for t in range(28)
        ]
        self._draw.polygon(
            [(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in ring], fill=fill
        )

    def _turned(self, turn: tuple[float, float]) -> tuple[float, float]:
        return (180 - turn[1], 180 - turn[0]) if self._mirror else turn
