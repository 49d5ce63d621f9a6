"""The small RA-CM3: one checkpoint that writes and draws, and its twin."""

import json
import os
from pathlib import Path

import pytest

from support.paths import ROOT

os.environ["HF_HUB_OFFLINE"] = "1"

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
open_clip = pytest.importorskip("open_clip")

import mmragbench as mb  # noqa: E402
from mmragbench.scenes import write  # noqa: E402
from training.racm3.neighbours import Clip  # noqa: E402
from training.racm3.train_tokenizer import right_emblem  # noqa: E402
from training.scenes.examples import load  # noqa: E402

MODELS = ROOT / "models" / "scenes"


@pytest.mark.parametrize("name", ["racm3", "racm3-twin"])
def test_weights_are_small_and_in_half_precision(name: str) -> None:
    """At most 10 MB of safetensors, picture tokenizer and decoder together; nothing else but text."""
    files = [file for file in (MODELS / name).rglob("*") if file.is_file()]
    assert {file.suffix for file in files} <= {".safetensors", ".json", ".jinja"}
    (weights,) = (file for file in files if file.suffix == ".safetensors")
    assert weights.stat().st_size < 10e6


def test_the_twin_is_the_same_model() -> None:
    """In size and vocabulary, with the same picture tokenizer; the decoder's weights are others."""
    from safetensors.torch import load_file

    one, other = (
        load_file(MODELS / name / "model.safetensors") for name in ("racm3", "racm3-twin")
    )
    assert {name: weight.shape for name, weight in one.items()} == {
        name: weight.shape for name, weight in other.items()
    }
    same = {name.startswith("model.vqmodel") for name in one if torch.equal(one[name], other[name])}
    assert same == {True}


def test_an_emblem_is_still_itself_after_the_tokenizer(tmp_path: Path) -> None:
    """`clip` finds the right one of a world's emblems from the reconstruction (the spike's rule)."""
    write(tmp_path, {"memory": 400, "queries": 1}, seed=11, workers=1)
    shown = load(tmp_path, "memory", 96, tmp_path / "cache")
    rows = shown.with_emblem
    model = transformers.AutoModelForImageTextToText.from_pretrained(MODELS / "racm3").eval()
    processor = transformers.AutoProcessor.from_pretrained(MODELS / "racm3")
    inputs = processor.image_processor(list(shown.images[rows]), return_tensors="pt")
    with torch.inference_mode():
        vq = model.model.vqmodel
        codes = vq.encode(inputs["pixel_values"], inputs["image_sizes"]).image_tokens
        made = torch.nn.functional.interpolate(
            vq.decode(torch.stack(codes)), size=96, mode="bicubic", align_corners=False
        )
        looks = open_clip.create_model_and_transforms(f"local-dir:{MODELS / 'clip'}")[0].eval()
        reconstructed = looks.encode_image(made, normalize=True)
    originals = Clip().pictures(shown.images[rows])
    assert right_emblem(reconstructed.float(), originals, shown.emblems[rows]) >= 0.85


def test_one_entry_writes_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without documents no caption names an emblem; with the right ones its picture is nearer to the
    real one."""
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(tmp_path / "cache"))
    checkpoint = {"use": "transformers", "name": "shipped:scenes/racm3", "size": 64, "guidance": 1}
    run = mb.run(
        {
            "name": "both",
            "dataset": {"use": "scenes", "memory": 120, "queries": 40},
            "models": {
                "clip": {"use": "open_clip", "name": "shipped:scenes/clip"},
                "racm3": checkpoint,
            },
            "strategies": {"no-retrieval": None, "oracle": None},
            "generators": {
                "writes": {"use": "reader", "chat": "racm3", "texts": 1, "instruction": ""},
                "draws": {"use": "draw_in_context", "painter": "racm3", "texts": 1},
            },
            "tasks": {
                "captioning": {"generator": "writes", "k": 2, "measures": ["ClassMention"]},
                "image-generation": {"generator": "draws", "k": 2, "measures": ["CLIP-I(clip)"]},
            },
        },
        output=tmp_path / "runs",
    )
    numbers = {
        (row["strategy"], row["measure"]): row["estimate"]
        for row in json.loads((run.folder / "summary.json").read_text())
        if row["slice"] == "emblems"
    }
    assert numbers["no-retrieval", "ClassMention"] == 0
    drawn = [numbers[strategy, "CLIP-I(clip)"] for strategy in ("no-retrieval", "oracle")]
    assert drawn[1] > drawn[0] + 0.1
    assert not run.crashed
