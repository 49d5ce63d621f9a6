"""A vision tower encodes a picture once that is shown under many queries."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from mmragbench.backends.transformers.loading import load  # noqa: E402
from mmragbench.backends.transformers.vision_cache import (  # noqa: E402
    CachedPictureCodes,
    CachedVisionTower,
)
from mmragbench.backends.weights import locate  # noqa: E402
from support import checkpoints  # noqa: E402


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


def test_emu3s_codes_are_those_of_each_picture_by_itself(tmp_path):
    """Whatever stands in the batch beside it, at another size; and each is encoded once."""
    model = load("AutoModelForImageTextToText", str(checkpoints.emu3(tmp_path)), "cpu").model.model
    own = type(model.vqmodel).encode
    torch.manual_seed(0)
    sizes = torch.tensor([[32, 32], [16, 24], [32, 32]])
    pixels = torch.zeros((3, 3, 32, 32))
    for row, (height, width) in enumerate(sizes.tolist()):
        pixels[row, :, :height, :width] = torch.randn((3, height, width))
    pixels[2] = pixels[0]
    calls = []
    model.vqmodel.encode = CachedPictureCodes(
        lambda picture, size, **options: calls.append(picture) or own(model.vqmodel, picture, size)
    )
    with torch.inference_mode():
        together = model.vqmodel.encode(pixels, sizes, return_dict=True).image_tokens
        again = model.vqmodel.encode(pixels[1:2, :, :16, :24], sizes[1:2]).image_tokens
        small = own(model.vqmodel, pixels[1:2, :, :16, :24], sizes[1:2]).image_tokens[0]
    assert len(calls) == 2
    assert [tuple(codes.shape) for codes in together] == [(4, 4), (2, 3), (4, 4)]
    assert (together[1] == small).all() and (again[0] == small).all()
    assert (together[0] == together[2]).all() and len(together[0].unique()) > 1


def test_the_least_recently_used_codes_are_dropped():
    """At most `limit` pictures' codes are cached."""
    calls = []

    def encode(picture, size):
        calls.append(float(picture.sum()))
        return SimpleNamespace(image_tokens=[picture[0, 0, ::8, ::8].long()])

    cached = CachedPictureCodes(encode, limit=2)
    for number in (1, 2, 1, 3, 1, 2):
        picture = torch.full((1, 3, 8, 8), float(number))
        assert cached(picture, torch.tensor([[8, 8]])).image_tokens[0].item() == number
    assert [total / (3 * 64) for total in calls] == [1, 2, 3, 2]
