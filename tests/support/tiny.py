"""Tiny checkpoints with random weights, of the classes that real suites load, in folders."""

from __future__ import annotations

import json
from pathlib import Path

CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16, "head_width": 32},
    "text_cfg": {
        "context_length": 24, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2,
    },
}  # fmt: skip

PREPROCESS = {
    "size": [32, 32],
    "mode": "RGB",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}

COCA = {
    "embed_cls": True,
    "output_tokens": True,
}


def open_clip_folder(folder: Path, text: dict | None = None, **changes: object) -> str:
    """An open_clip model with CLIP's tokenizer; `text` changes its text tower, the rest its config.
    Weights are stretched, so that all inputs matter; the name to load it by."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    config = {**CLIP, **changes, "text_cfg": {**CLIP["text_cfg"], **(text or {})}}
    folder.mkdir(parents=True, exist_ok=True)
    content = {"model_cfg": config, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def coca_folder(folder: Path) -> str:
    """A CoCa: a class token behind the text, and a text decoder."""
    vision = {
        **CLIP["vision_cfg"],
        "attentional_pool": True,
        "attn_pooler_heads": 2,
        "output_tokens": True,
    }
    decoder = {"context_length": 24, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1}
    return open_clip_folder(
        folder, COCA, vision_cfg=vision, multimodal_cfg=decoder, custom_text=True
    )


def tokenizer(length: int, mask: bool):
    """A word tokenizer with an end token after each text, trained on nothing: letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {
        word: i for i, word in enumerate(["[pad]", "[unk]", *"abcdefghijklmnopqrstuvwxyz", "[end]"])
    }
    rule = Tokenizer(models.WordLevel(words, "[unk]"))
    rule.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    rule.post_processor = processors.TemplateProcessing(
        "$A [end]", special_tokens=[("[end]", words["[end]"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=rule,
        unk_token="[unk]",
        pad_token="[pad]",
        eos_token="[end]",
        model_max_length=length,
        model_input_names=["input_ids", "attention_mask"] if mask else ["input_ids"],
    )


def transformers_folder(folder: Path, kind: str, **vision: object) -> str:
    """A CLIP or SigLIP of transformers with its processor."""
    import torch
    import transformers as library

    text = {
        "vocab_size": 29, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 32, "eos_token_id": 28, "bos_token_id": 1,
        "pad_token_id": 0, "projection_size": 32,
    }  # fmt: skip
    picture = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 16, **vision,
    }  # fmt: skip
    torch.manual_seed(0)
    if kind == "clip":
        config = library.CLIPConfig(text_config=text, vision_config=picture, projection_dim=32)
        model, size = library.CLIPModel(config), {"shortest_edge": 32}
        images = library.CLIPImageProcessor(size=size, crop_size={"height": 32, "width": 32})
        processor = library.CLIPProcessor(images, tokenizer(32, mask=True))
    else:
        config = library.SiglipConfig(text_config=text, vision_config=picture)
        model = library.SiglipModel(config)
        images = library.SiglipImageProcessor(size={"height": 32, "width": 32})
        processor = library.SiglipProcessor(images, tokenizer(32, mask=False))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def vision_folder(folder: Path, kind: str) -> str:
    """A model of pictures alone, of a class of transformers (`Dinov2`, `ViT`, `ConvNext`), with its
    processor; ViT without its pooler's weights, as DINO was published."""
    import torch
    import transformers as library

    sizes = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 16,
    }  # fmt: skip
    if kind == "ConvNext":
        sizes = {"depths": [1, 1], "hidden_sizes": [16, 32], "num_stages": 2, "image_size": 32}
    torch.manual_seed(0)
    config = getattr(library, f"{kind}Config")(**sizes)
    options = {"add_pooling_layer": False} if kind == "ViT" else {}
    model = getattr(library, f"{kind}Model")(config, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    model.save_pretrained(folder)
    library.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


STAND_IN = """
import torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(256, 8)
        self.pixels = torch.nn.Linear(3, 8)
    def forward(self, inputs):
        found = {}
        if "text" in inputs:
            found["text"] = self.words(inputs["text"]).mean(1)
        if "vision" in inputs:
            found["vision"] = self.pixels(inputs["vision"].mean((2, 3)))
        return found
def imagebind_huge(pretrained=False):
    assert not pretrained
    return Model()
"""
STAND_IN_DATA = """
import torch
def load_and_transform_text(texts, device):
    return torch.tensor([list(text.encode()[:77].ljust(77)) for text in texts]).to(device)
"""


def imagebind_folder(folder: Path) -> dict:
    """A checkout of ImageBind whose model is a stand-in, and its weights; the arguments."""
    import torch

    for name, code in (("data", STAND_IN_DATA), ("models/imagebind_model", STAND_IN)):
        file = folder / "imagebind" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    names: dict = {}
    exec(STAND_IN, names)
    torch.save(names["Model"]().state_dict(), folder / "weights.pth")
    return {"root": folder, "weights": folder / "weights.pth"}
