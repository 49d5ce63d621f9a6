"""What a folder holds: every known layout, what is missing, and what is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmragbench.errors import DataError
from mmragbench.layouts import recognise, recognise_all
from mmragbench.planning.suite import read
from support import data_folders
from support.data_folders import WRITERS, captions_txt, lines, names, pdf_files, pictures

pytestmark = pytest.mark.usefixtures("own_tables")

HELD = {
    "metadata_jsonl": ("folder", 10, 10, "10 pictures with 10 captions, one split"),
    "metadata_csv_of_splits": ("folder", 3, 7, "splits: 3 queries, 7 in the memory"),
    "captions_txt": ("flickr", 10, 10, "10 pictures with 20 captions, one split"),
    "captions_txt_beside_pictures": ("flickr", 10, 10, "10 pictures with 20 captions, one split"),
    "captions_txt_with_splits": ("flickr", 3, 7, "splits: 3 queries, 7 in the memory"),
    "coco_archives": ("coco", 3, 7, "10 pictures with 50 captions, splits: 3 queries"),
    "coco_of_one_file": ("coco", 10, 10, "10 pictures with 50 captions, one split"),
    "beir": ("beir", 4, None, "10 documents, 4 queries, 4 of them judged in qrels/test.tsv"),
    "pdf": ("pdf", 3, None, "3 files, 3 questions in questions.jsonl, 3 with gold documents"),
    "parquet": ("huggingface", 10, 10, "10 rows, splits: train 10"),
}


@pytest.mark.parametrize("layout", WRITERS)
def test_each_layout_is_recognised_and_counted(layout, tmp_path):
    """The dataset that reads it, how many queries and memory pictures there can be, and in words what
    was counted."""
    WRITERS[layout](tmp_path)
    data = recognise(tmp_path)
    dataset, queries, memory, words = HELD[layout]
    assert (data.dataset["use"], data.queries, data.memory) == (dataset, queries, memory)
    assert words in str(data)
    assert data.missing == ()


@pytest.mark.parametrize("folder", ["images", "Images", "Flicker8k_Dataset", "a/b", "."])
def test_the_pictures_of_captions_are_looked_for(folder, tmp_path):
    """Beside the captions or in a folder, whatever its name, two levels deep at most."""
    captions_txt(tmp_path, folder)
    assert recognise(tmp_path).dataset["images"] == folder


def test_coco_files_by_the_pictures_that_are_there(tmp_path):
    """Of two annotation files for one folder, the one whose pictures are all there."""
    data_folders.coco_of_one_file(tmp_path)
    assert recognise(tmp_path).dataset["queries"] == {
        "captions": "captions_val2017_subset.json",
        "images": "val2017",
    }


def test_a_few_of_the_pictures(tmp_path):
    """Annotations of many pictures, of which few are there: a run takes those."""
    data_folders.coco_of_one_file(tmp_path)
    (tmp_path / "captions_val2017_subset.json").unlink()
    data = recognise(tmp_path)
    assert (data.queries, data.missing) == (10, ("50 of 60 pictures are not there",))
    assert read(tmp_path)[0].max_excluded == "100%"
    data_folders.coco_archives(tmp_path / "whole")
    assert read(tmp_path / "whole")[0].max_excluded == "50%"


def test_coco_splits_in_one_folder_of_pictures(tmp_path):
    """Files that describe other pictures of one folder are splits; one of pictures that are not there,
    and one without captions, are left alone."""
    data_folders.coco_archives(tmp_path)
    (tmp_path / "images").mkdir()
    for picture in (*tmp_path.glob("train2017/*"), *tmp_path.glob("val2017/*")):
        picture.rename(tmp_path / "images" / picture.name)
    absent = {
        "images": [{"id": 1, "file_name": "no.png"}],
        "annotations": [{"image_id": 1, "caption": "x"}],
    }
    (tmp_path / "captions_test.json").write_text(json.dumps(absent))
    boxes = json.loads((tmp_path / "annotations" / "captions_val2017.json").read_text())
    (tmp_path / "boxes.json").write_text(json.dumps({**boxes, "annotations": [{"image_id": 1001}]}))
    data = recognise(tmp_path)
    assert (data.queries, data.memory) == (3, 7)
    assert data.dataset["memory"] == {
        "captions": "annotations/captions_train2017.json",
        "images": "images",
    }


@pytest.mark.parametrize("name", ["annotations.json", "annotations/train.json", "my_captions.json"])
def test_coco_files_of_any_name(name, tmp_path):
    """What has captions is known by its content; what has none, or is no JSON, is left alone."""
    data_folders.coco_of_one_file(tmp_path)
    (tmp_path / "captions_val2017.json").unlink()
    (tmp_path / "captions_val2017_subset.json").rename(tmp_path / name)
    (tmp_path / "settings.json").write_text('{"images": 3}')
    (tmp_path / "broken.json").write_text("{")
    assert recognise(tmp_path).dataset["queries"] == {"captions": name, "images": "val2017"}


def test_tables_that_may_have_captions_are_named(tmp_path):
    """Beside pictures, what else lies there."""
    pictures(tmp_path, names())
    (tmp_path / "labels.csv").write_text("name,label\n")
    with pytest.raises(DataError, match=r"no captions\. .*; there is 'labels.csv'"):
        recognise(tmp_path)


def test_karpathys_split(tmp_path):
    """`dataset_coco.json` names both splits."""
    pictures(tmp_path / "val2014", names())
    images = [
        {
            "cocoid": n,
            "filepath": "val2014",
            "filename": name,
            "split": "test" if n < 3 else "restval",
            "sentences": [{"sentid": n, "raw": f"picture {n}"}],
        }
        for n, name in enumerate(names())
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": images}))
    data = recognise(tmp_path)
    assert (data.dataset["karpathy"], data.queries, data.memory) == ("dataset_coco.json", 3, 7)


def test_pictures_that_are_not_there_are_counted(tmp_path):
    """They are no reason to refuse the others."""
    captions_txt(tmp_path)
    (tmp_path / "Images" / names()[0]).unlink()
    data = recognise(tmp_path)
    assert data.missing == ("1 of 10 pictures are not there",)
    assert data.queries == 9


def test_another_column_of_captions(tmp_path):
    """The only column of texts is the captions'; of several nobody knows, and the error has them all."""
    pictures(tmp_path, names())
    rows = [{"file_name": name, "prompt": f"a {name}", "width": 24} for name in names()]
    lines(tmp_path / "metadata.jsonl", rows)
    data = recognise(tmp_path)
    assert data.dataset["captions"] == "prompt"
    assert "its column prompt" in str(data)
    lines(tmp_path / "metadata.jsonl", [{**row, "place": "x"} for row in rows])
    with pytest.raises(DataError, match="'file_name, prompt, width, place'"):
        recognise(tmp_path)


@pytest.mark.parametrize("complete", [True, False])
def test_vectors_beside_the_pictures(complete, tmp_path):
    """A file with vectors of all pictures and of captions is a model at hand; one of other pictures is
    not."""
    captions_txt(tmp_path)
    ids = names() if complete else names()[1:]
    np.savez(
        tmp_path / "vectors.npz",
        image_ids=ids,
        image_embeddings=np.eye(len(ids)),
        caption_ids=[f"{name}#{n}" for name in ids for n in (0, 1)],
        caption_embeddings=np.eye(2 * len(ids), len(ids)),
    )
    np.savez(tmp_path / "another.npz", image_ids=names(), weights=np.eye(3))
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4")
    assert recognise(tmp_path).vectors == ("vectors.npz" if complete else None)


def test_a_folder_of_several_layouts(tmp_path):
    """All are offered, but for those that lack something."""
    captions_txt(tmp_path)
    data_folders.metadata_jsonl(tmp_path)
    pdf_files(tmp_path)
    assert [data.dataset["use"] for data in recognise_all(tmp_path)] == ["flickr", "folder"]


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda root: None, r"nothing in .* known layout; looked for metadata\.jsonl, .*captions\.txt"),
        (lambda root: pictures(root / "cats", names()), r"10 pictures, no captions\. Write metadata\.jsonl"),
        (pdf_files, r"3 files; there are no questions: write questions\.jsonl with lines like"),
        (lambda root: (pdf_files(root), lines(root / "questions.jsonl", [{"question": "Why?", "answers": []}])), r"1 line cannot be read as a question; the first: questions\.jsonl:1: 'answers' is not a list"),
        (lambda root: (captions_txt(root), [p.unlink() for p in (root / "Images").iterdir()]), "10 of 10 pictures are not there"),
        (lambda root: (data_folders.beir(root), (root / "qrels" / "test.tsv").unlink()), r"no judgements: BEIR has them in qrels/test\.tsv"),
        (lambda root: (root / "captions.txt").write_text("a,b\n1,2\n"), "its columns are 'a, b'; expected"),
        (lambda root: (root / "captions_val.json").write_text("{"), r"captions_val\.json is not JSON"),
        (lambda root: (root / "data.parquet").write_bytes(b"PAR1"), r"data\.parquet cannot be read as parquet"),
        (lambda root: (captions_txt(root), (root / "captions.txt").write_bytes("image,caption\n".encode("utf-16"))), "UTF-16.*iconv"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(write, message, tmp_path):
    """One line: what there is, what is missing, what to do; or what was looked for."""
    write(tmp_path)
    with pytest.raises(DataError, match=message) as error:
        recognise(tmp_path)
    assert "\n" not in str(error.value)


def test_folders_of_data_in_a_folder_are_named(tmp_path):
    """A folder of several data sets is none itself."""
    captions_txt(tmp_path / "flickr")
    data_folders.beir(tmp_path / "papers")
    pictures(tmp_path / "cats", names())
    with pytest.raises(DataError, match=r"data lies in '.*/flickr', '.*/papers': name one"):
        recognise(tmp_path)


def test_columns_that_nobody_knows(tmp_path):
    """A parquet file without a usual column of captions is refused with the columns that it has."""
    from support.huggingface_files import STRING, parquet

    parquet(
        tmp_path / "train.parquet", [{"photo": "a.png", "note": "x"}], photo=STRING, note=STRING
    )
    with pytest.raises(DataError, match="1 row, splits: train 1; its columns are photo, note"):
        recognise(tmp_path)


@pytest.mark.real_data
def test_real_folders(shared_data):
    """The photographs of Flickr8k and COCO that lie beside the checkout."""
    flickr = recognise(shared_data / "flickr8k")
    assert (flickr.queries, flickr.memory, flickr.vectors) == (
        1000,
        1500,
        "two_tower_embeddings.npz",
    )
    coco = recognise(shared_data / "coco")
    assert coco.dataset["queries"]["captions"] == "captions_val2017_subset.json"
    assert (coco.queries, coco.missing) == (70, ())
