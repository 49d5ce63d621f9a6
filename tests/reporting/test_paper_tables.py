"""The rules of papers' tables: which numbers stand together, and what their marks mean."""

from __future__ import annotations

import csv as format
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mmragbench import statistics
from mmragbench.cli.app import app
from mmragbench.errors import DataError
from mmragbench.reporting.tables import table_tests
from mmragbench.reporting.tables.comparability import obstacles, usual_signatures
from mmragbench.reporting.tables.csv import csv
from mmragbench.reporting.tables.html import html
from mmragbench.reporting.tables.labels import labels
from mmragbench.reporting.tables.latex import latex
from mmragbench.reporting.tables.markdown import markdown
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request, Style
from mmragbench.reporting.tables.table import Cell, Table
from mmragbench.reporting.templates import environment, latex_environment
from mmragbench.reporting.words.tex import escape
from mmragbench.run_folder.reading import Run

FULL = Style(note="full")

NASTY = '<script>alert("x")</script> שלום 🦄 a|b 50% & $5_{x}^2 ~#\\ end'


def only(table: Table, strategy: str) -> Cell:
    """The last number of the only line of that strategy."""
    (line,) = [line for line in table.lines if line.strategy == strategy]
    return line.cells[-1]


def row(strategy: str, estimate: float | None, **more: object) -> dict[str, object]:
    usual = {"task": "t", "generator": None, "k": None, "slice": "all", "measure": "RR", "n": 5}
    return usual | {"strategy": strategy, "estimate": estimate, "n_failed": 0} | more


def test_what_a_distances_interval_is_of_is_said(changed: Callable[..., Path]) -> None:
    """And FID beyond this number of images, where it is known."""
    limit = {"estimate": 0.0123, "low": 0.0101, "high": 0.0144, "bias": 0.02, "r_squared": None,
             "images": [300, 150]}  # fmt: skip
    where = {"generator": "nearest", "k": 1, "measure": "FID(clip)"}
    rows = [row("a", 0.0334, limit=limit, **where), row("b", 0.05, **where)]
    (table,) = tables([Run(changed("suite.yaml", "task.json", summary=rows))], Request(style=FULL))
    notes = " ".join(table.remarks)
    assert "FID(clip): intervals are of the distance expected at this number of images." in notes
    assert "2020): a (nearest, k\u00a0=\u00a01) 0.0123 [0.0101, 0.0144]." in notes


def test_the_level_is_the_one_of_the_statistics() -> None:
    """Papers' tables and verdicts reject at the same level."""
    assert table_tests.ALPHA == statistics.ALPHA


def test_what_the_intervals_are_of_is_said_where_they_stand(changed: Callable[..., Path]) -> None:
    """Of queries' values; of pseudo-values and influences for the measures that have such."""
    rows = [
        row("s", 0.5, measure=name, low=0.4, high=0.6, signature=name, interval_of=of)
        for name, of in (("RR", None), ("Bleu_4", "pseudo-values"), ("FID(x)", "influences"))
    ]
    of = {
        "RR": "",
        "Bleu_4": "; of pseudo-values for BLEU-4",
        "FID(x)": "; of influences for FID(x)",
    }
    folder = Run(changed("suite.yaml", summary=rows))
    for name, clause in of.items():
        (table,) = tables([folder], Request(measures=(name,), style=FULL))
        text = " ".join(table.remarks)
        assert f"bootstrap intervals, by groups of queries{clause}; Wilson's for" in text


def test_marks_say_what_the_tests_say(finished: Path) -> None:
    """Bold: the best as shown; stars: differs from the baseline; neither for controls. p-values are
    those of the run's families, whatever the table shows, and the table names the families."""
    stored = json.loads((finished / "comparisons.json").read_text())
    wide, narrow = Request(measures=("R@1", "RR")), Request(measures=("RR",), style=FULL)
    (whole,), (table,) = (tables([Run(finished)], request) for request in (wide, narrow))
    against = {p["a"]: p for p in stored if (p["measure"], p["b"]) == ("RR", "random")}
    assert against.keys() == {"shared-space", "images", "backwards"}
    for name, pair in against.items():
        stars = "*" * sum(pair["p_holm"] <= most for most in (0.05, 0.01, 0.001))
        assert only(table, name).stars == only(whole, name).stars == stars
    assert only(table, "shared-space").best and only(table, "images").best
    assert not only(table, "backwards").best
    assert only(table, "shared-space").stars
    for control in {"random", "oracle"} & {line.strategy for line in table.lines}:
        number = only(table, control)
        assert not (number.best or number.tied or number.stars)
    families = {p["family"]: p["tests"] for p in stored if p["measure"] == "RR" and p["family"]}
    for name in ("secondary", "secondary against random"):
        assert f"{name} (MRR; {families[name]} tests)" in str(table.remarks)


def test_what_cannot_be_told_from_the_best_is_underlined(changed: Callable[..., Path]) -> None:
    """p above .05 after Holm: underlined; below: plain; not tested: plain, and the table says so."""
    rows = [row("a", 0.9), row("b", 0.8), row("c", 0.1), row("a", 1, measure="AP")]
    rows += [row("b", 0.5, measure="AP")]
    pairs = [
        row(None, None, a=a, b=b, p_holm=p, family="primary", tests=3)  # type: ignore[arg-type]
        for a, b, p in (("a", "b", 0.03), ("a", "c", 0.001), ("b", "c", 0.001))
    ]
    run = Run(changed("suite.yaml", summary=rows, comparisons=pairs))
    (table,) = tables([run], Request(style=FULL))
    marks = {
        (line.strategy, i): (n.best, n.tied)
        for line in table.lines
        for i, n in enumerate(line.cells)
    }
    assert marks["a", 0] == (True, False)
    assert marks["b", 0] == (False, False)
    assert marks["c", 0] == (False, False)
    assert marks["b", 1] == (False, False)
    assert "Not tested: mAP." in table.remarks
    pairs[0]["p_holm"] = 0.06
    run = Run(changed("suite.yaml", summary=rows, comparisons=pairs))
    (table,) = tables([run], Request(measures=("RR",)))
    assert r"\underline{80.0}" in latex(table, Style("none"))
    assert "<ins>80.0</ins>" in markdown(table, Style("none"))
    assert "<u>80.0</u>" in html(table, Style("none"))


def test_failed_missing_and_zero_are_three_things(changed: Callable[..., Path]) -> None:
    """A zero is a number; what failed says so with its reason; what can't be is a dash; who has no
    number at all has no line, and is named below."""
    rows = [
        row("a", 0.0),
        row("b", None, n_failed=5, reason="OSError", absence="crashed"),
        row("c", None, reason="retrieves nothing"),
        row("a", None, measure="AP", reason="no judgements"),
        row("b", 0.5, measure="AP"),
    ]
    (table,) = tables([Run(changed("suite.yaml", summary=rows))], Request(style=FULL))
    texts = {line.strategy: [n.text for n in line.cells] for line in table.lines}
    assert texts == {"a": ["0.0", "—"], "b": ["failed", "50.0"]}
    assert ("a", "no judgements") in table.notes and ("b", "failed: OSError") in table.notes
    assert "Without a number: c (retrieves nothing)." in table.remarks


def test_an_asymmetric_interval_is_not_turned_into_a_smaller_one(
    changed: Callable[..., Path],
) -> None:
    """± is the larger distance to an end, and the table says so; other styles give both ends."""
    rows = [row("a", 0.5, low=0.48, high=0.6)]
    (table,) = tables(
        [Run(changed("suite.yaml", summary=rows))], Request(style=Style("plusminus", "full"))
    )
    assert r"50.0 & $\scriptstyle\,\pm\,10.0$" in latex(table, Style("plusminus"))
    assert "±: the larger distance from the estimate to an end of its interval" in str(
        table.remarks
    )
    assert r"50.0 & $_{[48.0,\,60.0]}$" in latex(table, Style())
    assert r"50.0 & $\scriptstyle\,[48.0,\,60.0]$" in latex(table, Style("brackets"))
    assert "50.0 & " in latex(table, Style("none")) and "48.0" not in latex(table, Style("none"))


def test_runs_share_columns_only_with_equal_signatures(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    """The same memory, queries and signatures: stacked. Another tokeniser, or other queries: side by
    side, and the table says what differs. No column ever has two signatures without a dagger."""
    first = [row("a", 0.5, signature="RR|tok:x|n:5|mmragbench:1.0.0")]
    second = [row("a", 0.6, signature="RR|tok:y|n:5|mmragbench:1.0.0")]
    same = {"data": {"t": {"memory_digest": "m", "queries_digest": "q"}}}
    other = {"data": {"t": {"memory_digest": "m", "queries_digest": "z"}}}

    def changed_run(name: str, rows: list[dict[str, object]], manifest: dict[str, object]) -> Run:
        folder = changed("suite.yaml", summary=rows, manifest=manifest)
        return Run(folder.rename(tmp_path / name))

    runs = [changed_run("one", first, same), changed_run("two", first, same)]
    (table,) = tables(runs, Request())
    assert len(table.columns) == 1 and len(table.blocks) == 2
    (table,) = tables([runs[0], changed_run("three", second, same)], Request(style=FULL))
    assert [column.group for column in table.columns] == ["one", "three"]
    assert "tok is x in one and y in another" in str(table.remarks)
    assert r"\multicolumn{2}{c}{one}" in latex(table, Style("none"))
    (table,) = tables([runs[0], changed_run("four", first, other)], Request(style=FULL))
    assert len(table.columns) == 2 and "their queries differ" in str(table.remarks)


def test_a_number_of_another_signature_has_a_dagger(changed: Callable[..., Path]) -> None:
    """Within one run too: fewer queries scored is named at the number."""
    signature = "RR|n:5|mmragbench:1.0.0"
    rows = [row(name, 0.5, signature=signature) for name in "ab"]
    rows.append(row("c", 0.7, n=4, n_failed=1, signature=signature.replace("5", "4")))
    (table,) = tables([Run(changed("suite.yaml", summary=rows))], Request())
    assert only(table, "c").note == "†"
    assert ("†", "Signature: n is 4, not 5.") in table.notes
    assert r"^{\dagger}" in latex(table, Style("none")) and "$n$ & failed" in latex(
        table, Style("none")
    )


def test_each_signature_has_a_mark_of_its_own(changed: Callable[..., Path]) -> None:
    """However many differ from the column's; in LaTeX, too."""
    signature = "RR|n:9|mmragbench:1.0.0"
    rows = [row(name, 0.5, n=9, signature=signature) for name in "ab"]
    rows += [row(f"s{n}", 0.5, n=n, signature=signature.replace("9", str(n))) for n in range(5)]
    (table,) = tables([Run(changed("suite.yaml", summary=rows))], Request())
    expected = [(mark, f"Signature: n is {n}, not 9.") for n, mark in enumerate("†‡§¶")]
    assert list(table.notes) == [*expected, ("††", "Signature: n is 4, not 9.")]
    for mark in (r"\dagger", r"\ddagger", r"\S", r"\P", r"\dagger\dagger"):
        assert f"^{{{mark}}}" in latex(table, Style("none"))


def test_templates_escape_what_no_filter_does() -> None:
    """A text that is put into a template as it is can't be markup, in HTML as in LaTeX."""
    html_text = environment("mmragbench.reporting.tables").from_string("{{ text }}")
    assert html_text.render(text="<b>") == "&lt;b&gt;"
    latex_text = latex_environment("mmragbench.reporting.tables").from_string("<< text >>")
    assert latex_text.render(text="a_1 \\input{x}") == r"a\_1 \textbackslash{}input\{x\}"


def test_labels_tell_runs_apart(changed: Callable[..., Path], tmp_path: Path) -> None:
    """Suites' names, else the settings that differ, else the folders."""
    runs = []
    for name, document in (("x", "mean"), ("y", "image")):
        folder = changed()
        suite = {"name": "s", "strategies": {"a": {"document": document}}}
        (folder / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
        runs.append(Run(folder.rename(tmp_path / name)))
    assert labels(runs[:1]) == [""]
    assert labels(runs) == ["a: document = mean", "a: document = image"]
    assert labels([runs[0], runs[0]]) == [str(runs[0].path)] * 2
    assert not obstacles([(run, run.rows) for run in runs], "captioning")


def test_every_column_has_the_usual_signature(run: Path) -> None:
    """The signature of most numbers is the column's."""
    rows = [r for r in Run(run).rows if r.task == "captioning" and r.generator]
    odd = [replace(rows[0], signature="other"), *rows[1:]]
    assert usual_signatures(rows) == usual_signatures(odd)


@pytest.mark.parametrize("style", ["subscript", "plusminus", "brackets", "none"])
def test_rows_are_rectangular(run: Path, style: str) -> None:
    """Every row of a LaTeX tabular fills its columns, whatever spans there are."""
    for table in tables([Run(run)], Request()):
        text = latex(table, Style(style))  # type: ignore[arg-type]
        body = text.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
        width = 1 + 2 * len(table.columns) + table.counted + table.failed
        for line in body.splitlines():
            if line.endswith(r"\\"):
                spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                assert len(re.findall(r"(?<!\\)&", line)) + 1 + spans == width


class Texts(HTMLParser):
    """The text and the tags of a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.text, self.tags = "", set()
        self.feed(fragment)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


def test_awkward_names_show_as_themselves(changed: Callable[..., Path]) -> None:
    """Script tags, right-to-left text, emoji and specials stay text in every format."""
    rows = [row(NASTY, 0.5, generator=NASTY, k=1), row("b", None, reason=NASTY)]
    rows[0]["signature"] = f"RR|tok:{NASTY}"
    paper_tables = tables([Run(changed("suite.yaml", summary=rows))], Request())
    shown = Texts(html(paper_tables[0], Style()))
    assert NASTY in shown.text and "script" not in shown.tags
    source = latex(paper_tables[0], Style())
    assert escape(NASTY) in source.replace(r"\allowbreak{}", "")
    assert "<script>" not in re.sub(r"^%.*$", "", source, flags=re.MULTILINE)
    assert "<script>" not in markdown(paper_tables[0], Style())
    (line,) = format.DictReader(StringIO(csv(paper_tables)))
    assert line["strategy"] == NASTY and line["estimate"] == "0.5"


def test_zero_has_no_sign_in_any_format(changed: Callable[..., Path]) -> None:
    """What rounding leaves of it neither."""
    rows = [row("a", -2.2e-16), row("b", -0.0), row("c", 0.3)]
    for stored in rows:
        stored |= {"low": -3e-17, "high": 0.4}
    paper_tables = tables([Run(changed("suite.yaml", summary=rows))], Request())
    texts = [write(paper_tables[0], Style()) for write in (latex, markdown, html)]
    for text in (*texts, csv(paper_tables)):
        assert not re.search(r"[-−](\\,)?0(\.0+)?(?![.\d])", text)
        assert "e-1" not in text and "e−1" not in text


def test_csv_has_raw_numbers_and_marks(finished: Path) -> None:
    """One row per number shown, on its own scale."""
    paper_tables = tables([Run(finished)], Request(measures=("R@1", "RR")))
    lines = list(format.DictReader(StringIO(csv(paper_tables))))
    summary = json.loads((finished / "summary.json").read_text())
    expected = {
        (r["strategy"], r["measure"]): r["estimate"]
        for r in summary
        if r["estimate"] is not None and r["measure"] in ("R@1", "RR")
    }
    assert {(r["strategy"], r["measure"]): float(r["estimate"]) for r in lines} == expected
    assert {r["best"] for r in lines} == {"", "True"}


def test_names_that_do_not_exist_are_told(finished: Path) -> None:
    """A measure, task, slice or baseline that no run has is one line with what there is."""
    run = Run(finished)
    for request in (
        Request(measures=("RRR",)),
        Request(tasks=("image-generation",)),
        Request(slice="emblems"),
        Request(baseline="randon"),
    ):
        with pytest.raises(DataError, match="There is: "):
            tables([run], request)


def test_nothing_to_show_is_an_error(finished: Path) -> None:
    """Names that exist, but not together, give a line with what goes together; not an empty table."""
    with pytest.raises(DataError, match="no number for captioning, RR.*captioning: CIDEr"):
        tables([Run(finished)], Request(tasks=("captioning",), measures=("RR",)))


def test_the_command_prints_or_writes(finished: Path, tmp_path: Path) -> None:
    """To the terminal, into a file, or a whole folder; a misuse is an error, not a guess."""
    cli = CliRunner()
    given = [str(finished), "--measures", "RR"]
    printed = cli.invoke(app, ["report", *given, "--format", "latex"])
    assert printed.exit_code == 0 and r"\end{table}" in printed.output
    assert "R@1" not in printed.output
    file = tmp_path / "table.tex"
    cli.invoke(app, ["report", *given, "--format", "latex", "--output", str(file)])
    assert file.read_text(encoding="utf-8") == printed.output
    folder = tmp_path / "paper"
    cli.invoke(app, ["report", *given, "--format", "latex", "--output", str(folder)])
    names = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
    assert names == {"tables", "plots", "references.bib", "methods.tex"}
    misused = cli.invoke(app, ["report", str(finished), "--output", str(folder)])
    assert misused.exit_code != 0 and "--output needs --format" in str(misused.exception)
