"""Adapters of real libraries, on the checkpoints that ship: one contract for each kind."""

from __future__ import annotations

import numpy as np
import pytest

from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.models.open_clip import OpenClip
from mmragbench.models.sentence_transformers import CrossEncoder, SentenceTransformers
from mmragbench.models.transformers import Transformers
from mmragbench.records import Document, Query, Text
from mmragbench.registry import find
from mmragbench.scenes import write

CAPTIONS = [
    "two red boats on a lake",
    "a cat",
    "three green trees stand in a meadow under a cloudy sky, with a small white house behind them",
    "a yellow bus in a city street",
    "two red boats on a lake",
]
TEXTS = [Text(str(i), caption) for i, caption in enumerate(CAPTIONS)]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Some scenes, as the dataset gives them."""
    from mmragbench.records import Image

    root = tmp_path_factory.mktemp("scenes")
    write(root, {"queries": 7})
    return [Image(file.stem, file) for file in sorted((root / "images/queries").iterdir())]


def clip(**given):
    return OpenClip("shipped:scenes/clip", **given)


def sentences(**given):
    return SentenceTransformers("shipped:scenes/sentences", **given)


@pytest.mark.parametrize("make", [clip, sentences])
def test_texts_become_unit_vectors_in_order(make):
    """(n, d) float32, L2-normalised; equal texts get equal vectors; neighbours do not matter."""
    encoder = make()
    rows = encoder.encode_texts(TEXTS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows[0], rows[4], atol=1e-6)
    alone = np.concatenate([make(batch_size=1).encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(rows, alone, atol=1e-5)
    backwards = encoder.encode_texts(TEXTS[::-1])[::-1]
    np.testing.assert_allclose(rows, backwards, atol=1e-5)


def test_images_become_unit_vectors_in_order(images):
    """The same rules for images."""
    rows = clip().encode_images(images)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    alone = np.concatenate([clip(batch_size=1).encode_images([image]) for image in images])
    np.testing.assert_allclose(rows, alone, atol=1e-5)


def test_open_clip_gives_what_the_library_gives(images):
    """Our vectors are those of open_clip's own loading and encoding."""
    import open_clip
    import torch

    from mmragbench.backends.weights import locate

    name = f"local-dir:{locate('shipped:scenes/clip')}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    with torch.no_grad():
        pixels = torch.stack([preprocess(image.open()) for image in images])
        expected = model.eval().encode_image(pixels, normalize=True).numpy()
        tokens = open_clip.get_tokenizer(name)(CAPTIONS)
        texts = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(clip().encode_images(images), expected, atol=1e-5)
    np.testing.assert_allclose(clip().encode_texts(TEXTS), texts, atol=1e-5)


def test_a_sentence_encoder_reads_no_images(images):
    """It says so, instead of inventing a vector."""
    with pytest.raises(NotApplicable, match="texts only"):
        sentences().encode_images(images)


def test_a_captioner_answers_in_order_whatever_the_batch(images):
    """One caption an image; alone or together, the same words."""
    together = Transformers("shipped:scenes/captioner").caption(images, [""] * len(images))
    alone = Transformers("shipped:scenes/captioner", batch_size=1).caption(
        images, [""] * len(images)
    )
    assert together == alone
    assert all(isinstance(caption, str) and len(caption.split()) > 2 for caption in together)


def test_a_cross_encoder_scores_pairs_in_order():
    """Aligned with the pairs; a document's best text counts; neighbours do not matter."""
    model = CrossEncoder("shipped:scenes/reranker")
    query = Query("q", text=TEXTS[0])
    documents = [Document(text.id, texts=(text,)) for text in TEXTS]
    both = Document("both", texts=(TEXTS[1], TEXTS[0]))
    scores = model.score([query] * 6, [*documents, both])
    assert scores[5] == pytest.approx(max(scores[0], scores[1]), abs=1e-4)
    assert scores[0] == max(scores[:5])
    alone = [model.score([query], [document])[0] for document in [*documents, both]]
    assert scores == pytest.approx(alone, abs=1e-4)


def test_a_cross_encoder_without_a_text_is_not_applicable(images):
    """A picture is not scored as an empty text."""
    with pytest.raises(NotApplicable, match="captioner"):
        CrossEncoder("shipped:scenes/reranker").score(
            [Query("q", image=images[0])], [Document("d", texts=(TEXTS[0],))]
        )


@pytest.mark.parametrize(
    "kind, name",
    [
        ("encoder", "open_clip"),
        ("encoder", "sentence_transformers"),
        ("captioner", "transformers"),
        ("reranker", "sentence_transformers"),
    ],
)
def test_a_model_that_is_not_there_is_one_line(kind, name):
    """A wrong folder is a message that names it, not a stack of a library's frames."""
    model = find(kind, name).make(name="local-dir:/no/such/folder")
    ask = {
        "encoder": lambda: model.encode_texts(TEXTS),
        "captioner": lambda: model.load(),
        "reranker": lambda: model.score(
            [Query("q", text=TEXTS[0])], [Document("d", texts=(TEXTS[0],))]
        ),
    }
    with pytest.raises(SuiteError, match="/no/such/folder"):
        ask[kind]()


def test_weights_are_named_by_their_checksum():
    """A shipped model's identity is the SHA-256 of its files."""
    assert clip().weights().startswith("sha256:")
    assert clip().weights() == clip().weights() != sentences().weights()


@pytest.mark.parametrize("name, tag", [("ViT-L-14", "openai"), ("ViT-B-32", "laion400m_e32")])
def test_weights_of_another_activation_are_refused(name, tag):
    """open_clip would load them with a warning, and every vector would be a little wrong: the
    architecture that fits is named, before anything is downloaded."""
    with pytest.raises(SuiteError, match=f"use the architecture {name}-quickgelu$"):
        OpenClip(name, tag).load()
