"""Backdrops of scenes: the names, surfaces and weathers of each place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_FAIR = ("sunny", "cloudy", "sunset", "night")
_ALL = ("sunny", "cloudy", "rain", "sunset", "night", "rainbow")


@dataclass(frozen=True)
class Backdrop:
    """A place. A surface maps to the range of heights, from the top, in which things on it have their feet."""

    name: str
    nouns: tuple[str, ...]
    surfaces: Mapping[str, tuple[float, float]]
    at: Mapping[str, tuple[str, ...]]
    """For each surface, phrases for the position of a thing on it; the first is the usual one."""
    weathers: tuple[str, ...] = ()
    """Empty indoors and under water, where there is a tint instead of a weather."""
    avoid: tuple[str, ...] = field(default=())
    """Colours that have too little contrast in front of it."""

    @property
    def outdoors(self) -> bool:
        """Whether there is weather."""
        return bool(self.weathers)


_LIST = (
    Backdrop(
        "meadow",
        ("a meadow", "a grassy field", "a green meadow"),
        {"grass": (0.74, 0.94), "air": (0.3, 0.46)},
        {
            "grass": ("in a meadow", "on a grassy field", "in a green meadow"),
            "air": ("over a meadow", "in the sky above a meadow", "above a grassy field"),
        },
        _ALL,
    ),
    Backdrop(
        "forest",
        ("a forest clearing", "a forest", "the woods"),
        {"grass": (0.78, 0.95), "air": (0.28, 0.42)},
        {
            "grass": ("in a forest clearing", "in a forest", "in the woods"),
            "air": ("over a forest", "above a forest clearing", "above the woods"),
        },
        (*_ALL, "snow"),
    ),
    Backdrop(
        "mountains",
        ("a mountain valley", "the mountains"),
        {"grass": (0.8, 0.95), "air": (0.26, 0.4)},
        {
            "grass": ("in the mountains", "in a mountain valley", "in front of high mountains"),
            "air": ("over the mountains", "above a mountain valley", "in the sky above mountains"),
        },
        (*_ALL, "snow"),
    ),
    Backdrop(
        "railway",
        ("a railway", "a railway line"),
        {"rail": (0.815, 0.825), "grass": (0.95, 0.97), "air": (0.28, 0.42)},
        {
            "rail": ("on a railway", "on the tracks", "on a railway line"),
            "grass": ("near a railway", "by the railway tracks", "next to a railway line"),
            "air": ("over a railway", "above the railway tracks", "in the sky over a railway"),
        },
        _ALL,
    ),
    Backdrop(
        "desert",
        ("a desert", "the desert"),
        {"desert": (0.76, 0.94), "air": (0.3, 0.44)},
        {
            "desert": ("in a desert", "in the desert", "on desert sand"),
            "air": ("over a desert", "in the sky above the desert"),
        },
        _FAIR,
        ("yellow", "orange"),
    ),
    Backdrop(
        "snow field",
        ("a snowy field", "a winter field"),
        {"snow": (0.76, 0.94), "air": (0.28, 0.44)},
        {
            "snow": ("in the snow", "on a snowy field", "in deep snow"),
            "air": ("over a snowy field", "above the snow"),
        },
        ("sunny", "cloudy", "snow", "sunset", "night"),
        ("white",),
    ),
    Backdrop(
        "lake",
        ("a lake", "a blue lake"),
        {"lake": (0.66, 0.8), "grass": (0.95, 0.97), "air": (0.26, 0.38)},
        {
            "lake": ("on a lake", "on the water of a lake"),
            "grass": ("by a lake", "on the shore of a lake", "beside a lake"),
            "air": ("over a lake", "in the sky above a lake"),
        },
        _ALL,
    ),
    Backdrop(
        "beach",
        ("a beach", "a sandy beach", "the seaside"),
        {"sand": (0.84, 0.95), "sea": (0.6, 0.68), "air": (0.26, 0.38)},
        {
            "sand": ("on a beach", "on a sandy beach", "by the sea"),
            "sea": ("off a beach", "on the sea near a beach", "off a sandy beach"),
            "air": ("over a beach", "in the sky above a beach", "above the seaside"),
        },
        _ALL,
        ("yellow",),
    ),
    Backdrop(
        "street",
        ("a city street", "a street", "the city"),
        {"road": (0.86, 0.95), "air": (0.2, 0.3)},
        {
            "road": ("on a city street", "on a street", "on a road in the city"),
            "air": ("over a city street", "above the city", "in the sky over a city"),
        },
        (*_ALL, "snow"),
        ("gray",),
    ),
    Backdrop(
        "table",
        ("a wooden table", "a kitchen table"),
        {"table": (0.74, 0.94)},
        {"table": ("on a wooden table", "on a table", "on a kitchen table")},
        avoid=("brown",),
    ),
    Backdrop(
        "room",
        ("a room", "a living room"),
        {"floor": (0.84, 0.95)},
        {"floor": ("in a room", "in a living room", "on the floor of a room")},
    ),
    Backdrop(
        "reef",
        ("a coral reef", "the sea"),
        {"reef": (0.36, 0.86)},
        {"reef": ("under water", "in the deep sea", "over a coral reef")},
        avoid=("green",),
    ),
)

BACKDROPS: dict[str, Backdrop] = {backdrop.name: backdrop for backdrop in _LIST}

TINTS: dict[str, tuple[str, ...]] = {
    "table": ("blue", "green", "pink", "yellow"),
    "room": ("blue", "green", "pink", "yellow", "gray"),
    "reef": ("blue",),
}
"""The colours of an indoor wall."""
