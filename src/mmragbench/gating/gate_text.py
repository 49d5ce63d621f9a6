"""A gate's result in words: the same in the terminal, in Markdown, in JUnit and in annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mmragbench._digits import counted, p_value
from mmragbench.gating.cell_results import CellResult, RegressedQuery, Verdict
from mmragbench.gating.gate import Gate
from mmragbench.records import Measure, MeasureInfo
from mmragbench.reporting.facts import units
from mmragbench.run_folder import paths
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

MEANING: dict[Verdict, str] = {
    "unchanged": "no query changed",
    "holds": "the loss is smaller than the margin",
    "regressed": "a loss was shown",
    "can't tell": "neither a loss nor its absence was shown",
    "not comparable": "measured otherwise",
    "missing": "no number",
}

CAUSES = 3
"""The most causes that a paragraph names."""


def headline(gate: Gate) -> str:
    """The verdict, and how many cells have which."""
    counts = Counter(cell.verdict for cell in gate.cells)
    verdicts = ", ".join(f"{n:,} {verdict}" for verdict in MEANING if (n := counts[verdict]))
    size = f"{counted(len(gate.cells), 'cell')}: {verdicts}"
    if gate.holds:
        return f"{gate.suite} holds. {size}."
    more = f"; {counted(len(gate.problems), 'problem')}"
    more = more if gate.problems else ""
    if gate.underpowered and not gate.problems and not gate.failing:
        more += f"; {len(gate.underpowered):,} passed on too few queries to count"
    return f"{gate.suite} does not hold. {size}{more}."


def shown(cell: CellResult, value: float | None) -> str:
    """A number of a cell as reports show it, in the measure's unit; a dash where there is none."""
    if value is None:
        return "—"
    measure = Measure.parse(cell.measure).with_info(MeasureInfo(unit=cell.unit))
    return units.shown(measure, value, units.decimals(measure, [cell.before, cell.now or 0.0]))


def measure_and_unit(cell: CellResult) -> str:
    """`R@10 (%)`"""
    return f"{cell.measure} ({cell.unit})" if cell.unit else cell.measure


def change(cell: CellResult) -> str:
    """`64.2 → 59.2 (%), loss 5.0, margin 2.0`"""
    now = "nothing" if cell.now is None else shown(cell, cell.now)
    unit = f" ({cell.unit})" if cell.unit else ""
    lost = "" if cell.loss is None else f", loss {shown(cell, cell.loss)}"
    return f"{shown(cell, cell.before)} → {now}{unit}{lost}, margin {shown(cell, cell.margin)}"


def before_and_now(cell: CellResult, query: RegressedQuery) -> str:
    """`64.2 → 59.2`"""
    return f"{shown(cell, query.before)} → {shown(cell, query.now)}"


def sentence(cell: CellResult) -> str:
    """A cell's verdict with its numbers; without a verdict, also the queries that one needs."""
    p = p_of(cell)
    if p is None:
        return f"{cell.verdict}: {MEANING[cell.verdict]} ({change(cell)})"
    text = (
        f"{cell.verdict}: {change(cell)}, p {_is(p)}, {cell.changed:,} of {cell.n:,} queries moved"
    )
    if cell.verdict == "can't tell" and cell.needed and cell.needed > cell.n:
        return f"{text}; {cell.needed:,} queries would tell such a loss"
    return text


def p_of(cell: CellResult) -> float | None:
    """The p-value of the verdict: that a loss was shown, or that one of the margin's size is excluded;
    None where nothing was tested."""
    return cell.p_lost if cell.verdict == "regressed" else cell.p_holds


def low_power(cell: CellResult, required: float) -> str:
    """A sentence about a cell that holds on too few queries, or that cannot fail."""
    if not cell.can_fail:
        return "no power: the margin is as large as the number; give a smaller one with --margin"
    power = "not known" if cell.power is None else f"{cell.power:.2f}"
    needed = f"; {cell.needed:,} queries would do" if cell.needed else ""
    return f"power {power} on {cell.n:,} queries, {required:g} was required{needed}"


class Remark(NamedTuple):
    """A sentence, and the cells or the task that it is about."""

    where: str
    text: str


def underpowered(gate: Gate) -> list[Remark]:
    """Remarks on the cells that hold on too few queries: one for all cells of a task that have the
    same sentence."""
    grouped: dict[Remark, list[CellResult]] = {}
    for cell in gate.underpowered:
        remark = Remark(cell.task, low_power(cell, gate.require_power or 0.0))
        grouped.setdefault(remark, []).append(cell)
    remarks = []
    for (task, text), cells in grouped.items():
        measures = ", ".join(dict.fromkeys(cell.measure for cell in cells))
        which = cells[0].name if len(cells) == 1 else f"{task} · {measures} ({len(cells):,} cells)"
        remarks.append(Remark(which, text))
    return remarks


def unfailing(gate: Gate) -> str | None:
    """A sentence about the cells whose margin excludes nothing; None where there are none."""
    if not gate.unfailing:
        return None
    first = gate.unfailing[0]
    return (
        f"In {len(gate.unfailing):,} of {len(gate.cells):,} cells the margin is as large as the "
        f"number, so that it excludes nothing; first {first.name} ({shown(first, first.before)}, "
        f"margin {shown(first, first.margin)}). Give a smaller one with --margin."
    )


def power(gate: Gate) -> str:
    """A sentence on whether the suite is large enough to show losses of the margins' size."""
    wanted = gate.require_power or 0.8
    known = [cell for cell in gate.cells if cell.power is not None]
    small = [cell for cell in known if (cell.power or 0) < wanted]
    if not known:
        return "Nothing was compared, so nothing is known of the power."
    if not small:
        every = len(known) == len(gate.cells)
        which = "every cell" if every else f"{len(known):,} of {len(gate.cells):,} cells"
        return (
            f"Large enough: in {which} a loss of the margin's size would be shown with at least "
            f"{100 * wanted:g} % power."
        )
    weakest = min(small, key=lambda cell: cell.power or 0)
    needed = f"; {weakest.needed:,} queries would do" if weakest.needed else ""
    return (
        f"Too small in {len(small):,} of {len(known):,} cells to show a loss of the margin's size "
        f"with {100 * wanted:g} % power. Weakest: {weakest.name} (power {weakest.power:.2f} with "
        f"{weakest.n:,} queries{needed}). More queries, wider margins or fewer measures help."
    )


def left_aside(gate: Gate) -> str | None:
    """A sentence about the baseline's controls, which are not tested; None where there are none."""
    if not gate.left_aside:
        return None
    return (
        f"{counted(gate.left_aside, 'cell')} of controls in the baseline left aside: they say what a "
        "number means, and are not defended (--controls tests them too)."
    )


def summary(gate: Gate) -> str:
    """The whole result in plain lines: the verdict, problems, cells, queries, power."""
    lines = [
        headline(gate),
        *(f"  {problem}" for problem in gate.problems),
        *(f"  {cell.name}: {sentence(cell)}" for cell in gate.failing),
        *(f"  {which}: {text}" for which, text in underpowered(gate)),
        *(f"    {example}" for example in regression_examples(gate)),
        *filter(None, [left_aside(gate), unfailing(gate)]),
        power(gate),
    ]
    return "\n".join(lines)


def paragraph(gate: Gate, advice: str) -> str:
    """A result that does not hold, in one paragraph: the verdict, the first causes, and the advice."""
    causes = [
        *(str(problem) for problem in gate.problems),
        *(f"{cell.name}: {sentence(cell)}" for cell in gate.failing),
        *(f"{where}: {text}" for where, text in underpowered(gate)),
    ]
    more = [f"and {len(causes) - CAUSES:,} more"] if len(causes) > CAUSES else []
    return f"{headline(gate)} {'; '.join([*causes[:CAUSES], *more])}. {advice}"


@dataclass(frozen=True, slots=True)
class RegressionExample:
    """A query that got worse, with its text and the run's answer.

    Attributes:
        cell: the one that it got worse in.
        regressed: its values before and now.
        query_text: its text, where the run stores it.
        answer: the answer of the run, where it is a text.
        link: its address in the run's report, where there is one.
    """

    cell: CellResult
    regressed: RegressedQuery
    query_text: str | None
    answer: str | None
    link: str | None

    @property
    def change(self) -> str:
        """`64.2 → 59.2`"""
        return before_and_now(self.cell, self.regressed)

    def __str__(self) -> str:
        link = f" {self.link}" if self.link else ""
        return f"{self.regressed.query} ({self.cell.name}): {self.change}{link}"


def regression_examples(gate: Gate) -> list[RegressionExample]:
    """The queries that lost the most; of each system one measure, the one most surely lost."""
    systems: dict[str, CellResult] = {}
    for cell in sorted(gate.failing, key=lambda cell: 1.0 if cell.p_lost is None else cell.p_lost):
        systems.setdefault(cell.system, cell)
    return [example for cell in systems.values() for example in _examples(gate, cell)]


def _examples(gate: Gate, cell: CellResult) -> Iterator[RegressionExample]:
    """The regressed queries of a cell with their texts and answers."""
    ids = [query.query for query in cell.regressed_queries]
    folder, setting = Run(gate.run), Setting(cell.generator, cell.k)
    queries = paths.in_task(cell.task, paths.EXPLORER_QUERIES)
    outputs = paths.in_cell(cell.task, cell.strategy, paths.OUTPUTS, setting=setting)
    texts = _texts(folder.lines(queries), "id", ids)
    answers = _texts(folder.lines(outputs), "query", ids)
    for query in cell.regressed_queries:
        text, answer = texts.get(query.query), answers.get(query.query)
        yield RegressionExample(cell, query, text, answer, gate.link(cell, query.query))


def _texts(rows: Iterable[dict[str, Any]], key: str, ids: Sequence[str]) -> dict[str, str]:
    """Id -> text, of the rows of some ids."""
    return {row[key]: row["text"] for row in rows if row[key] in ids and row.get("text")}


def _is(p: float) -> str:
    """`= 0.0312`, `<0.0001`"""
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
