"""Things in a room, and toys."""

from __future__ import annotations

import math

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

WOOD = (150, 100, 60)
WOOD_DARK = (112, 72, 44)
INK = (44, 44, 52)


@thing("chair chairs", "furniture", "brown red blue white green", (0.2, 0.32), "floor", "standing")
def chair(b: Brush, c: Tone) -> None:
    """A chair seen half from the side."""
    b.rect(0.14, 0.0, 0.26, 1.0, c.dark)
    b.rect(0.72, 0.56, 0.82, 0.92, c.deep)
    b.rect(0.84, 0.56, 0.96, 1.0, c.dark)
    b.rect(0.34, 0.6, 0.44, 0.92, c.deep)
    b.poly([(0.14, 0.02), (0.34, 0.06), (0.34, 0.5), (0.14, 0.5)], c.base)
    for y in (0.14, 0.26, 0.38):
        b.rect(0.18, y, 0.34, y + 0.05, c.dark)
    b.poly(
        [(0.12, 0.54), (0.3, 0.46), (0.98, 0.46), (0.98, 0.56), (0.96, 0.62), (0.12, 0.62)], c.base
    )
    b.poly([(0.12, 0.54), (0.3, 0.46), (0.98, 0.46), (0.9, 0.54)], c.light)


@thing(
    "sofa sofas, couch couches",
    "furniture",
    "red blue green gray yellow",
    (0.44, 0.25),
    "floor",
    "standing",
    tall=True,
)
def sofa(b: Brush, c: Tone) -> None:
    """A sofa with two cushions."""
    for x in (0.1, 0.86):
        b.rect(x, 0.9, x + 0.05, 1.0, WOOD_DARK)
    b.rect(0.08, 0.06, 0.92, 0.7, c.dark, 0.08)
    b.rect(0.12, 0.12, 0.5, 0.6, c.base, 0.05)
    b.rect(0.5, 0.12, 0.88, 0.6, c.base, 0.05)
    b.rect(0.1, 0.54, 0.9, 0.92, c.deep, 0.04)
    b.rect(0.14, 0.52, 0.5, 0.7, c.light, 0.04)
    b.rect(0.5, 0.52, 0.86, 0.7, c.light, 0.04)
    for x in (0.0, 0.86):
        b.rect(x, 0.36, x + 0.14, 0.92, c.base, 0.06)
    b.leaf(0.26, 0.44, 0.09, 0.09, 0, (250, 232, 190))


@thing(
    "lamp lamps",
    "furniture",
    "yellow red white green blue",
    (0.19, 0.36),
    "floor table",
    "standing",
)
def lamp(b: Brush, c: Tone) -> None:
    """A lamp with a coloured shade and a glow."""
    b.disc(0.5, 0.3, 0.48, (255, 240, 170, 70))
    b.rect(0.46, 0.3, 0.54, 0.94, WOOD_DARK)
    b.oval(0.22, 0.9, 0.78, 1.0, WOOD_DARK)
    b.poly([(0.3, 0.02), (0.7, 0.02), (0.98, 0.42), (0.02, 0.42)], c.base)
    b.poly([(0.3, 0.02), (0.44, 0.02), (0.32, 0.42), (0.02, 0.42)], c.light)
    b.poly([(0.6, 0.02), (0.7, 0.02), (0.98, 0.42), (0.76, 0.42)], c.dark)
    b.oval(0.4, 0.39, 0.6, 0.47, (255, 240, 160))


@thing(
    "clock/clocks,alarm clock/alarm clocks",
    "furniture",
    "red blue black white yellow",
    (0.21, 0.24),
    "table floor",
    "standing",
)
def clock(b: Brush, c: Tone) -> None:
    """An alarm clock with two bells."""
    for x in (0.24, 0.76):
        b.line([(0.5, 0.5), (x - 0.08 if x < 0.5 else x + 0.08, 0.98)], 0.08, c.deep)
        b.disc(x, 0.16, 0.15, c.dark)
    b.rect(0.46, 0.02, 0.54, 0.14, c.deep)
    b.disc(0.5, 0.53, 0.44, c.base)
    b.disc(0.5, 0.53, 0.35, (253, 251, 244))
    for i in range(12):
        turn = math.tau * i / 12
        b.disc(0.5 + 0.29 * math.cos(turn), 0.53 + 0.254 * math.sin(turn), 0.02, INK)
    b.line([(0.5, 0.53), (0.5, 0.32)], 0.035, INK)
    b.line([(0.5, 0.53), (0.66, 0.6)], 0.045, (206, 60, 54))


@thing(
    "ball balls", "toy", "red blue yellow green orange", (0.18, 0.18), "grass sand floor", "lying"
)
def ball(b: Brush, c: Tone) -> None:
    """A beach ball with white sectors."""
    b.disc(0.5, 0.5, 0.49, c.base)
    for start in (-80, 40, 160):
        b.pie(0.01, 0.01, 0.99, 0.99, (start, start + 58), (250, 248, 242))
    b.arc(0.03, 0.03, 0.97, 0.97, (10, 120), 0.08, c.dark)
    b.disc(0.5, 0.5, 0.09, c.light)
    b.disc(0.3, 0.26, 0.07, (255, 255, 255, 190))


@thing(
    "umbrella/umbrellas,parasol/parasols,beach umbrella/beach umbrellas",
    "toy",
    "red blue yellow green pink",
    (0.34, 0.34),
    "sand",
    "standing",
    tall=True,
)
def umbrella(b: Brush, c: Tone) -> None:
    """A beach umbrella with light panels."""
    b.rect(0.48, 0.06, 0.52, 1.0, WOOD_DARK)
    b.chord(0.0, 0.06, 1.0, 0.96, (180, 360), c.base)
    b.pie(0.16, 0.06, 0.84, 0.96, (180, 360), (250, 247, 240))
    b.pie(0.34, 0.06, 0.66, 0.96, (180, 360), c.base)
    b.poly([(0.84, 0.51), (0.72, 0.3), (0.8, 0.2), (1.0, 0.51)], c.dark)
    for i in range(5):
        b.pie(
            0.2 * i, 0.46, 0.2 * i + 0.2, 0.57, (0, 180), c.dark if i % 2 == 0 else (222, 218, 210)
        )
    b.disc(0.5, 0.06, 0.03, c.deep)


@thing(
    "robot/robots,toy robot/toy robots",
    "toy",
    "red blue gray yellow green",
    (0.22, 0.3),
    "floor table",
    "standing",
)
def robot(b: Brush, c: Tone) -> None:
    """A tin robot with an antenna."""
    b.line([(0.5, 0.14), (0.5, 0.03)], 0.04, INK)
    b.disc(0.5, 0.04, 0.06, (240, 80, 70))
    b.rect(0.22, 0.12, 0.78, 0.42, c.light, 0.08)
    for x in (0.38, 0.62):
        b.disc(x, 0.25, 0.08, (255, 255, 255))
        b.disc(x, 0.25, 0.04, INK)
    b.rect(0.36, 0.34, 0.64, 0.38, INK)
    b.rect(0.04, 0.48, 0.18, 0.76, c.dark, 0.06)
    b.rect(0.82, 0.48, 0.96, 0.76, c.dark, 0.06)
    b.rect(0.2, 0.44, 0.8, 0.82, c.base, 0.06)
    b.rect(0.32, 0.52, 0.68, 0.7, c.light, 0.03)
    for x, tint in ((0.4, (240, 80, 70)), (0.5, (250, 206, 70)), (0.6, (90, 190, 110))):
        b.disc(x, 0.61, 0.04, tint)
    b.rect(0.26, 0.82, 0.44, 1.0, c.deep, 0.03)
    b.rect(0.56, 0.82, 0.74, 1.0, c.deep, 0.03)


@thing("book books", "object", "red blue green brown purple", (0.24, 0.15), "table floor", "lying")
def book(b: Brush, c: Tone) -> None:
    """A thick closed book that lies flat."""
    b.poly([(0.16, 0.1), (1.0, 0.1), (0.86, 0.5), (0.02, 0.5)], c.base)
    b.poly([(0.3, 0.2), (0.8, 0.2), (0.75, 0.36), (0.24, 0.36)], c.light)
    b.poly([(0.02, 0.5), (0.86, 0.5), (0.86, 0.96), (0.02, 0.96)], c.dark)
    b.rect(0.06, 0.6, 0.86, 0.86, (248, 240, 222))
    b.poly([(0.86, 0.5), (1.0, 0.1), (1.0, 0.54), (0.86, 0.96)], (222, 212, 192))
    b.line([(0.06, 0.73), (0.86, 0.73)], 0.012, (206, 194, 170))
    b.poly([(0.86, 0.5), (1.0, 0.1), (1.0, 0.16), (0.86, 0.57)], c.deep)
