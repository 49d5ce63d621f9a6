"""Padding is left out where it cannot matter, and only there: always open_clip's own vectors."""

from __future__ import annotations

import numpy as np
import pytest

from mmragbench.backends.padding import UNCUT, cut_of, encoding, proven
from mmragbench.models.open_clip import OpenClip
from mmragbench.records import Text
from support import tiny

CAPTIONS = [
    "two red boats on a lake",
    "a cat",
    "",
    "three green trees stand in a meadow under a cloudy sky, with a small white house behind them "
    "and a very long road that does not fit into the context of any of these models",
    "a yellow bus in a city street",
]

CUT = {
    "clip": {},
    "custom text": {"custom_text": True},
    "end token": {"custom_text": True, "text": {"pool_type": "eos", "eos_id": 49407}},
}
WHOLE = {
    "siglip": {
        "custom_text": True,
        "text": {"pool_type": "last", "no_causal_mask": True, "proj_bias": True},
        "init_logit_bias": -10,
    },
    "attends forwards": {"text": {"no_causal_mask": True}, "custom_text": True},
    "pools last": {"custom_text": True, "text": {"pool_type": "last"}},
}


def plain(name: str) -> np.ndarray:
    """open_clip's own encode_text on whole rows."""
    import open_clip
    import torch

    model = open_clip.create_model(name).eval()
    with torch.no_grad():
        tokens = open_clip.get_tokenizer(name)(CAPTIONS)
        return model.encode_text(tokens, normalize=True).numpy()


def ours(name: str, **given) -> tuple[np.ndarray, bool]:
    """Our vectors, and whether padding was left out."""
    encoder = OpenClip(name, **given)
    rows = encoder.encode_texts([Text(str(i), text) for i, text in enumerate(CAPTIONS)])
    return rows, encoder._texts[1] is not UNCUT


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_a_causal_tower_reads_no_padding(tmp_path, kind, batch_size):
    """Read at its end token, it gives open_clip's vectors within 1e-5, whatever the batch."""
    name = tiny.open_clip_folder(tmp_path / "m", **CUT[kind])
    rows, cut = ours(name, batch_size=batch_size)
    assert cut
    np.testing.assert_allclose(rows, plain(name), atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 64])
def test_coca_reads_no_padding(tmp_path, batch_size):
    """Its class token keeps its position, and the one token of padding that it sees."""
    name = tiny.coca_folder(tmp_path / "m")
    rows, cut = ours(name, batch_size=batch_size)
    assert cut
    np.testing.assert_allclose(rows, plain(name), atol=1e-5)


@pytest.mark.parametrize("kind", WHOLE)
def test_other_towers_read_all(tmp_path, kind):
    """Where padding is attended to, or pooled, it stays."""
    name = tiny.open_clip_folder(tmp_path / "m", **WHOLE[kind])
    rows, cut = ours(name, batch_size=2)
    assert not cut
    np.testing.assert_allclose(rows, plain(name), atol=1e-5)


def test_a_cut_that_changes_vectors_is_not_made(tmp_path):
    """Attributes may say that a tower can be cut; what counts is that the vectors stay the same."""
    import open_clip
    import torch

    name = tiny.open_clip_folder(tmp_path / "m", custom_text=True)
    model = open_clip.create_model(name).eval()
    tokens = open_clip.get_tokenizer(name)(["a cat", "two red boats"])
    cut = cut_of(model)
    with torch.no_grad():
        assert proven(encoding(model), tokens, cut, 1e-5) is cut
        model.text.attn_mask.zero_()  # every token sees the padding now
        assert proven(encoding(model), tokens, cut, 1e-5) is UNCUT
