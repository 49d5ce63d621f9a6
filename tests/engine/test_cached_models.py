"""The wrapper around models: what is known is not asked again, and one bad item fails alone."""

from __future__ import annotations

from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedCaptioner, CachedReranker
from mmragbench.engine.meter import Meter
from mmragbench.errors import BadImage
from mmragbench.records import Document, Failure, Image, Query, Text


class Captioner:
    """Fails as a whole when one of its pictures has gone."""

    def caption(self, images, prompts):
        if any(image.id == "gone" for image in images):
            raise BadImage("gone.jpg: there is no such file")
        return [f"picture {image.id}" for image in images]


def test_a_picture_that_went_bad_fails_alone(tmp_path):
    """A file that vanished after it was taken in costs its own caption and no other."""
    remembered = CachedCaptioner(Captioner(), "c", Items(tmp_path / "c"), Meter())
    images = [Image(id, tmp_path / id, digest=id) for id in ("a", "gone", "b")]
    first, failed, last = remembered.caption(images, ["", "", ""])
    assert (first, last) == ("picture a", "picture b")
    assert isinstance(failed, Failure) and "no such file" in failed.reason


def test_remembered_scores_stay_with_their_pairs(tmp_path):
    """Known pairs are looked up, new ones asked, and the order is that of the question."""

    class Lengths:
        def score(self, queries, documents):
            return [float(len(document.texts[0].content)) for document in documents]

    remembered = CachedReranker(Lengths(), "r", Items(tmp_path / "r"), Meter())
    query = Query("q", text=Text("q", "q"))
    documents = [Document(t, texts=(Text(t, t),)) for t in ("a", "bbb", "cc")]
    assert remembered.score([query], documents[1:2]) == [3.0]
    assert remembered.score([query] * 3, documents) == [1.0, 3.0, 2.0]
    assert remembered.score([], []) == []
