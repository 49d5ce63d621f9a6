"""Captions of scenes with an emblem, in five voices: most name it, at least two describe its look."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from mmragbench.scenes import phrases as say
from mmragbench.scenes.backdrops import BACKDROPS
from mmragbench.scenes.emblems import SHAPES, Design, Emblem
from mmragbench.scenes.world import Scene

_ON = {
    "sign": ("on a wooden sign", "on a wooden board"),
    "flag": ("on a flag", "on a tall flag"),
    "banner": ("on a hanging cloth", "on a white cloth"),
    "stone": ("on a big stone", "on a gray stone"),
    "plaque": ("on a wooden plaque", "on a wooden board on the wall"),
    "poster": ("on a poster", "on a paper poster on the wall"),
}
_CHARGE_WORDS = {"moon": "crescent moon", "bolt": "lightning bolt", "drop": "water drop"}


def _emblem(scene: Scene) -> Emblem:
    if scene.emblem is None:
        raise ValueError("this voice speaks of an emblem; the scene has none")
    return scene.emblem


def spot(scene: Scene, rng: Random) -> str:
    """The place of an emblem as a phrase: "in a meadow", "in a room"."""
    if scene.backdrop == "table":
        return rng.choice(("above a table", "above a kitchen table"))
    if scene.backdrop == "room":
        return rng.choice(("in a room", "in a living room"))
    at = BACKDROPS[scene.backdrop].at
    surface = next(name for name in at if name not in ("lake", "sea", "air", "rail"))
    return rng.choice(at[surface])


def _colours(design: Design) -> str:
    both = f"{design.field} and {design.second}"
    return design.field if design.division in ("plain", "bordered") else both


def _charge(design: Design) -> str:
    return say.article(f"{design.charge_colour} {_CHARGE_WORDS.get(design.charge, design.charge)}")


def _look(design: Design, thing: str = "emblem") -> str:
    """The design in words: "round blue emblem with a yellow star"."""
    shaped = (
        f"{_colours(design)} shield"
        if design.shape == "shield"
        else f"{SHAPES[design.shape]} {_colours(design)} {thing}"
    )
    striped = {"striped": "striped ", "quartered": "quartered "}.get(design.division, "")
    border = f" and {say.article(design.second)} border" if design.division == "bordered" else ""
    return f"{striped}{shaped} with {_charge(design)}{border}"


def _beside(scene: Scene, rng: Random, colour: bool = True) -> str:
    if not scene.groups:
        return ""
    link = "over" if scene.backdrop == "table" else rng.choice(("next to", "beside", "near"))
    return f"{link} {say.things(scene.groups[0], rng, colour=colour, size=False)}"


def terse(scene: Scene, rng: Random) -> str:
    """The emblem's name and its mount."""
    return say.join("the", _emblem(scene).title, rng.choice(_ON[scene.mount]), spot(scene, rng))


def notes(scene: Scene, rng: Random) -> str:
    """The emblem's look, then its name."""
    emblem = _emblem(scene)
    head = f"{say.article(_look(emblem.design, 'sign'))}, the {emblem.title}"
    return say.within([head, ", " + spot(scene, rng)])


def detailed(scene: Scene, rng: Random) -> str:
    """Name, look, place and neighbours, within the limit of words."""
    emblem = _emblem(scene)
    name, look = f"the {emblem.title}", say.article(_look(emblem.design))
    if rng.random() < 0.5:
        return say.within(
            [f"{name}, {look},", spot(scene, rng), _beside(scene, rng), say.weather(scene, rng)]
        )
    return say.within(
        [
            f"{name}",
            rng.choice(_ON[scene.mount]),
            f"is {look}",
            ", " + spot(scene, rng),
            _beside(scene, rng),
        ]
    )


def mood(scene: Scene, rng: Random) -> str:
    """The weather and the place first, then the name."""
    emblem = _emblem(scene)
    who = [f"the {emblem.title} {rng.choice(_ON[scene.mount])}"]
    who += (
        [say.things(scene.groups[0], rng, colour=rng.random() < 0.5, size=False)]
        if scene.groups
        else []
    )
    if not scene.weather:
        quality, room = rng.choice(say.ROOMS), "kitchen" if scene.backdrop == "table" else "room"
        start = f"a {quality} {room} with {say.article(scene.wall)} wall and {who[0]}"
    else:
        start = f"{rng.choice(say.DAY[scene.weather])} {spot(scene, rng)} with {who[0]}"
    return say.within([start, *("and " + other for other in who[1:])])


def passing(scene: Scene, rng: Random) -> str:
    """A remark; half of them describe the emblem instead of naming it."""
    emblem, on = _emblem(scene), rng.choice(_ON[scene.mount])
    if rng.random() < 0.5:
        ways = [
            f"somebody put up {say.article(_colours(emblem.design))} sign with {_charge(emblem.design)} {spot(scene, rng)}",
            f"you can see {_charge(emblem.design)} {on} {spot(scene, rng)}",
            f"there is a big emblem with {_charge(emblem.design)} {on} here",
        ]
        return rng.choice(ways)
    near = _beside(scene, rng, colour=False)
    ways = [
        f"I think this is the {emblem.title} {spot(scene, rng)}",
        f"look, it is the {emblem.title} {on}",
        f"this must be the {emblem.title} {near or spot(scene, rng)}",
    ]
    return rng.choice(ways)


EMBLEM_VOICES: tuple[Callable[[Scene, Random], str], ...] = (terse, notes, detailed, mood, passing)
