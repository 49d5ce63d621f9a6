"""Queries about one image are resampled together, wherever the references say which these are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmragbench.errors import DataError
from mmragbench.submissions.clusters import Clusters
from mmragbench.submissions.submission_scores import score_rankings
from mmragbench.submissions.trec_rankings import rankings

IMAGES, CAPTIONS = 60, 5


@pytest.fixture
def write(tmp_path):
    """Writes a run and judgements of captions that ask for their image, and returns both paths.

    Args:
        hits: for each image, whether each of its captions finds it.
        name: image and number -> the query's id.
    """

    def write(hits, name):
        run, qrels = tmp_path / "mine.trec", tmp_path / "qrels"
        pairs = [(i, j) for i in range(len(hits)) for j in range(CAPTIONS)]
        qrels.write_text("".join(f"{name(i, j)} 0 i{i} 1\n" for i, j in pairs))
        run.write_text(
            "".join(f"{name(i, j)} Q0 {f'i{i}' if hits[i][j] else 'x'} 1 1 s\n" for i, j in pairs)
        )
        return run, qrels

    return write


def by_image(i: int, j: int) -> str:
    return f"i{i}#{j}"


def by_number(i: int, j: int) -> str:
    return str(10 * i + j)


@pytest.mark.parametrize(
    "name, basis",
    [(by_image, "by their ids, image#number"), (by_number, "by their only relevant document")],
)
def test_captions_of_one_image_are_a_cluster(write, name, basis):
    """By their ids as Flickr8k has them, or since each asks for one image; the output says how."""
    submission = rankings(*write(np.ones((4, CAPTIONS)), name))
    assert submission.clusters_line == f"clusters: 4 images of 20 queries ({basis})"
    assert {row["clusters"] for row in score_rankings(submission, ["RR", "R@1"]).rows} == {4}


def test_annotations_or_a_table_say_it_before_all_else(write, tmp_path):
    """COCO's caption annotations: a query is a caption's id. A table: a query and its group a line."""
    files = write(np.ones((4, CAPTIONS)), by_number)
    ids = [(by_number(i, j), f"pair{i // 2}") for i in range(4) for j in range(CAPTIONS)]
    captions = [{"id": int(id), "image_id": image, "caption": "a"} for id, image in ids]
    (tmp_path / "captions.json").write_text(json.dumps({"annotations": captions}))
    (tmp_path / "groups.tsv").write_text("".join(f"{id}\t{image}\n" for id, image in ids))
    for name in ("captions.json", "groups.tsv"):
        submission = rankings(*files, groups=tmp_path / name)
        assert submission.clusters_line == f"clusters: 2 images of 20 queries (by {name})"
    (tmp_path / "other.json").write_text(json.dumps([1, 2]))
    with pytest.raises(DataError, match="other.json is not what it should be"):
        rankings(*files, groups=tmp_path / "other.json")


def test_queries_with_several_relevant_documents_are_independent():
    """Two questions that share a document are not for that about one thing."""
    gold = {"q1": {"a": 1, "b": 1}, "q2": {"a": 1}, "q3": {"a": 0, "c": 1}}
    assert Clusters.of(gold) == Clusters({})
    assert Clusters.of({"q1": {"a": 1, "b": 0}, "q2": {"a": 2}}).groups == {"q1": "a", "q2": "a"}


def test_the_output_says_where_nothing_is_known(write, tmp_path):
    """Each query by itself, and the option that says otherwise."""
    (tmp_path / "qrels").write_text("q1 0 a 1\nq1 0 b 1\nq2 0 a 1\n")
    (tmp_path / "mine.trec").write_text("q1 Q0 a 1 1 s\nq2 Q0 a 1 1 s\n")
    line = rankings(tmp_path / "mine.trec", tmp_path / "qrels").clusters_line
    assert line.startswith("clusters: none; each of the 2 queries by itself") and "--groups" in line


def test_intervals_cover_where_captions_of_one_image_are_alike(write):
    """Over 200 draws of images whose captions mostly agree, 95 % intervals hold the true rate in 90 to
    99 %; those that take queries as independent hold it in fewer than 75 %."""
    rng, rate = np.random.default_rng(5), 0.5
    covered = {True: 0, False: 0}
    for _ in range(200):
        chances = rng.beta(0.25, 0.25, size=(IMAGES, 1))
        files = write(rng.random((IMAGES, CAPTIONS)) < chances, by_image)
        submission = rankings(*files)
        for clustered in covered:
            if not clustered:
                apart = [type(q)(q.id) for q in submission.task.queries]
                task = type(submission.task)("retrieval", [], apart, submission.task.qrels)
                submission = type(submission)(
                    "mine", task, submission.problems, "error", files[1], submission.rankings
                )
            (row,) = score_rankings(submission, ["RR"]).rows
            covered[clustered] += row["low"] <= rate <= row["high"]
    assert 180 <= covered[True] <= 198
    assert covered[False] < 150
