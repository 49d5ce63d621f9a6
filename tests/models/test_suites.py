"""Whole runs with models of transformers and diffusers, from a suite file to the run folder."""

from __future__ import annotations

import json

import pytest

import mmragbench as mb
from support import checkpoints


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of tiny checkpoints."""
    root = tmp_path_factory.mktemp("models")
    return {
        "llava": str(checkpoints.llava(root / "llava")),
        "painter": str(checkpoints.stable_diffusion(root / "painter")),
        "matcher": str(checkpoints.blip_itm(root / "matcher")),
    }


def outputs(folder, task, strategy, cell):
    file = folder / "cells" / task / strategy / cell / "outputs.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_chat_model_captions_what_was_retrieved(suite_file, models, tmp_path):
    """`use: transformers` alone is a reader: two strategies, k = 2, each prompt as the template
    made it, with the pictures and captions that are said to be shown; a second run asks nothing."""
    run = {
        "suite": suite_file(
            strategies={"no-retrieval": {}, "shared-space": {"encoder": "colours"}},
            generators={
                "llava": {"use": "transformers", "name": models["llava"], "max_new_tokens": 6}
            },
            tasks={"captioning": {"generator": ["llava"], "k": 2, "measures": ["CIDEr"]}},
        ),
        "output": tmp_path / "runs",
    }
    first = mb.run(**run)
    bare = outputs(first.folder, "captioning", "no-retrieval", "llava-k2")
    full = outputs(first.folder, "captioning", "shared-space", "llava-k2")
    assert [row["prompt"].count("<image>") for row in (bare[0], full[0])] == [1, 3]
    assert full[0]["prompt"].startswith("USER: <image>") and "ASSISTANT:" in full[0]["prompt"]
    assert all(row["prompt"].count(" picture\n") == 2 for row in full)
    assert all(row["text"] and len(row["shown"]) == 2 for row in full)
    assert mb.run(**run).calls == 0
    (row,) = [r for r in first.rows if r["strategy"] == "shared-space" and r["measure"] == "CIDEr"]
    assert row["n"] == 8 and row["n_failed"] == 0


def test_pictures_are_drawn_from_what_was_retrieved(suite_file, models, tmp_path):
    """`use: diffusers` alone draws the enriched query; describe-then-draw puts the chat model's
    words about the first picture into the painter's prompt."""
    run = mb.run(
        suite_file(
            models={
                "colours": {"use": "support.toy:ColourEncoder"},
                "llava": {"use": "transformers", "name": models["llava"], "max_new_tokens": 6},
                "sd": {"use": "diffusers", "name": models["painter"], "steps": 2},
            },
            strategies={"shared-space": {"encoder": "colours"}},
            generators={
                "sd-alone": {"use": "diffusers", "name": models["painter"], "steps": 2},
                "from-picture": {"use": "draw", "painter": "sd", "pictures": 1},
                "described": {"use": "describe-then-draw", "chat": "llava", "painter": "sd"},
            },
            tasks={
                "image-generation": {
                    "generator": ["sd-alone", "from-picture", "described"],
                    "k": 1,
                    "measures": ["CLIPScore(colours)"],
                }
            },
            baseline=None,
        ),
        output=tmp_path / "runs",
    )
    cells = {
        name: outputs(run.folder, "image-generation", "shared-space", f"{name}-k1")
        for name in ("sd-alone", "from-picture", "described")
    }
    for rows in cells.values():
        assert len(rows) == 8 and all(row["image"] and not row["error"] for row in rows)
    assert cells["sd-alone"][0]["prompt"] == "a red picture. a red picture"
    assert "[image 1 " in cells["from-picture"][0]["prompt"]
    assert cells["described"][0]["prompt"].startswith("a red picture. ")
    assert all(row["n"] == 8 for row in run.rows if row["measure"] == "CLIPScore(colours)")


def test_a_reranker_looks_at_the_candidates(suite_file, models, tmp_path):
    """Image-text matching under separate stores, bare pictures and texts alike, no captioner."""
    run = mb.run(
        suite_file(
            models={
                "colours": {"use": "support.toy:ColourEncoder"},
                "matcher": {"use": "image_text_matching", "name": models["matcher"]},
            },
            strategies={
                name: {
                    "use": "separate-stores",
                    "image_encoder": "colours",
                    "text_encoder": "colours",
                    "depth": 5,
                    **reranker,
                }
                for name, reranker in (("plain", {}), ("matched", {"reranker": "matcher"}))
            },
            generators={},
            tasks={
                "text-to-image": {"measures": ["R@1"]},
                "image-to-text": {"measures": ["R@1"]},
            },
            baseline="plain",
        ),
        output=tmp_path / "runs",
    )
    for task in ("text-to-image", "image-to-text"):
        heads = []
        for strategy in ("plain", "matched"):
            lines = (run.folder / "cells" / task / strategy / "run.trec").read_text().splitlines()
            heads.append([line.split()[2] for line in lines][:5])
        assert sorted(heads[0]) == sorted(heads[1]) and heads[0] != heads[1]
    assert not run.crashed
