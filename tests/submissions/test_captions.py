"""Captions made elsewhere: COCO results against COCO annotations, and what does not fit."""

from __future__ import annotations

import json

import pytest

from mmragbench.errors import DataError, SuiteError
from mmragbench.signature import parse
from mmragbench.submissions.coco_results import captions
from mmragbench.submissions.problems import MissingOutputs
from mmragbench.submissions.submission_scores import score_captions

REFERENCES = {
    1: ["A man rides a red bike.", "A man on a bike"],
    2: ["Two dogs play in the snow.", "Dogs in snow"],
    3: ["A plate of food on a table.", "Some food"],
    4: ["A cat sleeps on the sofa.", "A sleeping cat"],
}
CAPTIONS = {1: "A man rides a bike.", 2: "Two dogs are in the snow!", 3: "Food", 4: "A dog on it."}
QUICK = ("CIDEr", "Bleu_1", "Bleu_4", "ROUGE_L")


@pytest.fixture
def files(tmp_path):
    """Writes results (and references), and returns both paths."""

    def write(rows, references=REFERENCES, **more):
        results, gold = tmp_path / "system.json", tmp_path / "gold.json"
        results.write_text(json.dumps(rows))
        annotations = [
            {"id": i, "image_id": id, "caption": text}
            for i, (id, text) in enumerate((id, t) for id, ts in references.items() for t in ts)
        ]
        gold.write_text(json.dumps({"annotations": annotations, **more}))
        return results, gold

    return write


def rows(captions=CAPTIONS, **more):
    return [{"image_id": id, "caption": text} for id, text in {**captions, **more}.items()]


def estimates(judged):
    return {row["measure"]: row["estimate"] for row in judged.rows}


def test_integer_and_string_ids_are_the_same_by_their_text(files):
    """`7` in one file and `"7"` in the other are one image."""
    as_text = score_captions(
        captions(*files([{**r, "image_id": str(r["image_id"])} for r in rows()])), QUICK
    )
    as_numbers = score_captions(captions(*files(rows())), QUICK)
    assert as_text.rows == as_numbers.rows


def test_a_missing_image_is_an_error_that_says_what_to_do(files):
    """One line: how many, which ones, the options."""
    with pytest.raises(MissingOutputs) as caught:
        captions(*files(rows()[:3]))
    message = str(caught.value)
    assert "\n" not in message
    for part in ("1 of 4 images missing: 4", "--missing skip", "--missing zero"):
        assert part in message


def test_skipping_is_as_if_only_the_others_had_been_asked(files):
    """The idf corpus is then the references of the images that are scored."""
    three = {id: texts for id, texts in REFERENCES.items() if id != 4}
    alone = score_captions(captions(*files(rows()[:3], three)), QUICK)
    skipped = score_captions(captions(*files(rows()[:3]), "skip"), QUICK)
    assert estimates(skipped) == estimates(alone)
    facts = parse(skipped.rows[0]["signature"])
    assert (facts["missing"], facts["n_missing"], facts["n"]) == ("skip", "1", "3")


def test_zero_counts_what_is_missing_as_nothing_said(files):
    """0 in CIDEr and ROUGE_L, an empty candidate in Bleu; the corpus and n stay whole."""
    zero = score_captions(captions(*files(rows()[:3]), "zero"), QUICK)
    empty = score_captions(captions(*files(rows({**CAPTIONS, 4: ""}))), QUICK)
    assert estimates(zero) == estimates(empty)
    found = {(s.measure.name, each.query): each.value for s in zero.scores for each in s.scores}
    assert found["CIDEr", "4"] == found["ROUGE_L", "4"] == 0.0
    assert [row["n"] for row in zero.rows] == [4] * 4
    facts = parse(zero.rows[0]["signature"])
    assert (facts["missing"], facts["n_missing"]) == ("zero", "1")


def test_a_null_caption_is_missing_and_an_empty_one_is_not(files):
    """Nothing was said, or nothing could be said: two things."""
    given = rows({**CAPTIONS, 3: "", 4: None})
    submission = captions(*files(given), "skip")
    assert submission.problems.ids["missing"] == ("4",)
    assert [o.text for o in submission.outputs] == [CAPTIONS[1], CAPTIONS[2], ""]


def test_unknown_images_are_an_error_or_ignored(files):
    """Named under `error`, named and ignored under `skip` and `zero`."""
    given = [*rows(), {"image_id": "99", "caption": "A ghost"}]
    with pytest.raises(MissingOutputs, match="1 images unknown: 99"):
        captions(*files(given))
    ignored = captions(*files(given), "skip")
    assert ignored.problems.notes == {"unknown": {"count": 1, "ids": ["99"]}}
    whole = score_captions(captions(*files(rows())), QUICK)
    assert estimates(score_captions(ignored, QUICK)) == estimates(whole)


def test_the_same_caption_twice_counts_once(files):
    """It is named; no policy is needed for it."""
    submission = captions(*files([*rows(), rows()[0]]))
    assert submission.problems.notes == {"duplicate": {"count": 1, "ids": ["1"]}}
    assert len(submission.outputs) == 4


@pytest.mark.parametrize("policy", ["error", "skip", "zero"])
def test_two_captions_of_one_image_are_an_error(files, policy):
    """Under every policy: nothing says which of them is meant."""
    with pytest.raises(DataError, match="1 images with more than one answer.*: 2"):
        captions(*files([*rows(), {"image_id": 2, "caption": "Cats"}]), policy)


@pytest.mark.parametrize("policy", ["error", "skip", "zero"])
def test_nothing_in_common_is_an_error(files, policy):
    """A wrong file is not a score of 0."""
    given = [{"image_id": f"x{id}", "caption": "A"} for id in CAPTIONS]
    with pytest.raises(MissingOutputs, match="x1"):
        captions(*files(given), policy)


def test_an_image_without_references_is_named(files):
    """It is not asked for, and not missing."""
    listed = files(rows(), images=[{"id": id} for id in (*CAPTIONS, 5)])
    assert captions(*listed).problems.notes == {"unreferenced": {"count": 1, "ids": ["5"]}}


def test_references_that_are_no_text_are_left_out_and_named(files):
    """Null, a number, a list, a list written as text: none is scored as its letters."""
    bad = {1: [*REFERENCES[1], None, 7, ["a"], "['a man', 'a bike']"]}
    results, gold = files(rows(), {**REFERENCES, **bad})
    given = captions(results, gold)
    assert given.task.references["1"] == tuple(REFERENCES[1])
    assert given.problems.notes["captions that are no text"]["count"] == 4
    whole = score_captions(captions(*files(rows())), QUICK)
    assert estimates(score_captions(given, QUICK)) == estimates(whole)


def test_an_annotation_that_is_none_is_named(files):
    """The others are the references."""
    results, gold = files(rows())
    content = json.loads(gold.read_text())
    content["annotations"] += [3, {"caption": "of no image"}, {"image_id": 1.5, "caption": "x"}]
    gold.write_text(json.dumps(content))
    assert captions(results, gold).problems.notes["broken annotations"]["count"] == 3


@pytest.mark.parametrize(
    "content, said",
    [
        ("{", "is not JSON"),
        ("{}", "expected COCO results"),
        ('[{"image_id": 1}]', "entry 0"),
        ('[{"image_id": 1, "caption": 7}]', "entry 0"),
        ('[{"image_id": 1.5, "caption": "a"}]', "entry 0"),
        ('[{"image_id": true, "caption": "a"}]', "entry 0"),
        ("[3]", "entry 0"),
        ('[{"image_id": 1, "caption": "[\\"a\\", \\"b\\"]"}]', "written as text"),
        ('[{"image_id": 1, "caption": ["a"]}]', "of type list"),
        ('[{"image_id": 1, "caption": "\\ud800"}]', "half a surrogate pair"),
        ('[{"image_id": 1, "image_id": 2, "caption": "a"}]', "twice"),
    ],
)
def test_what_is_not_coco_results_is_named(files, content, said):
    """The file, the entry, and what was expected."""
    results, gold = files([])
    results.write_text(content)
    with pytest.raises(DataError, match=said) as caught:
        captions(results, gold)
    assert str(results) in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "{}", '{"annotations": []}', '{"annotations": [1]}'])
def test_what_is_not_coco_annotations_is_named(files, content):
    """Results and references are easily exchanged."""
    results, gold = files(rows())
    gold.write_text(content)
    with pytest.raises(DataError, match="COCO captions"):
        captions(results, gold)


def test_an_unknown_measure_is_named_with_those_there_are(files):
    """With the nearest."""
    with pytest.raises(SuiteError, match="Did you mean 'Bleu_4'"):
        score_captions(captions(*files(rows())), ["Bleu4"])


def test_every_number_has_an_interval_around_it(files):
    """Means and corpus values alike; rows have the keys of `summary.json`."""
    for row in score_captions(captions(*files(rows())), QUICK).rows:
        assert row["low"] <= row["estimate"] <= row["high"]
        assert list(row)[:6] == ["task", "strategy", "generator", "k", "slice", "measure"]
        assert (row["task"], row["strategy"]) == ("captioning", "system")


@pytest.mark.parametrize("measure", ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4"])
def test_an_interval_stays_on_the_measures_scale(files, measure):
    """Bleu's interval comes from pseudo-values, which lie beyond 0 and 1; the interval does not."""
    nearly = {id: texts[0] for id, texts in REFERENCES.items()} | {4: "A cat sits on the sofa."}
    judged = score_captions(captions(*files(rows(nearly))), [measure])
    values = judged.scores[0].influences.values()
    (row,) = judged.rows
    assert max(values) > 1
    assert 0 <= row["low"] <= row["estimate"] <= row["high"] <= 1


def test_a_perfect_pair_is_not_zero_for_being_scored_with_others(files):
    """HELM makes a new CIDEr for each pair, where every idf is log 1, and gets 0 each time."""
    perfect = {id: texts[0] for id, texts in REFERENCES.items()}
    judged = score_captions(captions(*files(rows(perfect))), ["CIDEr"])
    assert all(score.value > 1 for score in judged.scores[0].scores)


def test_case_and_punctuation_do_not_count(files):
    """VLMEvalKit scores CIDEr without tokenising: 4.04 where 7.50 was right."""
    loud = {id: text.upper().replace(".", " !") for id, text in CAPTIONS.items()}
    plain = score_captions(captions(*files(rows())), QUICK)
    assert estimates(score_captions(captions(*files(rows(loud))), QUICK)) == estimates(plain)


def test_javas_tokeniser_without_java_is_an_error(files, monkeypatch):
    """It says which one needs none."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Exception, match="ptb-py does not"):
        score_captions(captions(*files(rows())), QUICK, "ptb-java")


def test_meteor_without_java_is_absent_with_a_reason(files, monkeypatch):
    """And the others have their numbers."""
    monkeypatch.setenv("PATH", "")
    cider, meteor = score_captions(captions(*files(rows())), ["CIDEr", "METEOR"]).rows
    assert cider["estimate"] > 0
    assert (meteor["estimate"], meteor["reason"]) == (None, "Java is not installed")


def test_an_unknown_image_says_that_its_reference_is_broken(files):
    """Captions of an image whose annotation cannot be used are unknown because of it."""
    results, gold = files(rows())
    content = json.loads(gold.read_text())
    content["annotations"][0]["image_id"] = content["annotations"][1]["image_id"] = 1.5
    gold.write_text(json.dumps(content))
    with pytest.raises(MissingOutputs, match="1 images unknown: 1; 2 broken annotations: 0, 1"):
        captions(results, gold)
    content["annotations"][0] |= {"image_id": 1, "caption": None}
    gold.write_text(json.dumps(content))
    with pytest.raises(MissingOutputs, match="unknown: 1; .*; 1 captions that are no text: 0 of 1"):
        captions(results, gold)
