"""A picture that is shown under many queries is looked at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from mmragbench.backends.transformers.loading import load  # noqa: E402
from mmragbench.backends.transformers.vision_cache import Seen  # noqa: E402
from mmragbench.backends.weights import locate  # noqa: E402


class Tower:
    """Sums each picture, and counts what it looked at."""

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self, pixel_values, patch_attention_mask):
        self.looked += len(pixel_values)
        sums = pixel_values.sum(dim=(1, 2, 3)) + patch_attention_mask.sum(dim=(1, 2))
        return SimpleNamespace(last_hidden_state=sums[:, None, None].expand(-1, 4, 8))


def asked(seen: Seen, numbers: list[int], patches: int = 2):
    """Pictures of one number each; the states that come back."""
    pixels = torch.tensor(numbers, dtype=torch.float32)[:, None, None, None].expand(-1, 3, 6, 6)
    mask = torch.ones((len(numbers), patches, patches), dtype=torch.bool)
    return seen(pixels, mask).last_hidden_state[:, 0, 0].tolist()


def test_each_picture_is_looked_at_once():
    """In one batch or in several; states come in the order of the pictures."""
    tower = Tower()
    seen = Seen(tower)
    assert asked(seen, [1, 2, 1]) == [112, 220, 112]
    assert asked(seen, [2, 3]) == [220, 328]
    assert tower.looked == 3


def test_another_mask_is_another_picture():
    """What is padding in one batch is picture in another."""
    tower = Tower()
    seen = Seen(tower)
    assert asked(seen, [1]) != asked(seen, [1], patches=3)
    assert tower.looked == 2


def test_what_was_not_needed_for_longest_is_dropped():
    """At most `limit` bytes are kept after a batch, whatever its size."""
    tower = Tower()
    seen = Seen(tower, limit=2 * 4 * 8 * 4)  # two states of float32
    asked(seen, [1, 2, 3])
    asked(seen, [2, 3])
    assert tower.looked == 3
    assert asked(seen, [1]) == [112]
    assert tower.looked == 4


def test_a_model_that_looks_once_sees_the_same():
    """The shipped reader's features are those of its own tower, and the tower is asked once."""
    checkpoint = load("AutoModelForImageTextToText", locate("shipped:scenes/reader"), "cpu")
    model = checkpoint.model.model
    torch.manual_seed(0)
    pixels = torch.rand((2, 2, 3, 96, 96))
    pixels[1, 0] = pixels[0, 0]
    own = type(model.vision_model).forward
    with torch.inference_mode():
        found = model.get_image_features(pixels).last_hidden_state
        flat = pixels.view(4, 3, 96, 96)
        patches = 96 // model.config.vision_config.patch_size
        mask = torch.ones((4, patches, patches), dtype=torch.bool)
        expected = own(model.vision_model, flat, mask).last_hidden_state
    assert isinstance(model.vision_model.forward, Seen)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
