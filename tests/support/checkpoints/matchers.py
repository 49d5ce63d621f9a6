"""Models that score a picture and a text together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.checkpoints.parts import (
    TEXT,
    VISION,
    text_config,
    tokenizer,
)


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
    text = {**text_config(words), "encoder_hidden_size": 32, "hidden_act": "gelu"}
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
