"""One contract for every encoder that loads weights, on tiny checkpoints of the real classes.

ImageBind's own code cannot be had here: its adapter runs on a stand-in with the same public names
(`imagebind.data.load_and_transform_text`, `imagebind_model.imagebind_huge`).
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from mmragbench.cache.vectors import VectorFile
from mmragbench.checking import rules
from mmragbench.engine.cached_models import CachedEncoder
from mmragbench.engine.meter import Meter
from mmragbench.errors import DataError, NotApplicable, SuiteError
from mmragbench.records import Image, Text
from mmragbench.registry import find
from support import tiny

TEXTS = [
    Text(str(i), text)
    for i, text in enumerate(
        ["two red boats on a lake", "a cat", "", "a " * 60 + "dog", "two red boats on a lake"]
    )
]

MAKE = {
    "open_clip clip": lambda f: {"name": tiny.open_clip_folder(f)},
    "open_clip coca": lambda f: {"name": tiny.coca_folder(f)},
    "transformers clip": lambda f: {"name": tiny.transformers_folder(f, "clip")},
    "transformers siglip": lambda f: {"name": tiny.transformers_folder(f, "siglip")},
    "sentence_transformers clip": lambda f: {"name": tiny.transformers_folder(f, "clip")},
    "imagebind stand-in": tiny.imagebind_folder,
}


@pytest.fixture(params=MAKE, scope="module")
def make(request, tmp_path_factory):
    """Makes the encoder with further arguments; all of them from one checkpoint."""
    given = MAKE[request.param](tmp_path_factory.mktemp("model"))
    cls = find("encoder", request.param.partition(" ")[0]).make
    return lambda **more: cls(**given, **more)


@pytest.fixture(autouse=True)
def forgotten():
    """Each test imports its own stand-in."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "imagebind"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Pictures of several shapes and modes."""
    from PIL import Image as Pillow

    root, pictures = tmp_path_factory.mktemp("pictures"), []
    generator = np.random.default_rng(0)
    for i, size in enumerate([(40, 60), (90, 33), (32, 32), (64, 64), (200, 150)]):
        pixels = generator.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        picture = Pillow.fromarray(pixels)
        path = root / f"{i}.png"
        (picture.convert("L") if i == 3 else picture).save(path)
        pictures.append(Image(str(i), path, digest=str(i)))
    return pictures


def test_rows_are_unit_vectors_in_order_whatever_the_batch(make, images):
    """The contract, by the kit's rules; to the last digits, neighbours, order and batch size do not
    matter."""
    verdicts = [rule.verdict() for rule in rules(make, "encoder")]
    assert [verdict for verdict in verdicts if verdict.status == "failed"] == []
    encoder = make()
    assert encoder.modalities == {"image", "text"}
    for items, encode in ((TEXTS, "encode_texts"), (images, "encode_images")):
        rows = getattr(encoder, encode)(items)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(rows, getattr(encoder, encode)(items))
        np.testing.assert_allclose(rows, getattr(encoder, encode)(items[::-1])[::-1], atol=1e-5)
        for size in (1, 2):
            alone = getattr(make(batch_size=size), encode)(items)
            np.testing.assert_allclose(rows, alone, atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3  # pictures differ
    texts = encoder.encode_texts(TEXTS)
    np.testing.assert_allclose(texts[0], texts[4], atol=1e-6)


@pytest.mark.filterwarnings("ignore:clip ranks")
def test_a_bad_picture_fails_alone_and_by_name(make, images, tmp_path):
    """Through the cache, all others are kept: asked again without it, nothing is computed."""
    (tmp_path / "bad.png").write_bytes(b"no picture")
    bad = Image("bad", tmp_path / "bad.png", digest="bad")
    remembered = CachedEncoder(make(), "clip", VectorFile(tmp_path / "i"), Meter())
    with pytest.raises(DataError, match="'bad'"):
        remembered.encode_images([*images[:2], bad, *images[2:]])
    meter = Meter()
    kept = CachedEncoder(make(), "clip", VectorFile(tmp_path / "i"), meter)
    assert len(kept.encode_images(images)) == len(images)
    assert meter.total_calls == 0


@pytest.mark.filterwarnings("ignore:clip ranks")
def test_identical_texts_are_encoded_once(make, tmp_path):
    """Five texts, two of them the same: four are asked for."""
    inner, encoded_texts = make(), []

    class Counting:
        modalities = frozenset({"text"})  # of pictures and texts, it would be tried first

        def encode_texts(self, texts):
            encoded_texts.extend(texts)
            return inner.encode_texts(texts)

    rows = CachedEncoder(Counting(), "clip", VectorFile(tmp_path / "i"), Meter()).encode_texts(
        TEXTS
    )
    assert len(encoded_texts) == 4
    np.testing.assert_array_equal(rows[0], rows[4])


def test_what_identifies_a_vector(make):
    """Weights by their checksum, the precision by name; batch size and device are operational."""
    encoder = make(device="cpu")
    assert encoder.weights().startswith("sha256:")
    assert encoder.precision == "fp32-cpu"
    assert make(device="cpu", precision="bf16").precision == "bf16-cpu"
    assert {"batch_size", "device"} <= encoder.operational


def test_sixteen_bits_are_near_and_come_out_as_thirty_two(make, images):
    """bf16 changes vectors by rounding only; rows are float32 and of length 1 all the same."""
    for items, encode in ((TEXTS, "encode_texts"), (images, "encode_images")):
        rows = getattr(make(), encode)(items)
        half = getattr(make(precision="bf16"), encode)(items)
        assert half.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, atol=1e-5)
        assert (rows * half).sum(axis=1).min() > 0.99


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_transformers_gives_what_the_library_gives(tmp_path, images, kind):
    """Our vectors are those of the model's own features of whole rows."""
    import torch
    from transformers import AutoModel, AutoProcessor

    name = tiny.transformers_folder(tmp_path / "m", kind)
    encoder = find("encoder", "transformers").make(name)
    model, processor = AutoModel.from_pretrained(name).eval(), AutoProcessor.from_pretrained(name)
    texts = [text.content for text in TEXTS]
    tokens = processor(text=texts, padding="max_length", truncation=True, return_tensors="pt")
    pixels = processor(images=[image.open() for image in images], return_tensors="pt")
    with torch.no_grad():
        expected = model.get_text_features(**tokens).pooler_output.numpy()
        pictures = model.get_image_features(**pixels).pooler_output.numpy()
    for rows, theirs in (
        (encoder.encode_texts(TEXTS), expected),
        (encoder.encode_images(images), pictures),
    ):
        np.testing.assert_allclose(
            rows, theirs / np.linalg.norm(theirs, axis=1, keepdims=True), atol=1e-5
        )
    assert encoder._truncates is (kind == "clip")


@pytest.mark.parametrize("kind", ["Dinov2", "ViT", "ConvNext"])
def test_transformers_encodes_pictures_alone(tmp_path, images, kind):
    """DINO, DINOv2, ViT: the class token after the last layer; without one, the pooled features. The
    kit's rules are kept, and texts are not applicable."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    name = tiny.vision_folder(tmp_path / "m", kind)
    make = find("encoder", "transformers").make
    verdicts = [rule.verdict() for rule in rules(lambda **more: make(name, **more), "encoder")]
    assert [verdict for verdict in verdicts if verdict.status == "failed"] == []
    encoder = make(name)
    assert encoder.modalities == {"image"}
    with pytest.raises(NotApplicable, match="encodes pictures, not texts"):
        encoder.encode_texts(TEXTS)
    model, processor = (
        AutoModel.from_pretrained(name).eval(),
        AutoImageProcessor.from_pretrained(name),
    )
    with torch.no_grad():
        output = model(**processor([image.open() for image in images], return_tensors="pt"))
    tokens = output.last_hidden_state
    theirs = (output.pooler_output if kind == "ConvNext" else tokens[:, 0]).numpy()
    expected = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode_images(images), expected, atol=1e-5)


def test_what_a_sentence_encoder_reads_is_known_from_its_files(tmp_path, images):
    """Images too for a CLIP, texts only for a BERT; nothing is loaded to know it."""
    cls = find("encoder", "sentence_transformers").make
    clip = cls(tiny.transformers_folder(tmp_path / "m", "clip"))
    sentences = cls("shipped:scenes/sentences")
    assert clip.modalities == {"image", "text"} and sentences.modalities == {"text"}
    assert "_model" not in clip.__dict__
    with pytest.raises(NotApplicable, match="texts only"):
        sentences.encode_images(images)
    clip.load()
    assert clip.modalities == {"image", "text"}


def test_two_kinds_of_gelu_in_one_model_are_refused(tmp_path):
    """No CLIP was trained like that; the vectors would be a little wrong."""
    name = tiny.transformers_folder(tmp_path / "m", "clip", hidden_act="gelu")
    with pytest.raises(SuiteError, match="hidden_act is quick_gelu for texts and gelu for images"):
        find("encoder", "transformers").make(name).load()


def test_a_text_model_is_no_image_encoder():
    """It is named, with what loads it."""
    with pytest.raises(SuiteError, match="sentence_transformers loads text encoders"):
        find("encoder", "transformers").make("shipped:scenes/sentences").load()


def test_the_gelu_of_published_weights_is_known_by_their_folder(tmp_path):
    """A folder named like OpenAI's weights, with a configuration that has the other GELU."""
    folder = tmp_path / "models--timm--vit_base_patch32_clip_224.openai" / "snapshots" / "main"
    name = tiny.open_clip_folder(folder)
    cls = find("encoder", "open_clip").make
    with pytest.raises(SuiteError, match="trained with QuickGELU; set quick_gelu: true"):
        cls(name).load()
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["quick_gelu"] = True
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    cls(name).load()


def test_imagebind_asks_for_what_is_missing(tmp_path):
    """The checkout and the weights, by where they are to be had; the path is left as it was."""
    cls = find("encoder", "imagebind").make
    with pytest.raises(SuiteError, match="git clone"):
        cls(root=tmp_path, weights=tmp_path / "w")
    given = tiny.imagebind_folder(tmp_path)
    with pytest.raises(SuiteError, match=r"imagebind_huge\.pth"):
        cls(root=tmp_path, weights=tmp_path / "no")
    (tmp_path / "weights.pth").write_bytes(b"\x80\x04no tensors")
    before = list(sys.path)
    with pytest.raises(SuiteError, match="does not hold ImageBind's weights"):
        cls(**given).load()
    assert sys.path == before


def test_a_draft_is_near_the_full_picture(tmp_path):
    """A large JPEG decoded at a part of its size, upright by its EXIF orientation, gives nearly the
    same vector; one that is small, and a PNG, give the same."""
    from PIL import Image as Pillow
    from PIL import ImageFilter

    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    noise = Pillow.fromarray(pixels).filter(ImageFilter.GaussianBlur(2))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    noise.resize((900, 600)).save(tmp_path / "large.jpg", exif=exif, quality=95)
    noise.save(tmp_path / "small.jpg")
    noise.resize((900, 600)).save(tmp_path / "large.png")
    cls = find("encoder", "open_clip").make
    name = tiny.open_clip_folder(tmp_path / "m")
    files = [Image(file, tmp_path / file) for file in ("large.jpg", "small.jpg", "large.png")]
    assert files[0].open(64).size == (75, 113) and files[0].open().size == (600, 900)
    assert [file.open(64).size for file in files[1:]] == [(90, 60), (900, 600)]
    full, draft = (cls(name, decode=how).encode_images(files) for how in ("full", "draft"))
    np.testing.assert_array_equal(full[1:], draft[1:])
    assert full[0] @ draft[0] > 0.99
    assert np.abs(full[0] - draft[0]).max() > 0
