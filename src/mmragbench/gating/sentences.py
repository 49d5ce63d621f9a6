"""What a gate says, in words: the same in the terminal, in Markdown, in JUnit and in annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmragbench._digits import number, p_value
from mmragbench.gating.cells import Cell, Fallen, Verdict
from mmragbench.gating.gate import Gate
from mmragbench.reporting.words.phrases import counted
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


def headline(gate: Gate) -> str:
    """The verdict and its reason."""
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


def change(cell: Cell) -> str:
    """`0.6420 → 0.5920, loss 0.0500, margin 0.02`"""
    now = "nothing" if cell.now is None else number(cell.now)
    lost = "" if cell.loss is None else f", loss {number(cell.loss)}"
    return f"{number(cell.before)} → {now}{lost}, margin {cell.margin:.3g}"


def sentence(cell: Cell) -> str:
    """A cell's verdict with its numbers, and what to do where it can't be told."""
    p = p_of(cell)
    if p is None:
        return f"{cell.verdict}: {MEANING[cell.verdict]} ({change(cell)})"
    text = (
        f"{cell.verdict}: {change(cell)}, p {_is(p)}, {cell.changed:,} of {cell.n:,} queries moved"
    )
    if cell.verdict == "can't tell" and cell.needed and cell.needed > cell.n:
        return f"{text}; {cell.needed:,} queries would tell such a loss"
    return text


def p_of(cell: Cell) -> float | None:
    """Of what the verdict says: that a loss was shown, or that one of the margin's size is excluded;
    None where nothing was tested."""
    return cell.p_lost if cell.verdict == "regressed" else cell.p_holds


def weak(cell: Cell, wanted: float) -> str:
    """A cell that holds on too few queries, or whatever happens."""
    if not cell.can_fail:
        return "no power: the margin is as large as the number; give a smaller one with --margin"
    power = "not known" if cell.power is None else f"{cell.power:.2f}"
    needed = f"; {cell.needed:,} queries would do" if cell.needed else ""
    return f"power {power} on {cell.n:,} queries, {wanted:g} was required{needed}"


def too_few(gate: Gate) -> list[tuple[str, str]]:
    """Cells that hold on too few queries: which of them, and `weak`; told once for all of a task
    that are alike."""
    alike: dict[tuple[str, str], list[Cell]] = {}
    for cell in gate.underpowered:
        alike.setdefault((cell.task, weak(cell, gate.require_power or 0.0)), []).append(cell)
    weak_cells = []
    for (task, text), cells in alike.items():
        measures = ", ".join(dict.fromkeys(cell.measure for cell in cells))
        which = cells[0].name if len(cells) == 1 else f"{task} · {measures} ({len(cells):,} cells)"
        weak_cells.append((which, text))
    return weak_cells


def unfailing(gate: Gate) -> str | None:
    """That some margins are no test; None where all are."""
    if not gate.unfailing:
        return None
    first = gate.unfailing[0]
    return (
        f"In {len(gate.unfailing):,} of {len(gate.cells):,} cells the margin is as large as the "
        f"number, so that it excludes nothing; first {first.name} ({number(first.before)}, margin "
        f"{first.margin:.3g}). Give a smaller one with --margin."
    )


def power(gate: Gate) -> str:
    """Whether the suite is large enough to see losses of the margins' size."""
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
        f"with {100 * wanted:g} % power. Weakest: {weakest.name} ({weakest.power:.2f} with "
        f"{weakest.n:,} queries{needed}). More queries, wider margins or fewer measures help."
    )


def summary(gate: Gate) -> str:
    """All of it in plain lines: the verdict, problems, cells, queries, power."""
    lines = [
        headline(gate),
        *(f"  {problem}" for problem in gate.problems),
        *(f"  {cell.name}: {sentence(cell)}" for cell in gate.failing),
        *(f"  {which}: {text}" for which, text in too_few(gate)),
        *(
            f"    {w.fallen.query} ({w.where}): {number(w.fallen.before)} → {number(w.fallen.now)}"
            for w in got_worse(gate)
        ),
        *filter(None, [unfailing(gate)]),
        power(gate),
    ]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Worse:
    """A query that got worse, with what is known of it.

    Attributes:
        asked: its text, where the run shows it.
        answer: what the run answered now, where it is a text.
    """

    where: str
    fallen: Fallen
    asked: str | None
    answer: str | None


def got_worse(gate: Gate) -> list[Worse]:
    """The queries that lost the most; of each system one measure, the one most surely lost."""
    systems: dict[str, Cell] = {}
    for cell in sorted(gate.failing, key=lambda cell: 1.0 if cell.p_lost is None else cell.p_lost):
        systems.setdefault(cell.system, cell)
    return [worse for cell in systems.values() for worse in _of_cell(gate.run, cell)]


def _of_cell(run: Path, cell: Cell) -> Iterator[Worse]:
    ids = [fallen.query for fallen in cell.fallen]
    folder, setting = Run(run), Setting(cell.generator, cell.k)
    queries = paths.in_task(cell.task, paths.EXPLORER_QUERIES)
    outputs = paths.in_cell(cell.task, cell.strategy, paths.OUTPUTS, setting=setting)
    asked = _texts(folder.lines(queries), "id", ids)
    answers = _texts(folder.lines(outputs), "query", ids)
    for fallen in cell.fallen:
        yield Worse(cell.name, fallen, asked.get(fallen.query), answers.get(fallen.query))


def _texts(rows: Iterable[dict[str, Any]], key: str, ids: Sequence[str]) -> dict[str, str]:
    """The texts of some lines."""
    return {row[key]: row["text"] for row in rows if row[key] in ids and row.get("text")}


def _is(p: float) -> str:
    """`= 0.0312`, `<0.0001`"""
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
