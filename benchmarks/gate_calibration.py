"""Does the gate pass what did not change, fail what did, and say why? Does its test keep its level?

    python benchmarks/gate_calibration.py            # print the tables
    python benchmarks/gate_calibration.py --write    # and write them to docs/explanations/gate.md

The embedded world's run (`scenes`, retrieval and captioning by consensus) is made once. Each
repetition copies it with one change, scores what changed with this package's own measures, writes
the run folder with the code that writes every run, and calls `mmragbench.gate`. The other tables
are of simulated scores and features, whose truth is known. All of it is seeded.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import mmragbench as mb
from gates.changes import CHANGES, Change, nothing
from gates.images import added_queries, distances
from gates.level import levels, powers, rare_losses, whole_gates
from gates.runs import Made, make, write
from mmragbench.gating.gate import Gate

REPETITIONS = 30
DOCUMENT = Path(__file__).parents[1] / "docs" / "explanations" / "gate.md"


def judged(made: Made, baseline: Path, change: Change, seed: int) -> tuple[bool, bool]:
    """Whether the gate holds, and whether what it says has the cause in it."""
    with tempfile.TemporaryDirectory() as folder:
        changed = change(made, np.random.default_rng(seed))
        write(made, changed, Path(folder) / "run")
        gate = mb.gate(Path(folder) / "run", baseline, controls=True)
    return gate.holds, bool(changed.cause) and any(re.search(changed.cause, s) for s in said(gate))


def said(gate: Gate) -> list[str]:
    return [*map(str, gate.problems), *(cell.name for cell in gate.failing)]


def table(made: Made, repetitions: int) -> list[str]:
    baseline = made.folder.parent / "baseline.json"
    mb.save_baseline(made.folder, baseline, controls=True)
    lines = ["| change | passes | fails | names the cause |", "| :-- | --: | --: | --: |"]
    for name, change in CHANGES.items():
        found = [judged(made, baseline, change, seed) for seed in range(repetitions)]
        passes, names = (sum(column) for column in zip(*found, strict=True))
        named = "" if change is nothing else str(names)
        lines.append(f"| {name} | {passes} | {repetitions - passes} | {named} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


SIMULATED = {
    "rare": rare_losses,
    "level": levels,
    "power": powers,
    "images": distances,
    "added": added_queries,
    "whole": whole_gates,
}


def main() -> None:
    repetitions = int(next((a for a in sys.argv[1:] if a.isdecimal()), REPETITIONS))
    folder = Path(tempfile.mkdtemp())
    try:
        parts = {"gate": table(make(folder), repetitions)}
    finally:
        shutil.rmtree(folder)
    parts |= {name: lines() for name, lines in SIMULATED.items()}
    for name, lines in parts.items():
        print("\n".join([f"\n{name}\n", *lines]))
    if "--write" in sys.argv:
        text = DOCUMENT.read_text()
        for name, lines in parts.items():
            inner = "\n".join(["", *lines, ""])
            text = re.sub(
                rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
                lambda match, inner=inner: f"{match[1]}{inner}\n{match[2]}",
                text,
                flags=re.S,
            )
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
