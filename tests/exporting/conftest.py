"""Two small runs, made once: COCO's tasks, and a dataset of texts and pictures with awkward ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from support import toy

DOCUMENTS = {
    "a red one": "red",
    "a%20green": "green",
    "no\u00a0break": "blue",
    "../../up": "yellow",
    '"quoted': "white",
    "פתק": "black",
}
"""Id -> what it shows and says. Blanks of two kinds, one that looks escaped, a path, a quote."""


def write_awkward(root: Path) -> Path:
    """A dataset in BEIR's layout."""
    (root / "qrels").mkdir(parents=True)
    corpus, queries, qrels = [], [], ["query-id\tcorpus-id\tscore"]
    for number, (id, colour) in enumerate(DOCUMENTS.items()):
        toy.draw(root / f"{number}.png", colour)
        texts = {"title": colour, "text": f'{colour} <script> "paint"\nof course'}
        corpus.append({"_id": id, **texts, "image": f"{number}.png"})
        queries.append({"_id": f"q {id}", "text": f"something {colour}"})
        qrels.append(f"q {id}\t{id}\t2")
        if number:
            qrels.append(f"q {id}\ta red one\t{int(number == 1)}")
    queries.append({"_id": "nothing fits", "text": "purple"})
    qrels.append("nothing fits\ta red one\t0")
    for name, rows in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (root / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (root / "qrels/test.tsv").write_text("\n".join(qrels) + "\n", encoding="utf-8")
    return root


def awkward_suite(root: Path) -> dict:
    content = toy.suite(root)
    retrieval = ["R@1", "R@5", "Success@1", "RR", "nDCG@10", "AP", "P@3"]
    content |= {
        "name": "awkward",
        "dataset": {"use": "beir", "root": str(root)},
        "tasks": {"retrieval": {"measures": retrieval}},
        "strategies": {**content["strategies"], "ein-Wörtchen": {"use": "random"}},
    }
    return content


def coco_suite(root: Path) -> dict:
    content = toy.suite(root)
    measures = ["R@1", "R@5", "Success@1", "Success@5", "RR", "nDCG@10", "AP"]
    for task in ("text-to-image", "image-to-text"):
        content["tasks"][task] = {"measures": measures}
    scored = ["R@5", "nDCG@10", "AP", "CIDEr", "Bleu_1", "Bleu_4", "ROUGE_L"]
    content["tasks"]["captioning"] |= {"measures": scored, "k": 3}
    return content


def run(root: Path, suite: dict) -> Path:
    path = root / "suite.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return mb.run(path, output=root / "runs").folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for runs, with a cache of its own."""
    root = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        yield root


@pytest.fixture(scope="session")
def coco_run(made: Path) -> Path:
    """A run of COCO's tasks. Tests only read it."""
    root = made / "coco"
    return run(root, coco_suite(toy.write_coco(root / "data")))


@pytest.fixture(scope="session")
def awkward_run(made: Path) -> Path:
    """A run on the awkward dataset. Tests only read it."""
    root = made / "awkward"
    return run(root, awkward_suite(write_awkward(root / "data")))


@pytest.fixture
def estimates() -> Callable[..., dict[tuple, float]]:
    """A run folder -> (task, strategy, generator, k, measure) -> estimate, of all queries."""

    def read(folder: Path, **wanted: object) -> dict[tuple, float]:
        rows = json.loads((folder / "summary.json").read_text())
        names = ("task", "strategy", "generator", "k", "measure")
        return {
            tuple(row[name] for name in names): row["estimate"]
            for row in rows
            if row["slice"] == "all" and all(row[name] == value for name, value in wanted.items())
        }

    return read
