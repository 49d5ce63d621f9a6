"""Tiny checkpoints of the classes that suites load: random weights, tokenizers trained in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

CORPUS = [
    "two red boats on a lake near a small white house",
    "three green trees stand in a meadow under a cloudy sky",
    "USER: Write one caption for this picture. Answer with the caption alone. ASSISTANT:",
    "The pictures before the last one were retrieved for it, each followed by its captions.",
    "a red green blue yellow white black purple orange picture square here plain paint again",
    "Generate coco-style 0123456789 * .,:;!?'\"()[]|<>/_ \n",
]

INTERLEAVING = (
    "{% for m in messages %}{{ m['role'] | upper }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}IMAGE{% else %}{{ c['text'] }}{% endif %}{% endfor %}\n"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""A chat template that keeps pictures where they are; IMAGE is the class's token."""

GATHERING = (
    "{% for m in messages %}{{ m['role'] | upper }}: "
    "{% for c in m['content'] | selectattr('type', 'equalto', 'image') %}IMAGE\n{% endfor %}"
    "{% for c in m['content'] | selectattr('type', 'equalto', 'text') %}{{ c['text'] }} {% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""LLaVA-1.5's way: all pictures before all texts."""

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.5,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 28,
    "patch_size": 14,
    "initializer_range": 0.2,
}


def tokenizer(specials: Sequence[str] = (), named: dict[str, str] | None = None) -> Any:
    """A byte-level BPE tokenizer of some 330 tokens, trained on a few captions."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    rules = ByteLevelBPETokenizer()
    marks = ["<pad>", "<s>", "</s>", *specials, *(named or {}).values()]
    rules.train_from_iterator(CORPUS, vocab_size=320 + len(marks), special_tokens=marks)
    made = PreTrainedTokenizerFast(
        tokenizer_object=rules._tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=named or {},
    )
    made.add_special_tokens({"additional_special_tokens": list(specials)})
    return made


def _ids(made: Any) -> dict[str, int]:
    return {f"{name}_token_id": getattr(made, f"{name}_token_id") for name in ("pad", "bos", "eos")}


def _text(made: Any, **changes: Any) -> dict[str, Any]:
    return {**TEXT, "vocab_size": len(made), **_ids(made), **changes}


def _save(folder: Path, model: Any, processor: Any) -> Path:
    model.generation_config.update(**_ids(processor.tokenizer))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def llava(folder: Path, template: str = INTERLEAVING, specials: Sequence[str] = ()) -> Path:
    """LLaVA: CLIP's vision tower, Llama's text."""
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    torch.manual_seed(0)
    words = tokenizer(["<image>", *specials])
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**VISION, projection_dim=32),
        text_config=LlamaConfig(**_text(words)),
        image_token_id=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    look = CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = LlavaProcessor(
        look,
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template.replace("IMAGE", "<image>"),
    )
    return _save(folder, LlavaForConditionalGeneration(config), processor)


def idefics3(folder: Path) -> Path:
    """Idefics3, SmolVLM's class."""
    import torch
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessor,
        Idefics3Processor,
        LlamaConfig,
    )

    torch.manual_seed(0)
    words = tokenizer()
    look = Idefics3ImageProcessor(
        do_image_splitting=False, size={"longest_edge": 28}, max_image_size={"longest_edge": 28}
    )
    template = INTERLEAVING.replace("IMAGE", "<image>")
    processor = Idefics3Processor(look, words, image_seq_len=1, chat_template=template)
    config = Idefics3Config(
        vision_config=VISION,
        text_config=LlamaConfig(**_text(words)).to_dict(),
        scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
    )
    return _save(folder, Idefics3ForConditionalGeneration(config), processor)


def smolvlm(folder: Path) -> Path:
    """SmolVLM: Idefics3's heir, whose processor knows videos too."""
    import torch
    from transformers import (
        LlamaConfig,
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    torch.manual_seed(0)
    named = {
        "fake_image_token": "<fake_token_around_image>",
        "image_token": "<image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
        "video_token": "<video>",
    }
    words = tokenizer(named=named)
    size = {"longest_edge": 28}
    look = SmolVLMImageProcessor(size=size, max_image_size=size, do_image_splitting=False)
    video = SmolVLMVideoProcessor(
        size=size,
        max_image_size=size,
        video_sampling={"video_size": size, "max_frames": 1, "fps": 1},
    )
    template = INTERLEAVING.replace("IMAGE", "<image>")
    processor = SmolVLMProcessor(look, words, video, image_seq_len=1, chat_template=template)
    config = SmolVLMConfig(
        vision_config=VISION,
        text_config=LlamaConfig(**_text(words)).to_dict(),
        scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
    )
    return _save(folder, SmolVLMForConditionalGeneration(config), processor)


def qwen2_5_vl(folder: Path) -> Path:
    """Qwen2.5-VL."""
    import torch
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    torch.manual_seed(0)
    marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words = tokenizer(marks)
    start, end, image, video = (words.convert_tokens_to_ids(mark) for mark in marks)
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    config = Qwen2_5_VLConfig(
        text_config=_text(words, rope_parameters=rope),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 4,
            "out_hidden_size": 32,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    size = {"shortest_edge": 28 * 28, "longest_edge": 112 * 112}
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=size),
        words,
        Qwen2VLVideoProcessor(size=size),
        chat_template=INTERLEAVING.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    return _save(folder, Qwen2_5_VLForConditionalGeneration(config), processor)


def paligemma(folder: Path) -> Path:
    """PaliGemma: no chat template, pictures first."""
    import torch
    from transformers import (
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        PaliGemmaProcessor,
        SiglipImageProcessor,
    )

    torch.manual_seed(0)
    words = tokenizer(named={"image_token": "<image>"})
    look = SiglipImageProcessor(size={"height": 28, "width": 28})
    look.image_seq_length = 4
    processor = PaliGemmaProcessor(look, words)
    config = PaliGemmaConfig(
        vision_config={"model_type": "siglip_vision_model", **VISION, "vision_use_head": False},
        text_config={"model_type": "gemma", **_text(words), "head_dim": 8},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
    )
    return _save(folder, PaliGemmaForConditionalGeneration(config), processor)


def fuyu(folder: Path) -> Path:
    """Fuyu: no vision tower, one picture before the text."""
    import torch
    from tokenizers import AddedToken, Regex
    from tokenizers.normalizers import Replace
    from transformers import FuyuConfig, FuyuForCausalLM, FuyuImageProcessor, FuyuProcessor

    torch.manual_seed(0)
    words = tokenizer()
    # its processor drops the first token before a picture's: SentencePiece's prefix
    words._tokenizer.normalizer = Replace(Regex(r"^(?=(\|SPEAKER\|)+\|NEWLINE\|)"), " ")
    words.add_tokens([AddedToken(mark, normalized=True) for mark in ("|SPEAKER|", "|NEWLINE|")])
    words.add_tokens(["<0x04>"])
    look = FuyuImageProcessor(
        size={"height": 56, "width": 56}, patch_size={"height": 14, "width": 14}
    )
    processor = FuyuProcessor(look, words)
    config = FuyuConfig(
        **_text(words),
        text_config={"model_type": "persimmon", **_text(words)},
        patch_size=14,
        image_token_id=words.convert_tokens_to_ids("|SPEAKER|"),
    )
    return _save(folder, FuyuForCausalLM(config), processor)


def blip2(folder: Path) -> Path:
    """BLIP-2 with OPT: one picture before the text."""
    import torch
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        BlipImageProcessor,
    )

    torch.manual_seed(0)
    words = tokenizer()
    processor = Blip2Processor(
        BlipImageProcessor(size={"height": 28, "width": 28}), words, num_query_tokens=4
    )
    text = _text(words, ffn_dim=64, word_embed_proj_dim=32)
    config = Blip2Config(
        vision_config=VISION,
        qformer_config={
            **{key: TEXT[key] for key in list(TEXT)[:4]},
            "encoder_hidden_size": 32,
            "vocab_size": len(words),
            "cross_attention_frequency": 1,
        },
        text_config={"model_type": "opt", **text},
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    return _save(folder, Blip2ForConditionalGeneration(config), processor)


def _bert() -> Any:
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words = tokenizer()
    words._tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[("<s>", words.bos_token_id), ("</s>", words.eos_token_id)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words._tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def blip_itm(folder: Path) -> Path:
    """BLIP with its head for image-text matching."""
    import torch
    from transformers import (
        BlipConfig,
        BlipForImageTextRetrieval,
        BlipImageProcessor,
        BlipProcessor,
    )

    torch.manual_seed(0)
    words = _bert()
    text = {**_text(words), "encoder_hidden_size": 32, "hidden_act": "gelu"}
    config = BlipConfig(text_config=text, vision_config=VISION, image_text_hidden_size=16)
    model = BlipForImageTextRetrieval(config)
    torch.nn.init.normal_(model.itm_head.weight, std=1.0)
    processor = BlipProcessor(BlipImageProcessor(size={"height": 28, "width": 28}), words)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def blip2_itm(folder: Path) -> Path:
    """BLIP-2's first stage with its head for image-text matching."""
    import torch
    from transformers import (
        Blip2Config,
        Blip2ForImageTextRetrieval,
        Blip2Processor,
        BlipImageProcessor,
    )

    torch.manual_seed(0)
    words = _bert()
    processor = Blip2Processor(
        BlipImageProcessor(size={"height": 28, "width": 28}), words, num_query_tokens=4
    )
    config = Blip2Config(
        vision_config=VISION,
        qformer_config={
            **TEXT,
            "encoder_hidden_size": 32,
            "vocab_size": len(words),
            "cross_attention_frequency": 1,
            "use_qformer_text_input": True,
        },
        num_query_tokens=4,
        image_text_hidden_size=16,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    model = Blip2ForImageTextRetrieval(config)
    torch.nn.init.normal_(model.itm_head.weight, std=1.0)
    torch.nn.init.normal_(model.query_tokens, std=1.0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


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
        text_config=LlamaConfig(**_text(words)).to_dict(),
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
    return _save(folder, model, processor)


def emu3(folder: Path) -> Path:
    """Emu3: draws rows of picture tokens, as many as asked."""
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
    words = tokenizer(["<|extra_200|>", *visual], named)
    template = INTERLEAVING.replace("IMAGE", "<image>")
    processor = Emu3Processor(Emu3ImageProcessor(), words, chat_template=template)
    config = Emu3Config(
        text_config=_text(words),
        vq_config={
            "codebook_size": 16,
            "base_channels": 32,
            "channel_multiplier": [1, 1],
            "num_res_blocks": 1,
            "attn_resolutions": [],
            "hidden_size": 32,
        },
        vocabulary_map=words.get_vocab(),
    )
    return _save(folder, Emu3ForConditionalGeneration(config), processor)


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

    text = {**_text(words), "max_position_embeddings": 77, "projection_dim": 32}
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


def inception_network() -> Any:
    """torch-fidelity's InceptionV3 with random weights."""
    from io import BytesIO

    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Network(FeatureExtractorInceptionV3):
        def load_state_dict(self, *_: object) -> None:
            """Keep the random weights."""

    empty = BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    return Network("random", ["2048"], feature_extractor_weights_path=empty)


CHATS = {
    f.__name__: f for f in (llava, idefics3, smolvlm, qwen2_5_vl, paligemma, fuyu, blip2, janus)
}
MATCHERS = {f.__name__: f for f in (blip_itm, blip2_itm)}
PAINTERS = {f.__name__: f for f in (stable_diffusion, stable_diffusion_xl, janus, emu3)}
