"""Nothing that comes from a file can steer a terminal, a page or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from mmragbench._printable import LONGEST, printable, shortened
from mmragbench.cli.progress import Bars, Lines, progress
from mmragbench.cli.terminal import Terminal
from mmragbench.errors import DataError, unknown
from mmragbench.formats import spreadsheets
from mmragbench.reporting.words.gfm import escape

PROGRAM = Path(sys.executable).with_name("mmragbench")
HOSTILE = (
    "\x1b[31mred", "\x1b]0;title\x07", "a\rb", "\x9b2J", "\x7f", "\x00", "\u202egnp.exe", "\u2066x",
    "[bold]b[/bold]", "[/nothing]", "[link=http://x]y[/link]", ":smile:", "\ud800", "a\x08b", "\x0c",
)  # fmt: skip


def unsafe(text: str) -> list[str]:
    """The characters that a terminal would obey, or could not show; by Unicode's own names."""
    import unicodedata

    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return [
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")
        or unicodedata.bidirectional(c) in bidi
    ]


def shown(*renderables: object, width: int = 80) -> str:
    console = Terminal(width=width)
    console.file = io.StringIO()
    for each in renderables:
        console.print(each)
    return console.file.getvalue()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_terminal_obeys_no_text(text):
    """Printed, in a table, in its head, as a styled text, as a line: as it is, without controls."""
    table = Table(text)
    table.add_row(text)
    console = Terminal()
    console.file = io.StringIO()
    console.say(f"{text}\nerror: forged")
    for printed in (shown(text, table, Text(text, "bold")), console.file.getvalue()):
        assert not unsafe(printed)
        assert printable(text) in printed
    assert console.file.getvalue().count("\n") == 1


def test_a_console_that_cannot_write_a_character_writes_a_question_mark():
    """Where the locale is not UTF-8, no text ends a command."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    done = subprocess.run([PROGRAM, "ls"], capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and b"shared-space" in done.stdout


@given(st.text(st.characters(codec=None, categories=None), max_size=200))
def test_printable_leaves_nothing_that_steers(text):
    """Whatever the text: no control but tab and line feed; the rest stays, character by character."""
    safe = printable(text)
    assert not unsafe(safe)
    assert len(safe) == len(text)
    assert all(a == b for a, b in zip(text, safe, strict=True) if not unsafe(a))


@given(st.text(max_size=300), st.integers(20, 200))
def test_a_shortened_text_keeps_both_ends(text, most):
    """At most so many characters; whole where it fits."""
    cut = shortened(text, most)
    assert len(cut) <= most
    if len(text) > most:
        head, tail = cut.split(" … ", 1) if cut.count(" … ") == 1 else (cut[:5], cut[-5:])
        assert text.startswith(head) and text.endswith(tail)
    else:
        assert cut == text


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 200_000, "a\nb", "é" * 900])
def test_an_error_is_one_bounded_line(text):
    """Whatever id, path or value it repeats."""
    for error in (DataError(f"{text}: cannot"), DataError(unknown("model", text, [text, "clip"]))):
        assert not unsafe(str(error)) and "\n" not in str(error)
        assert len(str(error)) <= LONGEST
    assert str(DataError("plain words")) == "plain words"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_progress_shows_names_as_they_are(text):
    """Lines, and bars too."""
    console = Terminal()
    console.file = io.StringIO()
    Lines(console).cell(1, 2, f"captioning · {text}")
    assert not unsafe(console.file.getvalue())
    watched = Terminal()
    watched.file = io.StringIO()
    watched._force_terminal = True
    with progress(watched) as bars:
        assert isinstance(bars, Bars)
        bars.cell(1, 2, f"captioning · {text}")
        bars.begin(text, 3)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", watched.file.getvalue()).replace("\r", "")
    assert not unsafe(drawn)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_markdown_holds_no_controls(text):
    """Reports are read in terminals, too."""
    assert not unsafe(escape(text))


def test_score_says_a_hostile_id_without_its_escapes(tmp_path):
    """In the error and in the table's remarks; JSON is ASCII."""
    (tmp_path / "run").write_text("q\x1b[2J Q0 d1 1 0.9 s\nq2 Q0 d1 1 0.9 s\n")
    (tmp_path / "qrels").write_text("q\x1b[2J\u202e 0 d1 1\nq2 0 d1 1\n")
    command = [PROGRAM, "score", "rankings", tmp_path / "run", "--qrels", tmp_path / "qrels"]
    for more in ([], ["--missing", "skip"], ["--missing", "zero", "--json"]):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        assert not unsafe(done.stdout + done.stderr)
        assert "\u241b[2J" in done.stderr or "\\u001b[2J" in done.stderr
    assert done.stdout.isascii() and json.loads(done.stdout)


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3+cmd", "@SUM(1)", "\t=1", "\n=1", "＝1"]
KEPT = ["\u240d=1", "-5", "+0.5", "-1e-3", "1=1", "a=b", "", "q1", "-inf", "'x"]


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_a_formula_is_text(text):
    """In any column, of any writer: a quote stands in front."""
    ((_, cell),) = list(csv.reader(io.StringIO(spreadsheets.table("ab", [(1, text)]), newline="")))[
        1:
    ]
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", KEPT)
def test_numbers_and_plain_texts_stay(text):
    """A negative number is no formula."""
    table = spreadsheets.table(("a", "b"), [(-0.5, text), (None, text)])
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert rows == [["a", "b"], ["-0.5", text], ["", text]]


def test_the_reports_tables_hold_no_formula(tmp_path, suite_file):
    """A run of someone else whose strategies are formulas: no cell of any CSV begins as one."""
    import mmragbench as mb
    from mmragbench.verbs import write_reports

    run = mb.run(suite_file(), output=tmp_path / "runs")
    (run.folder / "files.json").unlink()  # whoever changes the files lists none, or his own
    for name in ("summary.json", "comparisons.json"):
        file = run.folder / name
        file.write_text(file.read_text().replace('"random"', '"=HYPERLINK(1)"'))
    (run.folder / "suite.yaml").write_text(
        (run.folder / "suite.yaml").read_text().replace("random:", "=HYPERLINK(1):")
    )
    write_reports(run.folder)
    files = list((run.folder / "report").rglob("*.csv"))
    cells = [cell for file in files for row in csv.reader(file.open(newline="")) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_a_page_holds_no_controls(tmp_path, suite_file):
    """Names and reasons with escapes, in the run's files, are shown without."""
    import mmragbench as mb
    from mmragbench.verbs import write_reports

    run = mb.run(suite_file(), output=tmp_path / "runs")
    excluded = [{"task": "captioning", "kind": "\x1b[31mred", "id": "\u202ea", "reason": "\x9b2J"}]
    (run.folder / "files.json").unlink()
    (run.folder / "exclusions.json").write_text(json.dumps(excluded))
    write_reports(run.folder)
    for name in ("index.html", "tables.md"):
        assert not unsafe((run.folder / "report" / name).read_text())
