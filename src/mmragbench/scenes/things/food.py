"""Things to eat and drink, on a table."""

from __future__ import annotations

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone
from mmragbench.scenes.kinds import thing

STALK = (104, 74, 44)
LEAF = (84, 160, 70)


@thing("apple apples", "food", "red green yellow", (0.19, 0.2), "table", "lying sitting")
def apple(b: Brush, c: Tone) -> None:
    """An apple with a leaf."""
    b.oval(0.04, 0.22, 0.62, 0.98, c.dark)
    b.oval(0.38, 0.22, 0.96, 0.98, c.dark)
    b.oval(0.04, 0.2, 0.6, 0.94, c.base)
    b.oval(0.36, 0.2, 0.9, 0.94, c.base)
    b.leaf(0.26, 0.44, 0.07, 0.14, 24, c.light)
    b.line([(0.5, 0.3), (0.54, 0.04)], 0.05, STALK)
    b.leaf(0.7, 0.12, 0.17, 0.08, -22, LEAF)


@thing("pear pears", "food", "green yellow", (0.17, 0.24), "table", "lying sitting")
def pear(b: Brush, c: Tone) -> None:
    """A pear."""
    b.disc(0.5, 0.7, 0.42, c.dark)
    b.poly([(0.3, 0.24), (0.7, 0.24), (0.88, 0.6), (0.12, 0.6)], c.dark)
    b.disc(0.5, 0.3, 0.24, c.dark)
    b.disc(0.46, 0.69, 0.38, c.base)
    b.poly([(0.28, 0.24), (0.62, 0.24), (0.8, 0.6), (0.1, 0.6)], c.base)
    b.disc(0.46, 0.3, 0.2, c.base)
    b.leaf(0.32, 0.62, 0.07, 0.18, 16, c.light)
    b.line([(0.5, 0.2), (0.56, 0.02)], 0.06, STALK)


@thing("banana bananas", "food", "yellow green", (0.27, 0.17), "table", "lying")
def banana(b: Brush, c: Tone) -> None:
    """A bent banana."""
    b.arc(0.0, -0.75, 1.0, 0.99, (12, 162), 0.23, c.dark)
    b.arc(0.02, -0.78, 0.98, 0.9, (14, 160), 0.15, c.base)
    b.arc(0.08, -0.7, 0.92, 0.74, (30, 140), 0.03, c.light)
    b.disc(0.1, 0.3, 0.045, (90, 70, 44))
    b.disc(0.93, 0.24, 0.05, (90, 70, 44))


@thing("cherry/cherries", "food", "red black", (0.2, 0.21), "table", "lying")
def cherry(b: Brush, c: Tone) -> None:
    """Two berries on one stalk."""
    b.line([(0.28, 0.7), (0.42, 0.32), (0.62, 0.06)], 0.035, (96, 130, 60))
    b.line([(0.74, 0.7), (0.7, 0.32), (0.62, 0.06)], 0.035, (96, 130, 60))
    b.leaf(0.42, 0.12, 0.2, 0.09, 18, LEAF)
    for x, y in ((0.28, 0.74), (0.74, 0.72)):
        b.disc(x, y, 0.25, c.dark)
        b.disc(x - 0.02, y - 0.02, 0.21, c.base)
        b.disc(x - 0.09, y - 0.1, 0.06, c.light)


@thing("lemon lemons", "food", "yellow green", (0.2, 0.15), "table", "lying sitting")
def lemon(b: Brush, c: Tone) -> None:
    """A lemon with a pip at each end."""
    b.oval(0.0, 0.36, 0.24, 0.68, c.dark)
    b.oval(0.78, 0.36, 1.0, 0.68, c.dark)
    b.oval(0.07, 0.04, 0.93, 0.99, c.dark)
    b.oval(0.07, 0.03, 0.91, 0.9, c.base)
    b.leaf(0.36, 0.3, 0.17, 0.06, -24, c.light)


@thing("cake cakes", "food", "pink white brown", (0.27, 0.27), "table", "standing")
def cake(b: Brush, c: Tone) -> None:
    """An iced cake with candles on a stand."""
    b.oval(0.0, 0.84, 1.0, 1.0, (206, 212, 224))
    b.rect(0.1, 0.44, 0.9, 0.92, (216, 168, 110), 0.05)
    b.rect(0.1, 0.62, 0.9, 0.7, (250, 240, 222))
    b.oval(0.1, 0.32, 0.9, 0.56, c.light)
    b.rect(0.1, 0.43, 0.9, 0.54, c.base)
    for i in range(5):
        b.rect(0.1 + 0.16 * i, 0.46, 0.26 + 0.16 * i, 0.58 + 0.05 * (i % 2), c.base, 0.07)
    b.oval(0.12, 0.34, 0.88, 0.52, c.light)
    for x in (0.3, 0.5, 0.7):
        b.rect(x - 0.025, 0.16, x + 0.025, 0.42, (86, 150, 214))
        b.leaf(x, 0.1, 0.035, 0.075, 0, (252, 190, 60))


@thing(
    "cup cups, mug mugs",
    "container",
    "white blue red yellow green",
    (0.22, 0.2),
    "table",
    "standing sitting",
)
def cup(b: Brush, c: Tone) -> None:
    """A steaming mug."""
    for x in (0.28, 0.46):
        b.line(
            [(x, 0.26), (x + 0.05, 0.18), (x - 0.02, 0.1), (x + 0.04, 0.0)],
            0.03,
            (255, 255, 255, 150),
        )
    b.ring(0.76, 0.62, 0.2, 0.075, c.dark)
    b.rect(0.06, 0.32, 0.72, 0.98, c.base, 0.1)
    b.rect(0.54, 0.36, 0.72, 0.97, c.dark, 0.09)
    b.oval(0.06, 0.25, 0.72, 0.41, c.light)
    b.oval(0.1, 0.28, 0.68, 0.39, (98, 62, 40))


@thing("teapot teapots", "container", "blue white red green", (0.3, 0.22), "table", "standing")
def teapot(b: Brush, c: Tone) -> None:
    """A round teapot."""
    b.ring(0.18, 0.56, 0.14, 0.05, c.dark)
    b.poly([(0.7, 0.5), (0.94, 0.26), (1.0, 0.32), (0.76, 0.82)], c.dark)
    b.oval(0.16, 0.24, 0.84, 1.0, c.base)
    b.chord(0.16, 0.24, 0.84, 1.0, (15, 120), c.dark)
    b.oval(0.32, 0.18, 0.68, 0.36, c.dark)
    b.disc(0.5, 0.14, 0.055, c.deep)
    b.leaf(0.34, 0.46, 0.05, 0.1, 24, c.light)
    for x in (0.36, 0.5, 0.64):
        b.disc(x, 0.66, 0.035, (252, 236, 200))
