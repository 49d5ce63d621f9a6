"""Caption measures against pycocoevalcap, called as its authors call it."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from mmragbench.records import Measure
from parities.part import Part, library, value, worst


def captions(data: Path) -> Part:
    """Ours with both tokenisers against pycocoevalcap, called as its authors call it."""
    part = Part("Captions")
    folder = data / "caption_results"
    if not folder.is_dir():
        part.notes.append(f"Not run: {folder.name}/ is not there.")
        return part
    java = shutil.which("java") is not None
    if not java:
        part.notes.append("Java is not installed: the reference is the published scores.json.")
    stored = json.loads((folder / "scores.json").read_text())
    for file, published in stored.items():
        theirs = pycocoevalcap(folder, file) if java else published
        told = library("pycocoevalcap") + ", Java" if java else "scores.json"
        for tokenizer in ("ptb-py", "ptb-java") if java else ("ptb-py",):
            for name, ours in our_captions(folder, file, tokenizer, java).items():
                part.add(f"{name} ({tokenizer})", ours, theirs[name], told, file)
        gap = worst((theirs[name], published[name]) for name in theirs)
        part.notes.append(
            f"{file}: reference and published scores.json differ by {gap:.0e} at most."
        )
    return part


def our_captions(folder: Path, file: str, tokenizer: str, java: bool) -> dict[str, float]:
    """As `mmragbench score captions --missing skip` computes them."""
    from mmragbench.evals.captions import JAVA, PYTHON
    from mmragbench.evals.captions import captions as evaluate
    from mmragbench.evals.meteor import meteor
    from mmragbench.submissions.coco_results import captions as read

    names = ["CIDEr", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L"]
    handed = read(folder / file, folder / "coco_karpathy_test_references.json", "skip")
    chosen = {each.name: each for each in (JAVA, PYTHON)}[tokenizer]
    asked = (handed.task, [], handed.outputs, chosen)
    found = evaluate([Measure(name) for name in names], *asked)
    if java:
        found += meteor([Measure("METEOR")], *asked)
    return {str(scores.measure): value(scores) for scores in found}


def pycocoevalcap(folder: Path, file: str) -> dict[str, float]:
    """The library by itself: its tokeniser, its scorers, the images that have a caption."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = {row["image_id"]: [row] for row in json.loads((folder / file).read_text())}
    gold: dict[int, list[dict[str, str]]] = {id: [] for id in given}
    for row in json.loads((folder / "coco_karpathy_test_references.json").read_text())[
        "annotations"
    ]:
        if row["image_id"] in gold:
            gold[row["image_id"]].append(row)
    with quiet():
        lines = [PTBTokenizer().tokenize(texts) for texts in (gold, given)]
        bleu = Bleu(4).compute_score(*lines, verbose=0)[0]
        rest = {
            "CIDEr": Cider().compute_score(*lines)[0],
            "ROUGE_L": Rouge().compute_score(*lines)[0],
            "METEOR": Meteor().compute_score(*lines)[0],
        }
    return {f"Bleu_{n}": float(b) for n, b in enumerate(bleu, 1)} | {
        name: float(each) for name, each in rest.items()
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield
