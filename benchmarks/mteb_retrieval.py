"""Image-text retrieval both ways: mteb and mmragbench on the same photographs.

    python benchmarks/mteb_retrieval.py [--data flickr8k] [--images 200]

Theirs is `mteb.evaluate` with mteb's own open_clip model (told to load a folder instead of a hub
repository), on two retrieval tasks held in memory; it encodes everything once a task. Ours is
`mmragbench run`, from the suite to the report.
"""

from __future__ import annotations

from typing import Any

from sides import Shelf, random_clip, shelf, suite, threads, timed

Found = dict[str, float]
"""nDCG@10 by task."""


def theirs(data: Shelf, model: str) -> Found:
    """mteb's scores."""
    import mteb

    found = {}
    for name, task in (
        ("text-to-image", _task("t2i", data)),
        ("image-to-text", _task("i2t", data)),
    ):
        result = mteb.evaluate(
            _model(model), task, cache=None, encode_kwargs={"batch_size": 64}, co2_tracker=False
        )
        found[name] = result.task_results[0].scores["test"][0]["ndcg_at_10"]
    return found


def _model(name: str) -> Any:
    """mteb's open_clip model, from a folder."""
    import mteb
    import open_clip
    from mteb.models.model_implementations.openclip_models import openclip_loader

    made = open_clip.create_model_and_transforms, open_clip.get_tokenizer
    try:
        open_clip.create_model_and_transforms = lambda _, **given: made[0](name, **given)
        open_clip.get_tokenizer = lambda _: made[1](name)
        model = openclip_loader("folder/ViT-B-32", revision="none", device="cpu")
        model.mteb_model_meta = mteb.get_model_meta("laion/CLIP-ViT-B-32-laion2B-s34B-b79K")
    finally:
        open_clip.create_model_and_transforms, open_clip.get_tokenizer = made
    return model


def _task(category: str, data: Shelf) -> Any:
    """A retrieval task of mteb with its data in memory."""
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    from datasets import Dataset, Image

    pairs = [
        (name, f"{name}#{i}", text)
        for name, own in data.captions.items()
        for i, text in enumerate(own)
    ]
    files = [str(path) for path in data.images]
    images = Dataset.from_dict({"id": list(data.captions), "image": files})
    images = images.cast_column("image", Image())
    texts = Dataset.from_dict(
        {"id": [id for _, id, _ in pairs], "text": [text for *_, text in pairs]}
    )
    relevant: dict[str, dict[str, int]] = {}
    for image, id, _ in pairs:
        query, document = (id, image) if category == "t2i" else (image, id)
        relevant.setdefault(query, {})[document] = 1

    class Flickr8k(AbsTaskRetrieval):  # type: ignore[misc]
        metadata = TaskMetadata(
            name=f"Flickr8k-{category}",
            description="Flickr8k's dev split.",
            dataset={"path": "memory", "revision": "none"},
            type="Any2AnyRetrieval",
            category=category,
            modalities=["image", "text"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
        )

        def load_data(self, **_: Any) -> None:
            queries, corpus = (texts, images) if category == "t2i" else (images, texts)
            split = {
                "queries": queries,
                "corpus": corpus,
                "relevant_docs": relevant,
                "top_ranked": None,
            }
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    return Flickr8k()


def ours(data: Shelf, model: str) -> Found:
    """Our estimates."""
    from mmragbench.verbs import run

    rows = run(suite(data, model, "nDCG@10"), output=data.work / "runs").rows
    return {row["task"]: row["estimate"] for row in rows if row["measure"] == "nDCG@10"}


def main() -> None:
    data = shelf(__doc__, images=200)
    threads()
    model = random_clip(data.work / "ViT-B-32")
    print(f"{len(data.images)} images, {len(data.texts)} captions, ViT-B-32")
    slow, expected = timed("mteb", lambda: theirs(data, model))
    fast, found = timed("mmragbench run", lambda: ours(data, model))
    for task in sorted(expected):
        print(f"nDCG@10, {task:<16} {expected[task]:.5f} {found[task]:.5f}")
    print(f"times as fast: {slow.times(fast)}")


if __name__ == "__main__":
    main()
