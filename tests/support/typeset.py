"""Tables of papers, typeset by pdflatex in the classes of journals and conferences."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CLASSES = {
    "article": r"\documentclass{article}",
    "article in two columns": r"\documentclass[twocolumn,a4paper]{article}",
    "IEEEtran": r"\documentclass[conference]{IEEEtran}",
    "acmart": r"\documentclass[sigconf,nonacm]{acmart}",
    "ACL": r"\documentclass[11pt,twocolumn,a4paper]{article}\usepackage{times}"
    r"\usepackage[a4paper,margin=2.5cm,columnsep=0.6cm]{geometry}",
}
"""Name -> the first lines of a document. ACL's class is not on CTAN: its page and font."""


def must_have(name: str) -> None:
    """Skip the test where there is no pdflatex or no such class."""
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed")
    file = re.search(r"\]?\{(\w+)\}", CLASSES[name])
    assert file
    seen = subprocess.run(["kpsewhich", f"{file[1]}.cls"], capture_output=True, check=False)
    if seen.returncode:
        pytest.skip(f"{file[1]}.cls is not installed")


def complaints(name: str, source: str, folder: Path) -> list[str]:
    """What pdflatex says of boxes and floats that do not fit, and of errors."""
    head = (
        f"{CLASSES[name]}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n\\title{{T}}\\author{{A}}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    document = f"{head}\\maketitle\n{source}\n\\clearpage\n\\end{{document}}\n"
    (folder / "document.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "document.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    log = (folder / "document.log").read_text(encoding="utf-8", errors="replace")
    assert "Output written on" in log, log[-2000:]
    return re.findall(r"^(?:Overfull|LaTeX Warning: Float too large|!).*", log, re.MULTILINE)


def widths(tabulars: list[str], folder: Path) -> list[float]:
    """How wide each tabular is in Computer Modern of 8 points, in points."""
    set_in = r"\fontsize{8}{9.5}\selectfont\setlength{\tabcolsep}{3pt}"
    boxes = (rf"\setbox0\hbox{{{set_in}{text}}}\typeout{{WIDTH=\the\wd0}}" for text in tabulars)
    complaints("article", "\n".join(boxes), folder)
    log = (folder / "document.log").read_text(encoding="utf-8", errors="replace")
    return [float(number) for number in re.findall(r"WIDTH=([\d.]+)pt", log)]
