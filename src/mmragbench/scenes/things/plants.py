"""Trees, flowers and other things that grow."""

from __future__ import annotations

import math

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

BARK = (122, 80, 50)
BARK_DARK = (94, 60, 40)
STEM = (58, 128, 62)


@thing(
    "tree trees",
    "plant",
    "green orange red yellow pink",
    (0.28, 0.37),
    "grass",
    "growing standing",
    tall=True,
    part="leaves",
)
def tree(b: Brush, c: Tone) -> None:
    """A round tree; its leaves have the colour."""
    b.poly([(0.43, 0.55), (0.57, 0.55), (0.62, 1.0), (0.38, 1.0)], BARK)
    b.poly([(0.51, 0.55), (0.57, 0.55), (0.62, 1.0), (0.52, 1.0)], BARK_DARK)
    for x, y, r in ((0.27, 0.46, 0.26), (0.73, 0.46, 0.26), (0.5, 0.28, 0.34), (0.5, 0.52, 0.28)):
        b.disc(x, y, r, c.dark)
    for x, y, r in ((0.25, 0.43, 0.22), (0.69, 0.42, 0.22), (0.47, 0.26, 0.29), (0.47, 0.48, 0.22)):
        b.disc(x, y, r, c.base)
    for x, y, r in ((0.38, 0.2, 0.12), (0.2, 0.38, 0.09), (0.62, 0.36, 0.08)):
        b.disc(x, y, r, c.light)


@thing(
    "pine/pines,pine tree/pine trees",
    "plant",
    "green",
    (0.22, 0.38),
    "grass snow",
    "growing standing",
    tall=True,
)
def pine(b: Brush, c: Tone) -> None:
    """A conifer in three tiers."""
    b.rect(0.43, 0.84, 0.57, 1.0, BARK_DARK)
    green = (34, 104, 78)
    lit = (58, 136, 98)
    for top, bottom, half in ((0.44, 0.9, 0.5), (0.22, 0.64, 0.41), (0.0, 0.4, 0.31)):
        b.poly([(0.5, top), (0.5 + half, bottom), (0.5 - half, bottom)], green)
        b.poly([(0.5, top), (0.48, bottom), (0.5 - half, bottom)], lit)
    b.poly([(0.5, 0.0), (0.56, 0.08), (0.44, 0.08)], c.light)


@thing(
    "palm/palms,palm tree/palm trees",
    "plant",
    "green",
    (0.3, 0.4),
    "sand",
    "growing standing",
    tall=True,
)
def palm(b: Brush, c: Tone) -> None:
    """A bent palm with coconuts."""
    b.poly([(0.46, 0.3), (0.55, 0.3), (0.5, 0.65), (0.56, 1.0), (0.4, 1.0), (0.4, 0.65)], BARK)
    for y in (0.42, 0.55, 0.68, 0.82):
        b.line([(0.42, y), (0.52, y)], 0.02, BARK_DARK)
    for degrees, tone_ in (
        (-160, c.dark),
        (-20, c.dark),
        (-130, c.base),
        (-50, c.base),
        (170, c.base),
        (10, c.base),
    ):
        turn = math.radians(degrees)
        x, y = 0.5 + 0.24 * math.cos(turn), 0.28 + 0.19 * math.sin(turn) + 0.03
        b.leaf(x, y, 0.27, 0.07, degrees, tone_)
    for x in (0.44, 0.55):
        b.disc(x, 0.32, 0.055, BARK_DARK)


@thing(
    "flower flowers",
    "plant",
    "red yellow pink purple white blue",
    (0.16, 0.27),
    "grass",
    "growing blooming",
)
def flower(b: Brush, c: Tone) -> None:
    """A tall flower with eight petals."""
    b.line([(0.5, 0.4), (0.5, 1.0)], 0.07, STEM)
    b.leaf(0.3, 0.78, 0.22, 0.08, 32, (84, 160, 74))
    b.leaf(0.7, 0.7, 0.22, 0.08, -32, STEM)
    for i in range(8):
        turn = math.pi * i / 4
        x, y = 0.5 + 0.3 * math.cos(turn), 0.29 + 0.18 * math.sin(turn)
        b.leaf(x, y, 0.2, 0.12, 45 * i, c.dark if i % 2 else c.base)
    b.disc(0.5, 0.29, 0.16, (250, 206, 70) if c.base[2] > 60 or c.base[1] < 150 else (140, 88, 52))


@thing(
    "mushroom mushrooms, toadstool toadstools",
    "plant",
    "red brown orange white",
    (0.2, 0.21),
    "grass",
    "growing standing",
)
def mushroom(b: Brush, c: Tone) -> None:
    """A spotted mushroom."""
    b.poly([(0.38, 0.48), (0.62, 0.48), (0.68, 0.98), (0.32, 0.98)], (244, 234, 214))
    b.poly([(0.54, 0.48), (0.62, 0.48), (0.68, 0.98), (0.56, 0.98)], (214, 202, 184))
    b.chord(0.02, 0.02, 0.98, 1.1, (180, 360), c.base)
    b.oval(0.02, 0.48, 0.98, 0.64, c.dark)
    spot = (252, 248, 238) if min(c.base) < 200 else (196, 150, 110)
    for x, y, r in ((0.3, 0.34, 0.08), (0.56, 0.2, 0.09), (0.76, 0.42, 0.07), (0.5, 0.46, 0.055)):
        b.disc(x, y, r, spot)


@thing("cactus/cacti", "plant", "green", (0.22, 0.33), "desert", "growing standing", tall=True)
def cactus(b: Brush, c: Tone) -> None:
    """A tall cactus with two arms and a flower."""
    b.rect(0.06, 0.26, 0.24, 0.6, c.dark, 0.09)
    b.rect(0.06, 0.46, 0.5, 0.6, c.dark, 0.07)
    b.rect(0.76, 0.16, 0.94, 0.5, c.dark, 0.09)
    b.rect(0.5, 0.38, 0.94, 0.5, c.dark, 0.07)
    b.rect(0.35, 0.05, 0.65, 1.0, c.base, 0.15)
    b.rect(0.41, 0.12, 0.46, 0.96, c.light, 0.02)
    b.rect(0.54, 0.12, 0.58, 0.96, c.dark, 0.02)
    b.disc(0.5, 0.06, 0.09, (240, 120, 160))


@thing("sunflower sunflowers", "plant", "yellow", (0.2, 0.36), "grass", "growing blooming")
def sunflower(b: Brush, c: Tone) -> None:
    """A sunflower: dark heart, thin petals, big leaves."""
    b.line([(0.5, 0.4), (0.5, 1.0)], 0.07, STEM)
    b.leaf(0.26, 0.72, 0.24, 0.1, 30, STEM)
    b.leaf(0.74, 0.8, 0.24, 0.1, -30, (84, 160, 74))
    for i in range(14):
        turn = math.tau * i / 14
        b.leaf(
            0.5 + 0.34 * math.cos(turn),
            0.28 + 0.19 * math.sin(turn),
            0.16,
            0.07,
            360 * i / 14,
            c.base if i % 2 else (240, 168, 40),
        )
    b.disc(0.5, 0.28, 0.24, (104, 66, 40))
    b.disc(0.5, 0.28, 0.14, (74, 46, 32))
