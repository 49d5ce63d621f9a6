"""The rules of the Markdown, CSV and LaTeX tables, and of the figures beside them."""

from __future__ import annotations

import csv as format
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mmragbench.reporting.paper.folder import save_all
from mmragbench.reporting.tables.request import Request, Style
from mmragbench.reporting.words.tex import escape
from mmragbench.reports.csv import csv
from mmragbench.reports.latex import latex
from mmragbench.reports.markdown import escape as escape_markdown
from mmragbench.reports.markdown import markdown
from mmragbench.run_folder.reading import Run

SPECIALS = "100% & #1_a $x$ {b} ~c^d\\e <f> \"g\" |h| 'i' `j` -- שלום 🦄 Łódź naïve\x07"


@pytest.fixture(scope="module")
def papers(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the LaTeX report wrote, with the figures of a paper's folder."""
    return drawn(run, tmp_path_factory.mktemp("papers")).parent


def drawn(run: Path, target: Path) -> Path:
    """The LaTeX report's document, with its figures beside it."""
    save_all([Run(run)], Request(), "latex", target)
    return latex(run, target)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("report", [markdown, csv, latex])
def test_is_a_pure_function_of_the_run_folder(
    run: Path, tmp_path: Path, report: Callable[[Path, Path], Path]
) -> None:
    """The same run gives the same files with the same bytes."""
    report(run, tmp_path / "a")
    report(run, tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_one_file_per_task(run: Path, tmp_path: Path) -> None:
    """Each format writes `tables/<task>` and returns the file that has them all."""
    for report, suffix in ((markdown, "md"), (csv, "csv"), (latex, "tex")):
        assert report(run, tmp_path) == tmp_path / f"tables.{suffix}"
        names = {path.stem for path in (tmp_path / "tables").glob(f"*.{suffix}")}
        assert names == {"text-to-image", "image-to-text", "captioning", "image-generation"}


def test_markdown_tables_are_rectangular(run: Path, tmp_path: Path) -> None:
    """Every row of a table has as many cells as its head."""
    lines = markdown(run, tmp_path).read_text(encoding="utf-8").splitlines()
    tables: list[list[int]] = [[]]
    for line in lines:
        if line.startswith("|"):
            tables[-1].append(line.replace(r"\|", "").count("|"))
        elif tables[-1]:
            tables.append([])
    assert all(len(set(table)) <= 1 for table in tables)
    assert sum(map(bool, tables)) == 12


def test_markdown_shows_best_chance_and_reasons(run: Path, tmp_path: Path) -> None:
    """Best in bold by direction, controls in italics, a dash with a numbered reason."""
    markdown(run, tmp_path)
    text = (tmp_path / "tables" / "image-generation.md").read_text(encoding="utf-8")
    assert "separate-stores | **19.5** | **16.0** | 500 |" in text
    assert "*chance-level* (chance) | 40.4 | 29.9 | 500 |" in text
    assert "*no-retrieval* (floor) | —<sup>1</sup> | —<sup>1</sup> |" in text
    assert "1. nearest hands back the first hit, and &lt;no-retrieval&gt; has none" in text
    assert "Success@1 (%, silver) ↑" in text


def test_markdown_names_measures_with_one_escape(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    r"""`My_own_measure` would be in italics as it is; it is `My\_own\_measure`."""
    row = {"task": "t", "strategy": "a", "measure": "My_own_measure", "estimate": 0.5}
    text = markdown(changed(summary=[row]), tmp_path).read_text(encoding="utf-8")
    assert " My\\_own\\_measure " in text


def test_markdown_escapes() -> None:
    """Pipes, line breaks, markup and HTML stay text within a cell."""
    assert escape_markdown("a|b\n*c* <d> [e](f) `g`") == (r"a\|b \*c\* &lt;d&gt; \[e\](f) \`g\`")


def test_csv_has_every_number_of_the_summary_unrounded(run: Path, tmp_path: Path) -> None:
    """The CSV is the summary, row by row, on raw scales; what is missing is empty and not 0."""
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    with csv(run, tmp_path).open(newline="", encoding="utf-8") as stream:
        rows = list(format.DictReader(stream))
    order = {name: i for i, name in enumerate(("task", "strategy", "measure"))}
    assert [[row[key] for key in order] for row in rows] == [
        [raw[key] for key in order] for raw in summary
    ]
    estimates = [float(row["estimate"]) if row["estimate"] else None for row in rows]
    assert estimates == [raw["estimate"] for raw in summary]
    assert {row["control"] for row in rows} == {"", "ceiling", "chance", "floor"}


def test_csv_quotes_what_needs_it(changed: Callable[..., Path], tmp_path: Path) -> None:
    """Commas, quotes and line breaks in a reason survive."""
    reason = 'no, "never"\nhere'
    row = {"task": "t", "strategy": "a", "measure": "RR", "estimate": None, "reason": reason}
    with csv(changed(summary=[row]), tmp_path).open(newline="", encoding="utf-8") as stream:
        assert next(format.DictReader(stream))["reason"] == reason


def test_latex_shows_best_chance_and_reasons(papers: Path, run: Path, tmp_path: Path) -> None:
    """Best in bold by direction, controls in italics; a full note says who has no number and why."""
    text = (papers / "tables" / "image-generation.tex").read_text(encoding="utf-8")
    assert r"separate-stores & \textbf{19.5} &  & \textbf{16.0} &" in text
    assert r"\textit{chance-level} & 40.4" in text
    assert "no-retrieval &" not in text
    save_all([Run(run)], Request(style=Style(note="full")), "latex", tmp_path)
    text = (tmp_path / "tables" / "image-generation.tex").read_text(encoding="utf-8")
    assert r"no-retrieval (nearest hands back the first hit, and \textless{}no-retrieval" in text


def test_latex_names_what_it_cannot_show() -> None:
    """A character that pdflatex has no sign for is named by its code point."""
    assert escape("🦄") == "[U+1F984]"
    assert escape("50% of a_b") == r"50\% of a\_b"
    assert escape("é") == r"\'{e}"
    assert escape("a--b") == "a-{}-b"


def test_latex_compiles(changed: Callable[..., Path], tmp_path: Path) -> None:
    """All tables, figures, references and the methods compile in two columns as they are, awkward
    names included; nothing is undefined."""
    if not shutil.which("pdflatex") or not shutil.which("bibtex"):
        pytest.skip("pdflatex is not installed")
    search = ["kpsewhich", "booktabs.sty"]
    if not subprocess.run(search, capture_output=True, check=False).stdout:
        pytest.skip("the LaTeX package booktabs is not installed")
    rows = json.loads((changed() / "summary.json").read_text(encoding="utf-8"))
    rows[0] |= {"estimate": None, "reason": SPECIALS}
    rows[1]["strategy"] = SPECIALS
    rows[2]["signature"] = f"{SPECIALS}|tok:{SPECIALS}"
    main = drawn(changed(summary=rows), tmp_path / "report")
    log = ""
    for program in ("pdflatex", "bibtex", "pdflatex", "pdflatex"):
        options = ["-interaction=nonstopmode", "-halt-on-error"] * (program == "pdflatex")
        command = [program, *options, main.stem]
        done = subprocess.run(command, cwd=main.parent, capture_output=True, check=False)
        log = done.stdout.decode(errors="replace")
        assert done.returncode == 0, log[-3000:]
    assert "undefined" not in log
    assert (main.parent / "tables.pdf").stat().st_size > 20_000


def test_figures_are_vectors_with_every_strategy(papers: Path) -> None:
    """Recall over k is drawn as SVG and PDF, with text as text."""
    figure = papers / "plots" / "text-to-image-Success-at-k.svg"
    text = "".join(ElementTree.parse(figure).getroot().itertext())
    for name in ("shared-space", "text-grounding", "separate-stores", "oracle (ceiling)"):
        assert name in text
    assert figure.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
