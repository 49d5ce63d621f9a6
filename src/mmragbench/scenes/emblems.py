"""Invented emblems: names, nouns and designs. Neither names nor designs of those held out are in training data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

HELD_OUT = 40
FOR_TRAINING = 600

SHAPES = {
    "shield": "shield",
    "round": "round",
    "diamond": "diamond-shaped",
    "hexagon": "six-sided",
    "square": "square",
    "pennant": "three-sided",
    "swallowtail": "forked",
    "arch": "arched",
}
"""Outline -> the adjective for it ("shield" is a noun)."""

DIVISIONS = ("plain", "plain", "halved", "layered", "diagonal", "quartered", "bordered", "striped")
DARK = ("red", "blue", "green", "black", "purple")
LIGHT = ("white", "yellow", "orange")
CHARGES = (
    "star", "moon", "sun", "key", "tower", "leaf", "arrow", "cross",
    "tree", "fish", "crown", "heart", "bolt", "anchor", "bell", "drop",
)  # fmt: skip
ALIKE = ({"black", "purple"}, {"blue", "purple"}, {"yellow", "orange"}, {"black", "blue"})
"""Pairs of colours that are close to each other."""


@dataclass(frozen=True)
class Design:
    """The look of an emblem."""

    shape: str
    division: str
    field: str
    second: str
    """The other colour of a divided field; equal to `field` when plain."""
    charge: str
    charge_colour: str


@dataclass(frozen=True)
class Emblem:
    """A named emblem; `number` is unique over all of them."""

    number: int
    name: str
    noun: str
    design: Design

    @property
    def title(self) -> str:
        """The full name: "Velmora crest"."""
        return f"{self.name} {self.noun}"


class Emblems(NamedTuple):
    """All emblems: those held out, and those for training."""

    held_out: tuple[Emblem, ...]
    training: tuple[Emblem, ...]


@cache
def emblems() -> Emblems:
    """The emblems of the world, which do not depend on its seed."""
    rng = Random("the emblems of the world")
    names = invent_names(rng, HELD_OUT + FOR_TRAINING)
    held_out = _held_out_designs(rng)
    reserved = {look(design) for design in held_out}
    training: set[Design] = set()
    designs = list(held_out)
    while len(designs) < HELD_OUT + FOR_TRAINING:
        design = sample_design(rng)
        if look(design) not in reserved and design not in training:
            training.add(design)
            designs.append(design)
    all_emblems = tuple(
        Emblem(i, name, _noun(rng, d), d)
        for i, (name, d) in enumerate(zip(names, designs, strict=True))
    )
    return Emblems(all_emblems[:HELD_OUT], all_emblems[HELD_OUT:])


def _held_out_designs(rng: Random) -> list[Design]:
    """Designs of which any two differ in at least two of shape, main colour and charge."""
    chosen: list[Design] = []
    while len(chosen) < HELD_OUT:
        design = sample_design(rng)
        if all(differences(design, other) >= 2 for other in chosen):
            chosen.append(design)
    return chosen


def look(design: Design) -> tuple[str, str, str]:
    """What tells designs apart at a glance: shape, main colour and charge."""
    return design.shape, design.field, design.charge


def differences(one: Design, other: Design) -> int:
    """In how many of shape, main colour and charge two designs differ."""
    return (one.shape != other.shape) + (one.field != other.field) + (one.charge != other.charge)


def sample_design(rng: Random) -> Design:
    """A random design whose colours are distinct."""
    dark = rng.random() < 0.64
    field = rng.choice(DARK if dark else LIGHT)
    division = rng.choice(DIVISIONS)
    family = (LIGHT if dark else DARK) if division == "bordered" else (DARK if dark else LIGHT)
    near = {colour for pair in ALIKE if field in pair for colour in pair} | {field}
    second = (
        field
        if division == "plain"
        else rng.choice([c for c in family if c not in near] or ["white"])
    )
    charge_colour = rng.choice(LIGHT if dark else DARK)
    if (charge_colour == "orange" and field == "red") or (
        charge_colour == "orange" and second == "red"
    ):
        charge_colour = "white"
    return Design(
        rng.choice(tuple(SHAPES)), division, field, second, rng.choice(CHARGES), charge_colour
    )


def _noun(rng: Random, design: Design) -> str:
    cloth = design.shape in ("square", "pennant", "swallowtail")
    return rng.choice(
        ("banner", "emblem", "crest") if cloth else ("crest", "emblem", "sigil", "seal")
    )


_ONSETS = ("b", "br", "d", "dr", "f", "g", "gr", "h", "k", "kr", "l", "m", "n", "p", "r", "s", "sk", "t", "th", "tr",
           "v", "z")  # fmt: skip
_ENDS = ("bar", "dell", "dor", "dril", "fen", "gath", "kesh", "lan", "lune", "mar", "mora", "mund", "nis", "nor", "quil",
         "rath", "rik", "ril", "sha", "tek", "thos", "vane", "vik", "wyn", "zan", "zira")  # fmt: skip


def invent_names(rng: Random, many: int) -> list[str]:
    """Two or three syllables each, all different; the first HELD_OUT begin with four letters of their own."""
    names: list[str] = []
    starts: set[str] = set()
    while len(names) < many:
        first = rng.choice(_ONSETS) + rng.choice("aeiou") + rng.choice(("", "l", "n", "r", "s"))
        middle = rng.choice(_ONSETS[:12]) + rng.choice("aeiou") if rng.random() < 0.45 else ""
        name = (first + middle + rng.choice(_ENDS)).capitalize()
        if name in names or not 5 <= len(name) <= 9 or name[:4] in starts:
            continue
        names.append(name)
        if len(names) <= HELD_OUT:
            starts.add(name[:4])
    return names
