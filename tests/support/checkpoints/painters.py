"""Models that draw, and Janus, which reads pictures, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.checkpoints.parts import (
    INTERLEAVING,
    VISION,
    save,
    text_config,
    tokenizer,
)


def janus(folder: Path) -> Path:
    """Janus: reads pictures, and draws them in 4 by 4 tokens."""
    import torch
    from transformers import (
        GenerationConfig,
        JanusConfig,
        JanusForConditionalGeneration,
        JanusImageProcessor,
        JanusProcessor,
        LlamaConfig,
    )

    torch.manual_seed(0)
    named = {"image_token": "<image>", "boi_token": "<begin>", "eoi_token": "<end>"}
    words = tokenizer(named=named)
    image, begin = (words.convert_tokens_to_ids(named[k]) for k in ("image_token", "boi_token"))
    size = {"height": 56, "width": 56}
    processor = JanusProcessor(
        JanusImageProcessor(size=size, min_size=56),
        words,
        chat_template=INTERLEAVING.replace("IMAGE", "<image>"),
        num_image_tokens=16,
    )
    config = JanusConfig(
        text_config=LlamaConfig(**text_config(words)).to_dict(),
        vision_config={
            **VISION,
            "image_size": 56,
            "num_image_tokens": 16,
            "projection_dim": 32,
            "depth": 2,
        },
        vq_config={
            "embed_dim": 8,
            "num_embeddings": 64,
            "latent_channels": 32,
            "base_channels": 32,
            "channel_multiplier": [1, 1],
            "num_res_blocks": 1,
            "num_patches": 4,
            "projection_dim": 32,
            "image_token_embed_dim": 32,
        },
        image_token_id=image,
    )
    model = JanusForConditionalGeneration(config)
    model.generation_config = GenerationConfig(generation_kwargs={"boi_token_id": begin})
    return save(folder, model, processor)


IN_CONTEXT = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "{% if loop.last %}<|infill|><image><|infill|>{% else %}<image>{% endif %}"
    "{% else %}{{ c['text'] }}{{ '' if loop.last else '\\n' }}{% endif %}{% endfor %}{% endfor %}"
)
"""A chat template for pairs in context: a picture at the end, of which a caption is wanted, stands
between infills; a text at the end is what is drawn."""


def emu3(folder: Path) -> Path:
    """Emu3: reads pictures and draws them, in rows of picture tokens of 8 by 8 pixels each."""
    import torch
    from transformers import (
        Emu3Config,
        Emu3ForConditionalGeneration,
        Emu3ImageProcessor,
        Emu3Processor,
    )

    torch.manual_seed(0)
    named = {
        "image_token": "<image>",
        "boi_token": "<|image start|>",
        "eoi_token": "<|image end|>",
        "image_wrapper_token": "<|image token|>",
        "eof_token": "<|extra_201|>",
    }
    visual = [f"<|visual token {code:06d}|>" for code in range(16)]
    words = tokenizer(["<|extra_200|>", "<|infill|>", *visual], named)
    pictures = Emu3ImageProcessor(min_pixels=16 * 16, max_pixels=32 * 32)
    processor = Emu3Processor(pictures, words, chat_template=IN_CONTEXT)
    config = Emu3Config(
        text_config=text_config(words),
        vq_config={
            "codebook_size": 16,
            "base_channels": 32,
            "channel_multiplier": [1, 1, 1, 1],
            "num_res_blocks": 1,
            "attn_resolutions": [],
            "hidden_size": 32,
        },
        vocabulary_map=words.get_vocab(),
    )
    return save(folder, Emu3ForConditionalGeneration(config), processor)


UNET = {
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
}


def _clip_text(words: Any, kind: str = "CLIPTextModel") -> Any:
    import transformers

    text = {**text_config(words), "max_position_embeddings": 77, "projection_dim": 32}
    return getattr(transformers, kind)(transformers.CLIPTextConfig(**text))


def _vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
    )


def _short(words: Any) -> Any:
    words.model_max_length = 77
    return words


def stable_diffusion(folder: Path) -> Path:
    """Stable Diffusion 1: 32 pixels, no safety checker."""
    import torch
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(0)
    words = _short(tokenizer())
    pipeline = StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=_clip_text(words),
        tokenizer=words,
        unet=UNet2DConditionModel(**UNET, cross_attention_dim=32),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def stable_diffusion_xl(folder: Path) -> Path:
    """SDXL: two text encoders."""
    import torch
    from diffusers import (
        EulerAncestralDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )

    torch.manual_seed(0)
    words, again = _short(tokenizer()), _short(tokenizer())
    unet = UNet2DConditionModel(
        **UNET,
        cross_attention_dim=64,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=80,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=_clip_text(words),
        text_encoder_2=_clip_text(again, "CLIPTextModelWithProjection"),
        tokenizer=words,
        tokenizer_2=again,
        unet=unet,
        scheduler=EulerAncestralDiscreteScheduler(),
    )
    pipeline.save_pretrained(folder)
    return folder


def ip_adapter(folder: Path, pipeline: Path) -> Path:
    """An IP-Adapter for `stable_diffusion`: `adapter.safetensors`, and its image encoder."""
    import torch
    from diffusers import UNet2DConditionModel
    from safetensors.torch import save_file
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    width = 32
    vision = CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION, projection_dim=width))
    vision.save_pretrained(folder / "image_encoder")
    CLIPImageProcessor(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
    ).save_pretrained(folder / "image_encoder")
    weights = {
        "image_proj.proj.weight": torch.randn(4 * width, width),
        "image_proj.proj.bias": torch.zeros(4 * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    unet, place = UNet2DConditionModel.from_pretrained(pipeline / "unet"), 1
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            for key in ("to_k_ip", "to_v_ip"):
                weights[f"ip_adapter.{place}.{key}.weight"] = torch.randn(
                    module.to_k.out_features, width
                )
            place += 2
    save_file(weights, folder / "adapter.safetensors")
    return folder
