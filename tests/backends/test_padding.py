"""Padding is left out where it cannot matter, and only there: always open_clip's own vectors."""

from __future__ import annotations

import numpy as np
import pytest

from mmragbench.backends.padding import NO_TRUNCATION, text_encoder, truncation_of, verified
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

TRUNCATED = {
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


def expected(name: str) -> np.ndarray:
    """open_clip's own encode_text on whole rows."""
    import open_clip
    import torch

    model = open_clip.create_model(name).eval()
    with torch.no_grad():
        tokens = open_clip.get_tokenizer(name)(CAPTIONS)
        return model.encode_text(tokens, normalize=True).numpy()


def actual(name: str, **given) -> tuple[np.ndarray, bool]:
    """Our vectors, and whether padding was left out."""
    encoder = OpenClip(name, **given)
    rows = encoder.encode_texts([Text(str(i), text) for i, text in enumerate(CAPTIONS)])
    return rows, encoder._text_tower.truncation is not NO_TRUNCATION


@pytest.mark.parametrize("kind", TRUNCATED)
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_a_causal_tower_reads_no_padding(tmp_path, kind, batch_size):
    """Read at its end token, it gives open_clip's vectors within 1e-5, whatever the batch."""
    name = tiny.open_clip_folder(tmp_path / "m", **TRUNCATED[kind])
    rows, truncated = actual(name, batch_size=batch_size)
    assert truncated
    np.testing.assert_allclose(rows, expected(name), atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 64])
def test_coca_reads_no_padding(tmp_path, batch_size):
    """Its class token keeps its position, and the one token of padding that it sees."""
    name = tiny.coca_folder(tmp_path / "m")
    rows, truncated = actual(name, batch_size=batch_size)
    assert truncated
    np.testing.assert_allclose(rows, expected(name), atol=1e-5)


@pytest.mark.parametrize("kind", WHOLE)
def test_other_towers_read_all(tmp_path, kind):
    """Where padding is attended to, or pooled, it stays."""
    name = tiny.open_clip_folder(tmp_path / "m", **WHOLE[kind])
    rows, truncated = actual(name, batch_size=2)
    assert not truncated
    np.testing.assert_allclose(rows, expected(name), atol=1e-5)


def test_a_cut_that_changes_vectors_is_not_made(tmp_path):
    """Attributes may say that a tower can be truncated; what counts is that the vectors stay the same."""
    import open_clip
    import torch

    name = tiny.open_clip_folder(tmp_path / "m", custom_text=True)
    model = open_clip.create_model(name).eval()
    tokens = open_clip.get_tokenizer(name)(["a cat", "two red boats"])
    truncation = truncation_of(model)
    with torch.no_grad():
        assert verified(text_encoder(model), tokens, truncation, 1e-5) is truncation
        model.text.attn_mask.zero_()  # every token sees the padding now
        assert verified(text_encoder(model), tokens, truncation, 1e-5) is NO_TRUNCATION
