"""Drawing of the mounts of emblems: signboards, flagpoles, cloths, stones, plaques and posters."""

from __future__ import annotations

from PIL import Image, ImageDraw

from mmragbench.scenes.brush import Box, Brush
from mmragbench.scenes.colours import RGB
from mmragbench.scenes.emblem_art import draw_emblem
from mmragbench.scenes.emblems import Design

WOOD: RGB = (178, 128, 82)
WOOD_DARK: RGB = (120, 80, 50)
STONE: RGB = (188, 190, 196)
CLOTH: RGB = (238, 228, 204)


def draw_mounted(image: Image.Image, box: Box, foot: float, mount: str, design: Design) -> None:
    """Draw the emblem in its square `box` and its mount down to the height `foot`, in pixels."""
    brush = Brush(ImageDraw.Draw(image, "RGBA"), box)
    {
        "sign": _sign,
        "flag": _flag,
        "banner": _banner,
        "stone": _stone,
        "plaque": _plaque,
        "poster": _poster,
    }[mount](brush, (foot - box.y) / box.h)
    draw_emblem(image, box, design)


def _sign(b: Brush, foot: float) -> None:
    b.oval(-0.14, foot - 0.03, 1.14, foot + 0.05, (20, 24, 40, 60))
    for x in (0.06, 0.84):
        b.rect(x, 0.5, x + 0.1, foot, WOOD_DARK)
    b.rect(-0.1, -0.08, 1.1, 1.08, WOOD_DARK, 0.03)
    b.rect(-0.075, -0.055, 1.075, 1.055, WOOD)
    for y in (0.22, 0.5, 0.78):
        b.rect(-0.075, y, 1.075, y + 0.012, (148, 102, 62))


def _flag(b: Brush, foot: float) -> None:
    b.oval(-0.24, foot - 0.02, 0.1, foot + 0.04, (20, 24, 40, 60))
    b.rect(-0.15, -0.14, -0.09, foot, (128, 132, 142))
    b.disc(-0.12, -0.14, 0.05, (236, 190, 74))
    b.poly(
        [
            (-0.09, -0.06),
            (1.1, -0.06),
            (1.06, 0.24),
            (1.1, 0.55),
            (1.06, 0.82),
            (1.1, 1.06),
            (-0.09, 1.06),
        ],
        CLOTH,
    )
    b.poly(
        [
            (1.02, -0.06),
            (1.1, -0.06),
            (1.06, 0.24),
            (1.1, 0.55),
            (1.06, 0.82),
            (1.1, 1.06),
            (1.02, 1.06),
            (0.98, 0.5),
        ],
        (214, 202, 176),
    )


def _banner(b: Brush, foot: float) -> None:
    if foot > 1.2:
        b.oval(0.3, foot - 0.02, 0.7, foot + 0.04, (20, 24, 40, 60))
        b.rect(0.465, -0.16, 0.535, foot, WOOD_DARK)
    else:
        b.line([(-0.06, -0.1), (0.5, -0.3), (1.06, -0.1)], 0.015, (96, 78, 62))
    b.rect(-0.16, -0.12, 1.16, -0.06, WOOD_DARK, 0.03)
    b.poly(
        [
            (-0.08, -0.07),
            (1.08, -0.07),
            (1.08, 1.08),
            (0.79, 1.2),
            (0.5, 1.08),
            (0.21, 1.2),
            (-0.08, 1.08),
        ],
        CLOTH,
    )
    b.rect(-0.08, -0.06, 1.08, -0.02, (214, 202, 176))


def _stone(b: Brush, foot: float) -> None:
    b.oval(-0.2, foot - 0.05, 1.2, foot + 0.05, (20, 24, 40, 70))
    b.rect(-0.16, -0.1, 1.16, foot, (142, 144, 154), 0.16)
    b.rect(-0.13, -0.08, 1.08, foot - 0.01, STONE, 0.14)
    for x, y in ((-0.06, 0.04), (1.0, 0.9), (-0.08, 0.86), (0.98, 0.1)):
        b.leaf(x, y, 0.05, 0.018, 30, (160, 162, 172))


def _plaque(b: Brush, foot: float) -> None:
    b.rect(-0.08, -0.06, 1.14, 1.13, (20, 24, 40, 50), 0.05)
    b.rect(-0.1, -0.1, 1.1, 1.1, WOOD_DARK, 0.05)
    b.rect(-0.07, -0.07, 1.07, 1.07, WOOD, 0.04)
    for x, y in ((-0.03, -0.03), (1.03, -0.03), (-0.03, 1.03), (1.03, 1.03)):
        b.disc(x, y, 0.022, (236, 190, 74))


def _poster(b: Brush, foot: float) -> None:
    b.rect(-0.07, -0.05, 1.12, 1.13, (20, 24, 40, 50))
    b.rect(-0.1, -0.09, 1.1, 1.1, (252, 250, 244))
    b.rect(-0.06, -0.05, 1.06, 1.06, (236, 232, 222))
    b.disc(0.5, -0.06, 0.03, (206, 60, 54))
