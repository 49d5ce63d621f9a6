"""Chat models that read pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from support.checkpoints.parts import (
    INTERLEAVING,
    TEXT,
    VISION,
    save,
    text_config,
    tokenizer,
)

GATHERING = (
    "{% for m in messages %}{{ m['role'] | upper }}: "
    "{% for c in m['content'] | selectattr('type', 'equalto', 'image') %}IMAGE\n{% endfor %}"
    "{% for c in m['content'] | selectattr('type', 'equalto', 'text') %}{{ c['text'] }} {% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""LLaVA-1.5's way: all pictures before all texts."""


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
        text_config=LlamaConfig(**text_config(words)),
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
    return save(folder, LlavaForConditionalGeneration(config), processor)


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
        text_config=LlamaConfig(**text_config(words)).to_dict(),
        scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
    )
    return save(folder, Idefics3ForConditionalGeneration(config), processor)


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
        text_config=LlamaConfig(**text_config(words)).to_dict(),
        scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=words.pad_token_id,
    )
    return save(folder, SmolVLMForConditionalGeneration(config), processor)


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
        text_config=text_config(words, rope_parameters=rope),
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
    return save(folder, Qwen2_5_VLForConditionalGeneration(config), processor)


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
        text_config={"model_type": "gemma", **text_config(words), "head_dim": 8},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
    )
    return save(folder, PaliGemmaForConditionalGeneration(config), processor)


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
        **text_config(words),
        text_config={"model_type": "persimmon", **text_config(words)},
        patch_size=14,
        image_token_id=words.convert_tokens_to_ids("|SPEAKER|"),
    )
    return save(folder, FuyuForCausalLM(config), processor)


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
    text = text_config(words, ffn_dim=64, word_embed_proj_dim=32)
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
    return save(folder, Blip2ForConditionalGeneration(config), processor)
