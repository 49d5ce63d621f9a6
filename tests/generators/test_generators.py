"""Generators that read what was retrieved."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmragbench.errors import NotApplicable
from mmragbench.generators.consensus import Consensus
from mmragbench.generators.nearest import Nearest
from mmragbench.records import Document, Image, Query, Text

QUERY = Query("q")


def document(id: str, *texts: str) -> Document:
    image = Image(f"{id}.jpg", Path(f"{id}.jpg"))
    return Document(id, image, tuple(Text(f"{id}#{i}", text) for i, text in enumerate(texts)))


def test_nearest_hands_back_the_first_hits_own_caption():
    """Its first caption, and the id of what was shown."""
    (output,) = Nearest().generate([QUERY], [[document("a", "one", "two"), document("b", "three")]])
    assert (output.text, output.shown, output.error) == ("one", ("a",), None)


def test_nearest_hands_back_the_first_hits_own_image():
    """For image generation it is RA-CM3's retrieval baseline."""
    (output,) = Nearest("image").generate([QUERY], [[document("a", "one")]])
    assert output.image is not None and output.image.id == "a.jpg"
    assert output.text is None


def test_nothing_to_hand_back_is_an_error_and_not_an_empty_answer():
    """An empty context, or a hit without a caption."""
    empty, bare = Nearest().generate([QUERY, QUERY], [[], [document("a")]])
    assert empty.error and empty.text is None
    assert bare.error and bare.text is None


def test_consensus_takes_the_caption_that_the_others_agree_with():
    """Three describe a dog on a beach, one a cat: the dog it is."""
    shown = [
        document("a", "a dog runs on the beach"),
        document("b", "a cat sleeps in the sun"),
        document("c", "a brown dog runs on the beach"),
        document("d", "a dog on the beach"),
    ]
    (output,) = Consensus().generate([QUERY], [shown])
    assert output.text == "a dog runs on the beach"
    assert output.shown == ("a", "b", "c", "d")


def test_consensus_of_one_caption_is_that_caption():
    """Also when it is empty of words."""
    assert Consensus().generate([QUERY], [[document("a", "one")]])[0].text == "one"
    assert Consensus().generate([QUERY], [[document("a", "...")]])[0].text == "..."


def test_consensus_draws_no_images():
    """It says so when it is made."""
    with pytest.raises(NotApplicable, match="draws no images"):
        Consensus("image")
