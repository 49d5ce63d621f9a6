"""Vehicles on the road and on water."""

from __future__ import annotations

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

TYRE = (44, 44, 50)
RIM = (196, 200, 206)
GLASS = (180, 216, 238)
WOOD = (132, 86, 50)
BRIGHT = "red blue yellow green white"


def _wheel(b: Brush, x: float, y: float, r: float) -> None:
    b.disc(x, y, r, TYRE)
    b.disc(x, y, r * 0.52, RIM)
    b.disc(x, y, r * 0.2, TYRE)


@thing("car cars", "vehicle", BRIGHT + " black", (0.37, 0.18), "road desert", "parked standing")
def car(b: Brush, c: Tone) -> None:
    """A small family car in profile."""
    b.poly([(0.18, 0.5), (0.3, 0.06), (0.68, 0.06), (0.84, 0.5)], c.dark)
    b.poly([(0.26, 0.46), (0.34, 0.15), (0.48, 0.15), (0.48, 0.46)], GLASS)
    b.poly([(0.53, 0.46), (0.53, 0.15), (0.66, 0.15), (0.76, 0.46)], GLASS)
    b.rect(0.02, 0.42, 0.98, 0.82, c.base, 0.08)
    b.rect(0.02, 0.68, 0.98, 0.8, c.dark, 0.04)
    b.rect(0.91, 0.5, 0.98, 0.6, (255, 236, 150), 0.02)
    b.rect(0.02, 0.5, 0.07, 0.6, (220, 60, 50), 0.02)
    b.line([(0.5, 0.44), (0.5, 0.74)], 0.01, c.deep)
    b.rect(0.42, 0.52, 0.48, 0.56, c.deep)
    _wheel(b, 0.24, 0.79, 0.1)
    _wheel(b, 0.77, 0.79, 0.1)


@thing("bus buses", "vehicle", BRIGHT, (0.44, 0.26), "road", "waiting standing", tall=True)
def bus(b: Brush, c: Tone) -> None:
    """A city bus with a row of windows."""
    b.rect(0.01, 0.04, 0.99, 0.84, c.base, 0.06)
    b.rect(0.01, 0.64, 0.99, 0.82, c.dark, 0.03)
    b.rect(0.04, 0.02, 0.96, 0.1, c.light, 0.03)
    for i in range(4):
        b.rect(0.06 + 0.17 * i, 0.18, 0.2 + 0.17 * i, 0.46, GLASS, 0.02)
        b.poly(
            [
                (0.08 + 0.17 * i, 0.46),
                (0.14 + 0.17 * i, 0.18),
                (0.17 + 0.17 * i, 0.18),
                (0.11 + 0.17 * i, 0.46),
            ],
            (222, 240, 250),
        )
    b.rect(0.75, 0.18, 0.87, 0.8, GLASS, 0.02)
    b.line([(0.81, 0.18), (0.81, 0.8)], 0.01, c.deep)
    b.rect(0.9, 0.18, 0.99, 0.5, GLASS, 0.02)
    b.rect(0.94, 0.62, 0.99, 0.7, (255, 236, 150))
    _wheel(b, 0.22, 0.83, 0.085)
    _wheel(b, 0.68, 0.83, 0.085)


@thing(
    "truck trucks",
    "vehicle",
    BRIGHT + " orange",
    (0.42, 0.22),
    "road desert",
    "parked standing",
    tall=True,
)
def truck(b: Brush, c: Tone) -> None:
    """A lorry: a light box and a coloured cab."""
    b.rect(0.02, 0.02, 0.64, 0.76, (232, 232, 228), 0.02)
    b.rect(0.02, 0.28, 0.64, 0.46, c.base)
    b.rect(0.02, 0.66, 0.64, 0.76, (176, 178, 184))
    b.poly([(0.66, 0.22), (0.86, 0.22), (0.97, 0.5), (0.97, 0.84), (0.66, 0.84)], c.base)
    b.poly([(0.72, 0.28), (0.84, 0.28), (0.92, 0.5), (0.72, 0.5)], GLASS)
    b.rect(0.02, 0.74, 0.97, 0.84, c.deep)
    b.rect(0.92, 0.6, 0.98, 0.7, (255, 236, 150))
    _wheel(b, 0.18, 0.83, 0.085)
    _wheel(b, 0.4, 0.83, 0.085)
    _wheel(b, 0.82, 0.83, 0.085)


@thing(
    "bicycle bicycles, bike bikes",
    "vehicle",
    "red blue green black pink",
    (0.32, 0.21),
    "road grass sand",
    "standing parked",
)
def bicycle(b: Brush, c: Tone) -> None:
    """A bicycle with a basket at the front."""
    for x in (0.2, 0.79):
        b.ring(x, 0.69, 0.2, 0.035, TYRE)
        for dx, dy in ((0.17, 0.0), (0.0, 0.26), (0.12, 0.18), (-0.12, 0.18)):
            b.line([(x - dx, 0.69 - dy), (x + dx, 0.69 + dy)], 0.008, (150, 154, 160))
    b.line([(0.2, 0.69), (0.36, 0.3), (0.68, 0.3), (0.46, 0.7), (0.2, 0.69)], 0.045, c.base)
    b.line([(0.46, 0.7), (0.33, 0.2)], 0.045, c.dark)
    b.line([(0.79, 0.69), (0.66, 0.12), (0.56, 0.1)], 0.04, c.base)
    b.rect(0.24, 0.12, 0.42, 0.2, TYRE, 0.03)
    b.poly([(0.7, 0.14), (0.94, 0.14), (0.9, 0.36), (0.74, 0.36)], (196, 146, 84))
    b.disc(0.46, 0.7, 0.05, TYRE)


@thing(
    "train/trains,steam train/steam trains",
    "vehicle",
    "red green blue yellow",
    (0.56, 0.25),
    "rail",
    "passing waiting",
    tall=True,
)
def train(b: Brush, c: Tone) -> None:
    """A steam engine with one coach, puffing."""
    for x, y, r in ((0.86, 0.1, 0.05), (0.79, 0.06, 0.045), (0.73, 0.07, 0.035)):
        b.disc(x, y, r, (236, 238, 242))
    b.rect(0.0, 0.28, 0.4, 0.8, c.light, 0.02)
    b.rect(0.0, 0.24, 0.4, 0.32, c.deep, 0.02)
    for i in range(3):
        b.rect(0.04 + 0.12 * i, 0.38, 0.13 + 0.12 * i, 0.56, GLASS, 0.01)
    b.rect(0.44, 0.24, 0.64, 0.8, c.base)
    b.rect(0.42, 0.2, 0.66, 0.28, c.deep)
    b.rect(0.48, 0.34, 0.6, 0.52, GLASS)
    b.rect(0.62, 0.42, 0.95, 0.78, c.base, 0.05)
    b.rect(0.84, 0.22, 0.9, 0.44, c.deep)
    b.rect(0.82, 0.2, 0.92, 0.26, c.deep)
    b.poly([(0.93, 0.72), (1.0, 0.92), (0.9, 0.92)], c.deep)
    b.rect(0.38, 0.72, 0.46, 0.78, TYRE)
    b.rect(0.0, 0.76, 0.96, 0.84, c.dark)
    for x in (0.09, 0.3, 0.5, 0.66, 0.82):
        b.disc(x, 0.88, 0.052, TYRE)
        b.disc(x, 0.88, 0.028, (216, 70, 60))


@thing(
    "boat/boats,rowing boat/rowing boats",
    "vehicle",
    BRIGHT + " brown",
    (0.34, 0.16),
    "lake sea",
    "floating",
)
def boat(b: Brush, c: Tone) -> None:
    """A rowing boat with two oars."""
    b.line([(0.4, 0.1), (0.24, 0.86)], 0.025, WOOD)
    b.poly([(0.0, 0.26), (1.0, 0.26), (0.86, 0.92), (0.14, 0.92)], c.base)
    b.poly([(0.06, 0.56), (0.94, 0.56), (0.86, 0.92), (0.14, 0.92)], c.dark)
    b.poly([(0.0, 0.26), (1.0, 0.26), (0.97, 0.4), (0.03, 0.4)], c.light)
    b.rect(0.3, 0.2, 0.4, 0.28, WOOD)
    b.rect(0.58, 0.2, 0.68, 0.28, WOOD)
    b.line([(0.66, 0.06), (0.84, 0.98)], 0.028, (176, 120, 70))
    b.leaf(0.84, 0.92, 0.025, 0.06, -10, (176, 120, 70))


@thing(
    "sailboat/sailboats,sailing boat/sailing boats",
    "vehicle",
    "red white blue yellow orange",
    (0.27, 0.36),
    "lake sea",
    "sailing floating",
    tall=True,
)
def sailboat(b: Brush, c: Tone) -> None:
    """A boat with two coloured sails."""
    b.rect(0.46, 0.0, 0.5, 0.82, WOOD)
    b.poly([(0.52, 0.03), (0.98, 0.72), (0.52, 0.72)], c.base)
    b.poly([(0.52, 0.4), (0.765, 0.4), (0.98, 0.72), (0.52, 0.72)], c.dark)
    b.poly([(0.44, 0.14), (0.44, 0.72), (0.08, 0.72)], c.light)
    b.poly([(0.02, 0.78), (1.0, 0.78), (0.84, 0.98), (0.16, 0.98)], (120, 74, 44))
    b.poly([(0.02, 0.78), (1.0, 0.78), (0.96, 0.83), (0.06, 0.83)], (240, 236, 226))


@thing(
    "submarine submarines",
    "vehicle",
    "yellow red gray",
    (0.36, 0.24),
    "reef",
    "diving moving",
    tall=True,
)
def submarine(b: Brush, c: Tone) -> None:
    """A little submarine with portholes and a periscope."""
    b.line([(0.5, 0.2), (0.5, 0.04), (0.6, 0.04)], 0.035, c.deep)
    b.rect(0.38, 0.18, 0.64, 0.5, c.dark, 0.05)
    b.poly([(0.12, 0.66), (0.0, 0.42), (0.0, 0.92)], c.deep)
    b.oval(0.06, 0.34, 1.0, 0.98, c.base)
    b.chord(0.06, 0.34, 1.0, 0.98, (25, 155), c.dark)
    for x in (0.34, 0.55, 0.76):
        b.disc(x, 0.62, 0.075, c.deep)
        b.disc(x, 0.62, 0.052, (206, 236, 250))
