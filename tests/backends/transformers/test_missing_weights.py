"""No adapter goes on with weights that its checkpoint does not bring.

The libraries fill them in at random and say so on a log that nobody reads. Each adapter is given
two checkpoints of its own class: one that lacks a weight, one with a weight of another shape.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmragbench.errors import DataError, SuiteError
from mmragbench.models.diffusers import IPAdapter
from mmragbench.records import Image
from mmragbench.registry import find
from support import checkpoints, tiny

LACKS, OTHER_SHAPE = "lacks", "other shape"

Make = Callable[[Path], tuple[dict[str, Any], Path]]


def shipped(name: str) -> Make:
    """A copy of a model that ships."""

    def make(folder: Path):
        from mmragbench.backends.weights import locate

        shutil.copytree(locate(f"shipped:scenes/{name}"), folder / name)
        return {"name": str(folder / name)}, next((folder / name).rglob("*.safetensors"))

    return make


def tiny_model(write: Callable[[Path], Any], file: str = "model.safetensors") -> Make:
    """A tiny one of the real class."""

    def make(folder: Path):
        name = write(folder / "m")
        return {"name": str(name)}, folder / "m" / file

    return make


def adapter(folder: Path):
    pipeline = checkpoints.stable_diffusion(folder / "m")
    checkpoints.ip_adapter(folder / "a", pipeline)
    given = IPAdapter(str(folder / "a"), "adapter.safetensors")
    return {"name": str(pipeline), "ip_adapter": given}, folder / "a/adapter.safetensors"


def eyes_of_adapter(folder: Path):
    given, _ = adapter(folder)
    return given, folder / "a/image_encoder/model.safetensors"


def of_architecture(folder: Path):
    """An architecture by name, its weights in a file."""
    import open_clip

    torch.save(open_clip.create_model("ViT-S-32").state_dict(), folder / "weights.pt")
    return {"name": "ViT-S-32", "pretrained": str(folder / "weights.pt")}, folder / "weights.pt"


def imagebind(folder: Path):
    return tiny.imagebind_folder(folder), folder / "weights.pth"


def inception(folder: Path):
    pytest.importorskip("torch_fidelity")
    torch.save(checkpoints.inception_network().state_dict(), folder / "weights.pth")
    given = {"weights": folder / "weights.pth", "unchecked": True}
    return given, folder / "weights.pth"


DIFFUSION = "diffusion_pytorch_model.safetensors"

ADAPTERS: dict[str, tuple[Make, str]] = {
    "encoder open_clip": (shipped("clip"), "visual.attnpool.k_proj.weight"),
    "encoder open_clip (file)": (of_architecture, "visual.proj"),
    "encoder transformers": (
        tiny_model(lambda f: tiny.transformers_folder(f, "clip")),
        "text_projection.weight",
    ),
    "encoder sentence_transformers": (
        shipped("sentences"),
        "encoder.layer.0.attention.self.key.weight",
    ),
    "encoder sentence_transformers (clip)": (
        tiny_model(lambda f: tiny.transformers_folder(f, "clip")),
        "visual_projection.weight",
    ),
    "encoder imagebind": (imagebind, "pixels.weight"),
    "encoder inception": (inception, "Mixed_7c.branch1x1.conv.weight"),
    "captioner transformers": (
        shipped("captioner"),
        "text_decoder.bert.encoder.layer.0.attention.self.key.weight",
    ),
    "chat transformers": (tiny_model(checkpoints.llava), "multi_modal_projector.linear_1.weight"),
    "painter transformers": (tiny_model(checkpoints.janus), "generation_head.proj_out.weight"),
    "painter diffusers (unet)": (
        tiny_model(checkpoints.stable_diffusion, f"unet/{DIFFUSION}"),
        "conv_in.weight",
    ),
    "painter diffusers (vae)": (
        tiny_model(checkpoints.stable_diffusion_xl, f"vae/{DIFFUSION}"),
        "decoder.conv_in.weight",
    ),
    "painter diffusers (text)": (
        tiny_model(checkpoints.stable_diffusion_xl, "text_encoder_2/model.safetensors"),
        "text_projection.weight",
    ),
    "painter diffusers (adapter)": (adapter, "ip_adapter.1.to_k_ip.weight"),
    "painter diffusers (adapter's encoder)": (eyes_of_adapter, "visual_projection.weight"),
    "reranker sentence_transformers": (shipped("reranker"), "classifier.weight"),
    "reranker image_text_matching": (tiny_model(checkpoints.blip_itm), "itm_head.weight"),
    "reranker image_text_matching (blip2)": (
        tiny_model(checkpoints.blip2_itm),
        "itm_head.weight",
    ),
}
"""Role and adapter -> a complete checkpoint (arguments, the file of its weights) and a weight of it."""

WITHOUT_WEIGHTS = {
    "encoder classic_features", "encoder precomputed", "captioner precomputed",
    "captioner described", "chat openai", "painter openai", "reranker judge",
}  # fmt: skip
"""Files, servers, and what is made of other models."""


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Each test imports its own ImageBind."""
    for module in [m for m in sys.modules if m.partition(".")[0] == "imagebind"]:
        monkeypatch.delitem(sys.modules, module)


def load(name: str, given: dict[str, Any]) -> None:
    role, use = name.split()[:2]
    model = find(role, use).make(**given)
    if use == "inception":
        model.encode_images([Image("i", Path("nowhere"))])
    else:
        model.load()


def spoil(file: Path, key: str, how: str) -> str:
    """Take a weight out of a file, or a row out of the weight; its name there."""
    tensors = file.suffix == ".safetensors"
    weights = load_file(file) if tensors else torch.load(file, weights_only=True)
    (own,) = [name for name in weights if name.endswith(key)][:1]
    if how == LACKS:
        del weights[own]
    else:
        weights[own] = torch.cat([weights[own], weights[own][:1]]).contiguous()
    if tensors:
        save_file(weights, file, {"format": "pt"})
    else:
        torch.save(weights, file)
    return own


def test_every_adapter_with_weights_is_tried_here():
    """A new one wants a line in `ADAPTERS`."""
    from mmragbench.registry import every

    roles = ("encoder", "captioner", "chat", "painter", "reranker")
    registered = {f"{role} {c.name}" for role in roles for c in every(role) if ":" not in c.name}
    assert {" ".join(name.split()[:2]) for name in ADAPTERS} | WITHOUT_WEIGHTS == registered


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", [LACKS, OTHER_SHAPE])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_weight_that_would_be_random_is_refused(name, how, tmp_path):
    """By its name, in one line; the complete checkpoint is taken."""
    make, key = ADAPTERS[name]
    given, file = make(tmp_path)
    if name != "encoder inception":  # which would go on to open the picture
        load(name, given)
    spoil(file, key, how)
    with pytest.raises((SuiteError, DataError), match=key.rpartition(".")[0].split(".")[-1]) as e:
        load(name, given)
    assert len(str(e.value)) < 500 and "\n" not in str(e.value)


@pytest.mark.parametrize(
    "role, use, name, fault",
    [
        ("encoder", "transformers", "captioner", "61 parts of BlipModel.*captioner .*transformers"),
        ("encoder", "sentence_transformers", "captioner", "parts of BlipModel.*fits a captioner"),
        ("encoder", "sentence_transformers", "reranker", "no sentence encoder.*fits a reranker"),
        ("encoder", "open_clip", "captioner", "config file missing.*fits a captioner"),
        ("reranker", "sentence_transformers", "sentences", "classifier.*fits an encoder"),
        ("reranker", "sentence_transformers", "captioner", "fits a captioner"),
        ("reranker", "image_text_matching", "captioner", "itm_head.*fits a captioner"),
        ("reranker", "image_text_matching", "sentences", "no image-text matching.*fits an encoder"),
        ("captioner", "transformers", "clip", r"fits an encoder \(use: open_clip\)"),
        ("captioner", "transformers", "reranker", "fits a reranker"),
        ("chat", "transformers", "sentences", "fits an encoder"),
        ("painter", "transformers", "clip", "fits an encoder"),
        ("painter", "diffusers", "captioner", "fits a captioner"),
    ],
)
def test_a_checkpoint_in_the_wrong_role_is_told_where_it_fits(role, use, name, fault):
    """None of the models that ship is taken for what it is not."""
    with pytest.raises(SuiteError, match=fault):
        find(role, use).make(name=f"shipped:scenes/{name}").load()


def test_an_architecture_alone_has_no_weights():
    """Its tags are named."""
    with pytest.raises(SuiteError, match="would be random; say pretrained: .*'openai'"):
        find("encoder", "open_clip").make("ViT-B-32").load()


def test_files_of_weights_are_told_apart(tmp_path):
    """Vectors of one file are not taken for those of another."""
    cls, identities = find("encoder", "open_clip").make, set()
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        identities.add(cls("ViT-S-32", pretrained=str(tmp_path / name)).weights())
    assert len(identities) == 2 and all(i.startswith("sha256:") for i in identities)


def test_a_sentence_encoder_may_lack_the_pooler_that_it_does_not_use(tmp_path):
    """Many are saved without BERT's; the library pools by itself."""
    given, file = shipped("sentences")(tmp_path)
    weights = {k: v for k, v in load_file(file).items() if not k.startswith("pooler.")}
    save_file(weights, file, {"format": "pt"})
    find("encoder", "sentence_transformers").make(**given).load()
