"""Any two systems of a run, compared: a strategy with a generator and its k, and another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mmragbench.comparing.families import PRIMARY, SECONDARY, SLICES, judged
from mmragbench.comparing.hypotheses import Hypothesis
from mmragbench.comparing.pairs import Pair
from mmragbench.errors import MmragbenchError, listed
from mmragbench.run_folder.numbers import Evidence
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run


class System(NamedTuple):
    """A strategy, and a generator with its k: `consensus-k5`."""

    strategy: str
    setting: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def of(cls, evidence: Evidence) -> System:
        """The system that a number is of."""
        return cls(evidence.strategy, str(Setting(evidence.generator, evidence.k)))


def of_systems(
    run: Run, a: System, b: System, slice: str = "all", measures: Sequence[str] = ()
) -> list[Pair]:
    """The comparisons `a - b` by every measure that both have, though generators differ; corrected
    among themselves: by the tasks' primary measures, by the others, and on a slice.

    Args:
        slice, measures: those that are shown; the choice of measures moves no verdict.

    Raises:
        MmragbenchError: the run lacks one of them, or they have no measure in common.
    """
    run.check(slice, measures)
    numbers = {
        (e.task, str(e.measure), System.of(e)): e for e in run.evidence() if e.generator is not None
    }
    hypotheses = []
    for task, measure in dict.fromkeys((task, measure) for task, measure, _ in numbers):
        first, second = (numbers.get((task, measure, system)) for system in (a, b))
        if first and second and slice in run.slices(task):
            rank = PRIMARY if run.primary(task) == measure else SECONDARY
            family = rank if slice == "all" else SLICES
            hypotheses.append(Hypothesis(first, second, (str(a), str(b)), family, slice))
    if not hypotheses:
        known = listed(sorted({str(system) for *_, system in numbers}), most=100)
        raise MmragbenchError(f"{run.path} has no measure of both {a} and {b}; it has {known}")
    pairs = judged(hypotheses, run.groups)
    return [pair for pair in pairs if not measures or pair.measure in measures]
