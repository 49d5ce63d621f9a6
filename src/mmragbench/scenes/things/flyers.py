"""Things in the air."""

from __future__ import annotations

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

INK = (38, 38, 46)
GLASS = (186, 222, 244)


@thing(
    "airplane airplanes, plane planes, jet jets",
    "vehicle",
    "white red blue yellow",
    (0.36, 0.2),
    "air",
    "flying",
)
def airplane(b: Brush, c: Tone) -> None:
    """An airliner in profile, nose to the right."""
    b.poly([(0.02, 0.06), (0.12, 0.06), (0.24, 0.44), (0.08, 0.44)], c.dark)
    b.poly([(0.44, 0.5), (0.58, 0.5), (0.5, 0.14), (0.44, 0.14)], c.deep)
    b.rect(0.04, 0.38, 0.98, 0.7, c.base, 0.16)
    b.rect(0.1, 0.58, 0.94, 0.69, c.dark, 0.05)
    b.poly([(0.04, 0.4), (0.14, 0.4), (0.1, 0.64)], c.base)
    for i in range(6):
        b.oval(0.26 + 0.09 * i, 0.44, 0.3 + 0.09 * i, 0.53, (70, 110, 160))
    b.pie(0.8, 0.38, 1.0, 0.66, (-80, 0), GLASS)
    b.poly([(0.4, 0.58), (0.58, 0.58), (0.34, 1.0), (0.24, 1.0)], c.deep)
    b.rect(0.42, 0.7, 0.54, 0.82, (110, 114, 124), 0.03)


@thing(
    "balloon/balloons,hot air balloon/hot air balloons",
    "vehicle",
    "red yellow blue green purple orange pink",
    (0.24, 0.35),
    "air",
    "floating drifting",
)
def balloon(b: Brush, c: Tone) -> None:
    """A hot air balloon with light gores and a basket."""
    b.line([(0.3, 0.6), (0.42, 0.86)], 0.02, (96, 72, 50))
    b.line([(0.7, 0.6), (0.58, 0.86)], 0.02, (96, 72, 50))
    b.oval(0.0, 0.0, 1.0, 0.68, c.base)
    b.poly([(0.1, 0.5), (0.9, 0.5), (0.6, 0.76), (0.4, 0.76)], c.base)
    b.oval(0.2, 0.0, 0.8, 0.68, c.light)
    b.poly([(0.27, 0.56), (0.73, 0.56), (0.58, 0.75), (0.42, 0.75)], c.light)
    b.oval(0.37, 0.0, 0.63, 0.68, c.base)
    b.poly([(0.42, 0.6), (0.58, 0.6), (0.54, 0.75), (0.46, 0.75)], c.base)
    b.poly([(0.12, 0.52), (0.88, 0.52), (0.82, 0.58), (0.18, 0.58)], c.dark)
    b.rect(0.37, 0.84, 0.63, 1.0, (150, 100, 58), 0.04)
    b.rect(0.35, 0.83, 0.65, 0.88, (112, 72, 42))


@thing("bird birds", "animal", "black blue red yellow white", (0.22, 0.18), "air", "flying")
def bird(b: Brush, c: Tone) -> None:
    """A bird with one wing up."""
    b.poly([(0.0, 0.44), (0.26, 0.56), (0.06, 0.72)], c.dark)
    b.poly([(0.4, 0.58), (0.2, 0.0), (0.44, 0.16), (0.68, 0.56)], c.dark)
    b.oval(0.16, 0.42, 0.8, 0.86, c.base)
    b.chord(0.2, 0.44, 0.8, 0.88, (20, 150), c.light)
    b.disc(0.78, 0.48, 0.14, c.base)
    b.poly([(0.46, 0.62), (0.4, 0.1), (0.62, 0.24), (0.7, 0.6)], c.deep)
    b.poly([(0.89, 0.4), (1.0, 0.5), (0.89, 0.56)], (244, 150, 40))
    b.disc(0.82, 0.44, 0.03, (255, 255, 255))
    b.disc(0.825, 0.44, 0.018, INK)


@thing(
    "butterfly butterflies",
    "animal",
    "orange blue yellow pink purple",
    (0.2, 0.18),
    "air",
    "fluttering flying",
)
def butterfly(b: Brush, c: Tone) -> None:
    """A butterfly seen from above."""
    for side in (-1, 1):
        b.leaf(0.5 + side * 0.26, 0.32, 0.27, 0.19, side * -34, c.deep)
        b.leaf(0.5 + side * 0.26, 0.33, 0.22, 0.145, side * -34, c.base)
        b.leaf(0.5 + side * 0.2, 0.72, 0.19, 0.14, side * 40, c.deep)
        b.leaf(0.5 + side * 0.2, 0.72, 0.145, 0.1, side * 40, c.light)
        b.disc(0.5 + side * 0.32, 0.28, 0.06, c.light)
        b.line([(0.5, 0.26), (0.5 + side * 0.14, 0.04)], 0.02, INK)
    b.oval(0.45, 0.2, 0.55, 0.9, INK)


@thing("kite kites", "toy", "red yellow green blue purple", (0.2, 0.32), "air", "flying")
def kite(b: Brush, c: Tone) -> None:
    """A diamond kite with a tail of bows."""
    b.line([(0.5, 0.64), (0.6, 0.76), (0.44, 0.88), (0.56, 1.0)], 0.02, (90, 90, 100))
    for x, y in ((0.59, 0.76), (0.45, 0.88)):
        b.poly([(x, y), (x - 0.14, y - 0.04), (x - 0.14, y + 0.04)], c.dark)
        b.poly([(x, y), (x + 0.14, y - 0.04), (x + 0.14, y + 0.04)], c.dark)
    b.poly([(0.5, 0.0), (1.0, 0.26), (0.5, 0.66), (0.0, 0.26)], c.base)
    b.poly([(0.5, 0.0), (1.0, 0.26), (0.5, 0.26)], c.light)
    b.poly([(0.0, 0.26), (0.5, 0.26), (0.5, 0.66)], c.dark)
    b.line([(0.5, 0.0), (0.5, 0.66)], 0.025, c.deep)
    b.line([(0.0, 0.26), (1.0, 0.26)], 0.025, c.deep)
