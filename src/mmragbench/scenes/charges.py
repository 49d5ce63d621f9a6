"""The signs on emblems, each drawn in one colour in the unit square."""

from __future__ import annotations

import math
from collections.abc import Callable

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import RGB

Charge = Callable[[Brush, RGB, RGB], None]
CHARGE_DRAWINGS: dict[str, Charge] = {}


def charge(name: str) -> Callable[[Charge], Charge]:
    """Register the drawing of a charge; it gets a brush, its colour, and the field's colour for what is cut out."""

    def register(draw: Charge) -> Charge:
        CHARGE_DRAWINGS[name] = draw
        return draw

    return register


def _rays(points: int, outer: float, inner: float) -> list[tuple[float, float]]:
    radii = [outer if i % 2 == 0 else inner for i in range(2 * points)]
    turns = [math.pi * i / points - math.pi / 2 for i in range(2 * points)]
    return [
        (0.5 + r * math.cos(t), 0.5 + r * math.sin(t)) for r, t in zip(radii, turns, strict=True)
    ]


@charge("star")
def _star(b: Brush, c: RGB, field: RGB) -> None:
    b.poly([(x, y + 0.04) for x, y in _rays(5, 0.53, 0.21)], c)


@charge("moon")
def _moon(b: Brush, c: RGB, field: RGB) -> None:
    outer = [(0.46 + 0.47 * math.cos(t), 0.5 + 0.47 * math.sin(t)) for t in _turns(48, 312)]
    inner = [(0.66 + 0.37 * math.cos(t), 0.5 + 0.37 * math.sin(t)) for t in _turns(290, 70)]
    b.poly(outer + inner, c)


def _turns(start: float, end: float) -> list[float]:
    return [math.radians(start + (end - start) * i / 24) for i in range(25)]


@charge("sun")
def _sun(b: Brush, c: RGB, field: RGB) -> None:
    b.poly(_rays(12, 0.5, 0.32), c)
    b.disc(0.5, 0.5, 0.27, field)
    b.disc(0.5, 0.5, 0.22, c)


@charge("key")
def _key(b: Brush, c: RGB, field: RGB) -> None:
    b.disc(0.5, 0.2, 0.21, c)
    b.disc(0.5, 0.2, 0.09, field)
    b.rect(0.43, 0.36, 0.57, 1.0, c)
    b.rect(0.5, 0.62, 0.78, 0.73, c)
    b.rect(0.5, 0.85, 0.82, 0.97, c)


@charge("tower")
def _tower(b: Brush, c: RGB, field: RGB) -> None:
    b.rect(0.24, 0.22, 0.76, 1.0, c)
    for x in (0.14, 0.41, 0.68):
        b.rect(x, 0.02, x + 0.18, 0.22, c)
    b.rect(0.14, 0.16, 0.86, 0.34, c)
    b.rect(0.4, 0.68, 0.6, 1.0, field)
    b.oval(0.4, 0.58, 0.6, 0.78, field)


@charge("leaf")
def _leaf(b: Brush, c: RGB, field: RGB) -> None:
    side = [
        (0.5 + 0.4 * math.sin(math.pi * (i / 12) ** 1.2), 0.0 + 0.76 * i / 12) for i in range(13)
    ]
    b.poly(side + [(1 - x, y) for x, y in reversed(side)], c)
    b.line([(0.5, 0.7), (0.5, 1.0)], 0.08, c)
    b.line([(0.5, 0.18), (0.5, 0.74)], 0.045, field)
    for y in (0.36, 0.54):
        b.line([(0.28, y - 0.14), (0.5, y), (0.72, y - 0.14)], 0.045, field)


@charge("arrow")
def _arrow(b: Brush, c: RGB, field: RGB) -> None:
    b.poly(
        [
            (0.5, 0.0),
            (0.86, 0.42),
            (0.6, 0.36),
            (0.6, 0.74),
            (0.78, 0.86),
            (0.78, 1.0),
            (0.5, 0.88),
            (0.22, 1.0),
            (0.22, 0.86),
            (0.4, 0.74),
            (0.4, 0.36),
            (0.14, 0.42),
        ],
        c,
    )


@charge("cross")
def _cross(b: Brush, c: RGB, field: RGB) -> None:
    b.rect(0.36, 0.04, 0.64, 0.96, c)
    b.rect(0.04, 0.36, 0.96, 0.64, c)


@charge("tree")
def _tree(b: Brush, c: RGB, field: RGB) -> None:
    for top, bottom, half in ((0.42, 0.8, 0.42), (0.2, 0.58, 0.33), (0.0, 0.36, 0.24)):
        b.poly([(0.5, top), (0.5 + half, bottom), (0.5 - half, bottom)], c)
    b.rect(0.42, 0.78, 0.58, 1.0, c)


@charge("fish")
def _fish(b: Brush, c: RGB, field: RGB) -> None:
    b.oval(0.02, 0.24, 0.78, 0.76, c)
    b.poly([(0.66, 0.5), (1.0, 0.2), (0.94, 0.5), (1.0, 0.8)], c)
    b.disc(0.2, 0.44, 0.055, field)
    b.arc(0.14, 0.26, 0.42, 0.74, (-60, 60), 0.045, field)


@charge("crown")
def _crown(b: Brush, c: RGB, field: RGB) -> None:
    b.poly(
        [
            (0.04, 0.24),
            (0.28, 0.5),
            (0.5, 0.12),
            (0.72, 0.5),
            (0.96, 0.24),
            (0.86, 0.74),
            (0.14, 0.74),
        ],
        c,
    )
    b.rect(0.14, 0.79, 0.86, 0.92, c)
    for x, y in ((0.05, 0.2), (0.5, 0.1), (0.95, 0.2)):
        b.disc(x, y, 0.075, c)


@charge("heart")
def _heart(b: Brush, c: RGB, field: RGB) -> None:
    turns = [math.tau * i / 40 for i in range(40)]
    b.poly(
        [
            (
                0.5 + 0.029 * 16 * math.sin(t) ** 3,
                0.46
                - 0.029
                * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)),
            )
            for t in turns
        ],
        c,
    )


@charge("bolt")
def _bolt(b: Brush, c: RGB, field: RGB) -> None:
    b.poly(
        [
            (0.6, 0.0),
            (0.16, 0.56),
            (0.44, 0.56),
            (0.32, 1.0),
            (0.84, 0.38),
            (0.55, 0.38),
            (0.78, 0.0),
        ],
        c,
    )


@charge("anchor")
def _anchor(b: Brush, c: RGB, field: RGB) -> None:
    b.ring(0.5, 0.14, 0.13, 0.075, c)
    b.rect(0.44, 0.24, 0.56, 0.94, c)
    b.rect(0.26, 0.34, 0.74, 0.45, c)
    b.arc(0.1, 0.2, 0.9, 1.0, (8, 172), 0.12, c)
    b.poly([(0.0, 0.7), (0.12, 0.44), (0.28, 0.68)], c)
    b.poly([(1.0, 0.7), (0.88, 0.44), (0.72, 0.68)], c)


@charge("bell")
def _bell(b: Brush, c: RGB, field: RGB) -> None:
    b.disc(0.5, 0.09, 0.08, c)
    b.oval(0.25, 0.1, 0.75, 0.6, c)
    b.poly([(0.25, 0.34), (0.75, 0.34), (0.8, 0.66), (0.94, 0.82), (0.06, 0.82), (0.2, 0.66)], c)
    b.disc(0.5, 0.89, 0.1, c)


@charge("drop")
def _drop(b: Brush, c: RGB, field: RGB) -> None:
    b.disc(0.5, 0.66, 0.32, c)
    b.poly([(0.5, 0.0), (0.79, 0.53), (0.21, 0.53)], c)
    b.arc(0.3, 0.46, 0.7, 0.86, (80, 170), 0.06, field)
