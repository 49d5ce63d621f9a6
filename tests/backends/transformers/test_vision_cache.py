"""A vision tower encodes a picture once that is shown under many queries."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from mmragbench.backends.transformers.loading import load  # noqa: E402
from mmragbench.backends.transformers.vision_cache import CachedVisionTower  # noqa: E402
from mmragbench.backends.weights import locate  # noqa: E402


class Tower:
    """Sums each picture, and counts the pictures that it encoded."""

    def __init__(self) -> None:
        self.encoded = 0

    def __call__(self, pixel_values, patch_attention_mask):
        self.encoded += len(pixel_values)
        sums = pixel_values.sum(dim=(1, 2, 3)) + patch_attention_mask.sum(dim=(1, 2))
        return SimpleNamespace(last_hidden_state=sums[:, None, None].expand(-1, 4, 8))


def states(cached: CachedVisionTower, numbers: list[int], patches: int = 2):
    """The states of pictures of one number each."""
    pixels = torch.tensor(numbers, dtype=torch.float32)[:, None, None, None].expand(-1, 3, 6, 6)
    mask = torch.ones((len(numbers), patches, patches), dtype=torch.bool)
    return cached(pixels, mask).last_hidden_state[:, 0, 0].tolist()


def test_each_picture_is_encoded_once():
    """In one batch or in several; states come in the order of the pictures."""
    tower = Tower()
    cached = CachedVisionTower(tower)
    assert states(cached, [1, 2, 1]) == [112, 220, 112]
    assert states(cached, [2, 3]) == [220, 328]
    assert tower.encoded == 3


def test_another_mask_is_another_picture():
    """What is padding in one batch is picture in another."""
    tower = Tower()
    cached = CachedVisionTower(tower)
    assert states(cached, [1]) != states(cached, [1], patches=3)
    assert tower.encoded == 2


def test_the_least_recently_used_are_dropped():
    """At most `limit` bytes are kept after a batch, whatever its size."""
    tower = Tower()
    cached = CachedVisionTower(tower, limit=2 * 4 * 8 * 4)  # two states of float32
    states(cached, [1, 2, 3])
    states(cached, [2, 3])
    assert tower.encoded == 3
    assert states(cached, [1]) == [112]
    assert tower.encoded == 4


def test_a_cached_tower_has_the_same_features():
    """The shipped reader's features stay the same when its tower is replaced by the cached one."""
    checkpoint = load("AutoModelForImageTextToText", locate("shipped:scenes/reader"), "cpu")
    model = checkpoint.model.model
    torch.manual_seed(0)
    pixels = torch.rand((2, 2, 3, 96, 96))
    pixels[1, 0] = pixels[0, 0]
    own = type(model.vision_model).forward
    with torch.inference_mode():
        features = model.get_image_features(pixels).last_hidden_state
        flat = pixels.view(4, 3, 96, 96)
        patches = 96 // model.config.vision_config.patch_size
        mask = torch.ones((4, patches, patches), dtype=torch.bool)
        expected = own(model.vision_model, flat, mask).last_hidden_state
    assert isinstance(model.vision_model.forward, CachedVisionTower)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)
