"""What does not fit between someone's outputs and the gold: counted, named, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from mmragbench._printable import one_line
from mmragbench.data.exclusions import LeftOut
from mmragbench.errors import MmragbenchError
from mmragbench.records import Exclusion

Policy = Literal["error", "skip", "zero"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

DOES = {"skip": "scores what is there", "zero": "counts what is missing as 0"}

OTHERS = frozenset(
    {
        "repeated judgements",
        "repeated hits",
        "groups of no query",
        "broken annotations",
        "captions that are no text",
    }
)
"""Kinds that name other things than the noun."""

FATAL = ("missing", "unknown", "unreadable")
"""The kinds that the policy `error` refuses; the others are only counted and named."""

CAUSES = ("broken annotations", "captions that are no text", "irrelevant", "unreferenced")
"""The kinds of gold that nothing can be scored with, so that what answers it seems unknown."""


class MissingOutputs(MmragbenchError):
    """Outputs and gold do not cover the same ids, and nobody said what to do about it."""


@dataclass(frozen=True)
class Problems:
    """Ids by kind: `missing` (gold without an output), `unknown` (an output without gold),
    `duplicate` (said twice, alike), `unreadable`, ... in the order of the files.

    Attributes:
        source: the file or folder of the outputs.
        noun: what the ids name, in the plural: `images`, `queries`.
        asked: how many outputs the gold asks for.
        ids: kind -> ids.
        policies: those that make sense here.
    """

    source: str
    noun: str
    asked: int
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policies: tuple[Policy, ...] = POLICIES

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(self.ids.get("missing", ()))

    def settle(self, policy: Policy) -> None:
        """Refuse what the policy does not cover.

        Raises:
            MissingOutputs: the policy is `error` and something is missing, unknown or unreadable;
                or nothing is there; or the policy does not exist here.
        """
        if policy not in self.policies:
            raise MissingOutputs(
                f"--missing {policy} makes no sense for {self.noun}: there is "
                f"{', '.join(self.policies)}"
            )
        found = [kind for kind in FATAL if self.ids.get(kind)]
        if policy == "error" and found:
            said = "; ".join(self.line(kind, examples=3) for kind in [*found, *self._causes()])
            choices = " or ".join(
                f"--missing {p} {does}" for p, does in DOES.items() if p in self.policies
            )
            raise MissingOutputs(
                f"{self.source}: {said}. Say what to do: {choices} (unknown ones are then ignored)"
            )
        if not self.asked:
            causes = "; ".join(self.line(kind, examples=3) for kind in self._causes())
            raise MissingOutputs(
                f"{self.source}: the gold asks for nothing{causes and f': {causes}'}"
            )
        if len(self.missing) == self.asked:
            raise MissingOutputs(
                f"{self.source}: none of the {self.asked} {self.noun} that the gold asks for is "
                f"there ({self.line('missing', 1)}; {self.line('unknown', 3) or 'nothing else is'}); "
                "do the ids agree?"
            )

    def _causes(self) -> list[str]:
        """The kinds that say why gold is not asked for."""
        return [kind for kind in CAUSES if self.ids.get(kind)]

    def left_out(self, policy: Policy) -> list[LeftOut]:
        """What the gold asks for and no number is made of; under `zero` what is missing counts."""
        kinds = ("unreadable",) if policy == "zero" else ("missing", "unreadable")
        named = {
            kind: tuple(Exclusion(kind, id, kind) for id in self.ids.get(kind, ()))
            for kind in kinds
        }
        return [LeftOut(self.noun, self.asked, left) for left in named.values() if left]

    def line(self, kind: str, examples: int = 20) -> str:
        """`18 of 5000 images missing: 8, 15, 21, ...`; empty where there is none of the kind."""
        ids = self.ids.get(kind, ())
        if not ids:
            return ""
        of = f" of {self.asked}" if kind == "missing" else ""
        more = ", ..." if len(ids) > examples else ""
        named = ", ".join(one_line(id, 80) for id in ids[:examples])
        noun = "" if kind in OTHERS else f" {self.noun}"
        return f"{len(ids)}{of}{noun} {kind}: {named}{more}"

    @property
    def notes(self) -> dict[str, Any]:
        """All of it, for JSON: kind -> count and every id."""
        return {k: {"count": len(ids), "ids": list(ids)} for k, ids in self.ids.items() if ids}


def compared(
    gold: Iterable[str], given: Iterable[str], **others: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """`missing` and `unknown` from the two sides, and the other kinds as they are."""
    asked, there = dict.fromkeys(gold), dict.fromkeys(given)
    return {
        "missing": tuple(id for id in asked if id not in there),
        "unknown": tuple(id for id in there if id not in asked),
        **{kind: tuple(dict.fromkeys(ids)) for kind, ids in others.items()},
    }
