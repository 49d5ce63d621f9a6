"""Encoding captions: open_clip's plain `encode_text`, and the `open_clip` encoder, which reads no padding.

python benchmarks/text_tower.py [--data flickr8k] [--images 200]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sides import random_clip, shelf, threads, timed

from mmragbench.contracts import Vectors
from mmragbench.models.open_clip import OpenClip
from mmragbench.records import Text

BATCH = 64


def plain(texts: list[str], clip: Any, tokenize: Any) -> Vectors:
    """Batches in the order of the captions, each padded to 77 tokens."""
    import torch

    rows = []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            tokens = tokenize(texts[start : start + BATCH])
            rows.append(clip.encode_text(tokens, normalize=True).numpy())
    return np.concatenate(rows)


def main() -> None:
    import open_clip

    data = shelf(__doc__, images=200)
    threads()
    model = random_clip(data.work / "ViT-B-32")
    print(f"{len(data.texts)} captions, ViT-B-32")
    clip, tokenize = open_clip.create_model(model).eval(), open_clip.get_tokenizer(model)
    texts = [Text(str(i), text) for i, text in enumerate(data.texts)]
    encoder = OpenClip(model, batch_size=BATCH, device="cpu")
    encoder.encode_texts(texts[:1])  # both are loaded before the clock starts
    slow, expected = timed("open_clip's encode_text", lambda: plain(data.texts, clip, tokenize))
    fast, rows = timed("mmragbench's open_clip encoder", lambda: encoder.encode_texts(texts))
    print(f"largest difference of a component {np.abs(expected - rows).max():.1e}")
    print(f"times as fast: {slow.times(fast)}")


if __name__ == "__main__":
    main()
