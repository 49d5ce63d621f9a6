"""Rerankers that look at pictures: one contract for each class, on tiny checkpoints of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedReranker
from mmragbench.engine.meter import Meter
from mmragbench.errors import SuiteError
from mmragbench.models.image_text_matching import ImageTextMatching
from mmragbench.records import Document, Failure, Image, Query, Text
from support import checkpoints, toy

TEXTS = [Text(str(i), t) for i, t in enumerate(["a red picture", "blue", checkpoints.CORPUS[3]])]


@pytest.fixture(scope="module")
def checkpoint_of(tmp_path_factory):
    return cache(lambda name: str(checkpoints.MATCHERS[name](tmp_path_factory.mktemp(name))))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for i, colour in enumerate(toy.NAMES[:4]):
        toy.draw(root / f"{colour}.png", colour, i)
    return [Image(file.stem, file, file.stem) for file in sorted(root.iterdir())]


def pairs_of(images):
    """Texts to pictures and pictures to texts, as many as there are."""
    by_text = [(Query("t", text=t), Document("d", image=i)) for t in TEXTS for i in images]
    shown = [(Query("i", image=i), Document("d", texts=(t,))) for i in images for t in TEXTS]
    return by_text + shown


def scores_of(model, pairs):
    return model.score([query for query, _ in pairs], [document for _, document in pairs])


@pytest.mark.parametrize("name", checkpoints.MATCHERS)
def test_a_score_does_not_depend_on_its_neighbours(checkpoint_of, images, name):
    """Aligned with the pairs; the same alone, in small batches, in another order."""
    pairs = pairs_of(images)
    model = ImageTextMatching(checkpoint_of(name))
    scores = scores_of(model, pairs)
    alone = [scores_of(model, [pair])[0] for pair in pairs]
    small = scores_of(ImageTextMatching(checkpoint_of(name), batch_size=2), pairs[::-1])[::-1]
    assert scores == pytest.approx(alone, abs=1e-4)
    assert scores == pytest.approx(small, abs=1e-4)
    assert len({round(score, 3) for score in scores}) == len(TEXTS) * len(images)


@pytest.mark.parametrize("name", checkpoints.MATCHERS)
def test_scores_are_those_of_the_library(checkpoint_of, images, name):
    """The log-odds of the head's two logits, from the whole model's own forward pass."""
    import transformers

    from mmragbench.models.image_text_matching import KINDS

    kind = KINDS["blip" if name == "blip_itm" else "blip-2"]
    model = getattr(transformers, kind).from_pretrained(checkpoint_of(name)).eval()
    processor = transformers.AutoProcessor.from_pretrained(checkpoint_of(name))
    for image in images:
        inputs = processor(images=image.open(), text=TEXTS[0].content, return_tensors="pt")
        if name == "blip_itm":
            (logits,) = model(**inputs).itm_score
        else:
            (logits,) = model(**inputs, use_image_text_matching_head=True).logits_per_image
        pair = (Query("t", text=TEXTS[0]), Document("d", image=image))
        expected = float(logits[1] - logits[0])
        assert scores_of(ImageTextMatching(checkpoint_of(name)), [pair]) == pytest.approx(
            [expected], abs=1e-4
        )


@pytest.mark.parametrize("name", checkpoints.MATCHERS)
def test_the_best_text_counts(checkpoint_of, images, name):
    """A document's score is that of its best text, and of its picture if the query has a text."""
    model, query = ImageTextMatching(checkpoint_of(name)), Query("q", image=images[0])
    documents = [Document(t.id, texts=(t,)) for t in TEXTS]
    *single, best = model.score([query] * 4, [*documents, Document("all", texts=tuple(TEXTS))])
    assert best == pytest.approx(max(single), abs=1e-4)


def test_what_cannot_be_compared_fails_alone(checkpoint_of, images):
    """Two texts, and a picture that has gone; the others keep their scores."""
    model = ImageTextMatching(checkpoint_of("blip_itm"))
    words = Query("t", text=TEXTS[0])
    gone = Document("g", image=Image("gone", Path("/no/such.png"), "gone"))
    good, both_texts, failed = model.score(
        [words] * 3, [Document("d", image=images[0]), Document("x", texts=(TEXTS[1],)), gone]
    )
    assert isinstance(good, float)
    assert isinstance(both_texts, Failure) and "picture on one side" in both_texts.reason
    assert isinstance(failed, Failure) and "/no/such.png" in failed.reason


def test_what_a_reranker_reads_is_known_through_the_cache(checkpoint_of, tmp_path):
    """The strategy sees the model's modalities; one that says nothing reads texts."""
    model = ImageTextMatching(checkpoint_of("blip_itm"))
    looks = CachedReranker(model, "m", Items(tmp_path / "a"), Meter())
    reads = CachedReranker(toy.WordReranker(), "w", Items(tmp_path / "b"), Meter())
    assert (looks.modalities, reads.modalities) == ({"image", "text"}, {"text"})


def test_a_checkpoint_without_the_head_is_refused(checkpoint_of, tmp_path):
    """A captioner of the same type would be given a random head, and other types have none."""
    with pytest.raises(SuiteError, match="itm_head"):
        ImageTextMatching("shipped:scenes/captioner").load()
    llava = checkpoints.llava(tmp_path)
    with pytest.raises(SuiteError, match="'llava', which has no image-text matching head"):
        ImageTextMatching(str(llava)).load()
    with pytest.raises(SuiteError, match="/no/such/folder"):
        ImageTextMatching("/no/such/folder").load()
