"""On how many queries one strategy is better than another, as good, and worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mmragbench.reporting.facts.units import lower_is_better
from mmragbench.run_folder.files import NotStored
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

if TYPE_CHECKING:
    import numpy as np


class Outcome(NamedTuple):
    """Numbers of queries that both were scored on: where `a` is better, as good as `b`, worse."""

    wins: int
    ties: int
    losses: int

    def __str__(self) -> str:
        return " / ".join(f"{count:,}" for count in self)


def rounded(value: float) -> float:
    """A query's value with six significant digits: what is the same to these is a tie."""
    return float(f"{value:.6g}")


@dataclass
class Outcomes:
    """The outcomes of a task's pairs; each strategy's values are read once."""

    run: Run
    task: str
    _values: dict[tuple[str, Setting, str], np.ndarray] = field(default_factory=dict)
    _rows: dict[str, np.ndarray] = field(default_factory=dict)

    def of(self, pair: Json) -> Outcome | None:
        """The outcome of a row of `comparisons.json`; None where the measure has no value for a single
        query, or the run has not stored them."""
        setting, measure = Setting(pair["generator"], pair["k"]), pair["measure"]
        try:
            a, b = (self._of(pair[side], setting, measure) for side in ("a", "b"))
            gains = (a - b)[self._of_slice(pair["slice"])]
        except NotStored:
            return None
        if lower_is_better(self.run.measures[measure]):
            gains = -gains
        outcome = Outcome(*(int(where.sum()) for where in (gains > 0, gains == 0, gains < 0)))
        return outcome if any(outcome) else None

    def _of(self, strategy: str, setting: Setting, measure: str) -> np.ndarray:
        """The values by query, in the run's order; NaN where a query has none."""
        import numpy as np

        key = strategy, setting, measure
        if key not in self._values:
            scores = self.run.scores(self.task, strategy, setting).get(measure)
            values: Mapping[str, float] = scores.values if scores else {}
            column = [rounded(values.get(query, np.nan)) for query in self.run.groups(self.task)]
            self._values[key] = np.array(column)
        return self._values[key]

    def _of_slice(self, name: str) -> np.ndarray:
        """The places of a slice's queries in the run's order."""
        import numpy as np

        if name not in self._rows:
            chosen = self.run.groups(self.task, name)
            places = [i for i, query in enumerate(self.run.groups(self.task)) if query in chosen]
            self._rows[name] = np.array(places, dtype=int)
        return self._rows[name]
