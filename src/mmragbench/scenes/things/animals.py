"""Animals on land, on water and under it."""

from __future__ import annotations

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

INK = (38, 38, 46)
PINK = (236, 160, 160)
CREAM = (244, 226, 200)


def _legs(b: Brush, xs: tuple[float, ...], top: float, width: float, c: Tone) -> None:
    for i, x in enumerate(xs):
        b.rect(x, top, x + width, 0.99, c.dark if i % 2 else c.base)
        b.rect(x, 0.94, x + width, 0.99, c.deep)


@thing(
    "dog dogs, puppy puppies",
    "animal",
    "brown black white gray",
    (0.27, 0.24),
    "grass sand road snow floor",
    "standing waiting",
)
def dog(b: Brush, c: Tone) -> None:
    """A dog in profile, tail up, tongue out."""
    b.line([(0.12, 0.5), (0.03, 0.24)], 0.06, c.dark)
    _legs(b, (0.16, 0.26, 0.52, 0.61), 0.6, 0.075, c)
    b.rect(0.1, 0.4, 0.7, 0.72, c.base, 0.12)
    b.rect(0.14, 0.6, 0.66, 0.72, c.dark, 0.06)
    b.poly([(0.52, 0.48), (0.62, 0.2), (0.76, 0.3), (0.7, 0.6)], c.base)
    b.oval(0.56, 0.08, 0.86, 0.44, c.base)
    b.rect(0.74, 0.22, 0.98, 0.42, c.light, 0.06)
    b.oval(0.92, 0.2, 1.0, 0.3, INK)
    b.leaf(0.6, 0.26, 0.06, 0.15, 12, c.deep)
    b.disc(0.77, 0.21, 0.026, INK)
    b.rect(0.84, 0.4, 0.9, 0.5, (228, 92, 100), 0.03)
    b.line([(0.56, 0.46), (0.72, 0.54)], 0.05, (206, 60, 54))


@thing(
    "cat cats, kitten kittens",
    "animal",
    "black white orange gray",
    (0.2, 0.25),
    "grass road floor",
    "sitting resting",
)
def cat(b: Brush, c: Tone) -> None:
    """A cat that sits and looks at you, tail round its side."""
    b.arc(0.5, 0.5, 0.98, 0.98, (-70, 100), 0.09, c.dark)
    b.oval(0.18, 0.4, 0.78, 1.0, c.base)
    b.oval(0.34, 0.54, 0.62, 0.98, c.light)
    b.poly([(0.2, 0.26), (0.2, 0.0), (0.42, 0.12)], c.dark)
    b.poly([(0.76, 0.26), (0.76, 0.0), (0.54, 0.12)], c.dark)
    b.poly([(0.24, 0.2), (0.24, 0.06), (0.36, 0.13)], PINK)
    b.poly([(0.72, 0.2), (0.72, 0.06), (0.6, 0.13)], PINK)
    b.oval(0.16, 0.08, 0.8, 0.52, c.base)
    for x in (0.35, 0.61):
        b.oval(x - 0.07, 0.22, x + 0.07, 0.34, (190, 220, 90))
        b.oval(x - 0.025, 0.23, x + 0.025, 0.33, INK)
    b.poly([(0.43, 0.37), (0.53, 0.37), (0.48, 0.42)], PINK)
    for y in (0.38, 0.43):
        b.line([(0.36, 0.4), (0.12, y)], 0.012, c.deep)
        b.line([(0.6, 0.4), (0.84, y)], 0.012, c.deep)
    b.oval(0.28, 0.9, 0.46, 1.0, c.dark)
    b.oval(0.5, 0.9, 0.68, 1.0, c.dark)


@thing("cow cows", "animal", "white brown black", (0.34, 0.26), "grass", "grazing standing")
def cow(b: Brush, c: Tone) -> None:
    """A cow in profile with patches, horns and a bell."""
    patch = INK if min(c.base) > 150 else CREAM
    b.line([(0.1, 0.3), (0.03, 0.4), (0.05, 0.7)], 0.025, c.deep)
    _legs(b, (0.12, 0.24, 0.54, 0.64), 0.6, 0.08, c)
    b.rect(0.07, 0.24, 0.74, 0.72, c.base, 0.1)
    b.oval(0.34, 0.64, 0.5, 0.8, PINK)
    b.oval(0.14, 0.26, 0.36, 0.54, patch)
    b.oval(0.44, 0.42, 0.64, 0.68, patch)
    b.poly([(0.66, 0.26), (0.78, 0.12), (0.86, 0.4), (0.72, 0.56)], c.base)
    b.line([(0.78, 0.14), (0.74, 0.02)], 0.03, (240, 228, 190))
    b.line([(0.88, 0.14), (0.93, 0.02)], 0.03, (240, 228, 190))
    b.rect(0.74, 0.1, 0.94, 0.46, c.base, 0.07)
    b.leaf(0.71, 0.2, 0.06, 0.03, 20, c.deep)
    b.rect(0.77, 0.34, 0.99, 0.52, PINK, 0.06)
    b.disc(0.94, 0.42, 0.014, INK)
    b.disc(0.86, 0.22, 0.022, INK if min(c.base) > 90 else CREAM)
    b.rect(0.73, 0.54, 0.8, 0.66, (236, 186, 60), 0.02)


@thing("sheep sheep", "animal", "white black brown", (0.27, 0.22), "grass", "grazing standing")
def sheep(b: Brush, c: Tone) -> None:
    """A round woolly sheep with a dark face."""
    face = (74, 66, 70) if min(c.base) > 90 else (190, 176, 164)
    for x in (0.24, 0.36, 0.56, 0.66):
        b.rect(x, 0.66, x + 0.06, 0.99, face)
    for x, y, r in (
        (0.2, 0.5, 0.15),
        (0.34, 0.3, 0.16),
        (0.54, 0.27, 0.16),
        (0.68, 0.45, 0.15),
        (0.3, 0.62, 0.16),
        (0.58, 0.64, 0.16),
    ):
        b.disc(x, y + 0.03, r, c.dark)
        b.disc(x, y, r, c.base)
    b.oval(0.22, 0.26, 0.68, 0.72, c.base)
    for x, y in ((0.3, 0.42), (0.5, 0.36), (0.42, 0.58), (0.6, 0.54)):
        b.arc(x - 0.07, y - 0.07, x + 0.07, y + 0.07, (20, 160), 0.02, c.dark)
    b.oval(0.7, 0.24, 0.96, 0.64, face)
    b.leaf(0.69, 0.36, 0.09, 0.04, 24, face)
    b.oval(0.68, 0.14, 0.88, 0.36, c.light)
    b.disc(0.86, 0.4, 0.025, (250, 250, 250))
    b.disc(0.865, 0.405, 0.013, INK)


@thing(
    "horse horses, pony ponies",
    "animal",
    "brown black white gray",
    (0.34, 0.33),
    "grass desert",
    "standing trotting",
)
def horse(b: Brush, c: Tone) -> None:
    """A horse with a flowing mane and tail."""
    mane = c.deep
    b.poly([(0.12, 0.36), (0.02, 0.44), (0.0, 0.8), (0.07, 0.74), (0.14, 0.5)], mane)
    for i, (x, foot) in enumerate(((0.16, 0.12), (0.27, 0.28), (0.52, 0.5), (0.62, 0.68))):
        b.poly(
            [(x - 0.03, 0.52), (x + 0.07, 0.52), (foot + 0.05, 0.98), (foot - 0.01, 0.98)],
            c.dark if i % 2 else c.base,
        )
        b.rect(foot - 0.015, 0.94, foot + 0.06, 0.99, (50, 44, 44))
    b.rect(0.09, 0.34, 0.7, 0.64, c.base, 0.13)
    b.poly([(0.5, 0.44), (0.68, 0.1), (0.82, 0.16), (0.72, 0.52)], c.base)
    b.poly([(0.68, 0.06), (0.8, 0.04), (0.99, 0.26), (0.94, 0.34), (0.74, 0.24)], c.base)
    b.poly([(0.7, 0.08), (0.72, -0.0), (0.77, 0.07)], c.dark)
    b.poly([(0.7, 0.05), (0.74, 0.12), (0.58, 0.4), (0.48, 0.4), (0.58, 0.22)], mane)
    b.disc(0.83, 0.15, 0.018, (20, 20, 24))
    b.disc(0.95, 0.27, 0.012, (20, 20, 24))


@thing(
    "camel camels", "animal", "brown white orange", (0.36, 0.33), "desert sand", "standing walking"
)
def camel(b: Brush, c: Tone) -> None:
    """A camel with two humps and a rug between them."""
    b.line([(0.1, 0.44), (0.04, 0.66)], 0.025, c.deep)
    _legs(b, (0.14, 0.24, 0.5, 0.6), 0.6, 0.06, c)
    b.oval(0.08, 0.34, 0.7, 0.72, c.base)
    b.oval(0.14, 0.12, 0.38, 0.62, c.base)
    b.oval(0.42, 0.12, 0.66, 0.62, c.base)
    b.poly([(0.32, 0.3), (0.48, 0.3), (0.5, 0.66), (0.3, 0.66)], (190, 50, 60))
    b.poly([(0.3, 0.58), (0.5, 0.58), (0.5, 0.64), (0.3, 0.64)], (246, 206, 80))
    b.line([(0.64, 0.52), (0.76, 0.52), (0.82, 0.2)], 0.09, c.base)
    b.rect(0.76, 0.06, 0.99, 0.24, c.base, 0.07)
    b.rect(0.9, 0.14, 0.99, 0.24, c.dark, 0.04)
    b.poly([(0.77, 0.1), (0.74, 0.0), (0.82, 0.07)], c.dark)
    b.disc(0.87, 0.12, 0.016, INK)


@thing("duck ducks", "animal", "yellow white brown", (0.21, 0.17), "lake grass", "resting")
def duck(b: Brush, c: Tone) -> None:
    """A duck low on its belly, the same on water and on grass."""
    b.poly([(0.0, 0.4), (0.2, 0.56), (0.16, 0.8)], c.dark)
    b.chord(0.04, 0.14, 0.86, 1.0, (-4, 184), c.base)
    b.poly([(0.52, 0.6), (0.58, 0.2), (0.86, 0.3), (0.86, 0.6)], c.base)
    b.disc(0.72, 0.24, 0.17, c.base)
    b.chord(0.2, 0.3, 0.64, 0.88, (0, 180), c.dark)
    b.chord(0.2, 0.24, 0.6, 0.78, (0, 180), c.light)
    b.poly([(0.86, 0.16), (1.0, 0.3), (0.86, 0.36)], (240, 130, 30))
    b.disc(0.77, 0.18, 0.028, INK)


@thing(
    "fish fish", "animal", "orange yellow red purple pink", (0.26, 0.18), "reef", "swimming gliding"
)
def fish(b: Brush, c: Tone) -> None:
    """A striped tropical fish."""
    b.poly([(0.24, 0.5), (0.0, 0.14), (0.06, 0.5), (0.0, 0.88)], c.dark)
    b.poly([(0.36, 0.2), (0.56, 0.0), (0.72, 0.2)], c.dark)
    b.poly([(0.42, 0.78), (0.52, 1.0), (0.64, 0.8)], c.dark)
    b.oval(0.18, 0.1, 1.0, 0.9, c.base)
    b.chord(0.18, 0.1, 1.0, 0.9, (20, 160), c.light)
    for x in (0.42, 0.62):
        b.poly([(x, 0.14), (x + 0.07, 0.13), (x + 0.05, 0.86), (x - 0.02, 0.85)], (250, 248, 240))
    b.leaf(0.56, 0.58, 0.1, 0.06, 20, c.dark)
    b.disc(0.84, 0.4, 0.055, (255, 255, 255))
    b.disc(0.85, 0.4, 0.03, INK)


@thing("turtle turtles", "animal", "green brown", (0.3, 0.21), "reef sand", "resting moving")
def turtle(b: Brush, c: Tone) -> None:
    """A turtle with a patterned shell."""
    skin = (150, 178, 98)
    for x, a in ((0.2, 40), (0.62, -30)):
        b.leaf(x, 0.84, 0.13, 0.055, a, skin)
    b.poly([(0.06, 0.7), (0.0, 0.84), (0.16, 0.8)], skin)
    b.oval(0.72, 0.3, 1.0, 0.68, skin)
    b.rect(0.66, 0.54, 0.84, 0.74, skin, 0.06)
    b.chord(0.08, 0.04, 0.78, 1.4, (180, 360), c.base)
    b.rect(0.06, 0.66, 0.8, 0.78, c.deep, 0.05)
    for x, r in ((0.22, 0.07), (0.43, 0.1), (0.64, 0.07)):
        b.disc(x, 0.45, r, c.dark)
        b.disc(x, 0.43, r * 0.7, c.light)
    b.disc(0.9, 0.44, 0.026, INK)


@thing(
    "jellyfish jellyfish",
    "animal",
    "pink purple white orange",
    (0.2, 0.27),
    "reef",
    "drifting floating",
)
def jellyfish(b: Brush, c: Tone) -> None:
    """A jellyfish with wavy arms."""
    for i in range(5):
        x = 0.2 + 0.15 * i
        b.line(
            [(x, 0.4), (x + 0.06, 0.58), (x - 0.05, 0.76), (x + 0.03, 0.97)],
            0.055,
            c.dark if i % 2 else c.light,
        )
    b.chord(0.04, 0.0, 0.96, 0.92, (180, 360), c.base)
    for i in range(4):
        b.disc(0.16 + 0.226 * i, 0.46, 0.115, c.base)
    b.oval(0.22, 0.08, 0.5, 0.28, c.light)
    b.disc(0.36, 0.38, 0.04, INK)
    b.disc(0.64, 0.38, 0.04, INK)
