"""The five checkpoints of the embedded default load by their public classes, offline, and know their world."""

import os
from collections.abc import Iterator

import pytest

from support.paths import ROOT

os.environ["HF_HUB_OFFLINE"] = "1"

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
transformers = pytest.importorskip("transformers")
sentence_transformers = pytest.importorskip("sentence_transformers")

from PIL import Image  # noqa: E402

from mmragbench.scenes import write  # noqa: E402
from training.scenes.evaluate import words_for  # noqa: E402
from training.scenes.examples import Split, load  # noqa: E402
from training.scenes.wording import names_a_kind  # noqa: E402

MODELS = ROOT / "models" / "scenes"
FOLDERS = ("clip", "captioner", "sentences", "reranker", "reader")


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Split]:
    """A small world that no model was trained on."""
    root = tmp_path_factory.mktemp("world")
    write(root, {"memory": 120, "queries": 40}, seed=7, workers=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield load(root, "memory", 160, root / "cache")
    torch.set_num_threads(threads)


def test_folders_are_small_and_hold_no_pickle() -> None:
    """Together under 25 MB, and nothing but weights, JSON and text."""
    files = [file for folder in FOLDERS for file in (MODELS / folder).rglob("*") if file.is_file()]
    assert {file.suffix for file in files} <= {
        ".safetensors",
        ".json",
        ".jinja",
        ".txt",
        ".md",
        ".py",
    }
    assert sum(file.stat().st_size for file in files) < 25e6


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_holds_weights(folder: str) -> None:
    """Each model is one safetensors file."""
    assert len(list((MODELS / folder).glob("*.safetensors"))) == 1


def test_clip_finds_captions_by_image(memory: Split) -> None:
    """An image's nearest caption is its own far more often than by chance (1 in 120)."""
    name = f"local-dir:{MODELS / 'clip'}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    tokens = open_clip.get_tokenizer(name)([captions[0] for captions in memory.captions])
    looks = torch.stack([preprocess(Image.fromarray(image)) for image in memory.images])
    with torch.inference_mode():
        images, texts = (
            model.encode_image(looks, normalize=True),
            model.encode_text(tokens, normalize=True),
        )
    right = (images @ texts.T).argmax(dim=1) == torch.arange(len(memory))
    assert right[memory.plain].float().mean() > 0.3


def test_captioner_names_what_is_there(memory: Split) -> None:
    """Greedy captions are not empty, and name a kind shown at least twice as often as another image's caption does."""
    processor = transformers.AutoProcessor.from_pretrained(MODELS / "captioner")
    model = transformers.AutoModelForImageTextToText.from_pretrained(MODELS / "captioner").eval()
    rows = [row for row in memory.plain if words_for(memory, row)][:60]
    inputs = processor(
        images=[Image.fromarray(memory.images[row]) for row in rows], return_tensors="pt"
    )
    written = processor.batch_decode(
        model.generate(**inputs, max_new_tokens=48), skip_special_tokens=True
    )
    right = sum(
        names_a_kind(text, words_for(memory, row)) for text, row in zip(written, rows, strict=True)
    )
    chance = sum(
        names_a_kind(text, words_for(memory, row))
        for text, row in zip(written[1:], rows, strict=False)
    )
    assert all(written)
    assert right > max(0.5 * len(rows), 2 * chance)


def test_sentences_reads_names_that_it_never_saw(memory: Split) -> None:
    """A caption lies nearer to another caption of its image than to one of another image, and no name is unknown."""
    model = sentence_transformers.SentenceTransformer(str(MODELS / "sentences"), device="cpu")
    first, second = (model.encode([captions[at] for captions in memory.captions]) for at in (0, 1))
    closeness = first @ second.T
    assert (closeness.argmax(axis=1) == np.arange(len(memory))).mean() > 0.3
    assert (
        model.tokenizer.unk_token_id not in model.tokenizer("the velmora crest, zyxquo").input_ids
    )


def test_reranker_prefers_true_pairs(memory: Split) -> None:
    """Two captions of one image score higher than captions of two images, in more than nine of ten cases."""
    model = sentence_transformers.CrossEncoder(str(MODELS / "reranker"), device="cpu")
    true = [(captions[0], captions[1]) for captions in memory.captions]
    other = [(pair[0], true[at - 1][1]) for at, pair in enumerate(true)]
    assert (model.predict(true) > model.predict(other)).mean() > 0.9
