"""Hostile texts through everything that prints: no control character comes out."""

from __future__ import annotations

import io
import json
import random
import unicodedata
from pathlib import Path

from rich.table import Table
from rich.text import Text

from doors import Outcome
from mmragbench._printable import LONGEST
from mmragbench.cli.progress import Lines
from mmragbench.cli.terminal import Terminal
from mmragbench.data.exclusions import LeftOut
from mmragbench.errors import DataError, unknown
from mmragbench.records import Exclusion
from mmragbench.reporting.words.gfm import escape
from mmragbench.submissions.problems import Problems
from mmragbench.submissions.score_output import unfit

PARTS = (
    "a", "Zürich", "名", "🙂", "\x1b[2J", "\x1b]0;t\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m", "\x90q\x9c",
    "\r", "\n", "\t", "\x08\x08", "\x7f", "\0", "\u202e", "\u2066", "\u2069", "\ud83d", "\udcff", "\u2028",
    "[bold]", "[/bold]", "[/]", "[link=x]", "[red", ":smile:", "\\", "{", "|", "`", "<b>", "x" * 300,
)  # fmt: skip


def make(rng: random.Random, folder: Path) -> None:
    texts = ["".join(_part(rng) for _ in range(rng.randrange(12))) for _ in range(4)]
    (folder / "texts.json").write_text(json.dumps(texts))


def _part(rng: random.Random) -> str:
    return chr(rng.randrange(0x110000)) if rng.random() < 0.3 else rng.choice(PARTS)


def enter(folder: Path) -> Outcome:
    texts = json.loads((folder / "texts.json").read_text())
    told = [text for text in texts if not unsafe(shown(text))]
    return Outcome(len(texts), len(told))


def shown(text: str) -> str:
    """Everything that prints a text, printed."""
    stream = io.StringIO()
    console = Terminal(width=60)
    console.file = stream
    table = Table(text, "b")
    table.add_row(text, Text(text, "bold"))
    console.print(table)
    console.print(text, style="red")
    Lines(console).begin(f"[1/2] {text}", 3)
    left = LeftOut(text, 3, (Exclusion(text, text, text),))
    problems = Problems(text, text, 3, {"missing": (text, text)})
    lines = [text, str(left), *unfit(problems, "skip")]
    for error in (DataError(text), DataError(unknown("model", text, [text, "clip"]))):
        assert len(str(error)) <= LONGEST
        assert "\n" not in str(error)
        lines.append(str(error))
    before = stream.getvalue().count("\n")
    for line in lines:
        console.say(line)
    assert stream.getvalue().count("\n") == before + len(lines), "a line that is two"
    return stream.getvalue() + escape(text)


def unsafe(text: str) -> bool:
    """Whether a terminal would obey some of it, by Unicode's own names."""
    steering = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return any(
        (c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs"))
        or unicodedata.bidirectional(c) in steering
        for c in text
    )
