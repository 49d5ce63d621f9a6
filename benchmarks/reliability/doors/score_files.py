"""Files that `score --output` wrote, as the gate and comparisons read them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from tempfile import mkdtemp

from damaged_files import damaged

from doors import Outcome
from doors.baselines import edited

N = 12
SAVED: list[Path] = []
"""The folder with a good file and its baseline, once they are made."""


def saved() -> Path:
    """A folder with a system's scores, and their baseline."""
    from mmragbench.gating.gate import save_baseline
    from mmragbench.submissions.score_output import write_output
    from mmragbench.submissions.submission_scores import score_rankings
    from mmragbench.submissions.trec_rankings import rankings

    if not SAVED:
        folder = Path(mkdtemp())
        run, qrels = folder / "mine.trec", folder / "qrels"
        qrels.write_text("".join(f"i{q // 3}#{q} 0 d{q} 1\n" for q in range(N)))
        run.write_text("".join(f"i{q // 3}#{q} Q0 d{q - q % 2} 1 1 s\n" for q in range(N)))
        submission = rankings(run, qrels)
        write_output(
            folder / "scores.json", [(submission, score_rankings(submission, ["RR", "R@1"]))]
        )
        save_baseline(folder / "scores.json", folder / "baseline.json")
        SAVED.append(folder)
    return SAVED[0]


def make(rng: random.Random, folder: Path) -> None:
    content = (saved() / "scores.json").read_bytes()
    if rng.random() < 0.6:
        content = json.dumps(edited(rng, json.loads(content))).encode("utf-8", "surrogatepass")
    else:
        content = damaged(rng, content)
    (folder / "scores.json").write_bytes(content)
    shutil.copy(saved() / "scores.json", folder / "other.json")


def enter(folder: Path) -> Outcome:
    """Gated, and compared with the file that it was made from, under another name."""
    from mmragbench.comparing.families import among
    from mmragbench.gating.gate import gate
    from mmragbench.run_folder.score_files import ScoreFile, opened

    gate(folder / "scores.json", saved() / "baseline.json")
    other = ScoreFile.read(folder / "other.json")
    renamed = other.systems[0].model_copy(update={"name": "other", "source": "other"})
    other.model_copy(update={"systems": (renamed,)}).write(folder / "other.json")
    with opened([folder / "scores.json", folder / "other.json"]) as run:
        among(run)
    return Outcome(None, 1)
