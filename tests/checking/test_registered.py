"""Our own components keep the contract: the kit's rules, on all that can be made without a download."""

from __future__ import annotations

import numpy as np
import pytest

from mmragbench.checking import rules
from mmragbench.checking.inputs import pictures, texts
from mmragbench.registry import FOLDERS, every
from support import checkpoints, tiny

ELSEWHERE = {
    "dataset": {
        "beir",
        "coco",
        "flickr",
        "folder",
        "huggingface",
        "pdf",
    },  # want files of their own
    "encoder": {"imagebind", "inception"},  # want weights of their own
    "captioner": {"precomputed"},  # wants a file for its pictures
    "chat": {"openai"},  # wants a server
    "painter": {"openai"},
    "strategy": {"rankings"},  # want files of another system
    "generator": {"image_folder", "results_file"},
    "measure": {"METEOR"},  # starts Java each time
}
"""Kind -> what is tested in its own file instead, with what it wants."""


def vectors(folder):
    """A file with vectors for the kit's pictures and texts."""
    rng, arrays = np.random.default_rng(0), {}
    for name, items in (("image", pictures()), ("text", texts())):
        arrays[f"{name}_ids"] = np.array([item.id for item in items])
        arrays[f"{name}_embeddings"] = rng.normal(size=(len(items), 8)).astype(np.float32)
    np.savez(folder / "vectors.npz", **arrays)
    return {"embeddings": folder / "vectors.npz"}


ARGUMENTS = {
    ("dataset", "scenes"): lambda f: {"memory": 12, "queries": 4, "root": f},
    ("dataset", "scenes_demonstrations"): lambda f: {"memory": 24, "queries": 4, "root": f},
    ("encoder", "open_clip"): lambda f: {"name": tiny.open_clip_folder(f)},
    ("encoder", "precomputed"): vectors,
    ("encoder", "sentence_transformers"): lambda _: {"name": "shipped:scenes/sentences"},
    ("encoder", "transformers"): lambda f: {"name": tiny.transformers_folder(f, "clip")},
    ("captioner", "transformers"): lambda _: {"name": "shipped:scenes/captioner"},
    ("chat", "transformers"): lambda f: {"name": str(checkpoints.llava(f)), "max_new_tokens": 6},
    ("painter", "diffusers"): lambda f: {"name": str(checkpoints.PAINTERS["stable_diffusion"](f)), "steps": 2},
    ("painter", "transformers"): lambda f: {"name": str(checkpoints.PAINTERS["janus"](f))},
    ("reranker", "image_text_matching"): lambda f: {"name": str(next(iter(checkpoints.MATCHERS.values()))(f))},
    ("reranker", "sentence_transformers"): lambda _: {"name": "shipped:scenes/reranker"},
}  # fmt: skip
OURS = [
    (kind, component.name)
    for kind in FOLDERS
    for component in every(kind)
    if component.make.__module__.startswith("mmragbench.")
    and component.name not in ELSEWHERE.get(kind, ())
]


@pytest.mark.parametrize("kind, name", OURS)
def test_a_registered_component_keeps_its_contract(kind, name, tmp_path):
    """No rule of its kind fails, and some rule says that it is kept."""
    arguments = ARGUMENTS.get((kind, name), lambda _: {})(tmp_path)
    verdicts = [rule.verdict() for rule in rules(name, kind, **arguments)]
    assert [verdict for verdict in verdicts if verdict.status == "failed"] == []
    assert [verdict for verdict in verdicts[1:] if verdict.status == "ok"]
