"""Edits of a memory: held-out emblems that its documents show or name otherwise than the queries do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property
from random import Random
from typing import ClassVar

from mmragbench.scenes.emblems import (
    ALIKE,
    HELD_OUT,
    Design,
    Emblem,
    differences,
    emblems,
    look,
    sample_design,
)

UNEDITED = " (unedited)"
"""Behind the name of an emblem: its design before the edits, which the memory has no more."""
InPlaceOf = Mapping[int, Emblem | None]
"""Number of an emblem -> the emblem in its place; None where there is none. Others stay."""
_CANDIDATES = 400
"""Designs among which the most distinct one is taken."""


@dataclass(frozen=True)
class Edits:
    """How many of the held-out emblems are edited in which way; no emblem in two ways.

    Attributes:
        renamed: emblems that exchange their names: each design has another one's name, none its own.
        replaced: emblems whose name gets a design that is in no other world.
        recoloured: emblems whose name keeps the shape, the division and the charge in other colours.
        deleted: emblems of which the memory has no document.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    renamed: int = 0
    replaced: int = 0
    recoloured: int = 0
    deleted: int = 0

    @property
    def kinds(self) -> dict[str, int]:
        """Kind of edit -> how many emblems."""
        return dict(zip((field.name for field in fields(self)), astuple(self), strict=True))

    def problem(self) -> str:
        """Why there can be no such edits; empty where there can."""
        counts = self.kinds.values()
        if min(counts) < 0 or sum(counts) > HELD_OUT:
            return f"edits of {sum(counts)} emblems: there are {HELD_OUT}, each is edited once"
        if self.renamed == 1:
            return "renamed: 1 leaves nothing to exchange names with; write 2 or more"
        return ""

    def of(self, seed: int) -> EditedEmblems:
        """The emblems that are edited in the world of this seed, and how."""
        rng = Random(f"{seed}/edits")
        order = iter(rng.sample(emblems().held_out, HELD_OUT))
        by_kind = {kind: [next(order) for _ in range(n)] for kind, n in self.kinds.items()}
        edited: dict[int, Emblem | None] = dict(_renamed(by_kind["renamed"]))
        edited |= {emblem.number: None for emblem in by_kind["deleted"]}
        for emblem in by_kind["replaced"]:
            edited[emblem.number] = _redesigned(emblem, edited, rng, _unlike)
        for emblem in by_kind["recoloured"]:
            edited[emblem.number] = _redesigned(emblem, edited, rng, _in_other_colours)
        kinds = {emblem.number: kind for kind, some in by_kind.items() for emblem in some}
        return EditedEmblems(edited, kinds)


@dataclass(frozen=True)
class EditedEmblems:
    """What an edited memory shows in place of each held-out emblem.

    Attributes:
        in_memory: what the documents of an emblem show and name in its place. One that is renamed has
            the number of its new name.
        kinds: number of an edited emblem -> the kind of its edit.
    """

    in_memory: InPlaceOf
    kinds: Mapping[int, str]

    @cached_property
    def _by_design(self) -> dict[Design, Emblem]:
        return {emblem.design: emblem for emblem in _memory(self.in_memory)}

    @property
    def by_look(self) -> InPlaceOf:
        """Number -> the emblem that the memory has of the same design: the name is the memory's. An
        emblem whose design is gone stays as it was."""
        return {e.number: self._by_design.get(e.design, e) for e in emblems().held_out}

    @property
    def by_name(self) -> InPlaceOf:
        """Number -> the emblem that the memory has of the same name: the design is the memory's. An
        emblem whose name is gone stays as it was."""
        by_number = {emblem.number: emblem for emblem in _memory(self.in_memory)}
        return {e.number: by_number.get(e.number, e) for e in emblems().held_out}

    def label_of(self, emblem: Emblem) -> str:
        """The label of an emblem as it looks: the memory's name of its design; where the memory has
        the design no more, its old name, and `UNEDITED`."""
        known = self._by_design.get(emblem.design)
        return known.title if known else emblem.title + UNEDITED


def in_place_of(emblem: Emblem | None, others: InPlaceOf) -> Emblem | None:
    """The emblem in place of this one, itself if none is named."""
    return others.get(emblem.number, emblem) if emblem else None


def _memory(edited: InPlaceOf) -> list[Emblem]:
    shown = (in_place_of(emblem, edited) for emblem in emblems().held_out)
    return [emblem for emblem in shown if emblem is not None]


def _renamed(some: Sequence[Emblem]) -> Iterable[tuple[int, Emblem]]:
    """Each design under the next one's name: `some` is in random order, so this is a random cycle."""
    for emblem, other in zip(some, [*some[1:], *some[:1]], strict=True):
        yield emblem.number, replace(other, design=emblem.design)


def _redesigned(
    emblem: Emblem,
    edited: InPlaceOf,
    rng: Random,
    sample: Callable[[Design, Random], Design],
) -> Emblem:
    """The emblem with a new design: the most distinct of many from all designs in the memory, and if
    possible one that is neither held out nor in training data."""
    held_out, training = emblems()
    others = [e.design for e in _memory(edited) if e.number != emblem.number]
    designs = [e.design for e in (*held_out, *training)]
    known = {look(design) for design in (*designs, *others)}
    candidates = [sample(emblem.design, rng) for _ in range(_CANDIDATES)]

    def distinct(design: Design) -> tuple[bool, int]:
        return look(design) not in known, min((differences(design, o) for o in others), default=3)

    return replace(emblem, design=max(candidates, key=distinct))


def _unlike(design: Design, rng: Random) -> Design:
    """A design that differs in two of shape, main colour and charge at least."""
    while differences(new := sample_design(rng), design) < 2:
        pass
    return new


def _in_other_colours(design: Design, rng: Random) -> Design:
    """The design with another main colour, one that is not close to its own, and what goes with it."""
    while True:
        new = sample_design(rng)
        colours = {new.field, design.field}
        if new.division == design.division and len(colours) == 2 and colours not in ALIKE:
            return replace(new, shape=design.shape, charge=design.charge)
