"""Small folders of data, one of each layout that `mmragbench init` knows, as people have them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from support import toy

N = 10
"""Pictures of a folder of pictures."""

CAPTIONS = [
    f"a {colour} square, number {n}" for n, colour in enumerate([*toy.NAMES, "red", "green"])
]


def pictures(folder: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        toy.draw(folder / name, toy.NAMES[number % len(toy.NAMES)], number // len(toy.NAMES))


def names(n: int = N, ending: str = ".jpg") -> list[str]:
    return [f"{number:03}{ending}" for number in range(n)]


def lines(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def metadata_jsonl(root: Path) -> None:
    """Pictures beside their table."""
    pictures(root, names())
    rows = zip(names(), CAPTIONS, strict=True)
    lines(root / "metadata.jsonl", [{"file_name": name, "caption": text} for name, text in rows])


def metadata_csv_of_splits(root: Path) -> None:
    """An imagefolder with a table in each split's folder."""
    for split, part in (("train", slice(0, 7)), ("test", slice(7, None))):
        pictures(root / split, names()[part])
        with (root / split / "metadata.csv").open("w", newline="") as file:
            csv.writer(file).writerows(
                [("file_name", "text"), *zip(names()[part], CAPTIONS[part], strict=True)]
            )


def captions_txt(root: Path, folder: str = "Images") -> None:
    """Flickr8k as it is downloaded today: no splits."""
    pictures(root / folder, names())
    rows = [
        ("image", "caption"),
        *((n, c) for n, c in zip(names(), CAPTIONS, strict=True) for _ in "ab"),
    ]
    with (root / "captions.txt").open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def captions_txt_beside_pictures(root: Path) -> None:
    captions_txt(root, ".")


def captions_txt_with_splits(root: Path) -> None:
    captions_txt(root, "images")
    (root / "splits").mkdir()
    (root / "splits" / "train.txt").write_text("\n".join(names()[:7]))
    (root / "splits" / "dev.txt").write_text("\n".join(names()[7:]))


def coco_archives(root: Path) -> None:
    """COCO's own layout."""
    toy.write_coco(root, memory=7, queries=3)


def coco_of_one_file(root: Path) -> None:
    """A single annotation file beside the folder of its pictures, and one that describes more pictures
    than there are."""
    toy.write_coco(root, memory=1, queries=N)
    (root / "annotations" / "captions_train2017.json").unlink()
    subset = root / "annotations" / "captions_val2017.json"
    content = json.loads(subset.read_text())
    subset.rename(root / "captions_val2017_subset.json")
    absent = [{"id": 10**6 + n, "file_name": f"{10**6 + n}.png"} for n in range(50)]
    content["images"] += absent
    (root / "captions_val2017.json").write_text(json.dumps(content))


def beir(root: Path) -> None:
    """A corpus of texts."""
    lines(
        root / "corpus.jsonl",
        [{"_id": f"d{n}", "title": "", "text": c} for n, c in enumerate(CAPTIONS)],
    )
    lines(
        root / "queries.jsonl",
        [{"_id": f"q{n}", "text": f"{c} please"} for n, c in enumerate(CAPTIONS[:4])],
    )
    (root / "qrels").mkdir()
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(4))
    (root / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)


def pdf(root: Path) -> None:
    """Three files with a page each, and a question about each."""
    pdf_files(root)
    rows = [
        {
            "id": f"q{n}",
            "question": f"What was built in the year {1900 + n}?",
            "answers": [f"tower {n}"],
            "documents": [{"file": f"report-{n}.pdf", "page": 1}],
        }
        for n in range(3)
    ]
    lines(root / "questions.jsonl", rows)


def pdf_files(root: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    root.mkdir(parents=True, exist_ok=True)
    for n in range(3):
        canvas = Canvas(str(root / f"report-{n}.pdf"))
        canvas.drawString(
            72, 700, f"In the year {1900 + n} they built tower {n}. It rained in spring."
        )
        canvas.save()


def parquet(root: Path) -> None:
    """A data set of the hub: bytes in a column, one split."""
    import datasets
    from support.huggingface_files import STRING, png
    from support.huggingface_files import parquet as write

    rows = [
        {"image": {"bytes": png(toy.COLOURS[colour]), "path": None}, "caption": caption}
        for colour, caption in zip([*toy.NAMES, "red", "green"], CAPTIONS, strict=True)
    ]
    path = root / "data" / "train-00000-of-00001.parquet"
    write(path, rows, image=datasets.Image(), caption=STRING)


WRITERS: Mapping[str, Callable[[Path], None]] = {
    writer.__name__: writer
    for writer in (
        metadata_jsonl, metadata_csv_of_splits, captions_txt, captions_txt_beside_pictures,
        captions_txt_with_splits, coco_archives, coco_of_one_file, beir, pdf, parquet,
    )
}  # fmt: skip
