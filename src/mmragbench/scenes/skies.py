"""Drawing of skies and weather: a gradient behind the ground; sun, clouds, moon or rainbow; rain and snow."""

from __future__ import annotations

import math
from functools import cache
from random import Random

import numpy as np
from PIL import Image

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import RGB

SKIES: dict[str, tuple[RGB, RGB]] = {
    "sunny": ((92, 176, 240), (208, 236, 250)),
    "cloudy": ((156, 176, 196), (220, 228, 234)),
    "rain": ((104, 118, 138), (172, 184, 196)),
    "snow": ((168, 184, 204), (226, 232, 240)),
    "sunset": ((110, 84, 150), (254, 184, 110)),
    "night": ((14, 20, 54), (52, 66, 122)),
    "rainbow": ((118, 184, 232), (222, 238, 246)),
}
"""Weather -> the colours of its sky, from its top to its foot."""

_BOWS: tuple[RGB, ...] = (
    (222, 70, 66),
    (246, 150, 50),
    (250, 218, 80),
    (92, 184, 96),
    (70, 130, 214),
    (140, 90, 190),
)


@cache
def gradient(top: RGB, foot: RGB, side: int) -> Image.Image:
    """A square of `side` pixels that shades from one colour to the other, downwards. Shared: copy before drawing."""
    share = np.linspace(0.0, 1.0, side)[:, None]
    rows = np.array(top) * (1 - share) + np.array(foot) * share
    column = Image.fromarray(rows.round().astype(np.uint8)[:, None, :])
    return column.resize((side, side), Image.Resampling.NEAREST)


def cloud(b: Brush, x: float, y: float, size: float, fill: RGB) -> None:
    """A flat-bottomed cloud with its middle at (x, y)."""
    for dx, dy, r in (
        (-0.62, 0.1, 0.3),
        (-0.2, -0.1, 0.42),
        (0.28, -0.02, 0.36),
        (0.66, 0.14, 0.26),
    ):
        b.disc(x + dx * size, y + dy * size, r * size, fill)
    b.rect(x - 0.66 * size, y + 0.05 * size, x + 0.7 * size, y + 0.4 * size, fill, 0.16 * size)


def _sunny(b: Brush, rng: Random, side: int) -> None:
    x, y = 0.5 + 0.35 * side, rng.uniform(0.13, 0.18)
    b.disc(x, y, 0.17, (255, 246, 190, 70))
    b.disc(x, y, 0.13, (255, 240, 160, 110))
    b.disc(x, y, 0.09, (255, 220, 86))
    cloud(b, 1 - x, rng.uniform(0.1, 0.24), 0.1, (250, 252, 255))


def _cloudy(b: Brush, rng: Random, side: int) -> None:
    for x in (0.16, 0.52, 0.86):
        cloud(
            b,
            x + rng.uniform(-0.05, 0.05),
            rng.uniform(0.08, 0.3),
            rng.uniform(0.12, 0.18),
            (244, 246, 249),
        )


def _rain(b: Brush, rng: Random, side: int) -> None:
    for x in (0.1, 0.42, 0.74, 0.98):
        cloud(
            b,
            x + rng.uniform(-0.05, 0.05),
            rng.uniform(0.04, 0.14),
            rng.uniform(0.16, 0.2),
            (84, 94, 114),
        )


def _snow(b: Brush, rng: Random, side: int) -> None:
    for x in (0.2, 0.7):
        cloud(b, x + rng.uniform(-0.1, 0.1), rng.uniform(0.06, 0.16), 0.18, (238, 242, 248))


def _sunset(b: Brush, rng: Random, side: int) -> None:
    x = 0.5 + 0.25 * side
    b.disc(x, 0.46, 0.2, (255, 214, 130, 90))
    b.disc(x, 0.46, 0.12, (255, 150, 74))
    for y in (0.16, 0.28):
        b.rect(rng.uniform(0.0, 0.3), y, rng.uniform(0.6, 1.0), y + 0.022, (244, 156, 140), 0.02)


def _night(b: Brush, rng: Random, side: int) -> None:
    for _ in range(26):
        b.disc(rng.random(), rng.uniform(0.02, 0.5), rng.choice((0.005, 0.008)), (255, 250, 220))
    x = 0.5 + 0.33 * side
    b.disc(x, 0.16, 0.125, (200, 210, 255, 40))
    b.disc(x, 0.16, 0.085, (250, 244, 208))
    b.disc(x - 0.03, 0.14, 0.018, (226, 218, 180))
    b.disc(x + 0.026, 0.19, 0.014, (226, 218, 180))


def _rainbow(b: Brush, rng: Random, side: int) -> None:
    x = rng.uniform(0.4, 0.6)
    for i, band in enumerate(_BOWS):
        r = 0.5 - 0.024 * i
        b.arc(x - r, 0.6 - r, x + r, 0.6 + r, (180, 360), 0.025, band)
    cloud(b, 0.5 + 0.36 * side, 0.14, 0.11, (250, 252, 255))


_IN_THE_SKY = {
    "sunny": _sunny,
    "cloudy": _cloudy,
    "rain": _rain,
    "snow": _snow,
    "sunset": _sunset,
    "night": _night,
    "rainbow": _rainbow,
}


def paint_sky(b: Brush, weather: str, rng: Random, side: int) -> None:
    """Draw sun, moon, clouds or rainbow over the gradient, sun and moon on the left (`side` -1) or right (1)."""
    _IN_THE_SKY[weather](b, rng, side)


def paint_fall(b: Brush, weather: str, rng: Random) -> None:
    """Draw rain or snow in front of everything."""
    if weather == "rain":
        for _ in range(46):
            x, y = rng.uniform(0.0, 1.05), rng.uniform(0.1, 0.95)
            b.line([(x, y), (x - 0.018, y + 0.06)], 0.007, (214, 230, 248))
    if weather == "snow":
        for _ in range(60):
            b.disc(rng.random(), rng.random(), rng.choice((0.007, 0.011)), (255, 255, 255))


def wave_line(
    x0: float, x1: float, y: float, height: float, bends: float
) -> list[tuple[float, float]]:
    """A gently waving line from x0 to x1, as points."""
    return [
        (x0 + (x1 - x0) * i / 16, y + height * math.sin(bends * math.tau * i / 16))
        for i in range(17)
    ]
