"""Classic features: what their parts are, and that they are better than nothing on photographs."""

from __future__ import annotations

import colorsys
import csv
from collections import Counter

import numpy as np
import pytest
from PIL import Image as Pillow

from mmragbench.errors import NotApplicable
from mmragbench.models.classic_features import BINS, SIDE, ClassicFeatures
from mmragbench.records import Image, Text

COLOURS = 9 * 8 * 4 * 4


def picture(folder, name, pixels):
    Pillow.fromarray(pixels).save(folder / f"{name}.png")
    return Image(name, folder / f"{name}.png")


def noise(seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def test_the_first_part_is_a_histogram_of_hue_saturation_and_value_for_each_cell(tmp_path):
    """The oracle is Python's own colorsys, pixel by pixel, on the top left cell of the grid."""
    pixels = noise()
    (row,) = ClassicFeatures().encode_images([picture(tmp_path, "noise", pixels)])
    side = -(-SIDE // 3)  # the first of array_split's parts has what is left over
    counts: Counter[int] = Counter()
    for red, green, blue in pixels[:side, :side].reshape(-1, 3) / 255:
        hsv = colorsys.rgb_to_hsv(red, green, blue)
        bins = [min(int(value * n), n - 1) for value, n in zip(hsv, BINS)]
        counts[int(np.ravel_multi_index(bins, BINS))] += 1
    expected = np.sqrt([counts[i] for i in range(np.prod(BINS))])
    found = row[: np.prod(BINS)]
    cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine == pytest.approx(1, abs=1e-3)  # a pixel on an edge may fall to either side


def test_the_parts_weigh_alike(tmp_path):
    """Colour, texture and outlines have a third each of the squared length."""
    (row,) = ClassicFeatures().encode_images([picture(tmp_path, "noise", noise())])
    parts = np.split(row, [COLOURS, COLOURS + 9 * 10])
    np.testing.assert_allclose([part @ part for part in parts], 1 / 3, rtol=1e-5)


def test_texture_and_outlines_know_no_colour(tmp_path):
    """A grey picture that is tinted differs in its colours alone; one that is turned differs in all."""
    pixels = np.repeat(noise()[:, :, :1], 3, axis=2)
    tinted = np.stack([pixels[..., 0], pixels[..., 0] // 2, pixels[..., 0] // 4], axis=2)
    grey, turned = picture(tmp_path, "grey", pixels), picture(tmp_path, "turned", pixels[::-1])
    a, b, c = ClassicFeatures().encode_images([grey, picture(tmp_path, "tinted", tinted), turned])
    by_colour, by_rest = a[:COLOURS] @ b[:COLOURS], a[COLOURS:] @ b[COLOURS:]
    assert by_colour < 0.1
    assert by_rest > 0.6
    assert a[COLOURS:] @ c[COLOURS:] < by_rest


def test_texts_have_no_features():
    """As any encoder of pictures says it."""
    with pytest.raises(NotApplicable, match="pictures, not texts"):
        ClassicFeatures().encode_texts([Text("t", "a red dog")])


@pytest.mark.real_data
def test_captions_of_near_photographs_share_rarer_words_than_chance(shared_data):
    """The ten nearest of 400 photographs of Flickr8k to each of 200, words weighted by rarity: by five
    standard errors."""
    root = shared_data / "flickr8k"
    with (root / "captions.txt").open(encoding="utf-8", newline="") as file:
        words: dict[str, set[str]] = {}
        for name, caption in csv.reader(file):
            words.setdefault(name, set()).update(caption.lower().split())
    names = (root / "splits/train.txt").read_text().split()[:600]
    images = [Image(name, root / "images" / name) for name in names]
    rows = ClassicFeatures().encode_images(images)
    nearest = 200 + (rows[:200] @ rows[200:].T).argsort(axis=1)[:, -10:]

    counts = Counter(word for name in names for word in words[name])

    def shared(i, others):
        return np.mean(
            [sum(1 / counts[w] for w in words[names[i]] & words[names[j]]) for j in others]
        )

    gains = [shared(i, hits) - shared(i, range(200, 600)) for i, hits in enumerate(nearest)]
    assert np.mean(gains) > 5 * np.std(gains) / len(gains) ** 0.5
