"""Margins: the largest losses that do not matter, agreed on before the numbers are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmragbench._printable import quoted
from mmragbench.errors import MmragbenchError, unknown
from mmragbench.formats.values import as_number
from mmragbench.records import Measure


@dataclass(frozen=True, slots=True)
class Margin:
    """A loss that matters: on the measure's own scale, or a share of the baseline's number."""

    amount: float
    relative: bool = False

    @classmethod
    def parse(cls, text: str) -> Margin:
        """Read `0.02` or `5%`.

        Raises:
            MmragbenchError: it is neither, or not above zero.
        """
        relative = text.endswith("%")
        amount = (as_number(text.removesuffix("%").strip()) or 0.0) / (100 if relative else 1)
        if amount <= 0:
            raise MmragbenchError(
                f"{quoted(text)} is not a margin; write 0.02, or 5% of the baseline"
            )
        return cls(amount, relative)

    def of(self, estimate: float) -> float:
        """The margin on the measure's scale, for this number of the baseline."""
        return self.amount * abs(estimate) if self.relative else self.amount

    def __str__(self) -> str:
        return f"{100 * self.amount:g}%" if self.relative else f"{self.amount:g}"


OTHERWISE = "5%"
"""For a measure that the run does not have: Spärck Jones (1974) calls a difference below 5 % not
noticeable. docs/explanations/gate.md says where the measures' own margins come from."""


def margins_for(
    measures: Mapping[str, str], chosen: Mapping[str, float | str | Margin]
) -> dict[str, Margin]:
    """Measure -> its margin: the chosen one of `R@10`, else the chosen one of `R`, else its own.

    Args:
        measures: measure -> the margin that it states itself, as rows of `summary.json` store it.

    Raises:
        MmragbenchError: a chosen measure is none of these, or its margin is none.
    """
    names = {text: Measure.parse(text).name for text in measures}
    for name in chosen:
        if name not in names and name not in names.values():
            raise MmragbenchError(unknown("measure in --margin", name, list(measures)))
    given = {name: margin if isinstance(margin, Margin) else Margin.parse(str(margin))
             for name, margin in chosen.items()}  # fmt: skip
    return {
        text: given.get(text) or given.get(name) or Margin.parse(measures[text])
        for text, name in names.items()
    }
