"""Mismatches between another system's outputs and the gold, and the policy for them."""

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
"""Kinds whose ids do not name the noun."""

FATAL = ("missing", "unknown", "unreadable")
"""The kinds that the policy `error` refuses; the others are only counted and named."""

CAUSES = ("broken annotations", "captions that are no text", "irrelevant", "unreferenced")
"""The kinds of gold that nothing can be scored with, so that outputs for it look unknown."""


class MissingOutputs(MmragbenchError):
    """Outputs and gold do not cover the same ids, and the policy does not allow it."""


@dataclass(frozen=True)
class Problems:
    """Ids of what does not match, by kind, in the order of the files.

    Kinds are `missing` (gold without an output), `unknown` (an output without gold), `duplicate`
    (there twice, alike), `unreadable`, ...

    Attributes:
        source: the file or folder of the outputs.
        noun: what the ids name, in the plural: `images`, `queries`.
        expected: how many outputs the gold asks for.
        ids: kind -> ids.
        policies: those that make sense here.
    """

    source: str
    noun: str
    expected: int
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
        self._refuse_nothing()
        fatal = [kind for kind in FATAL if self.ids.get(kind)]
        if policy == "error" and fatal:
            choices = " or ".join(
                f"--missing {p} {does}" for p, does in DOES.items() if p in self.policies
            )
            raise MissingOutputs(
                f"{self.source}: {self._lines([*fatal, *self._causes()])}. Say what to do: {choices} "
                "(unknown ones are then ignored)"
            )

    def _refuse_nothing(self) -> None:
        """Raise MissingOutputs where there is nothing to score under any policy."""
        if not self.expected:
            causes = self._lines(self._causes())
            raise MissingOutputs(
                f"{self.source}: the gold asks for nothing{causes and f': {causes}'}"
            )
        if len(self.missing) == self.expected:
            raise MissingOutputs(
                f"{self.source}: none of the {self.expected} {self.noun} that the gold asks for is "
                f"there ({self.line('missing', 1)}; {self.line('unknown', 3) or 'nothing else is'}); "
                "do the ids agree?"
            )

    def _lines(self, kinds: Iterable[str]) -> str:
        return "; ".join(self.line(kind, examples=3) for kind in kinds)

    def _causes(self) -> list[str]:
        """The kinds of gold that is not scored."""
        return [kind for kind in CAUSES if self.ids.get(kind)]

    def left_out(self, policy: Policy) -> list[LeftOut]:
        """The expected outputs that no number rests on; under `zero`, missing ones count as 0."""
        kinds = ("unreadable",) if policy == "zero" else ("missing", "unreadable")
        exclusions = [
            tuple(Exclusion(kind, id, kind) for id in self.ids.get(kind, ())) for kind in kinds
        ]
        return [LeftOut(self.noun, self.expected, of_kind) for of_kind in exclusions if of_kind]

    def line(self, kind: str, examples: int = 20) -> str:
        """`18 of 5000 images missing: 8, 15, 21 and 15 more`; empty where there is none of the kind."""
        ids = self.ids.get(kind, ())
        if not ids:
            return ""
        of = f" of {self.expected}" if kind == "missing" else ""
        more = f" and {len(ids) - examples} more" if len(ids) > examples else ""
        named = ", ".join(one_line(id, 80) for id in ids[:examples])
        noun = "" if kind in OTHERS else f" {self.noun}"
        return f"{len(ids)}{of}{noun} {kind}: {named}{more}"

    @property
    def notes(self) -> dict[str, Any]:
        """The problems as JSON: kind -> count and every id."""
        return {k: {"count": len(ids), "ids": list(ids)} for k, ids in self.ids.items() if ids}


def compared(
    gold: Iterable[str], outputs: Iterable[str], **others: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Kind -> ids: `missing` and `unknown` of the two sides, and the other kinds as they are."""
    gold_ids, output_ids = dict.fromkeys(gold), dict.fromkeys(outputs)
    return {
        "missing": tuple(id for id in gold_ids if id not in output_ids),
        "unknown": tuple(id for id in output_ids if id not in gold_ids),
        **{kind: tuple(dict.fromkeys(ids)) for kind, ids in others.items()},
    }
