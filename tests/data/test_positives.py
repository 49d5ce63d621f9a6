"""Extended positives: published files become the gold of retrieval, and what fits nothing is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from mmragbench.data.positives import extend, locate, read
from mmragbench.errors import DataError
from mmragbench.evals.retrieval import retrieval
from mmragbench.records import Document, Measure, Query, Ranking, Task, Text
from support import toy


def pair(captions: dict[str, str]) -> dict[str, Task]:
    """Retrieval both ways over captions (id -> image id), without any file."""
    images = list(dict.fromkeys(captions.values()))
    texts = {id: Text(id, id) for id in captions}
    by_image: dict[str, dict[str, int]] = {image: {} for image in images}
    for caption, image in captions.items():
        by_image[image][caption] = 1
    return {
        "text-to-image": Task(
            "text-to-image",
            [Document(id) for id in images],
            [Query(id, text=texts[id], group=image) for id, image in captions.items()],
            {caption: {image: 1} for caption, image in captions.items()},
        ),
        "image-to-text": Task(
            "image-to-text",
            [Document(id, texts=(texts[id],)) for id in captions],
            [Query(id) for id in images],
            by_image,
        ),
    }


def write(folder: Path, name: str, captions: object, images: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_caption_to_image.json").write_text(json.dumps(captions))
    (folder / f"{name}_image_to_caption.json").write_text(json.dumps(images))
    return folder / name


def test_files_replace_the_gold_of_the_queries_that_they_list(tmp_path):
    """Listed queries have the file's positives, others none; the label says whose they are."""
    tasks = pair({"10": "1", "11": "1", "20": "2", "30": "3"})
    path = write(tmp_path, "eccv", {"10": [1, 3], "20": [2]}, {"1": [10, 20, 20]})
    extended = extend(tasks, path)
    assert extended["text-to-image"].qrels == {"10": {"1": 1, "3": 1}, "20": {"2": 1}}
    assert extended["image-to-text"].qrels == {"1": {"10": 1, "20": 1}}
    assert {task.relevance for task in extended.values()} == {"gold+eccv"}
    assert all(task.exclusions == () for task in extended.values())


def test_ids_outside_the_gallery_are_named(tmp_path):
    """Positives that are not held and queries that are not asked are exclusions, each id once."""
    tasks = pair({"10": "1", "20": "2"})
    path = write(tmp_path, "cxc", {"10": [1, 8], "20": [8], "99": [1]}, {"1": [10], "9": [10]})
    extended = extend(tasks, path)
    named = {
        name: sorted((e.kind, e.id) for e in task.exclusions) for name, task in extended.items()
    }
    assert extended["text-to-image"].qrels == {"10": {"1": 1}}
    assert named == {
        "text-to-image": [("judged query not asked", "99"), ("positive outside the gallery", "8")],
        "image-to-text": [("judged query not asked", "9")],
    }


def test_the_name_of_either_file_will_do(tmp_path):
    """The common beginning, or one of the two files, names the pair."""
    path = write(tmp_path, "eccv", {}, {})
    for given in (path, tmp_path / "eccv_caption_to_image.json"):
        name, files = locate(given)
        assert (name, sorted(file.name for file in files.values())) == (
            "eccv",
            ["eccv_caption_to_image.json", "eccv_image_to_caption.json"],
        )


def test_missing_files_name_those_that_are_there(tmp_path):
    """A folder, a wrong name and half a pair are one line with the choices."""
    write(tmp_path / "p", "eccv", {}, {})
    write(tmp_path / "p", "cxc", {}, {})
    for path in (tmp_path / "p", tmp_path / "p" / "pcme"):
        with pytest.raises(DataError, match=r"p/cxc, .*p/eccv$"):
            extend(pair({"1": "1"}), path)
    (tmp_path / "p" / "cxc_image_to_caption.json").unlink()
    with pytest.raises(DataError, match=r"no cxc_image_to_caption\.json; .*p/eccv$"):
        extend(pair({"1": "1"}), tmp_path / "p" / "cxc")


@pytest.mark.parametrize("content", ["", "[]", '{"1": 2}', '{"1": [true]}', '{"1": [[1]]}'])
def test_what_is_no_file_of_positives(content, tmp_path):
    """Anything but an object of lists of ids is an error that names the file."""
    path = write(tmp_path, "eccv", {}, {})
    (tmp_path / "eccv_caption_to_image.json").write_text(content)
    with pytest.raises(DataError, match=r"eccv_caption_to_image\.json"):
        extend(pair({"1": "1"}), path)


def test_positives_the_other_way_round_are_an_error(tmp_path):
    """The two files exchanged: an id of each side, and what is wrong; a key said twice is refused."""
    tasks = pair({"10": "1", "20": "2"})
    path = write(tmp_path, "eccv", {"1": [10], "2": [20]}, {"10": [1], "20": [2]})
    with pytest.raises(
        DataError,
        match=r"it has '1', ... \(\d+ in all\), asked is '10', ... \(\d+ in all\); .*other way round",
    ):
        extend(tasks, path)
    (tmp_path / "eccv_caption_to_image.json").write_text('{"10": [1], "10": [2]}')
    with pytest.raises(DataError, match="says the key '10' twice"):
        extend(tasks, path)


def test_positives_of_another_split_are_an_error(tmp_path):
    """Files that fit none of the queries would leave nothing to score."""
    path = write(tmp_path, "eccv", {"7": [1]}, {"7": [1]})
    with pytest.raises(DataError, match=r"none of its 1 queries .* Karpathy"):
        extend(pair({"10": "1"}), path)


def test_a_run_says_whose_positives_they_are(coco, tmp_path):
    """In a suite, `positives` starts at the root; signatures and the report name them, and with
    more relevant pictures recall is lower than with COCO's gold."""
    first = {str(10010 + 10 * n): [1001 + n, 1001 + (n + 1) % 8] for n in range(8)}
    write(coco / "positives", "eccv", first, {"1001": [10010, 10020]})
    content = toy.suite(coco)
    content["dataset"]["positives"] = "positives/eccv"
    content["tasks"] = {"text-to-image": {"measures": ["R@1", "Rprec", "Success@1"]}}
    content["strategies"] = {"shared-space": {"encoder": "colours"}}
    content["baseline"] = None
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump(content))
    run = mb.run(suite, output=tmp_path / "runs")
    found = {row["measure"]: row for row in run.rows if row["slice"] == "all"}
    assert {name: row["estimate"] for name, row in found.items()} == {
        "R@1": 0.5,
        "Rprec": 0.5,
        "Success@1": 1.0,
    }
    assert all(
        row["n"] == 8 and "relevance:gold+eccv" in row["signature"] for row in found.values()
    )
    assert "extended positives (eccv)" in run.report.read_text()


def gold(folder: Path) -> dict[str, Task]:
    """Karpathy's test split: 5,000 images, five captions each."""
    found = json.loads((folder / "original_caption_to_image.json").read_text())
    return pair({caption: str(images[0]) for caption, images in found.items()})


@pytest.mark.real_data
def test_the_published_counts(shared_data):
    """ECCV Caption's README: 11,279 positive images of 1,332 captions, 22,550 positive captions of
    1,261 images; two of these captions are the sixth of their images, not in the gallery here."""
    folder = shared_data / "coco" / "retrieval_positives"
    extended = extend(gold(folder), folder / "eccv")
    qrels = {name: task.qrels for name, task in extended.items()}
    assert {name: len(found) for name, found in qrels.items()} == {
        "text-to-image": 1_332,
        "image-to-text": 1_261,
    }
    positives = {name: sum(map(len, found.values())) for name, found in qrels.items()}
    assert positives["text-to-image"] == 11_279
    in_file = read(folder / "eccv_image_to_caption.json")
    assert sum(map(len, in_file.values())) == 22_550
    outside = {e.id for e in extended["image-to-text"].exclusions}
    assert outside == {"144675", "467259"}
    lost = sum(len(outside.intersection(ids)) for ids in in_file.values())
    assert positives["image-to-text"] == 22_550 - lost
    assert extended["text-to-image"].exclusions == ()


@pytest.mark.real_data
def test_cxc_among_the_queries_of_eccv(shared_data):
    """For ECCV Caption's queries, CxC has the 1,895 images and 8,906 captions of its README, and
    the original gold the 1,332 and 6,305."""
    folder = shared_data / "coco" / "retrieval_positives"
    tasks = gold(folder)
    listed = extend(tasks, folder / "eccv")
    found = {}
    for name in ("original", "cxc"):
        extended = extend(tasks, folder / name)
        found[name] = [
            sum(len(extended[task].qrels[query]) for query in listed[task].qrels)
            for task in ("text-to-image", "image-to-text")
        ]
    assert found == {"original": [1_332, 6_305], "cxc": [1_895, 8_906]}


@pytest.mark.real_data
def test_r_precision_is_the_share_of_the_first_r(shared_data):
    """`Rprec` on ECCV's positives: of as many hits as there are positives, the relevant share."""
    folder = shared_data / "coco" / "retrieval_positives"
    task = extend(gold(folder), folder / "eccv")["text-to-image"]
    # A ranking of relevant and other images in turn, made from the file of the other direction.
    ids = [document.id for document in task.memory]
    rankings = []
    for at, query in enumerate(task.queries):
        relevant = list(task.qrels.get(query.id, {}))
        mixed = list(dict.fromkeys([*relevant[::2], *ids[at % 4_000 : at % 4_000 + 60]]))
        rankings.append(Ranking.of(query.id, [(id, -n) for n, id in enumerate(mixed)]))
    (scores,) = retrieval([Measure.parse("Rprec")], task, rankings, [])
    ranked = {ranking.query: ranking.ids for ranking in rankings}
    expected = {
        query: len(set(ranked[query][: len(grades)]) & set(grades)) / len(grades)
        for query, grades in task.qrels.items()
    }
    actual = {score.query: score.value for score in scores.scores if score.value is not None}
    assert actual == pytest.approx(expected)
    assert 0.4 < sum(expected.values()) / len(expected) < 0.8
