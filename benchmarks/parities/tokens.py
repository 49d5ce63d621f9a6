"""Our tokeniser against the Java program, caption by caption."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from parities.part import Part, library


def tokens(data: Path) -> Part:
    """Share of captions whose tokens are Java's, and speed."""
    from mmragbench.measuring import ptb

    part = Part("Tokeniser")
    if shutil.which("java") is None:
        part.notes.append("Not run: Java is not installed.")
        return part
    differing: list[str] = []
    for name, texts in corpora(data):
        theirs = java_lines(texts)
        ptb.line.cache_clear()
        began = time.process_time()
        ours = ptb.lines(texts)
        rate = 60 * len(texts) / (time.process_time() - began)
        same = sum(a == b for a, b in zip(ours, theirs, strict=True))
        differing += [t for t, a, b in zip(texts, ours, theirs, strict=True) if a != b]
        tool = library("pycocoevalcap") + "'s PTBTokenizer (CoreNLP 3.4.1, Java)"
        part.add("identical captions", same, len(texts), tool, name)
        share = f"{100 * same / len(texts):.3f} % of {len(texts):,} identical"
        part.notes.append(f"{name}: {share}; {rate:,.0f} captions a minute of processor time.")
    shown = [f"`{text}`" for text in dict.fromkeys(differing)][:10]
    part.notes.append(f"What differs: {'; '.join(shown) or 'nothing'}.")
    if not part.rows:
        part.notes = ["Not run: none of the captions are there."]
    return part


def corpora(data: Path) -> Iterator[tuple[str, list[str]]]:
    for path in (
        "caption_results/coco_karpathy_test_references.json",
        "coco/captions_val2017.json",
    ):
        if (data / path).is_file():
            rows = json.loads((data / path).read_text())["annotations"]
            yield path, [row["caption"] for row in rows]
    for path in ("caption_results/coco_magic.json", "caption_results/coco_er_san.json"):
        if (data / path).is_file():
            yield path, [row["caption"] for row in json.loads((data / path).read_text())]
    if (data / "flickr8k/captions.txt").is_file():
        from mmragbench.datasets.flickr import read_captions

        own = read_captions(data / "flickr8k/captions.txt")[0].values()
        yield "flickr8k/captions.txt", [str(text) for texts in own for _, text in texts]


def java_lines(texts: Sequence[str]) -> list[str]:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = {i: [{"caption": text}] for i, text in enumerate(texts)}
    return [lines[0] for lines in PTBTokenizer().tokenize(given).values()]
