"""The rules of what the reports share: units, tables, curves, costs, issues."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmragbench.reporting.facts import costs, issues, units
from mmragbench.reporting.facts.curves import curves
from mmragbench.reporting.page.audits import audits
from mmragbench.reporting.page.embedded_pictures import EmbeddedPictures
from mmragbench.reporting.page.page import render
from mmragbench.reporting.page.summary_strips import summary_strips
from mmragbench.reporting.tables.limits import limit_tables
from mmragbench.reporting.tables.report_tables import tables
from mmragbench.run_folder.reading import Run
from support import stated


def row(strategy: str, estimate: float | None, **more: Any) -> dict[str, Any]:
    """A summary row with everything else unremarkable."""
    usual = {"task": "t", "generator": None, "k": None, "slice": "all", "measure": "RR", "n": 5}
    return usual | {"strategy": strategy, "estimate": estimate, "n_failed": 0} | more


@pytest.mark.parametrize(
    ("measure", "value", "expected"),
    [
        ("Success@1", 0.4567, "45.7"),
        ("CIDEr", 1.0412, "104.1"),
        ("FID(clip)", 23.456, "23.5"),
        ("FID(clip)", 0.0531, "0.0531"),
        ("KID(clip)", -0.00123, "−1.23"),
        ("Success@1", 0.0002, "0.02"),
        ("Success@1", 0.0, "0.0"),
        ("Judged", 0.5, "0.500"),
    ],
)
def test_numbers_are_shown_as_papers_do(measure: str, value: float, expected: str) -> None:
    """One decimal for ×100, three significant digits else; only zero is shown as zero."""
    parsed = stated.measure(measure)
    assert units.shown(parsed, value, units.decimals(parsed, [value])) == expected


@pytest.mark.parametrize(
    ("measure", "expected"),
    [("Success@5", "%"), ("CIDEr", "×100"), ("KID(clip)", "×1000"), ("FID(clip)", "")],
)
def test_a_scale_is_always_named(measure: str, expected: str) -> None:
    """What is multiplied says so."""
    assert units.unit(stated.measure(measure)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (0.001, "<0.01 s"), (0.04, "0.04 s"), (3.21, "3.2 s"), (59.6, "60 s")]
    + [(125, "2 min 05 s"), (7300, "2 h 01 min")],
)
def test_durations_read_at_a_glance(seconds: float, expected: str) -> None:
    """A duration has the unit and the digits that a person would use."""
    assert units.compact(seconds) == expected


def test_ties_are_all_best(changed: Callable[..., Path]) -> None:
    """Contenders that show the same number share the bold."""
    rows = [row("a", 0.50001), row("b", 0.50002), row("c", 0.2), row("oracle", 1.0)]
    (table,) = tables(Run(changed("suite.yaml", "task.json", summary=rows)))
    marked = {line.strategy: line.cells[0].best for line in table.blocks[0].lines}
    assert marked == {"a": True, "b": True, "c": False, "oracle": False}


def test_nothing_is_best_of_one(changed: Callable[..., Path]) -> None:
    """A single contender has nobody to be better than."""
    rows = [row("a", 0.5), row("random", 0.1)]
    (table,) = tables(Run(changed("suite.yaml", "task.json", summary=rows)))
    assert not any(cell.best for line in table.blocks[0].lines for cell in line.cells)


def test_all_failed_is_neither_zero_nor_not_applicable(changed: Callable[..., Path]) -> None:
    """Where every query failed, or a component crashed, the cell says so, with a note."""
    crash = "b: ValueError: no"
    rows = [
        row("a", None, n=0, n_failed=5),
        row("b", None, reason=crash, absence="crashed"),
        row("c", 0.0),
    ]
    run = Run(changed("suite.yaml", "task.json", "failures.json", summary=rows))
    (table,) = tables(run)
    texts = [line.cells[0].text for line in table.blocks[0].lines]
    assert (texts, table.notes) == (
        ["failed", "failed", "0.0"],
        (("1", "failed for all 5 queries"), ("2", f"failed: {crash}")),
    )
    assert (issues.inapplicable(run), len(issues.failures(run))) == ([], 1)


def test_what_applies_to_one_strategy_only_takes_two_lines(changed: Callable[..., Path]) -> None:
    """From three on, strategies with one and the same reason share a line."""
    rows = [row(name, None, generator="g", k=0, reason="reads nothing") for name in "abc"]
    rows.append(row("d", 0.5, generator="g", k=0))
    (table,) = tables(Run(changed("suite.yaml", "task.json", summary=rows)))
    (block,) = table.blocks
    assert block.label == "g, nothing retrieved"
    assert [(line.strategy, line.others) for line in block.lines] == [("d", 0), ("3 others", 3)]


def test_slices_have_tables_of_their_own(run: Path) -> None:
    """Every task and part has a table for all queries and one per slice, in this order."""
    parts_and_slices = [(t.part, t.slice) for t in tables(Run(run)) if t.task == "captioning"]
    parts = ("generation", "retrieval")
    assert parts_and_slices == [(part, name) for name in ("all", "emblems") for part in parts]


def test_controls_come_last(run: Path) -> None:
    """Contenders in the suite's order, then ceiling, chance and floor."""
    roles = list(Run(run).strategies.values())
    assert roles == [None, None, None, "ceiling", "chance", "floor"]


def test_curves_need_two_points(run: Path) -> None:
    """A curve is drawn where the summary has two cutoffs or two k; nDCG@10 alone is none."""
    labels = [(curve.task, curve.label) for curve in curves(Run(run))]
    assert ("text-to-image", "Success@k") in labels
    assert ("captioning", "CIDEr") in labels
    assert not [label for _, label in labels if label.startswith("nDCG")]


def test_axis_reaches_over_every_value(run: Path) -> None:
    """No point lies above the axis."""
    for curve in curves(Run(run)):
        highest = max(y for series in curve.series for _, y in series.points)
        assert curve.ticks[0] == 0
        assert highest <= curve.ticks[-1] * 1.000001 <= 2 * highest


def test_costs_add_up_over_tasks(run: Path) -> None:
    """A strategy's cost is the sum over its cells, phase by phase and model by model."""
    cost = next(c for c in costs.costs(Run(run)) if c.strategy == "shared-space")
    assert cost.seconds == pytest.approx((4 * 3.2 * 0.62, 4 * 1.1, 4 * 0.4))
    assert (cost.calls, cost.items, len(cost.models)) == (48, 6000, 1)


def test_a_strip_runs_from_worst_to_best(run: Path) -> None:
    """Better is to the right, for measures that fall as for those that rise."""
    for strip in summary_strips(Run(run)):
        places = {mark.label: mark.place for mark in strip.marks}
        assert [mark.strategy for mark in strip.best] == ["separate-stores"]
        if strip.measure.name == "FID":
            continue
        assert places["chance"] == 0 < places["separate-stores"] < places["ceiling"] == 100


def test_a_distance_has_contenders_only_on_its_strip(run: Path) -> None:
    """Of two sets of images, no control is chance or a ceiling."""
    (strip,) = [strip for strip in summary_strips(Run(run)) if strip.measure.name == "FID"]
    assert strip.controls == ()
    assert {mark.place for mark in strip.best} == {100} and min(m.place for m in strip.marks) == 0


def fid_row(strategy: str, estimate: float, **more: object) -> dict[str, object]:
    where = {"generator": "nearest", "k": 1, "measure": "FID(clip)", "n": 300}
    return row(strategy, estimate) | where | more


def test_fid_beyond_n_stands_in_a_table_of_its_own(changed: Callable[..., Path]) -> None:
    """The limit with its interval, the bias, the fit, and halves beside real halves."""
    limit = {"estimate": 0.0123, "low": 0.0101, "high": 0.0144, "bias": 0.0211, "r_squared": 0.9954,
             "images": [300, 150, 100]}  # fmt: skip
    halves = {"generated": 0.0611, "real": 0.0532}
    rows = [fid_row("a", 0.0334, limit=limit, halves=halves), fid_row("b", 0.05)]
    folder = changed("suite.yaml", "task.json", summary=rows)
    run = Run(folder)
    (table,) = limit_tables(run, next(iter(run.tasks.values())))
    (line,) = table.lines
    assert (line.strategy, line.at_n, line.limit, line.interval, line.bias, line.r_squared) == (
        "a", "0.0334", "0.0123", "[0.0101, 0.0144]", "0.0211", "0.995"
    )  # fmt: skip
    assert (line.halves, table.real, line.n) == ("0.0611", "0.0532", 300)
    page = render(run)
    assert "FID(clip) beyond this number of images" in page
    assert "the real images of both halves have 0.0532" in page


def test_why_fid_is_not_extrapolated_is_said(changed: Callable[..., Path]) -> None:
    """Once for all strategies, with dashes in the table."""
    limit = {"reason": "FID beyond this n needs at least 2 images for each of 512 dimensions"}
    rows = [fid_row(name, 0.03, limit=limit) for name in ("a", "b")]
    run = Run(changed("suite.yaml", "task.json", summary=rows))
    (table,) = limit_tables(run, next(iter(run.tasks.values())))
    assert table.reasons == (limit["reason"],)
    assert {(line.limit, line.bias, line.r_squared, line.halves) for line in table.lines} == {
        ("—",) * 4
    }


def test_failures_are_counted_by_kind(run: Path) -> None:
    """Errors that differ in names and numbers only are one kind."""
    (issue,) = issues.failures(Run(run))
    assert (issue.kind, issue.count) == ("BadImage: file … is cut after N bytes", 3)


def test_reports_are_listed_without_heavy_imports() -> None:
    """Importing all reports loads neither pandas, matplotlib, jinja2 nor yaml."""
    code = """if True:
        import sys
        from mmragbench.registry import every
        print(sorted({report.name for report in every("report")}))
        print({"pandas", "matplotlib", "jinja2", "yaml", "numpy", "PIL"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, heavy = done.stdout.splitlines()
    assert {"csv", "html", "latex", "markdown"} <= set(ast.literal_eval(names))
    assert heavy == "set()"


def test_a_generator_that_is_shown_nothing_is_a_level(changed: Callable[..., Path]) -> None:
    """What a model knows without retrieval is marked beside chance and ceiling."""
    rows = [row("a", 0.8), row("b", 0.6), row("random", 0.1)]
    rows = [one | {"generator": "consensus", "k": 5, "measure": "CIDEr"} for one in rows]
    alone = {"generator": "captioner", "k": 0, "measure": "CIDEr"}
    rows.append(row("no-retrieval", 0.4) | alone)
    run = Run(changed("suite.yaml", "task.json", summary=rows))
    (strip,) = summary_strips(run)
    assert strip.setting == "consensus, k\u00a0=\u00a05"
    labels = [(mark.label, mark.value) for mark in strip.controls]
    assert labels == [("chance", "10.0"), ("captioner alone", "40.0")]


def test_marks_that_are_close_stand_in_lanes(changed: Callable[..., Path]) -> None:
    """Where a reader gains nothing from chance, and where strategies have the same number, no mark lies
    over another: strategies above the line, controls below it."""
    numbers = {"a": 0.8, "b": 0.8, "c": 0.3, "random": 0.101, "no-retrieval": 0.1}
    rows = [row(name, value) for name, value in numbers.items()]
    rows = [one | {"generator": "reader", "k": 3, "measure": "CIDEr"} for one in rows]
    (strip,) = summary_strips(Run(changed("suite.yaml", "task.json", summary=rows)))
    assert {mark.label: mark.lane for mark in strip.marks} == {
        "a": 0, "b": 1, "c": 0, "chance": -1, "floor": -2
    }  # fmt: skip
    assert strip.lanes == (2, 2)
    assert [mark.strategy for mark in strip.best] == ["a", "b"]


def test_strategies_with_the_same_copies_share_a_row(changed: Callable[..., Path]) -> None:
    """A row a generator and count, however many strategies; the generators stay together."""
    counts = {"answered": 9, "copied": 2, "shown": 9, "recurring": 1}
    stored = [
        {"strategy": name, "generator": generator, "k": 3, **counts, **more}
        for name, more in (("a", {}), ("b", {"copied": 5}), ("c", {}))
        for generator in ("reader", "nearest")
    ]
    folder = changed("tasks", audits={"tasks": {"captioning": {"copy": stored}}})
    result = audits(Run(folder), EmbeddedPictures(folder, 0))
    assert result is not None
    rows = [(row.strategies, row.setting[:4], row.copied) for row in result.copies["captioning"]]
    assert rows == [
        (("a", "c"), "read", 2),
        (("b",), "read", 5),
        (("a", "c"), "near", 2),
        (("b",), "near", 5),
    ]
