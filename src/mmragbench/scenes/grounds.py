"""The drawings of the places: the land below the sky, rooms, and the sea floor."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import COLOURS, RGB, mix
from mmragbench.scenes.skies import wave_line

GLOOM: dict[str, tuple[RGB, float]] = {
    "night": ((18, 26, 66), 0.5),
    "rain": ((86, 98, 116), 0.26),
    "sunset": ((196, 92, 76), 0.22),
    "cloudy": ((140, 150, 160), 0.14),
    "snow": ((214, 224, 236), 0.24),
}
"""Weather -> how it changes the colours of the land: a colour to move to, and how far."""

Painter = Callable[[Brush, Callable[[RGB], RGB], Random], None]
PAINTERS: dict[str, Painter] = {}


def lit(weather: str) -> Callable[[RGB], RGB]:
    """A function that changes the land's colours by this weather."""
    target, share = GLOOM.get(weather, ((0, 0, 0), 0.0))
    return lambda rgb: mix(rgb, target, share)


def painter(name: str) -> Callable[[Painter], Painter]:
    """Register the drawing of a place."""

    def register(paint: Painter) -> Painter:
        PAINTERS[name] = paint
        return paint

    return register


def _hill(b: Brush, y: float, height: float, bends: float, fill: RGB) -> None:
    b.poly([*wave_line(0.0, 1.0, y, height, bends), (1.0, 1.0), (0.0, 1.0)], fill)


def _tufts(b: Brush, rng: Random, top: float, fill: RGB, many: int = 14) -> None:
    for _ in range(many):
        x, y = rng.random(), rng.uniform(top, 0.98)
        b.poly([(x, y), (x + 0.008, y - 0.028), (x + 0.016, y)], fill)
        b.poly([(x + 0.01, y), (x + 0.026, y - 0.022), (x + 0.024, y)], fill)


@painter("meadow")
def _meadow(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    _hill(b, 0.56, 0.035 * rng.choice((-1, 1)), rng.uniform(0.7, 1.2), t((150, 200, 122)))
    _hill(b, 0.64, 0.025 * rng.choice((-1, 1)), rng.uniform(0.6, 1.1), t((138, 196, 98)))
    _hill(b, 0.78, 0.02, 1.0, t((126, 186, 88)))
    _tufts(b, rng, 0.7, t((96, 158, 70)))


@painter("forest")
def _forest(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    for row, (y, r, fill) in enumerate(
        ((0.36, 0.085, (92, 146, 104)), (0.44, 0.075, (70, 124, 86)))
    ):
        for i in range(9):
            x = 0.06 + 0.125 * i - 0.06 * row
            b.rect(x - 0.012, y, x + 0.012, 0.7, t((88, 66, 52)))
            b.oval(x - r, y - r * 1.3 + rng.uniform(-0.03, 0.03), x + r, y + 0.15, t(fill))
    b.rect(0.0, 0.53, 1.0, 0.7, t((62, 108, 76)))
    _hill(b, 0.65, 0.02, 0.5, t((132, 176, 92)))
    _hill(b, 0.8, 0.015, 1.0, t((120, 164, 82)))
    _tufts(b, rng, 0.72, t((88, 136, 66)))


@painter("mountains")
def _mountains(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    for x, y, half in (
        (0.12, 0.34, 0.34),
        (0.88, 0.3, 0.36),
        (0.5 + rng.uniform(-0.1, 0.1), 0.2, 0.42),
    ):
        b.poly([(x, y), (x + half, 0.72), (x - half, 0.72)], t((134, 144, 172)))
        b.poly([(x, y), (x + half, 0.72), (x + 0.05, 0.72)], t((108, 118, 150)))
        s = 0.13
        b.poly(
            [
                (x, y),
                (x + half * 0.3, y + s),
                (x + 0.03, y + s * 0.75),
                (x - 0.02, y + s * 1.1),
                (x - half * 0.3, y + s),
            ],
            t((248, 250, 254)),
        )
    _hill(b, 0.66, 0.02, 0.7, t((128, 178, 112)))
    _hill(b, 0.78, 0.02, 1.0, t((120, 174, 96)))
    _tufts(b, rng, 0.74, t((90, 144, 76)))


@painter("railway")
def _railway(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    _hill(b, 0.54, 0.05 * rng.choice((-1, 1)), 0.8, t((160, 204, 132)))
    _hill(b, 0.64, 0.02, 1.0, t((142, 194, 104)))
    b.rect(0.0, 0.79, 1.0, 0.87, t((176, 166, 152)))
    for i in range(17):
        b.rect(0.06 * i, 0.805, 0.06 * i + 0.03, 0.86, t((112, 82, 60)))
    b.rect(0.0, 0.81, 1.0, 0.822, t((96, 98, 108)))
    b.rect(0.0, 0.842, 1.0, 0.854, t((96, 98, 108)))
    _tufts(b, rng, 0.9, t((96, 158, 70)))


@painter("desert")
def _desert(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    _hill(b, 0.54, 0.04 * rng.choice((-1, 1)), rng.uniform(0.6, 1.0), t((232, 188, 126)))
    _hill(b, 0.66, 0.035 * rng.choice((-1, 1)), rng.uniform(0.6, 0.9), t((242, 206, 144)))
    _hill(b, 0.8, 0.02, 0.8, t((248, 216, 158)))
    for _ in range(5):
        x, y = rng.random(), rng.uniform(0.72, 0.97)
        b.arc(x - 0.08, y - 0.02, x + 0.08, y + 0.02, (190, 340), 0.006, t((222, 178, 118)))


@painter("snow field")
def _snow_field(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    for i in range(8):
        x, y = 0.06 + 0.13 * i + rng.uniform(-0.03, 0.03), 0.6
        b.poly([(x, y - 0.13), (x + 0.05, y), (x - 0.05, y)], t((132, 162, 168)))
    _hill(b, 0.58, 0.025 * rng.choice((-1, 1)), 0.8, t((222, 232, 246)))
    _hill(b, 0.68, 0.025, 0.6, t((234, 241, 251)))
    _hill(b, 0.82, 0.015, 1.0, t((244, 248, 254)))


@painter("lake")
def _lake(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    _hill(b, 0.45, 0.03 * rng.choice((-1, 1)), rng.uniform(0.8, 1.3), t((122, 170, 128)))
    b.rect(0.0, 0.5, 1.0, 1.0, t((116, 184, 222)))
    b.rect(0.0, 0.5, 1.0, 0.56, t((148, 204, 232)))
    for _ in range(10):
        x, y = rng.random(), rng.uniform(0.56, 0.86)
        b.rect(x, y, x + 0.1, y + 0.009, t((174, 218, 240)), 0.004)
    _hill(b, 0.9, 0.015, 0.9, t((140, 190, 98)))
    _tufts(b, rng, 0.94, t((96, 158, 70)), 8)


@painter("beach")
def _beach(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    b.rect(0.0, 0.48, 1.0, 0.8, t((64, 156, 206)))
    b.rect(0.0, 0.58, 1.0, 0.8, t((92, 182, 216)))
    for _ in range(8):
        x, y = rng.random(), rng.uniform(0.52, 0.68)
        b.rect(x, y, x + 0.09, y + 0.008, t((190, 228, 242)), 0.004)
    _hill(b, 0.715, 0.012, 2.0, t((240, 250, 252)))
    _hill(b, 0.735, 0.012, 2.0, t((244, 222, 172)))
    for _ in range(12):
        b.disc(rng.random(), rng.uniform(0.78, 0.98), 0.006, t((214, 188, 138)))


@painter("street")
def _street(b: Brush, t: Callable[[RGB], RGB], rng: Random) -> None:
    walls: tuple[RGB, ...] = (
        (206, 150, 124),
        (224, 204, 168),
        (164, 176, 196),
        (196, 176, 190),
        (184, 196, 172),
    )
    x = -0.03
    while x < 1.0:
        wide, top = rng.uniform(0.19, 0.27), rng.uniform(0.24, 0.42)
        b.rect(x, top, x + wide, 0.8, t(rng.choice(walls)))
        b.rect(x, top - 0.02, x + wide, top + 0.012, t((128, 116, 118)))
        for row in range(3):
            for column in range(3):
                wx, wy = x + wide * (0.14 + 0.28 * column), top + 0.05 + 0.115 * row
                b.rect(
                    wx,
                    wy,
                    wx + wide * 0.17,
                    wy + 0.065,
                    t((240, 236, 206)) if rng.random() < 0.3 else t((108, 128, 152)),
                )
        x += wide
    b.rect(0.0, 0.75, 1.0, 0.81, t((198, 194, 190)))
    b.rect(0.0, 0.8, 1.0, 1.0, t((118, 122, 130)))
    b.rect(0.0, 0.795, 1.0, 0.806, t((160, 158, 156)))
    for i in range(5):
        b.rect(0.03 + 0.22 * i, 0.955, 0.14 + 0.22 * i, 0.968, t((228, 226, 214)))


def paint_kitchen(b: Brush, wall: str, rng: Random) -> None:
    """A wooden table in front of a coloured wall with a shelf."""
    tint = mix(COLOURS[wall], (250, 248, 242), 0.62)
    b.rect(0.0, 0.0, 1.0, 0.7, tint)
    for i in range(0, 10, 2):
        b.rect(0.1 * i, 0.0, 0.1 * i + 0.1, 0.7, mix(tint, (255, 255, 255), 0.22))
    b.rect(0.0, 0.62, 1.0, 1.0, (198, 146, 96))
    b.rect(0.0, 0.62, 1.0, 0.645, (222, 174, 122))
    for y in (0.73, 0.83, 0.93):
        b.rect(0.0, y, 1.0, y + 0.006, (176, 124, 78))
    for _ in range(7):
        x, y = rng.random(), rng.uniform(0.67, 0.97)
        b.rect(x, y, x + 0.12, y + 0.006, (184, 132, 84))


def paint_room(b: Brush, wall: str, rng: Random) -> None:
    """A room: a coloured wall, a window on one side, boards and a rug."""
    tint = mix(COLOURS[wall], (250, 248, 242), 0.55)
    b.rect(0.0, 0.0, 1.0, 0.72, tint)
    x = rng.choice((0.08, 0.62))
    b.rect(x - 0.015, 0.085, x + 0.315, 0.395, (252, 250, 246))
    b.rect(x, 0.1, x + 0.3, 0.38, (176, 220, 246))
    b.disc(x + 0.21, 0.17, 0.035, (255, 232, 130))
    b.rect(x, 0.32, x + 0.3, 0.38, (150, 200, 122))
    b.rect(x + 0.144, 0.1, x + 0.156, 0.38, (252, 250, 246))
    b.rect(x, 0.234, x + 0.3, 0.246, (252, 250, 246))
    b.rect(0.0, 0.69, 1.0, 0.72, (246, 242, 234))
    b.rect(0.0, 0.72, 1.0, 1.0, (206, 160, 112))
    for i in range(4):
        b.rect(0.0, 0.78 + 0.06 * i, 1.0, 0.785 + 0.06 * i, (184, 138, 92))
    b.oval(0.1, 0.8, 0.9, 0.98, (226, 208, 186))
    b.oval(0.14, 0.815, 0.86, 0.965, (236, 222, 204))


def paint_reef(b: Brush, rng: Random) -> None:
    """A sandy sea floor with weeds, corals and bubbles; the water's gradient is there already."""
    _hill(b, 0.88, 0.02, 0.8, (226, 206, 160))
    for _ in range(5):
        x, height = rng.random(), rng.uniform(0.14, 0.26)
        weed: RGB = rng.choice(((38, 128, 110), (52, 146, 104)))
        bend = [(x + 0.02, 0.94 - height / 2), (x - 0.015, 0.94 - height)]
        b.line([(x, 0.96), *bend], 0.022, weed)
        b.line(
            [(x + 0.035, 0.96), (x + 0.055, 0.95 - height * 0.4), (x + 0.03, 0.97 - height * 0.7)],
            0.02,
            weed,
        )
    for _ in range(3):
        x = rng.random()
        coral: RGB = rng.choice(((224, 120, 130), (230, 160, 110)))
        for dx, dy in ((-0.04, -0.08), (0.0, -0.11), (0.04, -0.07)):
            b.line([(x, 0.95), (x + dx, 0.94 + dy)], 0.024, coral)
            b.disc(x + dx, 0.94 + dy, 0.014, coral)
    for _ in range(12):
        b.ring(
            rng.random(), rng.uniform(0.05, 0.8), rng.choice((0.009, 0.014)), 0.004, (206, 238, 250)
        )
