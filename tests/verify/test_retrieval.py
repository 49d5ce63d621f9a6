"""The open_clip references' own path, on a small checkpoint and small data made here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmragbench.verify import needs
from mmragbench.verify.references import chosen, load
from mmragbench.verify.run import check
from support import toy

open_clip = pytest.importorskip("open_clip")
torch = pytest.importorskip("torch")

ROW = "open_clip/mscoco/ViT-B-32/laion2b_s34b_b79k"
CAPTIONS = ("a {} picture", "a {} square", "all {} here", "plain {} paint", "it is {} again")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A CLIP of one layer with random weights, as `local-dir:` wants it."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("checkpoint")
    text = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    config = {"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}
    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "open_clip_model.safetensors")
    normal = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    stored = {"model_cfg": config, "preprocess_cfg": normal}
    (folder / "open_clip_config.json").write_text(json.dumps(stored))
    return folder


@pytest.fixture
def data(tmp_path):
    """Karpathy's file of 12 test pictures with five captions each, and one for training that is
    not there."""
    records = [{"split": "train", "filepath": "train2014", "filename": "no.png", "sentences": []}]
    for i in range(12):
        name = f"{i}.png"
        toy.draw(tmp_path / "coco" / "val2014" / name, toy.NAMES[i % 8], i, side=40)
        sentences = [
            {"sentid": 10 * i + j, "raw": form.format(toy.NAMES[i % 8]) + f" {i}"}
            for j, form in enumerate(CAPTIONS)
        ]
        own = {"split": "test", "filepath": "val2014", "filename": name, "cocoid": i}
        records.append({**own, "sentences": sentences})
    (tmp_path / "coco" / "dataset_coco.json").write_text(json.dumps({"images": records}))
    return tmp_path


def references(checkpoint, values=None):
    """The published entries of a checkpoint, with this model, these sizes and these values."""
    changed = []
    for each in chosen(load(), ROW):
        sizes = {"text-to-image": "60", "image-to-text": "12"}
        update = {
            "given": {
                **each.given,
                "model": {"use": "open_clip", "name": f"local-dir:{checkpoint}"},
            },
            "needs": tuple(need for need in each.needs if need.path),
            "facts": {**each.facts, "n": sizes[each.task]},
            "tolerance": 1e-9,
        }
        if values:
            update["value"] = values[each.task, each.measure]
        changed.append(each.model_copy(update=update))
    return changed


def clip_benchmark(checkpoint, data) -> dict:
    """The oracle: open_clip loaded and asked directly, and CLIP_benchmark's definition: a query's
    true recall among its k best is above zero."""
    from PIL import Image

    records = json.loads((data / "coco" / "dataset_coco.json").read_text())["images"][1:]
    name = f"local-dir:{checkpoint}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    texts = [s["raw"] for record in records for s in record["sentences"]]
    with torch.no_grad():
        paths = [data / "coco" / r["filepath"] / r["filename"] for r in records]
        pixels = torch.stack([preprocess(Image.open(path).convert("RGB")) for path in paths])
        images = model.eval().encode_image(pixels, normalize=True).numpy()
        tokens = open_clip.get_tokenizer(name)(texts)
        rows = model.encode_text(tokens, normalize=True).numpy()
    similar = rows @ images.T
    positive = np.repeat(np.arange(12), 5)[:, None] == np.arange(12)
    found = {}
    for task, scores, right in (
        ("text-to-image", similar, positive),
        ("image-to-text", similar.T, positive.T),
    ):
        order = np.argsort(-scores, axis=1)
        for k in (1, 5, 10):
            recall = np.take_along_axis(right, order[:, :k], 1).sum(1) / right.sum(1)
            found[task, f"Success@{k}"] = float((recall > 0).mean())
    return found


def test_the_path_of_the_open_clip_references_is_clip_benchmarks(checkpoint, data):
    """All six numbers of a checkpoint equal CLIP_benchmark's, and a changed one fails."""
    expected = clip_benchmark(checkpoint, data)
    assert 0 < expected["image-to-text", "Success@5"] < 1
    outcomes = check(references(checkpoint, expected), data)
    assert [each.status for each in outcomes] == ["PASS"] * 6, [each.reason for each in outcomes]
    altered = {key: value + 0.01 for key, value in expected.items()}
    outcomes = check(references(checkpoint, altered), data)
    assert {each.status for each in outcomes} == {"FAIL"}


def test_the_published_sizes_are_asked_for(checkpoint, data):
    """Twelve pictures are not COCO's 5,000: not comparable, and it says so."""
    (one, *_) = references(checkpoint)
    full = one.model_copy(update={"facts": {**one.facts, "n": "25010"}})
    (outcome,) = check([full], data)
    assert outcome.status == "NOT COMPARABLE"
    assert outcome.reason == "n: ours 60, theirs 25010"


def test_a_picture_that_is_missing_is_named(checkpoint, data):
    """The split is not whole: NOT RUN, with how many and which."""
    (data / "coco" / "val2014" / "3.png").unlink()
    outcomes = check(references(checkpoint), data)
    assert {each.status for each in outcomes} == {"NOT RUN"}
    assert "1 of 12 pictures" in outcomes[0].missing[0].what
    assert "3.png" in outcomes[0].missing[0].what


def test_weights_are_looked_for_in_the_hub_cache(data, monkeypatch, tmp_path):
    """With the data there, the weights alone are missing; with a snapshot there, nothing is."""
    from huggingface_hub import constants

    (one, *_) = chosen(load(), ROW)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    (outcome,) = check([one], data)
    assert [str(lack) for lack in outcome.missing] == [
        "weights laion/CLIP-ViT-B-32-laion2B-s34B-b79K (hf download NAME)"
    ]
    repository = tmp_path / "hub" / "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "snapshots" / "abc" / "open_clip_model.safetensors").touch()
    assert needs.missing(one.needs, data) == ()
