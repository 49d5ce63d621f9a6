"""The rules of papers' tables on the page: they fit, whatever they hold, and say in a line what marks
mean; ranks are averaged over data sets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import rankdata
from typer.testing import CliRunner

from mmragbench.cli.app import app
from mmragbench.errors import DataError
from mmragbench.reporting.paper.figures import figures
from mmragbench.reporting.tables.average_ranks import ranks
from mmragbench.reporting.tables.distinct import distinct
from mmragbench.reporting.tables.fit import ROWS, floats, points
from mmragbench.reporting.tables.latex import latex
from mmragbench.reporting.tables.markdown import markdown
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request, Style
from mmragbench.reporting.tables.table import AVERAGE_RANK, Table
from mmragbench.run_folder.reading import Run
from support import stated, typeset

MEASURES = ("CIDEr", "Bleu_1", "Bleu_4", "ROUGE_L", "METEOR")
RANKINGS = ("R@1", "R@5", "R@10", "Success@1", "RR", "nDCG@10", "AP")
INTERVALS = ("subscript", "plusminus", "brackets", "sd", "none")


def row(strategy: str, measure: str, estimate: float | None, **more: object) -> dict[str, object]:
    where = {"task": "captioning", "generator": None, "k": None, "slice": "all", "n_failed": 0}
    numbers = {"n": 400, "estimate": estimate, "signature": f"{measure}|n:400"}
    key = {"strategy": strategy, "measure": measure}
    return stated.row(measure, "shared-space") | where | numbers | key | more


def many(strategies: int) -> list[dict[str, object]]:
    """Captions of four generators and rankings; long names, wide numbers and intervals."""
    names = [f"separate-stores-with-depth-{i}" * (1 + (i == 7) * 3) for i in range(strategies)]
    rows = []
    for i, name in enumerate(names):
        value = 0.5 + i / 100
        spread = {"low": value - 0.12, "high": value + 0.12, "sd": 0.123, "seeds": 3}
        for generator in ("nearest", "consensus", "reader", "a-generator-of-somebody-else"):
            at = {"generator": generator, "k": 3}
            rows += [
                row(name, m, value * (2 if m == "CIDEr" else 1), **at, **spread) for m in MEASURES
            ]
        rows += [row(name, measure, value, **spread) for measure in RANKINGS]
    return rows


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> list[Table]:
    """The tables of five strategies, then those of twenty."""
    crowds: list[Table] = []
    for size in (5, 20):
        folder = tmp_path_factory.mktemp(f"of-{size}")
        (folder / "suite.yaml").write_text("name: crowd\nstrategies: {}\n", encoding="utf-8")
        (folder / "summary.json").write_text(json.dumps(many(size)), encoding="utf-8")
        crowds += tables([Run(folder)], Request())
    return crowds


@pytest.mark.parametrize("width", ["auto", "column", "page"])
def test_parts_fit_and_nothing_is_lost(crowded: list[Table], width: str) -> None:
    """No part is wider than its column or page, no float higher than a page, and together they have
    every number once."""
    for table in crowded:
        for intervals in INTERVALS:
            style = Style(intervals, width=width)  # type: ignore[arg-type]
            shown = floats(table, style)
            assert width == "auto" or all(part.wide == (width == "page") for part in shown)
            for part in shown:
                assert all(points(own, style.intervals) <= part.limit for own in part.tables)
                height = sum(1 + len(list(own.lines)) for own in part.tables)
                assert height <= ROWS + len(part.tables)
            cells = [
                (line.strategy, block.label, column.measure, cell.text)
                for part in shown
                for own in part.tables
                for block in own.blocks
                for line in block.lines
                for column, cell in zip(own.columns, line.cells, strict=True)
            ]
            whole = [
                (line.strategy, block.label, column.measure, cell.text)
                for block in table.blocks
                for line in block.lines
                for column, cell in zip(table.columns, line.cells, strict=True)
            ]
            assert sorted(cells, key=str) == sorted(whole, key=str)


@pytest.mark.parametrize("name", typeset.CLASSES)
def test_no_box_is_overfull(crowded: list[Table], name: str, tmp_path: Path) -> None:
    """In article, IEEEtran, acmart and ACL's page, a column wide and as wide as it is by itself."""
    typeset.must_have(name)
    styles = [Style(width="column"), Style("plusminus", width="column"), Style(), Style("none")]
    whole = [latex(table, style) for style in styles for table in crowded]
    source = "".join(whole).replace(r"\begin{table", "\\clearpage\n\\begin{table")
    assert not typeset.complaints(name, source, tmp_path)


def test_a_table_that_is_too_wide_is_noticed(tmp_path: Path) -> None:
    """The test above sees what does not fit."""
    typeset.must_have("IEEEtran")
    box = r"\begin{table}\centering\begin{tabular}{l}\rule{300pt}{1pt}\end{tabular}\end{table}"
    assert "Overfull" in str(typeset.complaints("IEEEtran", box, tmp_path))


def test_widths_are_those_of_latex(crowded: list[Table], tmp_path: Path) -> None:
    """What a table is said to need is what Computer Modern takes: no less, and at most a sixth more."""
    typeset.must_have("article")
    needed: list[float] = []
    tabulars: list[str] = []
    for table in crowded:
        for intervals in INTERVALS:
            style = Style(intervals, width="column")
            needed += [
                points(own, style.intervals) for f in floats(table, style) for own in f.tables
            ]
            tabulars += re.findall(
                r"\\begin\{tabular\}.*?\\end\{tabular\}", latex(table, style), re.DOTALL
            )
    measured = typeset.widths(tabulars, tmp_path)
    assert len(needed) == len(measured) > 20
    assert all(own <= text * 1.005 for text, own in zip(needed, measured, strict=True))
    assert all(own >= text / 1.17 for text, own in zip(needed, measured, strict=True))


def test_notes_have_three_lengths(finished: Path) -> None:
    """One line by default, everything, or nothing: then no mark of a footnote is left either."""
    texts = {}
    for note in ("short", "full", "none"):
        request = Request(("captioning",), ("CIDEr",), style=Style(note=note))  # type: ignore[arg-type]
        (table,) = tables([Run(finished)], request)
        texts[note] = " ".join((*table.caption, *table.remarks))
        assert len(table.remarks) == {"short": 1, "none": 0}.get(note, len(table.remarks))
        assert note != "none" or not any(c.note for line in table.lines for c in line.cells)
    assert len(texts["none"]) < len(texts["short"]) < 330 < len(texts["full"])
    assert "Holm" in texts["full"] and "Signatures" in texts["full"]
    assert "95 % intervals as subscripts; bold: best" in texts["short"]


def test_what_was_left_out_is_counted_in_a_line(changed: Callable[..., Path]) -> None:
    """Also in the short note."""
    (table,) = tables([Run(changed("suite.yaml", summary=[row("a", "RR", 0.5)]))], Request())
    assert "6 items of the data left out" in table.remarks[0]


def test_names_strategies_and_generators_are_the_authors(finished: Path) -> None:
    """Rows in the author's order under the author's names, in tables, notes and figures; CSV keeps the
    run's."""
    style = Style(names={"shared-space": "CLIP (ours)", "consensus": "Vote"}, note="full", digits=3)
    request = Request(
        ("captioning",),
        ("CIDEr",),
        ("images", "shared-space", "random"),
        ("consensus",),
        style=style,
    )
    (table,) = tables([Run(finished)], request)
    assert [line.strategy for line in table.lines] == ["images", "CLIP (ours)", "random"]
    assert [block.label for block in table.blocks] == ["Vote, k\u00a0=\u00a03"]
    text = markdown(table, style)
    assert "CLIP (ours)" in text and "shared-space" not in text and "consensus" not in text
    assert all(re.fullmatch(r"\d+\.\d{3}", c.text) for line in table.lines for c in line.cells)
    drawn = {plot.name: plot.figure() for plot in figures(Run(finished), request)}
    legends = {text.get_text() for f in drawn.values() for text in _texts(f)}
    assert "CLIP (ours)" in legends and not {"shared-space", "backwards"} & legends


def _texts(figure):
    legends = [legend.get_texts() for legend in figure.legends]
    ticks = [axes.get_yticklabels() for axes in figure.axes]
    return [text for texts in (*legends, *ticks) for text in texts]


def test_columns_that_say_the_same_stand_once(tmp_path: Path) -> None:
    """With one relevant document R@1 is Success@1; the note says so. Who asks for both gets both."""
    rows = [row(s, m, v) for s, v in (("a", 0.5), ("b", 0.7)) for m in ("R@1", "Success@1", "RR")]
    rows[-1]["estimate"] = 0.8
    (tmp_path / "suite.yaml").write_text("name: s\nstrategies: {}\n", encoding="utf-8")
    (tmp_path / "summary.json").write_text(json.dumps(rows), encoding="utf-8")
    (table,) = tables([Run(tmp_path)], Request())
    assert [c.measure.label for c in distinct(table).columns] == ["R@1", "MRR"]
    assert distinct(table).remarks[-1] == "Equal throughout: Success@1 = R@1."
    cli = ["report", str(tmp_path), "--format", "markdown", "--measures", "R@1,Success@1"]
    assert "| R@1 | Success@1 |" in CliRunner().invoke(app, cli).output


def test_average_ranks_are_scipys(changed: Callable[..., Path], tmp_path: Path) -> None:
    """Over runs on different data side by side: ties averaged, direction respected, controls left out;
    none where a contender lacks a number."""
    values = {
        "one": {"a": (0.9, 3.0), "b": (0.9, 1.0), "c": (0.2, 2.0)},
        "two": {"a": (0.1, 5.0), "b": (0.4, 5.0), "c": (0.3, 9.0)},
    }
    runs = []
    for name, numbers in values.items():
        at = {"generator": "g", "k": 1}
        rows = [
            row(s, m, v, **at)
            for s, own in numbers.items()
            for m, v in zip(("CIDEr", "FID(x)"), own, strict=True)
        ]
        rows.append(row("oracle", "CIDEr", 2.0, **at) | {"control": "ceiling"})
        data = {"data": {"captioning": {"queries_digest": name}}}
        folder = changed("suite.yaml", "task.json", summary=rows, manifest=data)
        runs.append(Run(folder.rename(tmp_path / name)))
    (table,) = tables(runs, Request(style=Style(note="full")))
    columns = [[own[s][i] for s in "abc"] for own in values.values() for i in (0, 1)]
    expected = sum(
        rankdata([value if i % 2 else -value for value in column])
        for i, column in enumerate(columns)
    ) / len(columns)
    assert table.columns[-1].measure == AVERAGE_RANK
    shown = {line.strategy: line.cells[-1].text for line in table.lines}
    assert shown == {**{s: f"{r:.2f}" for s, r in zip("abc", expected, strict=True)}, "oracle": ""}
    assert "over the 4 columns of 2 runs" in str(table.remarks) and "Demšar 2006" in str(
        table.remarks
    )
    best = [line.strategy for line in table.lines if line.cells[-1].best]
    assert best == ["abc"[i] for i in range(3) if expected[i] == min(expected)]
    assert ranks([1, 1, 1]) == [2, 2, 2]
    (single,) = tables(runs[:1], Request())
    assert all(column.measure != AVERAGE_RANK for column in single.columns)


def test_average_ranks_need_every_number(changed: Callable[..., Path], tmp_path: Path) -> None:
    """A strategy without one of the numbers has no rank there, so that nobody has an average."""
    runs = []
    for name in ("one", "two"):
        rows = [row("a", "RR", 0.5), row("b", "RR", None if name == "two" else 0.4, reason="x")]
        data = {"data": {"captioning": {"queries_digest": name}}}
        runs.append(Run(changed("suite.yaml", summary=rows, manifest=data).rename(tmp_path / name)))
    (table,) = tables(runs, Request())
    assert all(column.measure != AVERAGE_RANK for column in table.columns)


def test_labels_are_the_authors(finished: Path) -> None:
    """One table has the label as it is; of several each has one of its own."""
    cli = ["report", str(finished), "--format", "latex", "--label", "tab:main"]
    whole = CliRunner().invoke(app, cli).output
    assert len(re.findall(r"\\label\{tab:main-[\w-]+\}", whole)) == whole.count("\\label") > 1
    one = CliRunner().invoke(app, [*cli, "--measures", "RR"]).output
    assert re.findall(r"\\label\{.*?\}", one) == [r"\label{tab:main}"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--strategies", "shared-spaec"), "'shared-space'"),
        (("--generators", "nearst"), "'nearest'"),
        (("--names", "shared-spaec=x"), "'shared-space'"),
        (("--names", "shared-space"), "NAME=TEXT"),
        (("--names", "shared-space=images"), "would call both images and shared-space"),
        (("--style", "sd"), "--seeds"),
        (("--label", "a}b"), "letters, digits"),
        (("--strategies", "images", "--baseline", "random"), "not among the strategies"),
    ],
)
def test_misuse_is_one_line(finished: Path, wrong: tuple[str, ...], says: str) -> None:
    """With what there is, and no table."""
    done = CliRunner().invoke(app, ["report", str(finished), "--format", "markdown", *wrong])
    message = str(done.exception)
    assert done.exit_code != 0 and says in message and "\n" not in message


def test_two_rows_never_have_one_name(finished: Path) -> None:
    """Python's door refuses what the command line refuses."""
    style = replace(Style(), names={"shared-space": "x", "images": "x"})
    with pytest.raises(DataError, match="would call both images and shared-space 'x'"):
        tables([Run(finished)], Request(style=style))
