"""Retrieval evaluation, end to end: CLIP_benchmark and mmragbench on the same photographs.

    python benchmarks/against_clip_benchmark.py [--data flickr8k] [--images 1000]

Theirs is what `clip_benchmark eval --no_amp` does for Flickr8k (its own loading of the model, data
set, batches of 64, four workers, and evaluation); with its default, bf16 on a CPU, it is slower
still and its scores are others. Ours is `mmragbench run`, from the suite to the report.
"""

from __future__ import annotations

from typing import Any

from sides import Shelf, random_clip, shelf, suite, threads, timed

KEYS = {"text-to-image": "image_retrieval_recall", "image-to-text": "text_retrieval_recall"}
"""Our task -> CLIP_benchmark's name for its hit rate."""


def theirs(data: Shelf, model: str) -> dict[str, float]:
    """CLIP_benchmark's metrics."""
    from clip_benchmark.datasets.builder import build_dataset, get_dataset_collate_fn
    from clip_benchmark.metrics import zeroshot_retrieval
    from clip_benchmark.models import load_clip
    from torch.utils.data import DataLoader

    annotations = data.work / "annotations.csv"
    lines = [f"{name},{caption}" for name, own in data.captions.items() for caption in own]
    annotations.write_text("\n".join(["image,caption", *lines]), encoding="utf-8")
    clip, transform, tokenizer = load_clip("open_clip", model, None, None, device="cpu")
    clip.eval()
    images = build_dataset(
        "flickr8k",
        str(data.root / "images"),
        transform,
        annotation_file=str(annotations),
        task="zeroshot_retrieval",
    )
    collate = get_dataset_collate_fn("flickr8k")
    loader: Any = DataLoader(images, batch_size=64, num_workers=4, collate_fn=collate)
    return zeroshot_retrieval.evaluate(
        clip, loader, tokenizer, "cpu", amp=False, recall_k_list=[1, 5, 10]
    )


def ours(data: Shelf, model: str) -> dict[str, float]:
    """Our estimates under the same keys."""
    from mmragbench.verbs import run

    rows = run(suite(data, model), output=data.work / "runs").rows
    return {
        f"{KEYS[row['task']]}@{row['measure'].partition('@')[2]}": row["estimate"]
        for row in rows
        if row["slice"] == "all"
    }


def main() -> None:
    data = shelf(__doc__)
    threads()
    model = random_clip(data.work / "ViT-B-32")
    print(f"{len(data.images)} images, {len(data.texts)} captions, ViT-B-32")
    slow, expected = timed("CLIP_benchmark", lambda: theirs(data, model))
    fast, found = timed("mmragbench run", lambda: ours(data, model))
    for key in sorted(expected):
        print(f"{key:<28} {expected[key]:.6f} {found[key]:.6f}")
    worst = max(abs(expected[key] - found[key]) for key in expected)
    print(f"largest difference of a score {worst:.6f}")
    print(f"times as fast: {slow.times(fast)}")


if __name__ == "__main__":
    main()
