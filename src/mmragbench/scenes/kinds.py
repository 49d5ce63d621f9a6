"""Kinds of things, and the register of all kinds, to which each is added where its drawing is defined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mmragbench.scenes.brush import Brush
from mmragbench.scenes.colours import Tone

Drawing = Callable[[Brush, Tone], None]


@dataclass(frozen=True)
class Kind:
    """A kind of everyday thing: its drawing, colours and surfaces, and the words for it."""

    name: str
    supercategory: str
    words: tuple[tuple[str, str], ...]
    """Singular and plural of its names; the first is the usual one."""
    colours: tuple[str, ...]
    size: tuple[float, float]
    """Width and height as parts of the image's width."""
    on: tuple[str, ...]
    """The surfaces that it may be on."""
    doing: tuple[str, ...]
    """Participles that are true of it in every picture."""
    draw: Drawing
    tall: bool = False
    """Whether smaller things may stand in front of it."""
    part: str = ""
    """The part of it that has the colour ("leaves"), if not the whole."""


KINDS: dict[str, Kind] = {}


def thing(
    names: str,
    supercategory: str,
    colours: str,
    size: tuple[float, float],
    on: str,
    doing: str,
    tall: bool = False,
    part: str = "",
) -> Callable[[Drawing], Drawing]:
    """Register a drawing as a kind. `names` is "dog dogs, puppy puppies", with a slash where a name has a space."""
    words = tuple((one, many) for one, many in (_pair(part) for part in names.split(",")))

    def register(draw: Drawing) -> Drawing:
        name = words[0][0]
        if name in KINDS:
            raise ValueError(f"two drawings are called {name!r}; give one of them another name")
        places, verbs = tuple(on.split()), tuple(doing.split())
        KINDS[name] = Kind(
            name,
            supercategory,
            words,
            tuple(colours.split()),
            size,
            places,
            verbs,
            draw,
            tall,
            part,
        )
        return draw

    return register


def _pair(part: str) -> tuple[str, str]:
    one, many = part.strip().split("/") if "/" in part else part.split()
    return one, many
