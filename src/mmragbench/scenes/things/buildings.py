"""Buildings and other large things that people put up outdoors."""

from __future__ import annotations

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

GLASS = (184, 220, 240)
DOOR = (110, 70, 46)
STONE = (196, 192, 184)


@thing(
    "house houses, cottage cottages",
    "building",
    "red white yellow blue pink",
    (0.4, 0.36),
    "grass snow",
    "standing",
    tall=True,
)
def house(b: Brush, c: Tone) -> None:
    """A house with a dark roof; its walls have the colour."""
    roof = (122, 62, 52) if c.base[0] < 200 or c.base[1] > 100 else (82, 84, 98)
    b.rect(0.7, 0.06, 0.8, 0.34, (150, 92, 74))
    b.rect(0.1, 0.42, 0.9, 1.0, c.base)
    b.rect(0.1, 0.42, 0.9, 0.48, c.dark)
    b.rect(0.72, 0.42, 0.9, 1.0, c.dark)
    b.poly([(0.0, 0.46), (0.24, 0.1), (0.76, 0.1), (1.0, 0.46)], roof)
    b.poly([(0.0, 0.46), (0.05, 0.38), (0.95, 0.38), (1.0, 0.46)], _darker(roof))
    b.rect(0.42, 0.64, 0.58, 1.0, DOOR)
    b.disc(0.55, 0.83, 0.014, (240, 200, 90))
    for x in (0.18, 0.66):
        b.rect(x - 0.015, 0.55, x + 0.175, 0.79, (252, 250, 244))
        b.rect(x, 0.57, x + 0.16, 0.77, GLASS)
        b.line([(x + 0.08, 0.57), (x + 0.08, 0.77)], 0.012, (252, 250, 244))
        b.line([(x, 0.67), (x + 0.16, 0.67)], 0.012, (252, 250, 244))


def _darker(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """A shade darker, for eaves."""
    return rgb[0] * 4 // 5, rgb[1] * 4 // 5, rgb[2] * 4 // 5


@thing("barn barns", "building", "red brown green", (0.4, 0.34), "grass", "standing", tall=True)
def barn(b: Brush, c: Tone) -> None:
    """A barn with a bent roof and a crossed door."""
    b.poly(
        [
            (0.08, 1.0),
            (0.08, 0.42),
            (0.22, 0.16),
            (0.5, 0.02),
            (0.78, 0.16),
            (0.92, 0.42),
            (0.92, 1.0),
        ],
        c.base,
    )
    b.poly([(0.7, 1.0), (0.7, 0.12), (0.78, 0.16), (0.92, 0.42), (0.92, 1.0)], c.dark)
    b.line([(0.03, 0.46), (0.2, 0.15), (0.5, 0.02), (0.8, 0.15), (0.97, 0.46)], 0.06, (84, 76, 80))
    b.rect(0.3, 0.56, 0.7, 1.0, (250, 246, 236))
    b.rect(0.33, 0.59, 0.67, 1.0, c.deep)
    b.line([(0.33, 0.59), (0.67, 1.0)], 0.03, (250, 246, 236))
    b.line([(0.67, 0.59), (0.33, 1.0)], 0.03, (250, 246, 236))
    b.rect(0.42, 0.24, 0.58, 0.42, (250, 246, 236))
    b.rect(0.45, 0.27, 0.55, 0.39, (70, 60, 62))


@thing(
    "lighthouse lighthouses",
    "building",
    "red blue black green",
    (0.2, 0.46),
    "sand",
    "standing",
    tall=True,
)
def lighthouse(b: Brush, c: Tone) -> None:
    """A striped lighthouse with a lit lantern."""
    b.poly([(0.26, 0.24), (0.74, 0.24), (0.92, 1.0), (0.08, 1.0)], (248, 246, 240))
    for top, bottom in ((0.34, 0.5), (0.66, 0.82)):
        left, right = 0.26 - 0.237 * (top - 0.24), 0.26 - 0.237 * (bottom - 0.24)
        b.poly([(left, top), (1 - left, top), (1 - right, bottom), (right, bottom)], c.base)
        b.poly([(0.62, top), (1 - left, top), (1 - right, bottom), (0.64, bottom)], c.dark)
    b.rect(0.16, 0.21, 0.84, 0.26, (70, 72, 82))
    b.rect(0.32, 0.1, 0.68, 0.22, (255, 226, 110))
    b.line([(0.5, 0.1), (0.5, 0.22)], 0.03, (70, 72, 82))
    b.poly([(0.24, 0.11), (0.5, 0.0), (0.76, 0.11)], c.dark)
    b.rect(0.4, 0.88, 0.6, 1.0, DOOR, 0.06)


@thing(
    "windmill windmills",
    "building",
    "white brown red",
    (0.32, 0.42),
    "grass",
    "standing",
    tall=True,
)
def windmill(b: Brush, c: Tone) -> None:
    """A windmill with four lattice sails."""
    b.poly([(0.34, 0.34), (0.66, 0.34), (0.78, 1.0), (0.22, 1.0)], c.base)
    b.poly([(0.56, 0.34), (0.66, 0.34), (0.78, 1.0), (0.6, 1.0)], c.dark)
    b.chord(0.3, 0.18, 0.7, 0.52, (180, 360), (96, 70, 62))
    b.rect(0.42, 0.76, 0.58, 1.0, DOOR)
    b.rect(0.43, 0.52, 0.55, 0.62, GLASS)
    for dx, dy in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        tip = (0.5 + 0.46 * dx, 0.36 + 0.35 * dy)
        side = (
            (0.5 + 0.33 * dx, 0.36 + 0.39 * dy)
            if dx * dy > 0
            else (0.5 + 0.49 * dx, 0.36 + 0.23 * dy)
        )
        near = (0.5 + 0.1 * dx, 0.36 + 0.08 * dy)
        b.poly([near, tip, side], (238, 228, 206))
        b.line([(0.5, 0.36), tip], 0.03, (104, 74, 52))
    b.disc(0.5, 0.36, 0.05, (74, 54, 44))


@thing(
    "castle castles", "building", "gray white brown", (0.44, 0.4), "grass", "standing", tall=True
)
def castle(b: Brush, c: Tone) -> None:
    """A castle: two round towers, a wall with battlements, a gate."""
    b.rect(0.2, 0.5, 0.8, 1.0, c.base)
    for i in range(4):
        b.rect(0.24 + 0.15 * i, 0.42, 0.32 + 0.15 * i, 0.52, c.base)
    b.rect(0.4, 0.2, 0.6, 0.6, c.dark)
    b.poly([(0.36, 0.22), (0.5, 0.0), (0.64, 0.22)], (66, 92, 160))
    for x in (0.04, 0.72):
        b.rect(x, 0.34, x + 0.24, 1.0, c.light)
        b.rect(x + 0.15, 0.34, x + 0.24, 1.0, c.base)
        b.poly([(x - 0.03, 0.36), (x + 0.12, 0.1), (x + 0.27, 0.36)], (186, 70, 62))
        b.rect(x + 0.09, 0.48, x + 0.15, 0.6, (60, 58, 70), 0.03)
    b.pie(0.38, 0.66, 0.62, 1.1, (180, 360), (88, 58, 42))
    b.rect(0.38, 0.88, 0.62, 1.0, (88, 58, 42))


@thing(
    "tent tents",
    "shelter",
    "orange red blue green yellow",
    (0.34, 0.24),
    "grass desert",
    "standing",
    tall=True,
)
def tent(b: Brush, c: Tone) -> None:
    """A camping tent with an open door."""
    b.line([(0.44, 0.02), (0.02, 0.98)], 0.012, (230, 226, 210))
    b.poly([(0.42, 0.04), (0.78, 0.1), (1.0, 0.98), (0.76, 0.98)], c.dark)
    b.poly([(0.42, 0.04), (0.06, 0.98), (0.8, 0.98)], c.base)
    b.poly([(0.42, 0.04), (0.06, 0.98), (0.22, 0.98)], c.light)
    b.poly([(0.42, 0.3), (0.3, 0.98), (0.58, 0.98)], (58, 50, 60))
    b.poly([(0.42, 0.3), (0.3, 0.98), (0.36, 0.98)], c.deep)


@thing(
    "snowman snowmen",
    "toy",
    "red blue green purple",
    (0.22, 0.34),
    "snow",
    "standing smiling",
    part="hat",
)
def snowman(b: Brush, c: Tone) -> None:
    """A snowman; its hat and scarf have the colour."""
    white, shade, ink = (252, 253, 255), (202, 214, 232), (48, 46, 52)
    b.line([(0.24, 0.52), (0.02, 0.36)], 0.035, (106, 72, 46))
    b.line([(0.76, 0.52), (0.98, 0.36)], 0.035, (106, 72, 46))
    for y0, y1, half in ((0.58, 1.0, 0.36), (0.36, 0.7, 0.28), (0.15, 0.44, 0.22)):
        b.oval(0.5 - half, y0, 0.5 + half, y1, shade)
        b.oval(0.5 - half, y0, 0.5 + half * 0.84, y1 - 0.02, white)
    b.rect(0.28, 0.15, 0.72, 0.2, c.dark, 0.02)
    b.rect(0.34, 0.0, 0.66, 0.18, c.base)
    b.rect(0.28, 0.37, 0.72, 0.44, c.base, 0.04)
    b.poly([(0.58, 0.42), (0.7, 0.42), (0.72, 0.6), (0.6, 0.6)], c.dark)
    for x in (0.42, 0.58):
        b.disc(x, 0.26, 0.035, ink)
    b.poly([(0.48, 0.29), (0.74, 0.32), (0.48, 0.34)], (244, 140, 40))
    for y in (0.52, 0.6):
        b.disc(0.46, y, 0.03, ink)
