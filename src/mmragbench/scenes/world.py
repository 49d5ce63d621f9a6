"""Sampling of scenes: places, weather and groups of things, without pixels and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from mmragbench.scenes import things
from mmragbench.scenes.backdrops import BACKDROPS, TINTS, Backdrop
from mmragbench.scenes.emblems import Emblem
from mmragbench.scenes.kinds import KINDS, Kind

__all__ = ["Group", "Scene", "sample_scene", "things"]

_T = TypeVar("_T")

SIZES = {"small": 0.74, "": 1.0, "large": 1.3}
"""Size -> the factor by which a group's things are smaller or larger than usual."""


@dataclass(frozen=True)
class Group:
    """One to four things of one kind, one colour and one size."""

    kind: str
    colour: str
    count: int
    size: str
    surface: str
    where: str
    """"left", "middle", "right", or empty: over the whole width."""


@dataclass(frozen=True)
class Scene:
    """All that an image shows and that a caption may say."""

    backdrop: str
    weather: str
    """Empty indoors and under water."""
    wall: str
    """The wall's colour indoors, else empty."""
    groups: tuple[Group, ...]
    """The main one first."""
    in_front: bool = False
    """Whether the first group is in front of the second; else they are side by side, or one is in the air."""
    emblem: Emblem | None = None
    mount: str = ""
    """The emblem's mount: "sign", "flag", "banner", "stone", "plaque" or "poster"."""
    emblem_where: str = ""


def sample_scene(rng: Random, emblem: Emblem | None = None) -> Scene:
    """One scene; with an emblem, a simple one beside it."""
    if emblem is not None:
        return _sample_around(rng, emblem)
    backdrop = BACKDROPS[rng.choice(tuple(BACKDROPS))]
    weather, wall = _weather(rng, backdrop)
    first = _group(rng, backdrop, weather, most=4)
    scene = Scene(backdrop.name, weather, wall, (first,))
    if rng.random() < 0.66:
        scene = _with_second(rng, scene)
    if len(scene.groups) == 2 and rng.random() < 0.35:
        scene = _with_third(rng, scene)
    return scene


def _sample_around(rng: Random, emblem: Emblem) -> Scene:
    backdrop = BACKDROPS[
        rng.choice([name for name in BACKDROPS if name not in ("reef", "railway")])
    ]
    weather, wall = _weather(rng, backdrop)
    mount = rng.choice(
        ("sign", "flag", "banner", "stone") if backdrop.outdoors else ("plaque", "banner", "poster")
    )
    where = rng.choice(("left", "middle", "right"))
    scene = Scene(backdrop.name, weather, wall, (), emblem=emblem, mount=mount, emblem_where=where)
    low = [surface for surface in backdrop.surfaces if surface not in ("air", "sea", "lake")]
    if (where == "middle" and backdrop.name != "table") or rng.random() < 0.25:
        return scene
    group = _group(rng, backdrop, weather, most=2, surfaces=low)
    opposite = {"left": "right", "right": "left", "middle": "middle"}[where]
    return replace(scene, groups=(replace(group, where=opposite, size=""),))


def _weather(rng: Random, backdrop: Backdrop) -> tuple[str, str]:
    if backdrop.outdoors:
        return rng.choice(backdrop.weathers), ""
    return "", rng.choice(TINTS[backdrop.name])


def _group(
    rng: Random,
    backdrop: Backdrop,
    weather: str,
    most: int,
    surfaces: Sequence[str] | None = None,
    other_than: Sequence[str] = (),
) -> Group:
    """A group on one of the surfaces (any of the backdrop's when None), of a kind not in `other_than`."""
    surfaces = tuple(backdrop.surfaces) if surfaces is None else surfaces
    surface = rng.choice([s for s in surfaces for _ in range(1 if s == "air" else 2)])
    kind = rng.choice([k for k in KINDS.values() if surface in k.on and k.name not in other_than])
    low_contrast = {
        *backdrop.avoid,
        *(("black",) if weather == "night" else ()),
        *(("white",) if weather == "snow" else ()),
    }
    colour = rng.choice([c for c in kind.colours if c not in low_contrast] or kind.colours)
    count = _count(rng, kind, most)
    wide = kind.size[0] * count
    may_be_large = wide < 0.5 and kind.size[0] <= 0.3
    size = _weighted(
        rng, {"": 6, "small": 2 if wide < 0.76 else 0, "large": 2 if may_be_large else 0}
    )
    together = count == 1 or (count == 2 and kind.size[0] < 0.24 and size != "large")
    where = rng.choice(("left", "middle", "right")) if together else ""
    return Group(kind.name, colour, count, size, surface, where)


def _count(rng: Random, kind: Kind, most: int) -> int:
    room = (
        1 if kind.size[0] > 0.5 else 2 if kind.size[0] > 0.39 else 3 if kind.size[0] > 0.33 else 4
    )
    return _weighted(
        rng,
        {
            n: weight
            for n, weight in zip((1, 2, 3, 4), (5, 3, 2, 1), strict=True)
            if n <= min(room, most)
        },
    )


def _weighted(rng: Random, weights: dict[_T, int]) -> _T:
    return rng.choices(list(weights), list(weights.values()))[0]


def _with_second(rng: Random, scene: Scene) -> Scene:
    backdrop, (first,) = BACKDROPS[scene.backdrop], scene.groups
    surfaces = [s for s in backdrop.surfaces if s != first.surface or s not in ("air", "rail")]
    second = _group(rng, backdrop, scene.weather, 3, surfaces, other_than=(first.kind,))
    if second.surface == "air" or first.surface == "air":
        return replace(scene, groups=(first, second))
    front_back = (
        not KINDS[first.kind].tall and KINDS[second.kind].tall and first.surface == second.surface
    )
    if front_back and rng.random() < 0.6:
        where = rng.choice(("left", "middle", "right"))
        near = _beside(replace(first, count=min(first.count, 2)), where)
        far = replace(second, where=where, count=1, size="")
        return replace(scene, groups=(near, far), in_front=True)
    sides = rng.choice((("left", "right"), ("right", "left")))
    pair = (_beside(first, sides[0]), _beside(second, sides[1]))
    return replace(scene, groups=pair)


def _beside(group: Group, side: str) -> Group:
    """The group on one part of the image, with no more things than have room there."""
    room = 1 if KINDS[group.kind].size[0] > 0.33 else 2 if KINDS[group.kind].size[0] > 0.22 else 3
    count = min(group.count, room)
    small = group.size == "small" and KINDS[group.kind].size[0] * count < 0.4
    return replace(group, where=side, count=count, size="small" if small else "")


def _with_third(rng: Random, scene: Scene) -> Scene:
    backdrop = BACKDROPS[scene.backdrop]
    if "air" not in backdrop.surfaces or any(group.surface == "air" for group in scene.groups):
        return scene
    third = _group(rng, backdrop, scene.weather, 1, ("air",))
    return replace(scene, groups=(*scene.groups, third))
