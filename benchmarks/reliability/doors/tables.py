"""Tables of captions: Flickr's CSV and token files, `metadata.csv`, `metadata.jsonl`."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import odd_values
import PIL.Image

from doors import Outcome

_ENDS = ["", "x", '"']
_NAMES = [f"p{n}.png" for n in range(6)]


def make(rng: random.Random, folder: Path) -> None:
    """Two captions of each of six pictures in one of four forms; `truth.json` has them, and what
    was done to the bytes is in `spoilt`."""
    odd = rng.choice([0.0, 0.1])
    form = rng.choice(["csv", "loose", "tokens", "metadata.csv", "metadata.jsonl"])
    rows = [(name, _caption(rng)) for name in _NAMES for _ in range(2)]
    (folder / "images").mkdir()
    for n, name in enumerate(_NAMES):
        PIL.Image.new("RGB", (8, 8), (n, n, n)).save(folder / "images" / name)
    place = folder / "images" / form if "metadata" in form else folder / "captions.txt"
    text = _written(form, rows)
    data = text.encode("utf-8", "surrogatepass")
    spoilt = rng.random() < odd * 3
    place.write_bytes(odd_values.damaged(rng, data) if spoilt else data)
    (folder / "lists").mkdir()
    for name, part in (("dev", _NAMES[:3]), ("train", _NAMES[3:])):
        odd_values.write(rng, folder / "lists" / f"{name}.txt", "\n".join(part) + "\n", odd / 4)
    truth = {"form": form, "rows": rows, "spoilt": spoilt}
    (folder / "truth.json").write_text(json.dumps(truth))


def _caption(rng: random.Random) -> str:
    plain = f"a picture number {rng.randrange(99)}"
    odd = rng.choice(
        ['"Stop', 'a sign "Go"', '"quoted" sign', "a, b, c", "says 'no'", "\u2028 x", plain]
    )
    return plain if rng.random() < 0.7 else f"{odd} {rng.choice(_ENDS)}".strip()


def _written(form: str, rows: list[tuple[str, str]]) -> str:
    if form == "metadata.jsonl":
        return "".join(json.dumps({"file_name": n, "caption": c}) + "\n" for n, c in rows)
    if form == "tokens":
        return "".join(f"{n}#0\t{c}\n" for n, c in rows)
    head = ("file_name" if form == "metadata.csv" else "image", "caption")
    if form == "loose":
        return "".join(f"{n},{c}\n" for n, c in [head, *rows])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def enter(folder: Path) -> Outcome:
    """Every caption stands with its own picture (quotation marks around all of it may be the file's
    or its own), and none has a line of another one in it."""
    from mmragbench.datasets.flickr import Flickr
    from mmragbench.datasets.folder import Folder

    truth = json.loads((folder / "truth.json").read_text())
    if "metadata" in truth["form"]:
        task = Folder(folder, queries="images", memory="rest", limit=3).tasks()["captioning"]
    else:
        lists = {"queries": Path("lists/dev.txt"), "memory": Path("lists/train.txt")}
        task = Flickr(folder, **lists).tasks()["captioning"]
    texts = {query.id: list(task.references[query.id]) for query in task.queries}
    texts |= {document.id: [text.content for text in document.texts] for document in task.memory}
    found = {(id.rpartition("/")[2], text.strip('" ')) for id, own in texts.items() for text in own}
    if not truth["spoilt"]:
        wanted = [(n, c) for n, c in truth["rows"] if any(n == name for name, _ in found)]
        return Outcome(len(wanted), sum((n, c.strip('" ')) in found for n, c in wanted))
    swallowed = [text for _, text in found if any(name in text for name in _NAMES)]
    return Outcome(0, len(swallowed))
