"""COCO exports, read by pycocotools and scored by pycocoevalcap."""

from __future__ import annotations

import json
import shutil

import pytest
from pycocoevalcap import eval as caption_eval
from pycocotools.coco import COCO

import mmragbench as mb
from mmragbench.errors import MmragbenchError
from mmragbench.measuring import ptb


class OurTokenizer:
    """pycocoevalcap's `PTBTokenizer`, without Java."""

    def tokenize(self, captions):
        return {id: ptb.lines([row["caption"] for row in rows]) for id, rows in captions.items()}


class NotHere:
    """METEOR and SPICE, which are not what is compared."""

    def compute_score(self, references, candidates):
        return 0.0, [0.0] * len(references)

    def method(self):
        return "not here"


def scored(folder, cell, monkeypatch, tokenizer=OurTokenizer):
    """What COCOEvalCap says of one results file."""
    if tokenizer:
        monkeypatch.setattr(caption_eval, "PTBTokenizer", tokenizer)
    monkeypatch.setattr(caption_eval, "Meteor", NotHere)
    monkeypatch.setattr(caption_eval, "Spice", NotHere)
    references = COCO(str(folder / "captioning/annotations.json"))
    evaluation = caption_eval.COCOEvalCap(
        references, references.loadRes(str(folder / f"captioning/{cell}.json"))
    )
    evaluation.evaluate()
    return evaluation.eval


JAVA = pytest.param(
    None, marks=pytest.mark.skipif(not shutil.which("java"), reason="Java is not installed")
)


@pytest.mark.parametrize("tokenizer", [OurTokenizer, JAVA])
def test_pycocoevalcap_finds_the_summarys_numbers(
    tokenizer, coco_run, tmp_path, estimates, monkeypatch
):
    """CIDEr, Bleu and ROUGE_L of a cell, with our tokeniser in the place of Java's, and with Java's."""
    mb.export(coco_run, "coco", tmp_path / "out")
    for strategy, generator, k in (("shared-space", "consensus", 3), ("random", "nearest", 1)):
        found = estimates(coco_run, strategy=strategy, generator=generator, k=k)
        expected = {measure: value for (*_, measure), value in found.items()}
        actual = scored(tmp_path / "out", f"{strategy}/{generator}-k{k}", monkeypatch, tokenizer)
        assert set(expected) == {"CIDEr", "Bleu_1", "Bleu_4", "ROUGE_L"}
        assert expected == {name: pytest.approx(actual[name], abs=1e-9) for name in expected}


def test_ids_are_the_same_on_both_sides(coco_run, tmp_path):
    """COCO's numbers, and none that the annotations lack."""
    mb.export(coco_run, "coco", tmp_path / "out")
    gold = json.loads((tmp_path / "out/captioning/annotations.json").read_text())
    results = json.loads((tmp_path / "out/captioning/oracle/nearest-k1.json").read_text())
    ids = [image["id"] for image in gold["images"]]
    assert ids == list(range(1001, 1009)) == [row["image_id"] for row in results]
    assert len(gold["annotations"]) == 5 * len(ids)


def test_captions_that_failed_are_named_not_written(coco_run, tmp_path):
    """A failed caption is in no file; the cell says how many of them there are."""
    unlisted = shutil.ignore_patterns("files.json")
    copy = shutil.copytree(coco_run, tmp_path / "run", ignore=unlisted)
    path = copy / "cells/captioning/random/nearest-k1/captions.json"
    path.write_text(json.dumps(json.loads(path.read_text())[2:]))
    done = mb.export(copy, "coco", tmp_path / "out")
    assert "2 of 8 captions of captioning/random/nearest-k1" in done.left_out


def test_a_run_without_captions_has_nothing_for_coco(suite_file, tmp_path):
    """One line, with the reason."""
    path = suite_file(tasks={"text-to-image": {"measures": ["R@1"]}})
    folder = mb.run(path, output=tmp_path / "runs").folder
    with pytest.raises(MmragbenchError, match="nothing for coco .text-to-image: produces none"):
        mb.export(folder, "coco", tmp_path / "out")
    assert not (tmp_path / "out").exists()
