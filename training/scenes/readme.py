"""Renew the measured half of README.md, from the training logs and `measures.json`.

python -m training.scenes.readme --work build/scenes
"""

import argparse
import csv
import json
import math
from pathlib import Path

HERE = Path(__file__).resolve().parents[2] / "models" / "scenes"
MARK = "<!-- From here on written by readme.py -->"
MODELS = ("clip", "captioner", "sentences", "reranker", "reader")
ROWS = 9


def main() -> None:
    """Keep what stands above the mark, and write the tables below it; a model without a log here
    keeps its curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/scenes"))
    work = parser.parse_args().work
    kept, written = (HERE / "README.md").read_text().split(MARK)
    parts = [MARK, "\n## Measured\n", _measures(), "\n## Learning curves\n"]
    for name in MODELS:
        log = work / f"{name}.csv"
        parts.append(_curve(name, log) if log.is_file() else _section(written, name))
    (HERE / "README.md").write_text(kept + "\n".join(parts))


def _section(text: str, name: str) -> str:
    return (
        f"\n### {name}\n"
        + text.split(f"\n### {name}\n")[1].split("\n### ", maxsplit=1)[0].rstrip()
        + "\n"
    )


def _measures() -> str:
    measures = json.loads((HERE / "measures.json").read_text())
    lines = ["On the 1,500 memory and 500 query images, which no model was trained on.\n"]
    lines += ["| model | size | measure | value |", "|---|---:|---|---:|"]
    for model, values in measures.items():
        size = sum(file.stat().st_size for file in (HERE / model).rglob("*") if file.is_file())
        for at, (name, value) in enumerate(values.items()):
            first = (model, f"{size / 1e6:.1f} MB") if at == 0 else ("", "")
            lines.append(f"| {first[0]} | {first[1]} | {name} | {_short(value)} |")
    return "\n".join(lines)


def _curve(name: str, log: Path) -> str:
    with log.open() as file:
        rows = list(csv.DictReader(file))
    picked = sorted({round(at * (len(rows) - 1) / (ROWS - 1)) for at in range(ROWS)})
    head = list(rows[0])
    lines = [f"\n### {name}\n", f"| {' | '.join(head)} |", "|" + "---:|" * len(head)]
    lines += [
        "| " + " | ".join(_short(float(rows[at][column])) for column in head) + " |"
        for at in picked
    ]
    return "\n".join(lines) + "\n"


def _short(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 20 else f"{value:.3f}"


if __name__ == "__main__":
    main()
