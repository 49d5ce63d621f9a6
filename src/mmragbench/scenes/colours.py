"""The colours of the world: names, each with the shades that a drawing needs."""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "red": (214, 48, 44),
    "orange": (242, 136, 34),
    "yellow": (248, 206, 56),
    "green": (58, 152, 74),
    "blue": (42, 104, 204),
    "purple": (134, 74, 178),
    "pink": (242, 138, 178),
    "brown": (140, 88, 52),
    "white": (247, 245, 240),
    "black": (46, 46, 54),
    "gray": (142, 148, 156),
}


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """`first` moved towards `second` by `share`, between 0 and 1."""
    r, g, b = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return r, g, b


@dataclass(frozen=True)
class Tone:
    """One colour in four shades, from lit to deep shadow."""

    light: RGB
    base: RGB
    dark: RGB
    deep: RGB


def tone(rgb: RGB) -> Tone:
    """The four shades of one colour; near white, shadows are cool and stronger, so that a form stays visible."""
    pale = min(rgb) > 200
    return Tone(
        light=mix(rgb, (255, 255, 255), 0.32 if not pale else 0.8),
        base=rgb,
        dark=mix(rgb, (40, 44, 70), 0.16 if pale else 0.24),
        deep=mix(rgb, (30, 32, 54), 0.34 if pale else 0.46),
    )


TONES: dict[str, Tone] = {name: tone(rgb) for name, rgb in COLOURS.items()}
