"""The families of tests behind a page or a table, in sentences; `comparing.families` tests them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmragbench._digits import counted
from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.reporting.words.phrases import listed
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run


@dataclass(frozen=True, slots=True)
class Family:
    """Tests that are corrected together.

    Attributes:
        tests: how many the family has, shown or not.
        measures: those by which pairs of it are shown.
        exploratory: whether it is of slices.
    """

    task: str
    name: str
    tests: int
    measures: tuple[str, ...]
    exploratory: bool

    def __str__(self) -> str:
        """`secondary (Bleu_4, ROUGE_L; 12 tests)`."""
        inside = f"{', '.join(self.measures)}; {counted(self.tests, 'test')}"
        return f"{self.name} ({inside}{', exploratory' if self.exploratory else ''})"


def families(run: Run, pairs: Iterable[Json]) -> list[Family]:
    """The families of a run's stored pairs, in their order."""
    by_family: dict[tuple[str, str], list[Json]] = {}
    for pair in pairs:
        if pair["family"] is not None:
            by_family.setdefault((pair["task"], pair["family"]), []).append(pair)
    return [
        Family(
            task,
            name,
            members[0]["tests"],
            tuple(dict.fromkeys(_label(run, pair["measure"]) for pair in members)),
            members[0]["slice"] != "all",
        )
        for (task, name), members in by_family.items()
    ]


def within(shown: Sequence[Family]) -> str:
    """`within the family primary (CIDEr; 12 tests)`, for the sentence that names a correction; of a
    run without tests, that it names no family."""
    if not shown:
        return "in families that the run does not name"
    noun = "family" if len(shown) == 1 else "families"
    return f"within the {noun} {listed(map(str, shown))}"


def primary(run: Run, shown: Sequence[Family]) -> str:
    """`CIDEr on captioning (9 tests) and …`, the primary families; empty where there is none."""
    families = [family for family in shown if family.name == "primary"]
    named = [
        f"{_label(run, run.primary(f.task))} on {f.task} ({counted(f.tests, 'test')})"
        for f in families
    ]
    return listed(named) if named else ""


def _label(run: Run, measure: str | None) -> str:
    """The name that reports show of a measure that has numbers."""
    return run.measures[measure].label if measure in run.measures else str(measure)


def summary(run: Run) -> str:
    """How many families and tests a page shows, and what that means; empty where there is none."""
    shown = families(run, [*of_contenders(run), *against_controls(run)])
    if not shown:
        return ""
    tests = sum(family.tests for family in shown)
    text = (
        f"{counted(tests, 'test')} in {counted(len(shown), 'family')}: on average, in at most one of "
        "twenty such families is a difference called better or worse that is only chance (Holm's "
        "correction within each)."
    )
    if first := primary(run, shown):
        text += f" The answers rest on the primary ones, of contenders with each other by {first}"
        exploratory = any(family.exploratory for family in shown)
        text += "; those of slices are exploratory." if exploratory else "."
    return text
